"""What has left the house: written as a parcel, taken off stock and holds, and told to the order. Once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from integrations.hub.models import Account
from shop import wiring
from shop.fulfilment.models import Parcel, Sourcing
from shop.order import lifecycle
from shop.order.models import Line, LineKind, Order, Status
from shop.stock import holds, promises
from shop.stock.holds import Shipped
from shop.stock.models import Hold, Warehouse


class NothingToShip(Exception):
    """No line of the order is left to be shipped from there."""


@dataclass(frozen=True, slots=True)
class Left:
    """`quantity` units of `sku` left the warehouse of that code."""

    sku: str
    warehouse: str
    quantity: int


def learn(account: Account, *, key: str, number: str, order_number: str, at: datetime, left: Sequence[Left]) -> bool:
    """An ERP says a shipment of ours is done. False when it said so before, or the order is not ours."""
    if Parcel.objects.filter(account=account, remote_key=key).exists():
        return False
    try:
        with lifecycle.locked(order_number) as order:
            if Parcel.objects.filter(account=account, remote_key=key).exists():
                return False
            parcel = Parcel.objects.create(
                order=order, account=account, remote_key=key, number=number, shipped_at=at, actor=account.name
            )
            _write(order, parcel, _matched(order, left), actor=account.name)
    except Order.DoesNotExist:
        return False
    return True


def ship(number: str, *, warehouse: Warehouse, actor: str) -> Parcel:
    """Staff ship what an order still has to get from one Weft-owned warehouse."""
    with lifecycle.locked(number) as order:
        if order.status not in (Status.PAID, Status.ON_ACCOUNT, Status.PARTLY_SHIPPED):
            raise lifecycle.IllegalMove(order, Status.SHIPPED)
        shipped = _still_to_leave(order, warehouse)
        if not shipped:
            raise NothingToShip(f"Nothing of order {number} is left to ship from {warehouse}.")
        count = order.parcels.count() + 1
        parcel = Parcel.objects.create(
            order=order, number=f"{order.number}-{count}", shipped_at=timezone.now(), actor=actor
        )
        _write(order, parcel, shipped, actor=actor)
    return parcel


def _still_to_leave(order: Order, warehouse: Warehouse) -> list[Shipped]:
    """What is sourced there, has not left, and is still held: what was cancelled stays."""
    held = dict(Hold.objects.filter(line__order=order, open__gt=0).values_list("line").annotate(units=Sum("open")))
    rows = Sourcing.objects.filter(line__order=order, warehouse=warehouse, quantity__gt=F("shipped"))
    shipped = []
    for row in rows.select_related("line").order_by("line_id"):
        if units := min(row.quantity - row.shipped, held.get(row.line_id, 0)):
            shipped.append(Shipped(row.line.partner_sku, warehouse.pk, units, row.line_id))
    return shipped


def _write(order: Order, parcel: Parcel, shipped: Sequence[Shipped], *, actor: str) -> None:
    """Write the parcel's lines, move the order, take them off stock. Locks: order, pools, levels, holds."""
    dated = _write_contents(parcel, shipped)
    lifecycle.note_shipped(order, actor=actor, reason=parcel.number)
    wiring.order_shipped(order, parcel)
    holds.consume(shipped, document=f"parcel:{parcel.pk}", actor=actor)
    _note_left(shipped)
    if dated and not order.needs_return:  # what should not have left is not late
        promises.note_late(order, dated)


def _write_contents(parcel: Parcel, shipped: Sequence[Shipped]) -> set[int]:
    """Returns the lines among them that were promised for a day, asked on the way."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO fulfilment_parcelline (parcel_id, line_id, warehouse_id, sku, quantity)
               SELECT %s, line_id, warehouse_id, sku, quantity
               FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::int[]) AS u(line_id, warehouse_id, sku, quantity)
               RETURNING line_id, EXISTS (
                   SELECT 1 FROM stock_waiting w WHERE w.line_id = fulfilment_parcelline.line_id)
            """,
            [
                parcel.pk,
                [s.line_id for s in shipped],
                [s.warehouse_id for s in shipped],
                [s.sku for s in shipped],
                [s.quantity for s in shipped],
            ],
        )
        return {line for line, has_day in cursor.fetchall() if has_day}


def _note_left(shipped: Sequence[Shipped]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE fulfilment_sourcing s SET shipped = s.shipped + l.quantity
               FROM (SELECT line_id, warehouse_id, sum(quantity)::int AS quantity
                     FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS u(line_id, warehouse_id, quantity)
                     GROUP BY line_id, warehouse_id) l
               WHERE s.line_id = l.line_id AND s.warehouse_id = l.warehouse_id""",
            [[s.line_id for s in shipped], [s.warehouse_id for s in shipped], [s.quantity for s in shipped]],
        )


def record_history(order: Order, lines: Sequence[holds.Promisable], *, warehouse_id: int) -> None:
    """A historical order left in one parcel on the day it was placed: parcel, stock and holds, without news or moves.

    In the transaction that places it, after its goods (`lines`) were promised.
    """
    if not lines:
        return
    parcel = Parcel.objects.create(
        order=order, number=f"{order.number}-1", shipped_at=order.date_placed, actor=order.source_account
    )
    shipped = [Shipped(line.partner_sku, warehouse_id, line.quantity, line.pk) for line in lines]
    _write_contents(parcel, shipped)
    holds.consume(shipped, document=f"parcel:{parcel.pk}", actor=order.source_account, at=order.date_placed)


def _unshipped(order: Order) -> dict[int, tuple[str, int]]:
    """line id -> (sku, units that have not left), oldest line first."""
    goods = order.lines.filter(kind=LineKind.GOODS)
    lines: Sequence[Line] = goods.annotate(gone=Sum("parcel_lines__quantity", default=0)).order_by("pk")
    return {line.pk: (line.partner_sku, line.quantity - line.gone) for line in lines}


def _matched(order: Order, left: Sequence[Left]) -> list[Shipped]:
    """What left, spread over the lines of its SKU: those sourced from there first; what no line wants has no line."""
    codes = dict(Warehouse.objects.values_list("code", "id"))
    wanted = _unshipped(order)
    sourced = {
        (row.line_id, row.warehouse_id): row.quantity - row.shipped
        for row in Sourcing.objects.filter(line__order=order, quantity__gt=F("shipped"))
    }
    shipped: list[Shipped] = []
    for item in left:
        shipped += _match(item, codes[item.warehouse], wanted, sourced)
    return shipped


def _match(
    item: Left, warehouse_id: int, lines: dict[int, tuple[str, int]], sourced: dict[tuple[int, int], int]
) -> list[Shipped]:
    matched: Counter[int] = Counter()
    left = item.quantity
    for only_sourced in (True, False):
        for line_id, (sku, wanted) in lines.items():
            here = sourced.get((line_id, warehouse_id), 0) if only_sourced else left
            if units := min(left, wanted, here) if sku == item.sku else 0:
                lines[line_id] = (sku, wanted - units)
                matched[line_id] += units
                left -= units
    found = [Shipped(item.sku, warehouse_id, units, line_id) for line_id, units in matched.items()]
    return [*found, Shipped(item.sku, warehouse_id, left, None)] if left else found
