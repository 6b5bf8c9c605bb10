"""Outgoing work in the admin: where each row stands, each try of it, and another go for what was parked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub import exports, finding, parking, said, topics
from integrations.hub.admin_pages import Confirm, Refused, ViewOnlyAdmin, act, badge, too_late
from integrations.hub.models import AccountState, Attempt, Outgoing
from integrations.hub.values import Lane

OPERATE = ["hub.operate_outgoing"]
ATTEMPTS_SHOWN = 50
STATES: dict[str, Any] = {
    "delivered": gettext_lazy("delivered"),
    "parked": gettext_lazy("parked"),
    "flight": gettext_lazy("in flight"),
    "waiting": gettext_lazy("waiting for another"),
    "open": gettext_lazy("open"),
}
STATE_COLOURS = {"delivered": "success", "parked": "danger", "flight": "info", "waiting": "warning", "open": "info"}
LANES = {
    Lane.MONEY: gettext_lazy("money"),
    Lane.PARCELS: gettext_lazy("parcels"),
    Lane.ORDERS: gettext_lazy("orders"),
    Lane.STOCK: gettext_lazy("stock figures"),
    Lane.CATALOGUE: gettext_lazy("catalogue"),
}


def state_of(row: Outgoing) -> str:
    """Where a row stands, as one of STATES."""
    if not row.is_open:
        return "delivered"
    if row.parked_at:
        return "parked"
    if row.lease_until and row.lease_until > timezone.now():
        return "flight"
    return "waiting" if row.waits_key else "open"


OUTCOMES: dict[str, Any] = {
    "done": gettext_lazy("done"),
    "looked up": gettext_lazy("looked up: it was there"),
    "TryAgain": gettext_lazy("not now"),
    "OutcomeUnknown": gettext_lazy("outcome unknown"),
    "Conflict": gettext_lazy("conflict"),
    "Rejected": gettext_lazy("refused"),
    "Misconfigured": gettext_lazy("the account's settings are wrong"),
    "bug": gettext_lazy("an error in Weft"),
}


def _outcome(attempt: Attempt) -> Any:
    if attempt.finished_at is None:
        return _("perhaps sent")
    return OUTCOMES.get(attempt.outcome, attempt.outcome) or "–"


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
        undelivered = Q(delivered__lt=F("wanted"))
        unparked = undelivered & Q(parked_at__isnull=True)
        flying = Q(lease_until__gt=timezone.now())
        match self.value():
            case "delivered":
                return queryset.filter(delivered__gte=F("wanted"))
            case "parked":
                return queryset.filter(undelivered, parked_at__isnull=False)
            case "flight":
                return queryset.filter(unparked & flying)
            case "waiting":
                return queryset.filter(unparked).exclude(waits_key="")
            case "open":
                return queryset.filter(unparked)
        return queryset


class TopicFilter(admin.SimpleListFilter):
    title = gettext_lazy("topic")
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, topics.label(name)) for name in sorted(topics.registered())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
        return queryset.filter(topic=self.value()) if self.value() else queryset


class ParkedOnRetired(admin.SimpleListFilter):
    """Keeps what nobody needs to look at any more out of the way; the home page links here."""

    title = gettext_lazy("account's state")
    parameter_name = "account_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("working", _("not retired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
        return queryset.exclude(account__state=AccountState.RETIRED) if self.value() else queryset


class Done(Confirm):
    note = forms.CharField(
        label=gettext_lazy("What was done"),
        max_length=255,
        help_text=gettext_lazy("Done by hand and how, or why it is not wanted any more. It stays with the row."),
        widget=UnfoldAdminTextInputWidget(),
    )


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
    list_filter = (StateFilter, TopicFilter, "account", ParkedOnRetired)
    list_select_related = ("account",)
    search_fields = ("subject",)  # shows the box; see `finding.rows`
    search_help_text = gettext_lazy("Order number, the remote's number, or a trace")
    actions = ("retry_selected",)
    actions_detail = ("retry", "close")
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
                )
            },
        ),
        (gettext_lazy("Contents"), {"fields": ("payload", "facts"), "classes": ("collapse",)}),
    )  # fmt: skip
    readonly_fields = (
        "shown_topic", "shown_subject", "shown_lane", "state_badge", "why_parked", "whole_error", "shown_wait",
        "shown_refs", "shown_warnings",
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

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        attempts = row.attempts.all()[:ATTEMPTS_SHOWN] if row else ()
        shown = [(attempt, _outcome(attempt), said.in_words(attempt.message)) for attempt in attempts]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "attempts": shown})

    # --- another go ---

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("hub.operate_outgoing")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django shows the list again to who may not do what was posted; here that is an answer of its own: 403."""
        posted = request.POST.get("action") == "retry_selected" and ACTION_CHECKBOX_NAME in request.POST
        if posted and not self.has_retry_permission(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    @admin.action(description=gettext_lazy("Try the parked ones again"), permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> None:
        result = parking.retry(queryset)
        self.message_user(request, _said(result), messages.SUCCESS if result.retried else messages.WARNING)

    def offers(self, action: str, obj: Outgoing) -> bool:
        if action == "close":
            return parking.may_close(obj)
        return state_of(obj) == "parked" and obj.account.state != AccountState.RETIRED

    @action(description=gettext_lazy("Try again"), url_path="retry", icon="replay", permissions=OPERATE)
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        if not self.offers("retry", row):
            return too_late(self, request, row)
        explain = [_("Why it is parked: %(reason)s") % {"reason": said.in_words(row.parked_reason) or "–"}]
        return act(self, request, row, _again(row), title=_("Try again"), button=_("Try again now"), explain=explain)

    @action(description=gettext_lazy("Close by hand"), url_path="close", icon="task_alt", permissions=OPERATE)
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        if not self.offers("close", row):
            return too_late(self, request, row)
        explain = [
            _("Why it is parked: %(reason)s") % {"reason": said.in_words(row.parked_reason) or "–"},
            _("You have looked, and it is done or not wanted any more. Weft will never send it."),
        ]
        return act(self, request, row, _closed(row), form=Done, title=_("Close by hand"), button=_("Close it"),
                   explain=explain)  # fmt: skip


def _closed(row: Outgoing) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        if not parking.close(row, data["note"]):
            raise Refused(_("It is not parked any more. Nothing was changed."), final=True)
        return _("Closed: %(note)s") % {"note": data["note"]}

    return do


def _again(row: Outgoing) -> Callable[[dict[str, Any]], str]:
    def do(_data: dict[str, Any]) -> str:
        result = parking.retry(Outgoing.objects.filter(pk=row.pk))
        if not result.retried:
            raise Refused(_said(result), final=True)
        return _said(result)

    return do


def _said(result: parking.Retried) -> str:
    words = ngettext("%(n)d row is due again.", "%(n)d rows are due again.", result.retried) % {"n": result.retried}
    if not result.skipped:
        return words
    left = ngettext(
        "%(n)d was left alone: not parked, too late, or perhaps done already (look at the remote by hand).",
        "%(n)d were left alone: not parked, too late, or perhaps done already (look at the remote by hand).",
        result.skipped,
    ) % {"n": result.skipped}
    return f"{words} {left}"
