"""Promises. A hold changes `reserved` only; a promise is one conditional statement and never raises a shortage."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from shop.stock import offered, pools, presales
from shop.stock.models import Cause, Hold
from shop.stock.movements import NotThere

# The function stands in migration 0012: the database keeps its plans, and a hot SKU's pool is locked for less time.
_PROMISE = "SELECT stock_promise(%s::jsonb, %s::timestamptz)"
SWEEP_IS_LATE = timedelta(minutes=5)  # after a deadline; `shop.expire` runs every half minute


class OutOfStock(Exception):
    """Not enough is there. `short` maps each SKU that failed to the units that one line could have."""

    def __init__(self, short: dict[str, int]) -> None:
        self.short = short
        super().__init__(", ".join(f"{sku}: {free} left" for sku, free in sorted(short.items())))


class Promisable(Protocol):
    """A line that wants goods: an order line, or as much of one."""

    @property
    def pk(self) -> int: ...
    @property
    def partner_sku(self) -> str: ...
    @property
    def quantity(self) -> int: ...


def promise(lines: Sequence[Promisable], *, deadline: datetime | None) -> None:
    """Hold each line's quantity until `deadline` (None: for good), all of them or none.

    As late as possible in the caller's transaction, which rolls back (to its innermost `atomic`) when this raises
    OutOfStock.
    """
    wanted = [{"sku": line.partner_sku, "line": line.pk, "quantity": line.quantity} for line in lines]
    with connection.cursor() as cursor:
        cursor.execute(_PROMISE, [json.dumps(wanted), deadline])
        short = cursor.fetchone()[0]
    if short:
        left = offered.left(short)
        transaction.set_rollback(True)  # the holds are written
        raise OutOfStock({sku: left.get(sku, 0) for sku in short})


@dataclass(frozen=True, slots=True)
class Shipped:
    """`quantity` units of `sku` left `warehouse_id` for `line_id` (None: more left than the order had)."""

    sku: str
    warehouse_id: int
    quantity: int
    line_id: int | None


def release(order_id: int, *, deadline_before: datetime | None = None) -> int:
    """Give back every open unit of an order, held or waited for; returns units. Doing it again changes nothing.

    With `deadline_before`, only what has a deadline that has passed by then.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PROMISED, [order_id, deadline_before, deadline_before] * 2)
        promised = cursor.fetchall()
    # Nobody fills what waits, nor makes a hold of it, while its pool is locked.
    pools.lock([sku for sku, _waits in promised])
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [order_id, deadline_before, deadline_before])
        freed = dict(cursor.fetchall())
    pools.note_shortages(freed.keys(), Cause.COUNT, given_back=True)
    waited = presales.release(order_id, deadline_before=deadline_before) if any(waits for _, waits in promised) else 0
    return sum(freed.values()) + waited


_PROMISED = """
SELECT h.sku, false FROM stock_hold h JOIN order_line l ON l.id = h.line_id
WHERE l.order_id = %s AND h.open > 0 AND (%s::timestamptz IS NULL OR h.deadline <= %s)
UNION
SELECT s.sku, true FROM stock_waiting w
JOIN order_line l ON l.id = w.line_id JOIN stock_presale s ON s.id = w.presale_id
WHERE l.order_id = %s AND w.open > 0 AND (%s::timestamptz IS NULL OR w.deadline <= %s)
"""


_RELEASE = """
WITH mine AS (
    SELECT h.id, h.sku, h.quantity - h.consumed - h.released AS units
    FROM stock_hold h JOIN order_line l ON l.id = h.line_id
    WHERE l.order_id = %s AND h.quantity > h.consumed + h.released
      AND (%s::timestamptz IS NULL OR h.deadline <= %s)
    ORDER BY h.id FOR UPDATE OF h
), closed AS (
    UPDATE stock_hold h SET released = h.released + m.units FROM mine m WHERE h.id = m.id RETURNING h.sku, m.units
), freed AS (
    SELECT sku, sum(units)::bigint AS units FROM closed GROUP BY sku
)
UPDATE stock_pool p
SET reserved = p.reserved - f.units, shortage = greatest(0, p.reserved - f.units + p.escrow - p.on_hand)
FROM freed f WHERE p.sku = f.sku
RETURNING p.sku, f.units
"""


def overdue() -> QuerySet[Hold]:
    """Open holds whose deadline passed so long ago that the sweep should have released them."""
    return Hold.objects.filter(open__gt=0, deadline__lt=timezone.now() - SWEEP_IS_LATE)


def keep(order_id: int, *, until: datetime | None = None) -> None:
    """Take the deadline off what a locked order holds and waits for (it is paid), or move it to the later moment
    `until`. Nothing is promised or given back, so no pool is touched.
    """
    presales.keep(order_id, until=until)
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [order_id, until])


_KEEP = """
WITH mine AS (
    SELECT h.id FROM stock_hold h JOIN order_line l ON l.id = h.line_id
    WHERE l.order_id = %s AND h.quantity > h.consumed + h.released AND h.deadline IS NOT NULL
    ORDER BY h.id FOR UPDATE OF h
)
UPDATE stock_hold h SET deadline = %s FROM mine m WHERE h.id = m.id
"""


