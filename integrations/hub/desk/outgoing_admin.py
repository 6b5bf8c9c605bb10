"""Outgoing work in the admin: where each row stands, each try of it, and another go for what was parked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from integrations.hub import said, topics
from integrations.hub.desk import finding, outgoing_acts, outgoing_pages
from integrations.hub.desk.admin_pages import ViewOnlyAdmin, badge
from integrations.hub.desk.outgoing_states import (
    LANES,
    STATE_COLOURS,
    STATES,
    CauseFilter,
    ParkedOnRetired,
    StateFilter,
    TopicFilter,
    outcome,
    state_of,
)
from integrations.hub.files import exports
from integrations.hub.models import AccountState, Outgoing
from integrations.hub.sending import parking
from integrations.hub.values import Lane

OPERATE = ["hub.operate_outgoing"]
ATTEMPTS_SHOWN = 50


@admin.register(Outgoing)
class OutgoingAdmin(ViewOnlyAdmin):
    list_display = (
        "shown_topic", "shown_subject", "account", "state_badge", "created_at", "failures", "shown_error",
    )  # fmt: skip
    exported = (
        exports.text(gettext_lazy("topic"), lambda row: topics.label(row.topic)),
        exports.text(gettext_lazy("about"), lambda row: topics.subject_words(row.subject)),
        exports.text(gettext_lazy("account"), lambda row: row.account.name),
        exports.text(gettext_lazy("state"), lambda row: STATES[state_of(row)]),
        exports.time(gettext_lazy("created at"), lambda row: row.created_at),
        exports.time(gettext_lazy("delivered at"), lambda row: row.delivered_at),
        exports.text(gettext_lazy("failures in a row"), lambda row: row.failures),
        exports.text(gettext_lazy("last error"), lambda row: said.in_words(row.last_error) if row.is_open else ""),
    )
    list_filter = (StateFilter, TopicFilter, "account", ParkedOnRetired, CauseFilter)
    list_select_related = ("account",)
    search_fields = ("subject",)  # shows the box; see `finding.rows`
    search_help_text = gettext_lazy("Order number, the remote's number, or a trace")
    actions = ("retry_selected", "take_selected")
    actions_list = ("by_cause",)
    actions_detail = ("retry", "close", "tick", "give_back")
    change_form_after_template = "admin/hub/outgoing/attempts.html"
    fieldsets = (
        (
            gettext_lazy("The work"),
            {
                "fields": (
                    "shown_topic", "key", "shown_subject", "account", "shown_lane", "is_command", "serial",
                    "created_at", "trace",
                )
            },
        ),
        (
            gettext_lazy("Where it stands"),
            {
                "fields": (
                    "state_badge", "parked_at", "why_parked", "failures", "is_unknown", "whole_error", "shown_wait",
                    "next_at", "expires_at", "wanted", "delivered", "delivered_at", "shown_refs", "shown_warnings",
                    "taken", "shown_by_hand",
                )
            },
        ),
        (gettext_lazy("Contents"), {"fields": ("payload", "facts"), "classes": ("collapse",)}),
    )  # fmt: skip
    readonly_fields = (
        "shown_topic", "shown_subject", "shown_lane", "state_badge", "why_parked", "whole_error", "shown_wait",
        "shown_refs", "shown_warnings", "shown_by_hand",
    )  # fmt: skip

    def found(self, text: str) -> QuerySet[Outgoing]:
        return finding.rows(text)

    @display(description=gettext_lazy("topic"), ordering="topic")
    def shown_topic(self, row: Outgoing) -> Any:
        return topics.label(row.topic)

    @display(description=gettext_lazy("about"), ordering="subject")
    def shown_subject(self, row: Outgoing) -> str:
        link, words = topics.subject_link(row.subject), topics.subject_words(row.subject)
        return format_html('<a href="{}">{}</a>', link, words) if link else words

    @display(description=gettext_lazy("lane"), ordering="lane")
    def shown_lane(self, row: Outgoing) -> Any:
        return LANES.get(Lane(row.lane), row.lane) if row.lane in list(Lane) else row.lane

    @display(description=gettext_lazy("state"))
    def state_badge(self, row: Outgoing) -> str:
        state = state_of(row)
        return badge(STATES[state], STATE_COLOURS[state])

    @display(description=gettext_lazy("last error"))
    def shown_error(self, row: Outgoing) -> str:
        if not row.last_error or not row.is_open:
            return ""
        words = said.in_words(row.last_error)
        return format_html('<span title="{}">{}</span>', words, Truncator(words).chars(80))

    @display(description=gettext_lazy("last error"))
    def whole_error(self, row: Outgoing) -> str:
        return said.in_words(row.last_error) or "–"

    @display(description=gettext_lazy("why it is parked"))
    def why_parked(self, row: Outgoing) -> str:
        return said.in_words(row.parked_reason) or "–"

    @display(description=gettext_lazy("waits for"))
    def shown_wait(self, row: Outgoing) -> str:
        return f"{topics.label(row.waits_topic)} {row.waits_key}" if row.waits_key else "–"

    @display(description=gettext_lazy("remote's documents"))
    def shown_refs(self, row: Outgoing) -> str:
        return format_html_join(", ", "{}", ((ref.get("number") or ref.get("id"),) for ref in row.refs)) or "–"

    @display(description=gettext_lazy("warnings"))
    def shown_warnings(self, row: Outgoing) -> str:
        return format_html_join("", "<p>{}</p>", ((said.in_words(warning),) for warning in row.warnings)) or "–"

    @display(description=gettext_lazy("done by hand"))
    def shown_by_hand(self, row: Outgoing) -> str:
        entry = row.facts.get("by_hand") if isinstance(row.facts, dict) else None
        words = list(entry.values()) if isinstance(entry, dict) else [entry or ""]
        shown = " · ".join(str(word) for word in words if word) or "–"
        return f"{shown} ({_('unconfirmed')})" if row.is_unconfirmed else shown

    def get_urls(self) -> list[URLPattern]:
        """Trying again is for what a list shows: it takes the list's own query string."""
        view = self.admin_site.admin_view(lambda request: outgoing_pages.replay(self, request))
        return [path("replay/", view, name="hub_outgoing_replay"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        attempts = row.attempts.all()[:ATTEMPTS_SHOWN] if row else ()
        shown = [(attempt, outcome(attempt), said.in_words(attempt.message)) for attempt in attempts]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "attempts": shown})

    # --- another go ---

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("hub.operate_outgoing")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django shows the list again to who may not do what was posted; here that is an answer of its own: 403."""
        posted = request.POST.get("action") in self.actions and ACTION_CHECKBOX_NAME in request.POST
        if posted and not self.has_retry_permission(request):
            raise PermissionDenied
        replay = request.GET.get("state") == "parked" and self.has_retry_permission(request)
        return super().changelist_view(request, {**(extra_context or {}), "weft_replay": replay})

    @admin.action(description=gettext_lazy("Try the parked ones again"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> None:
        result = parking.retry(queryset)
        self.message_user(
            request, outgoing_acts.said_of(result), messages.SUCCESS if result.retried else messages.WARNING
        )

    @admin.action(description=gettext_lazy("Take them, to do them by hand"), permissions=["retry"])
    def take_selected(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> HttpResponse | None:
        return outgoing_pages.take(self, request, queryset)

    def offers(self, action: str, obj: Outgoing) -> bool:
        match action:
            case "close":
                return parking.may_close(obj)
            case "tick" | "give_back":
                return obj.taken_id is not None
        return state_of(obj) == "parked" and obj.account.state != AccountState.RETIRED

    @action(description=gettext_lazy("Parked work by cause"), url_path="causes", icon="category")
    def by_cause(self, request: HttpRequest) -> HttpResponse:
        return outgoing_pages.by_cause(self, request)

    @action(description=gettext_lazy("Try again"), url_path="retry", icon="replay", permissions=OPERATE)
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return outgoing_acts.retry(self, request, self.wanted(request, object_id))

    @action(description=gettext_lazy("Close by hand"), url_path="close", icon="task_alt", permissions=OPERATE)
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return outgoing_acts.close(self, request, self.wanted(request, object_id))

    @action(description=gettext_lazy("Tick off"), url_path="tick", icon="check", permissions=OPERATE)
    def tick(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return outgoing_acts.tick(self, request, self.wanted(request, object_id))

    @action(description=gettext_lazy("Give back"), url_path="give-back", icon="undo", permissions=OPERATE)
    def give_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return outgoing_acts.give_back(self, request, self.wanted(request, object_id))
