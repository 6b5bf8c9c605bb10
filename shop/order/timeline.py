"""What happened to an order, as staff see it: moves, parcels and what other systems were told, in one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from integrations.hub.models import Outgoing
from integrations.hub.outgoing_admin import STATE_COLOURS, STATES, state_of
from shop.order.models import Order, OrderStatusChange, Status

WRITTEN_BY_WEFT = (gettext_noop("payment deadline"), gettext_noop("paid"))  # reasons that are not a person's words


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind` is status, parcel or hub. `state` and `colour` make a badge. `lines` are for people."""

    at: datetime
    kind: str
    title: str
    who: str = ""
    state: Any = ""
    colour: str = ""
    lines: tuple[str, ...] = ()
    trouble: str = ""
    link: str = ""


def timeline(order: Order) -> list[Entry]:
    """Oldest first. The hub's rows come in one query; the rest is read with the order (`admin.with_details`)."""
    rows = Outgoing.objects.filter(subject=order.subject).select_related("account").order_by("pk")
    entries = [
        *(_moved(change) for change in sorted(order.status_changes.all(), key=lambda change: change.pk)),
        *(_parcel(parcel) for parcel in order.parcels.all()),
        *(_told(row) for row in rows),
    ]
    return sorted(entries, key=lambda entry: entry.at)


def _label(status: str) -> str:
    return str(Status(status).label) if status in Status.values else status


def _moved(change: OrderStatusChange) -> Entry:
    if not change.old_status:
        title = _("placed: %(status)s") % {"status": _label(change.new_status)}
    elif change.old_status == change.new_status:
        title = _("noted while %(status)s") % {"status": _label(change.new_status)}
    else:
        title = f"{_label(change.old_status)} → {_label(change.new_status)}"
    reason = _(change.reason) if change.reason in WRITTEN_BY_WEFT else change.reason
    return Entry(change.date_created, "status", title, who=change.actor, lines=(reason,) if reason else ())


def _parcel(parcel: Any) -> Entry:
    lines = tuple(f"{line.quantity} × {line.sku} · {line.warehouse}" for line in parcel.lines.all())
    return Entry(
        parcel.shipped_at, "parcel", _("parcel %(number)s left") % {"number": parcel.number}, parcel.actor, lines=lines
    )


def _told(row: Outgoing) -> Entry:
    state = state_of(row)
    numbers = [ref.get("number") or ref.get("id") for ref in row.refs]
    lines = [_("their number: %(numbers)s") % {"numbers": ", ".join(numbers)}] if numbers else []
    return Entry(
        row.created_at,
        "hub",
        f"{row.account} · {row.topic}",
        state=STATES[state],
        colour=STATE_COLOURS[state],
        lines=(*lines, *row.warnings),
        trouble=(row.parked_reason or row.last_error) if row.is_open else "",
        link=reverse("admin:hub_outgoing_change", args=[row.pk]),
    )
