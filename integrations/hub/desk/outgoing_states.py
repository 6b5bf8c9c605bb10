"""Where a row of outgoing work stands, in words and colours, and the list narrowed by it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.hub import said, topics
from integrations.hub.models import AccountState, Attempt, Outgoing
from integrations.hub.sending import parking
from integrations.hub.values import Lane

STATES: dict[str, Any] = {
    "delivered": gettext_lazy("delivered"),
    "parked": gettext_lazy("parked"),
    "flight": gettext_lazy("in flight"),
    "taken": gettext_lazy("taken, by hand"),
    "waiting": gettext_lazy("waiting for another"),
    "open": gettext_lazy("open"),
}
STATE_COLOURS = {
    "delivered": "success", "parked": "danger", "flight": "info", "taken": "warning", "waiting": "warning",
    "open": "info",
}  # fmt: skip
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
    if row.taken_id:
        return "taken"
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


def outcome(attempt: Attempt) -> Any:
    if attempt.finished_at is None:
        return _("perhaps sent")
    return OUTCOMES.get(attempt.outcome, attempt.outcome) or "–"


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*STATES.items(), ("failing", _("trying again")), ("unconfirmed", _("done by hand, unconfirmed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
        undelivered = Q(delivered__lt=F("wanted"))
        unparked = undelivered & Q(parked_at__isnull=True, taken__isnull=True)
        flying = Q(lease_until__gt=timezone.now())
        match self.value():
            case "delivered":
                return queryset.filter(delivered__gte=F("wanted"))
            case "parked":
                return queryset.filter(undelivered, parked_at__isnull=False)
            case "taken":
                return queryset.filter(taken__isnull=False)
            case "unconfirmed":
                return queryset.filter(is_unconfirmed=True)
            case "flight":
                return queryset.filter(unparked & flying)
            case "waiting":
                return queryset.filter(unparked).exclude(waits_key="")
            case "open":
                return queryset.filter(unparked)
            case "failing":
                return queryset.filter(unparked, failures__gt=0)
        return queryset


class TopicFilter(admin.SimpleListFilter):
    title = gettext_lazy("topic")
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, topics.label(name)) for name in sorted(topics.registered())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
        return queryset.filter(topic=self.value()) if self.value() else queryset


class CauseFilter(admin.SimpleListFilter):
    """Parked work of one cause; the page of causes links here."""

    title = gettext_lazy("cause")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        asked = request.GET.get(self.parameter_name)
        return [(asked, said.in_words(asked))] if asked else []

    def has_output(self) -> bool:
        return bool(self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
        if not self.value():
            return queryset
        return queryset.filter(parked_at__isnull=False).annotate(cause=parking.CAUSE).filter(cause=self.value())


class ParkedOnRetired(admin.SimpleListFilter):
    """Keeps what nobody needs to look at any more out of the way; the home page links here."""

    title = gettext_lazy("account's state")
    parameter_name = "account_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("working", _("not retired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
        return queryset.exclude(account__state=AccountState.RETIRED) if self.value() else queryset
