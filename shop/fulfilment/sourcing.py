"""From where each line leaves: the first warehouse by priority that covers it, else split over several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Sum

from shop.fulfilment.models import Sourcing
from shop.order.models import Line, LineKind, Order, Status
from shop.stock import pools
from shop.stock.models import Closure, Level, Waiting, Warehouse

_NOT_LEAVING = (Status.SHIPPED, Status.CANCELLED, Status.EXPIRED)


def source(order: Order) -> None:
    """Choose warehouses for the order's lines, once; stored in `Sourcing`. In the caller's transaction.

    What waits for goods is sourced when they are here (`shop.fulfilment.filling`).
    """
    source_lines(list(order.lines.filter(kind=LineKind.GOODS).order_by("pk")))


def source_lines(lines: Sequence[Line]) -> None:
    """Choose warehouses for what of these lines is here and was not sourced yet.

    Pools are locked in sku order, so that two orders do not both count on the same units of one warehouse.
    """
    skus = sorted({line.partner_sku for line in lines})
    pools.lock(skus)
    wanted = _wanted(lines)
    if not wanted:
        return
    warehouses = _open_for(lines[0].order)
    room = _room(skus)
    rows: list[Sourcing] = []
    for line in lines:
        places = _first(warehouses, wanted[line.pk].place)
        for warehouse_id, units in _choose(line.partner_sku, wanted[line.pk].units, places, room):
            room[line.partner_sku, warehouse_id] -= units
            rows.append(Sourcing(line=line, warehouse_id=warehouse_id, quantity=units))
    _write(rows)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`units` are to be sourced, those that waited best from the warehouse (`place`) where they were to arrive."""

    units: int
    place: int | None


def _wanted(lines: Sequence[Line]) -> dict[int, _Wanted]:
    """By line id; empty where nothing is to be sourced."""
    sourced = Sourcing.objects.filter(line__in=lines).values_list("line").annotate(units=Sum("quantity"))
    done = dict(sourced)
    waiting: dict[int, int] = defaultdict(int)
    places: dict[int, int] = {}
    # Units an ERP shipped before they were filled left from where it wanted.
    for row in Waiting.objects.filter(line__in=lines).select_related("presale__supply"):
        waiting[row.line_id] += row.open + row.shipped
        places[row.line_id] = row.presale.supply.warehouse_id
    found = {
        line.pk: _Wanted(line.quantity - waiting[line.pk] - done.get(line.pk, 0), places.get(line.pk)) for line in lines
    }
    return found if any(wanted.units > 0 for wanted in found.values()) else {}


def _first(warehouses: list[Warehouse], place: int | None) -> list[Warehouse]:
    return sorted(warehouses, key=lambda warehouse: warehouse.pk != place) if place else warehouses


def _write(rows: Sequence[Sourcing]) -> None:
    """A line that gets more from where it gets some already has one row there."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO fulfilment_sourcing AS s (line_id, warehouse_id, quantity, shipped) VALUES (%s, %s, %s, 0)
               ON CONFLICT (line_id, warehouse_id) DO UPDATE SET quantity = s.quantity + excluded.quantity""",
            [[row.line_id, row.warehouse_id, row.quantity] for row in rows],
        )


def _open_for(order: Order) -> list[Warehouse]:
    """The warehouses that sell for the channel the order came from (or for the own shop), best first; all that sell
    where none does."""
    all_ = list(Warehouse.objects.filter(is_sellable=True).order_by("priority", "code"))
    kind, _colon, key = order.source_account.partition(":")
    channel = int(key) if kind == "channel" and key.isdecimal() else None
    closed = set(Closure.objects.filter(channel=channel).values_list("warehouse", flat=True))
    return [warehouse for warehouse in all_ if warehouse.pk not in closed] or all_


def _room(skus: list[str]) -> dict[tuple[str, int], int]:
    """Units on hand per (sku, warehouse), less what is sourced there and has not left."""
    room: dict[tuple[str, int], int] = defaultdict(int)
    for sku, warehouse, on_hand in Level.objects.filter(pool__in=skus).values_list(
        "pool_id", "warehouse_id", "on_hand"
    ):
        room[sku, warehouse] = on_hand
    sourced = (
        Sourcing.objects.filter(line__partner_sku__in=skus)
        .exclude(line__order__status__in=_NOT_LEAVING)
        .values_list("line__partner_sku", "warehouse_id")
        .annotate(units=Sum(F("quantity") - F("shipped")))
    )
    for sku, warehouse, units in sourced:
        room[sku, warehouse] -= units
    return room


def _choose(
    sku: str, quantity: int, warehouses: list[Warehouse], room: dict[tuple[str, int], int]
) -> list[tuple[int, int]]:
    """(warehouse id, units) that add up to `quantity`. What nobody has is left to the first warehouse."""
    if quantity <= 0:
        return []
    for warehouse in warehouses:
        if room[sku, warehouse.pk] >= quantity:
            return [(warehouse.pk, quantity)]
    parts: dict[int, int] = {}
    left = quantity
    for warehouse in warehouses:
        units = min(left, max(0, room[sku, warehouse.pk]))
        if units:
            parts[warehouse.pk] = units
            left -= units
    if left and warehouses:
        parts[warehouses[0].pk] = parts.get(warehouses[0].pk, 0) + left
    return list(parts.items())
