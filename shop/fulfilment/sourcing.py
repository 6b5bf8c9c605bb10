"""From where each line leaves: the first warehouse by priority that covers it, else split over several."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import F, Sum

from shop.fulfilment.models import Sourcing
from shop.order.models import LineKind, Order, Status
from shop.stock import pools
from shop.stock.models import Closure, Level, Warehouse

_NOT_LEAVING = (Status.SHIPPED, Status.CANCELLED, Status.EXPIRED)


def source(order: Order) -> None:
    """Choose warehouses for the order's lines, once; stored in `Sourcing`. In the caller's transaction.

    Pools are locked in sku order, so that two orders do not both count on the same units of one warehouse.
    """
    lines = list(order.lines.filter(kind=LineKind.GOODS).order_by("pk"))
    if Sourcing.objects.filter(line__in=lines).exists():
        return
    skus = sorted({line.partner_sku for line in lines})
    pools.lock(skus)
    warehouses = _open_for(order)
    room = _room(skus)
    rows: list[Sourcing] = []
    for line in lines:
        for warehouse_id, units in _choose(line.partner_sku, line.quantity, warehouses, room):
            room[line.partner_sku, warehouse_id] -= units
            rows.append(Sourcing(line=line, warehouse_id=warehouse_id, quantity=units))
    Sourcing.objects.bulk_create(rows)


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
