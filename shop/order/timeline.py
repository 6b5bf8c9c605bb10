"""What happened to an order, as staff see it: moves, stock, parcels, returns and what other systems were told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrations.hub import said, topics
from integrations.hub.desk.outgoing_states import STATE_COLOURS, STATES, state_of
from integrations.hub.models import Outgoing
from shop.mail.letters import Event
from shop.order.models import Order, OrderStatusChange, Status
from shop.returns.models import CreditNote
from shop.said import who
from shop.stock.models import Movement

MAIL = "messages"  # the kind of account that writes to people
LETTERS: dict[str, Any] = {
    Event.PLACED: gettext_lazy("letter: order received"),
    Event.PAID: gettext_lazy("letter: payment received"),
    Event.CANCELLED: gettext_lazy("letter: order cancelled"),
    Event.SHIPPED: gettext_lazy("letter: parcel on its way"),
    Event.REFUNDED: gettext_lazy("letter: money given back"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """`system` did it, or was told. `kind` (shop, staff, stock, hub or mail) chooses the colour, `state` and `colour`
    make a badge: the outcome. `lines` are for people."""

    at: datetime
    system: str
    kind: str
    title: str
    who: str = ""
    state: Any = ""
    colour: str = ""
    lines: tuple[str, ...] = ()
    trouble: str = ""
    link: str = ""
    needs: str = ""  # the permission to follow the link
    trace: str = ""  # of the click that did it; in the logs, and in the search box


def timeline(order: Order, told: Iterable[Outgoing]) -> list[Entry]:
    """Oldest first. Two queries of its own; the rest was read with the order (`admin_page.with_details`)."""
    entries = [
        *(_moved(change) for change in sorted(order.status_changes.all(), key=lambda change: change.pk)),
        *_held(order),
        *(_parcel(parcel) for parcel in order.parcels.all()),
        *_returned(order),
        *_stock(order),
        *(_told(row) for row in told),
    ]
    return sorted(entries, key=lambda entry: entry.at)


def _label(status: str) -> str:
    return str(Status(status).label) if status in Status.values else status


def _by(actor: str) -> tuple[str, str]:
    """(system, kind) of who moved it: staff, Weft itself or the customer in the shop, or an account by its name."""
    if actor.startswith("staff:"):
        return _("Staff"), "staff"
    if actor.startswith("customer:") or actor in ("", "weft", "web"):
        return _("Shop"), "shop"
    return actor, "hub"


def _moved(change: OrderStatusChange) -> Entry:
    if not change.old_status:
        title = _("placed: %(status)s") % {"status": _label(change.new_status)}
    elif change.old_status == change.new_status:
        title = _("noted while %(status)s") % {"status": _label(change.new_status)}
    else:
        title = f"{_label(change.old_status)} → {_label(change.new_status)}"
    reason = said.in_words(change.reason)
    system, kind = _by(change.actor)
    lines = (reason,) if reason else ()
    return Entry(change.date_created, system, kind, title, who(change.actor), lines=lines, trace=change.trace)


def _held(order: Order) -> Iterator[Entry]:
    """The promises of stock, those of one moment together."""
    made: dict[datetime, list[Any]] = defaultdict(list)
    for line in order.lines.all():
        for hold in line.holds.all():
            made[hold.created_at.replace(microsecond=0)].append(hold)
    for holds in made.values():
        state, colour = _how_it_stands(holds)
        lines = tuple(f"{hold.quantity} × {hold.pool_id}" for hold in holds)
        yield Entry(holds[0].created_at, _("Stock"), "stock", _("promised"), state=state, colour=colour, lines=lines)


def _how_it_stands(holds: list[Any]) -> tuple[str, str]:
    if any(hold.open for hold in holds):
        return _("held"), "info"
    return (_("shipped"), "success") if any(hold.consumed for hold in holds) else (_("released"), "")


def _parcel(parcel: Any) -> Entry:
    lines = tuple(f"{line.quantity} × {line.sku} · {line.warehouse}" for line in parcel.lines.all())
    system, kind = (str(parcel.account), "hub") if parcel.account_id else _by(parcel.actor)
    title = _("parcel %(number)s left") % {"number": parcel.number}
    link = reverse("admin:fulfilment_parcel_change", args=[parcel.pk])
    return Entry(parcel.shipped_at, system, kind, title, who(parcel.actor), lines=lines, link=link,
                 needs="fulfilment.view_parcel")  # fmt: skip


def _returned(order: Order) -> Iterator[Entry]:
    """What came back, and the money given for it."""
    returns = {part.returned_id: part.returned for line in order.lines.all() for part in line.return_lines.all()}
    for returned in returns.values():
        title = _("return %(number)s arrived") % {"number": returned.number}
        link = reverse("admin:returns_return_change", args=[returned.pk])
        system, kind = _by(returned.actor)
        yield Entry(returned.received_at, system, kind, title, who(returned.actor), link=link,
                    needs="returns.view_return")  # fmt: skip
    for note in CreditNote.objects.filter(returned__in=returns) if returns else ():
        title = _("credit note %(number)s") % {"number": note.number}
        link = reverse("admin:returns_creditnote_change", args=[note.pk])
        system, kind = _by(note.actor)
        yield Entry(note.issued_at, system, kind, title, who(note.actor), link=link, needs="returns.view_creditnote")


def _stock(order: Order) -> Iterator[Entry]:
    """What the order's parcels and returns did to the figures."""
    documents = [f"parcel:{parcel.pk}" for parcel in order.parcels.all()]
    documents += [f"return:{part.returned_id}" for line in order.lines.all() for part in line.return_lines.all()]
    moves: dict[str, list[Movement]] = defaultdict(list)
    if documents:
        for move in Movement.objects.filter(document__in=documents).select_related("warehouse").order_by("pk"):
            moves[move.document].append(move)
    for rows in moves.values():
        lines = tuple(f"{move.quantity:+d} {move.pool_id} · {move.warehouse}" for move in rows)
        yield Entry(rows[0].at, _("Stock"), "stock", rows[0].get_reason_display(), who(rows[0].actor), lines=lines)


def _told(row: Outgoing) -> Entry:
    state = state_of(row)
    is_mail = row.account.kind == MAIL
    return Entry(
        row.created_at,
        _("Mail") if is_mail else str(row.account),
        "mail" if is_mail else "hub",
        str(_letter(row) if is_mail else topics.label(row.topic)),
        who=str(row.account) if is_mail else "",
        state=STATES[state],
        colour=STATE_COLOURS[state],
        lines=(*_outcome(row), *row.warnings),
        trouble=said.in_words(row.parked_reason or row.last_error) if row.is_open else "",
        link=reverse("admin:hub_outgoing_change", args=[row.pk]),
        needs="hub.view_outgoing",
        trace=row.trace,
    )


def _letter(row: Outgoing) -> Any:
    event = row.key.split(":")[1] if ":" in row.key else ""
    return LETTERS.get(event) or topics.label(row.topic)


def _outcome(row: Outgoing) -> Iterator[str]:
    """How often it was tried, when it arrived, and as what."""
    if tries := getattr(row, "tries", 0):
        words = ngettext("%(n)d attempt", "%(n)d attempts", tries) % {"n": tries}
        if row.delivered_at and not row.is_open:
            at = date_format(timezone.localtime(row.delivered_at), "m-d H:i:s")
            words = _("%(attempts)s, delivered at %(at)s") % {"attempts": words, "at": at}
        yield words
    if numbers := [ref["number"] for ref in row.refs if ref.get("number")]:
        yield _("their number: %(numbers)s") % {"numbers": ", ".join(numbers)}
