"""Incoming messages in the admin: where each stands, what it hints at, its failures, and the end of parked ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.hub import hearing, said, topics
from integrations.hub.desk import finding
from integrations.hub.desk.admin_pages import Confirm, Refused, ViewOnlyAdmin, act, badge, too_late
from integrations.hub.desk.outgoing_states import LANES, OUTCOMES
from integrations.hub.files import exports
from integrations.hub.incoming import parking as incoming_parking
from integrations.hub.models import Incoming, IncomingHint
from integrations.hub.sending.parking import Retried
from integrations.hub.values import Lane

OPERATE = ["hub.operate_incoming"]
STATES: dict[str, Any] = {
    "done": gettext_lazy("done"),
    "closed": gettext_lazy("closed by hand"),
    "parked": gettext_lazy("parked"),
    "flight": gettext_lazy("in flight"),
    "open": gettext_lazy("open"),
}
STATE_COLOURS = {"done": "success", "closed": "success", "parked": "danger", "flight": "info", "open": "info"}


def state_of(row: Incoming) -> str:
    """Where a message stands, as one of STATES."""
    if row.done_at:
        return "closed" if row.note else "done"
    if row.parked_at:
        return "parked"
    return "flight" if row.lease_until and row.lease_until > timezone.now() else "open"


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incoming]) -> QuerySet[Incoming]:
        working = Q(done_at__isnull=True, parked_at__isnull=True)
        match self.value():
            case "done":
                return queryset.filter(done_at__isnull=False, note="")
            case "closed":
                return queryset.filter(done_at__isnull=False).exclude(note="")
            case "parked":
                return queryset.filter(parked_at__isnull=False)
            case "flight":
                return queryset.filter(working, lease_until__gt=timezone.now())
            case "open":
                return queryset.filter(working)
        return queryset


class Seen(Confirm):
    note = forms.CharField(
        label=gettext_lazy("What you found"),
        max_length=255,
        help_text=gettext_lazy("What was done about it, or why it does not matter. It stays with the message."),
        widget=UnfoldAdminTextInputWidget(),
    )


@admin.register(Incoming)
class IncomingAdmin(ViewOnlyAdmin):
    list_display = (
        "shown_event", "shown_subject", "account", "state_badge", "received_at", "times", "failures", "shown_error",
    )  # fmt: skip
    exported = (
        exports.text(gettext_lazy("event"), str),
        exports.text(gettext_lazy("about"), lambda row: topics.subject_words(row.subject)),
        exports.text(gettext_lazy("account"), lambda row: row.account.name),
        exports.text(gettext_lazy("state"), lambda row: STATES[state_of(row)]),
        exports.text(gettext_lazy("anomaly"), lambda row: row.is_anomaly),
        exports.time(gettext_lazy("received at"), lambda row: row.received_at),
        exports.text(gettext_lazy("times received"), lambda row: row.times),
        exports.time(gettext_lazy("done at"), lambda row: row.done_at),
        exports.text(gettext_lazy("SHA-256 of the body"), lambda row: row.digest),
        exports.text(gettext_lazy("last error"), lambda row: said.in_words(row.last_error) if row.is_open else ""),
    )
    list_filter = (StateFilter, "account", "is_anomaly")
    list_select_related = ("account",)
    search_fields = ("event",)  # shows the box; see `finding.messages`
    search_help_text = gettext_lazy("The remote's id of the event, our number, or a trace")
    actions = ("retry_selected",)
    actions_detail = ("retry", "close")
    change_form_after_template = "admin/hub/incoming/hints.html"
    fieldsets = (
        (
            gettext_lazy("The message"),
            {
                "fields": (
                    "shown_event", "shown_subject", "account", "shown_lane", "is_anomaly", "received_at", "times",
                    "last_received_at", "digest", "shown_body", "shown_trace",
                )
            },
        ),
        (
            gettext_lazy("Where it stands"),
            {
                "fields": (
                    "state_badge", "parked_at", "why_parked", "failures", "whole_error", "next_at", "parsed_at",
                    "done_at", "note",
                )
            },
        ),
    )  # fmt: skip
    readonly_fields = (
        "shown_event", "shown_subject", "shown_lane", "shown_body", "shown_trace", "state_badge", "why_parked",
        "whole_error",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incoming]:
        """Without what was sent, which no page shows."""
        return super().get_queryset(request).defer("sealed")

    def found(self, text: str) -> QuerySet[Incoming]:
        return finding.messages(text)

    @display(description=gettext_lazy("event"), ordering="event")
    def shown_event(self, row: Incoming) -> str:
        return str(row)

    @display(description=gettext_lazy("about"), ordering="subject")
    def shown_subject(self, row: Incoming) -> str:
        return _subject(row.subject)

    @display(description=gettext_lazy("lane"), ordering="lane")
    def shown_lane(self, row: Incoming) -> Any:
        return LANES.get(Lane(row.lane), row.lane) if row.lane in list(Lane) else row.lane

    @display(description=gettext_lazy("what was sent"))
    def shown_body(self, row: Incoming) -> str:
        is_kept = Incoming.objects.filter(pk=row.pk, sealed__isnull=False).exists()
        return _("kept, encrypted") if is_kept else _("not kept any more")

    @display(description=gettext_lazy("trace"))
    def shown_trace(self, row: Incoming) -> str:
        """Leads to the outgoing work that was wished for while it was heeded."""
        link = f"{reverse('admin:hub_outgoing_changelist')}?{urlencode({'q': row.trace})}"
        return format_html('<a href="{}"><code>{}</code></a>', link, row.trace) if row.trace else "–"

    @display(description=gettext_lazy("state"))
    def state_badge(self, row: Incoming) -> str:
        state = state_of(row)
        shown = badge(STATES[state], STATE_COLOURS[state])
        return format_html("{} {}", shown, badge(_("anomaly"), "warning")) if row.is_anomaly else shown

    @display(description=gettext_lazy("last error"))
    def shown_error(self, row: Incoming) -> str:
        if not row.last_error or not row.is_open:
            return ""
        words = said.in_words(row.last_error)
        return format_html('<span title="{}">{}</span>', words, Truncator(words).chars(80))

    @display(description=gettext_lazy("last error"))
    def whole_error(self, row: Incoming) -> str:
        return said.in_words(row.last_error) or "–"

    @display(description=gettext_lazy("why it is parked"))
    def why_parked(self, row: Incoming) -> str:
        return said.in_words(row.parked_reason) or "–"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        shown = {"hints": _hints(row), "attempts": _attempts(row)} if row else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    # --- another go, or the end ---

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATE[0])

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django shows the list again to who may not do what was posted; here that is an answer of its own: 403."""
        posted = request.POST.get("action") == "retry_selected" and ACTION_CHECKBOX_NAME in request.POST
        if posted and not self.has_operate_permission(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    @admin.action(description=gettext_lazy("Try the parked ones again"), permissions=["operate"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Incoming]) -> None:
        result = incoming_parking.retry(queryset)
        self.message_user(request, _said(result), messages.SUCCESS if result.retried else messages.WARNING)

    def offers(self, action: str, obj: Incoming) -> bool:
        return incoming_parking.may_retry(obj) if action == "retry" else obj.parked_at is not None

    @action(description=gettext_lazy("Try again"), url_path="retry", icon="replay", permissions=OPERATE)
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        if not self.offers("retry", row):
            return too_late(self, request, row)
        return act(self, request, row, _again(row), title=_("Try again"), button=_("Try again now"),
                   explain=[_why(row)])  # fmt: skip

    @action(description=gettext_lazy("Close by hand"), url_path="close", icon="task_alt", permissions=OPERATE)
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.wanted(request, object_id)
        if not self.offers("close", row):
            return too_late(self, request, row)
        explain = [_why(row), _("You have looked at the remote. Weft will never heed it, and forgets what was sent.")]
        return act(self, request, row, _closed(row), form=Seen, title=_("Close by hand"), button=_("Close it"),
                   explain=explain)  # fmt: skip


def _subject(subject: str) -> str:
    link, words = topics.subject_link(subject), topics.subject_words(subject)
    return format_html('<a href="{}">{}</a>', link, words) if link else words or "–"


def _hints(row: Incoming) -> list[dict[str, Any]]:
    return [_hint(row, hint) for hint in row.hints.all()]


def _hint(row: Incoming, hint: IncomingHint) -> dict[str, Any]:
    facts = ", ".join(f"{name}: {fact}" for name, fact in sorted(hint.facts.items()))
    label = hearing.label(row.account.kind, hint.kind)
    return {"label": label, "key": hint.key, "about": _subject(hint.subject), "facts": facts, "at": hint.settled_at}


def _attempts(row: Incoming) -> list[dict[str, Any]]:
    return [
        {
            "at": datetime.fromisoformat(one["at"]),
            "outcome": OUTCOMES.get(one["outcome"], one["outcome"]),
            "message": said.in_words(one["message"]),
        }
        for one in reversed(row.attempts)
    ]


def _why(row: Incoming) -> str:
    return _("Why it is parked: %(reason)s") % {"reason": said.in_words(row.parked_reason) or "–"}


def _closed(row: Incoming) -> Callable[[dict[str, Any]], str]:
    def do(data: dict[str, Any]) -> str:
        if not incoming_parking.close(row, data["note"]):
            raise Refused(_("It is not parked any more. Nothing was changed."), final=True)
        return _("Closed: %(note)s") % {"note": data["note"]}

    return do


def _again(row: Incoming) -> Callable[[dict[str, Any]], str]:
    def do(_data: dict[str, Any]) -> str:
        result = incoming_parking.retry(Incoming.objects.filter(pk=row.pk))
        if not result.retried:
            raise Refused(_said(result), final=True)
        return _said(result)

    return do


def _said(result: Retried) -> str:
    words = ngettext("%(n)d row is due again.", "%(n)d rows are due again.", result.retried) % {"n": result.retried}
    if not result.skipped:
        return words
    left = ngettext(
        "%(n)d was left alone: not parked, an anomaly (close it with a note), or what was sent is not kept any more.",
        "%(n)d were left alone: not parked, anomalies (close them with a note), or what was sent is not kept any more.",
        result.skipped,
    ) % {"n": result.skipped}
    return f"{words} {left}"