def consume(shipped: Sequence[Shipped], *, document: str, actor: str, at: datetime | None = None) -> None:
    """Goods have left (`at`: when, for history). Levels and pools fall by what left, reservations by what of it was
    still promised.

    `on_hand_rev` rises, so that a reading which started before this is refused for these levels. What left beyond
    the promise may raise a shortage. SKUs that have no pool (an ERP's own additions) change nothing. One transaction
    with the parcel that says so. Raises NotThere when a Weft-owned level would fall below zero; roll back then.
    """
    known = pools.lock({s.sku for s in shipped})
    shipped = [s for s in shipped if s.sku in known]
    skus = sorted(known)
    pools.keep_use({s.warehouse_id for s in shipped})
    pools.lock_levels(skus)
    drawn, of_lines = _draw(shipped)
    with connection.cursor() as cursor:
        cursor.execute(
            _CONSUME,
            [
                [s.sku for s in shipped],
                [s.warehouse_id for s in shipped],
                [s.quantity for s in shipped],
                list(drawn),
                list(drawn.values()),
                document,
                actor,
                at,
            ],
        )
        below = [row[0] for row in cursor.fetchall()]
    if below:
        raise NotThere(f"Fewer than 0 would be on hand: {', '.join(below)}. Count there first.")
    if waited := _beyond(shipped, of_lines):
        presales.ship(waited)
    pools.note_shortages(skus, Cause.SHIPPED)


def _beyond(shipped: Sequence[Shipped], held: Mapping[int, int]) -> dict[int, int]:
    """line id -> units that left beyond what was held for it."""
    gone: Counter[int] = Counter()
    for part in shipped:
        if part.line_id is not None:
            gone[part.line_id] += part.quantity
    return {line: units - held.get(line, 0) for line, units in gone.items() if units > held.get(line, 0)}


# Of each line's open holds, oldest first, as much as left. The holds are locked by id before they are summed up. They
# are found by their lines, as constants: to name `open` here, or to join, let the planner read all holds of the shop.
_DRAW = """
WITH gone AS (
    SELECT line_id, sum(quantity)::bigint AS quantity FROM unnest(%s::bigint[], %s::bigint[]) AS g(line_id, quantity)
    GROUP BY line_id
), locked AS MATERIALIZED (
    SELECT h.id, h.line_id, h.sku, h.quantity - h.consumed - h.released AS open FROM stock_hold h
    WHERE h.line_id = ANY(%s::bigint[]) AND h.quantity > h.consumed + h.released ORDER BY h.id FOR UPDATE OF h
), ranked AS (
    SELECT id, line_id, sku, open, sum(open) OVER (PARTITION BY line_id ORDER BY id) - open AS before FROM locked
), used AS (
    UPDATE stock_hold h SET consumed = h.consumed + least(r.open, g.quantity - r.before)
    FROM ranked r JOIN gone g USING (line_id) WHERE h.id = r.id AND g.quantity > r.before
    RETURNING h.sku, h.line_id, least(r.open, g.quantity - r.before) AS units
)
SELECT sku, line_id, sum(units)::bigint FROM used GROUP BY sku, line_id
"""


def _draw(shipped: Sequence[Shipped]) -> tuple[Counter[str], Counter[int]]:
    """Consume the lines' open holds; returns the units that were still held, of each SKU and of each line."""
    of_lines = [s for s in shipped if s.line_id is not None]
    with connection.cursor() as cursor:
        lines = [s.line_id for s in of_lines]
        cursor.execute(_DRAW, [lines, [s.quantity for s in of_lines], lines])
        by_sku: Counter[str] = Counter()
        by_line: Counter[int] = Counter()
        for sku, line_id, units in cursor.fetchall():
            by_sku[sku] += units
            by_line[line_id] += units
        return by_sku, by_line


_CONSUME = """
WITH gone AS (
    SELECT sku, warehouse_id, sum(quantity)::bigint AS quantity
    FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS g(sku, warehouse_id, quantity) GROUP BY sku, warehouse_id
), drawn AS (
    SELECT sku, units FROM unnest(%s::text[], %s::bigint[]) AS d(sku, units)
), levels AS (
    INSERT INTO stock_level AS l (sku, warehouse_id, on_hand, on_hand_rev, reading_seq)
    SELECT sku, warehouse_id, -quantity, 1, 0 FROM gone ORDER BY sku COLLATE "C", warehouse_id
    ON CONFLICT (sku, warehouse_id)
    DO UPDATE SET on_hand = l.on_hand + excluded.on_hand, on_hand_rev = l.on_hand_rev + 1
    RETURNING l.sku, l.warehouse_id, l.on_hand
), moved AS (
    INSERT INTO stock_movement (sku, warehouse_id, quantity, reason, document, actor, note, at)
    SELECT sku, warehouse_id, -quantity, 'shipped', %s, %s, '', coalesce(%s::timestamptz, now()) FROM gone
), fallen AS (
    SELECT g.sku, sum(CASE WHEN w.is_sellable THEN g.quantity ELSE 0 END)::bigint AS quantity
    FROM gone g JOIN stock_warehouse w ON w.id = g.warehouse_id GROUP BY g.sku
), pooled AS (
    UPDATE stock_pool p
    SET on_hand = p.on_hand - f.quantity,
        reserved = p.reserved - coalesce(d.units, 0),
        shortage = greatest(0, p.reserved - coalesce(d.units, 0) + p.escrow - (p.on_hand - f.quantity))
    FROM fallen f LEFT JOIN drawn d USING (sku)
    WHERE p.sku = f.sku
)
SELECT concat(l.sku, ' @ ', w.name) FROM levels l JOIN stock_warehouse w ON w.id = l.warehouse_id
WHERE l.on_hand < 0 AND w.erp_account_id IS NULL ORDER BY 1
"""
