"""Goods that come back: matched to what the buyer bought, most recent first, taken into stock, credited.

What no purchase of the buyer covers is credited all the same, on an unlinked credit note of its own: money only, since
nobody can say which goods of ours came back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from shop.order.models import Line, LineKind, Order
from shop.pricing.tax import Taxed, split
from shop.returns.models import CreditNote, CreditNoteLine, Return, ReturnLine
from shop.stock import movements
from shop.stock.models import Reason
from shop.stock.movements import Move

UNLINKED = "-U"  # the suffix of an unlinked note's number


@dataclass(frozen=True, slots=True)
class Wanted:
    """`quantity` units of `sku` came back, each credited with `unit_gross` (quantised, tax included)."""

    sku: str
    title: str
    quantity: int
    unit_gross: Decimal
    tax_code: str = ""
    tax_rate: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReturnedParcel:
    """One delivery that came back. `number` is unique in its source; goods go into `warehouse_id`."""

    source_account: str
    number: str
    buyer_reference: str
    currency: str
    at: datetime
    warehouse_id: int
    actor: str
    wanted: Sequence[Wanted]
    is_historical: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Units of one wanted position, and the order line they were bought on (None: not known)."""

    wanted: Wanted
    quantity: int
    line_id: int | None
    kind: str = ""


def receive(parcel: ReturnedParcel) -> list[Part]:
    """Write return, stock movements and credit notes in the caller's transaction; returns how it was matched.

    Locks: the buyer's orders by id, then pools and levels (`movements.record`).
    """
    parts = _match(parcel)
    linked = [part for part in parts if part.line_id is not None]
    if linked:
        returned = Return.objects.create(
            number=parcel.number,
            source_account=parcel.source_account,
            buyer_reference=parcel.buyer_reference,
            received_at=parcel.at,
            actor=parcel.actor,
            is_historical=parcel.is_historical,
        )
        _credit(parcel, parcel.number, linked, returned, _write_lines(returned, parcel, linked))
        _restock(parcel, returned, linked)
    if rest := [part for part in parts if part.line_id is None]:
        number = f"{parcel.number}{UNLINKED}" if linked else parcel.number
        _credit(parcel, number, rest, None, [None] * len(rest))
    return parts


# What is left to return of each line of the buyer's, most recent purchase first.
_BOUGHT = """
SELECT l.partner_sku, l.id, l.kind,
       l.quantity - coalesce((SELECT sum(r.quantity) FROM returns_returnline r WHERE r.line_id = l.id), 0)
FROM order_order o JOIN order_line l ON l.order_id = o.id
WHERE o.source_account = %s AND o.buyer_reference = %s AND o.date_placed <= %s AND o.currency = %s
  AND l.partner_sku = ANY(%s)
ORDER BY o.date_placed DESC, l.id DESC
"""


def lock_purchases(parcel: ReturnedParcel) -> None:
    """Lock the orders in which the buyer bought what came back: for who locks pools before `receive` does."""
    if not parcel.buyer_reference:
        return
    skus = {wanted.sku for wanted in parcel.wanted}
    mine = Order.objects.filter(
        source_account=parcel.source_account,
        buyer_reference=parcel.buyer_reference,
        pk__in=Line.objects.filter(partner_sku__in=skus).values("order"),
    )
    list(mine.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def _match(parcel: ReturnedParcel) -> list[Part]:
    bought: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    if parcel.buyer_reference:
        lock_purchases(parcel)
        with connection.cursor() as cursor:
            skus = sorted({wanted.sku for wanted in parcel.wanted})
            cursor.execute(_BOUGHT, [parcel.source_account, parcel.buyer_reference, parcel.at, parcel.currency, skus])
            for sku, line_id, kind, left in cursor.fetchall():
                bought[sku].append((line_id, kind, int(left)))
    return [part for wanted in parcel.wanted for part in _take(wanted, bought[wanted.sku])]


def _take(wanted: Wanted, bought: list[tuple[int, str, int]]) -> list[Part]:
    """Use up `bought` from its front; what it does not cover is a part without a line."""
    parts = []
    left = wanted.quantity
    for index, (line_id, kind, units) in enumerate(bought):
        if used := min(left, units):
            bought[index] = (line_id, kind, units - used)
            parts.append(Part(wanted, used, line_id, kind))
            left -= used
        if not left:
            break
    return [*parts, Part(wanted, left, None)] if left else parts


def _write_lines(returned: Return, parcel: ReturnedParcel, parts: Sequence[Part]) -> list[ReturnLine | None]:
    return list(
        ReturnLine.objects.bulk_create(
            ReturnLine(
                returned=returned,
                line_id=part.line_id,
                quantity=part.quantity,
                warehouse_id=parcel.warehouse_id if part.kind == LineKind.GOODS else None,
            )
            for part in parts
        )
    )


def _restock(parcel: ReturnedParcel, returned: Return, parts: Sequence[Part]) -> None:
    movements.record(
        [
            Move(part.wanted.sku, parcel.warehouse_id, part.quantity, Reason.RETURNED, f"return:{returned.pk}",
                 parcel.actor, at=parcel.at)
            for part in parts
            if part.kind == LineKind.GOODS
        ]
    )  # fmt: skip


def _credit(
    parcel: ReturnedParcel,
    number: str,
    parts: Sequence[Part],
    returned: Return | None,
    lines: Sequence[ReturnLine | None],
) -> None:
    taxed = [_amount(part, parcel.currency) for part in parts]
    note = CreditNote.objects.create(
        number=number,
        source_account=parcel.source_account,
        returned=returned,
        buyer_reference=parcel.buyer_reference,
        currency=parcel.currency,
        total_incl_tax=sum((amount.gross for amount in taxed), Decimal(0)),
        total_excl_tax=sum((amount.net for amount in taxed), Decimal(0)),
        issued_at=parcel.at,
        actor=parcel.actor,
        is_historical=parcel.is_historical,
    )
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(
            credit_note=note,
            return_line=line,
            sku=part.wanted.sku,
            title=part.wanted.title,
            quantity=part.quantity,
            unit_price_incl_tax=part.wanted.unit_gross,
            line_price_incl_tax=amount.gross,
            line_price_excl_tax=amount.net,
            tax_code=part.wanted.tax_code,
            tax_rate=part.wanted.tax_rate,
        )
        for part, line, amount in zip(parts, lines, taxed, strict=True)
    )


def _amount(part: Part, currency: str) -> Taxed:
    return split(part.wanted.unit_gross * part.quantity, part.wanted.tax_rate, currency)
