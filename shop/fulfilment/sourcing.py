"""From where each line leaves: the first warehouse by priority that covers it, else split over several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

from shop.order.models import Line, LineKind, Order, Status
from shop.stock import pools

_Row = tuple[int, int, int]  # line, warehouse, units
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
    if not lines:
        return
    skus = sorted({line.partner_sku for line in lines})
    pools.lock(skus)
    facts = _facts(lines, skus)
    wanted = _wanted(lines, facts)
    if not any(one.units > 0 for one in wanted.values()):
        return
    rows: list[_Row] = []
    for line in lines:
        places = _first(facts.warehouses, wanted[line.pk].place)
        for warehouse_id, units in _choose(line.partner_sku, wanted[line.pk].units, places, facts.room):
            facts.room[line.partner_sku, warehouse_id] -= units
            rows.append((line.pk, warehouse_id, units))
    _write(rows)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`units` are to be sourced, those that waited best from the warehouse (`place`) where they were to arrive."""

    units: int
    place: int | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the choice depends on, as of one statement after the pools were locked.

    `warehouses`: those that sell for the channel of the order, best first; all that sell where none does. `room`:
    units on hand per (sku, warehouse), less what is sourced there and has not left. By line id: `sourced` units, units
    that wait or were shipped before they were filled (`waiting`), and where those were to arrive (`places`).
    """

    warehouses: list[int] = field(default_factory=list)
    room: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    sourced: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    waiting: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    places: dict[int, int] = field(default_factory=dict)


# One statement instead of six: it runs in the transaction in which an order is paid.
_FACTS = """
SELECT 'open', w.id, NULL::bigint, '', rank() OVER (ORDER BY w.priority, w.code)
FROM stock_warehouse w
WHERE w.is_sellable AND NOT EXISTS (
    SELECT FROM stock_closure c WHERE c.warehouse_id = w.id AND c.channel_id IS NOT DISTINCT FROM %(channel)s)
UNION ALL
SELECT 'closed', w.id, NULL, '', rank() OVER (ORDER BY w.priority, w.code) FROM stock_warehouse w WHERE w.is_sellable
UNION ALL
SELECT 'room', l.warehouse_id, NULL, l.sku, l.on_hand FROM stock_level l WHERE l.sku = ANY(%(skus)s)
UNION ALL
SELECT 'room', s.warehouse_id, NULL, l.partner_sku, -sum(s.quantity - s.shipped)
FROM fulfilment_sourcing s JOIN order_line l ON l.id = s.line_id JOIN order_order o ON o.id = l.order_id
WHERE l.partner_sku = ANY(%(skus)s) AND o.status <> ALL(%(over)s)
GROUP BY s.warehouse_id, l.partner_sku
UNION ALL
SELECT 'sourced', NULL, s.line_id, '', sum(s.quantity)
FROM fulfilment_sourcing s WHERE s.line_id = ANY(%(lines)s) GROUP BY s.line_id
UNION ALL
SELECT 'waiting', u.warehouse_id, w.line_id, '', w.open + w.shipped
FROM stock_waiting w JOIN stock_presale p ON p.id = w.presale_id JOIN stock_supply u ON u.id = p.supply_id
WHERE w.line_id = ANY(%(lines)s)
ORDER BY 1, 5
"""


def _facts(lines: Sequence[Line], skus: list[str]) -> _Facts:
    kind, _colon, key = lines[0].order.source_account.partition(":")
    asked = {
        "channel": int(key) if kind == "channel" and key.isdecimal() else None,
        "skus": skus, "lines": [line.pk for line in lines], "over": [str(status) for status in _NOT_LEAVING],
    }  # fmt: skip
    facts, closed = _Facts(), []
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, asked)
        for what, warehouse, line, sku, number in cursor.fetchall():
            match what:
                case "open":
                    facts.warehouses.append(warehouse)
                case "closed":
                    closed.append(warehouse)
                case "room":
                    facts.room[sku, warehouse] += int(number)
                case "sourced":
                    facts.sourced[line] = int(number)
                case "waiting":  # units an ERP shipped before they were filled left from where it wanted
                    facts.waiting[line] += int(number)
                    facts.places[line] = warehouse
    facts.warehouses.extend([] if facts.warehouses else closed)
    return facts


def _wanted(lines: Sequence[Line], facts: _Facts) -> dict[int, _Wanted]:
    """By line id."""
    return {
        line.pk: _Wanted(
            line.quantity - facts.waiting[line.pk] - facts.sourced[line.pk], facts.places.get(line.pk)
        )
        for line in lines
    }  # fmt: skip


def _first(warehouses: list[int], place: int | None) -> list[int]:
    return sorted(warehouses, key=lambda warehouse: warehouse != place) if place else warehouses


def _write(rows: Sequence[_Row]) -> None:
    """A line that gets more from where it gets some already has one row there."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO fulfilment_sourcing AS s (line_id, warehouse_id, quantity, shipped)
               SELECT line_id, warehouse_id, quantity, 0
               FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS r(line_id, warehouse_id, quantity)
               ON CONFLICT (line_id, warehouse_id) DO UPDATE SET quantity = s.quantity + excluded.quantity""",
            columns,
        )


def _choose(sku: str, quantity: int, warehouses: list[int], room: dict[tuple[str, int], int]) -> list[tuple[int, int]]:
    """(warehouse id, units) that add up to `quantity`. What nobody has is left to the first warehouse."""
    if quantity <= 0:
        return []
    for warehouse in warehouses:
        if room[sku, warehouse] >= quantity:
            return [(warehouse, quantity)]
    parts: dict[int, int] = {}
    left = quantity
    for warehouse in warehouses:
        units = min(left, max(0, room[sku, warehouse]))
        if units:
            parts[warehouse] = units
            left -= units
    if left and warehouses:
        parts[warehouses[0]] = parts.get(warehouses[0], 0) + left
    return list(parts.items())
