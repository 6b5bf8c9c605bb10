"""Mending what `check_invariants` finds, by the facts: movements, levels, holds, shares, and who waits.

Facts are never edited. Balances are worked out anew from them, under lock; a level whose movements do not add up gets
the movement that lacks; a hold of an order that is over is released. Each is kept as a `Repair`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from shop.stock import holds, pools
from shop.stock.models import Cause, Warehouse
from shop.stock.repair_models import Figure, Repair


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of a SKU says `before`, the facts say `after`. `document`: the level, order or presale it stands on."""

    sku: str
    figure: Figure
    document: str
    before: int
    after: int
    key: int  # of the level's warehouse, of the order or of the presale; 0 for a pool


# Each balance beside what it is the sum of. `shortage` follows from the others as they should be.
_FIND = """
WITH wanted AS (
    SELECT sku FROM stock_pool WHERE %(all)s OR sku = ANY(%(skus)s)
), levels AS (
    SELECT l.sku, sum(l.on_hand) AS units FROM stock_level l JOIN stock_warehouse w ON w.id = l.warehouse_id
    WHERE w.is_sellable AND (%(all)s OR l.sku = ANY(%(skus)s)) GROUP BY l.sku
), held AS (
    SELECT sku, sum(open) AS units FROM stock_hold
    WHERE open > 0 AND (%(all)s OR sku = ANY(%(skus)s)) GROUP BY sku
), shared AS (
    SELECT sku, sum(escrow) AS units FROM stock_share WHERE %(all)s OR sku = ANY(%(skus)s) GROUP BY sku
), facts AS (
    SELECT p.*, coalesce(l.units, 0) AS is_on_hand, coalesce(h.units, 0) AS is_held, coalesce(s.units, 0) AS is_shared
    FROM stock_pool p JOIN wanted USING (sku) LEFT JOIN levels l USING (sku) LEFT JOIN held h USING (sku)
    LEFT JOIN shared s USING (sku)
), moved AS (
    SELECT sku, warehouse_id, sum(quantity) AS units FROM stock_movement
    WHERE %(all)s OR sku = ANY(%(skus)s) GROUP BY sku, warehouse_id
), waits AS (
    SELECT s.id, s.sku, s.promised, s.done, coalesce(sum(w.open), 0) AS open,
           coalesce(sum(w.filled + w.shipped), 0) AS filled
    FROM stock_presale s JOIN wanted USING (sku) LEFT JOIN stock_waiting w ON w.presale_id = s.id GROUP BY s.id
)
SELECT f.sku, v.figure, '', v.before, v.after, 0
FROM facts f CROSS JOIN LATERAL (VALUES
    ('on_hand', f.on_hand, f.is_on_hand), ('reserved', f.reserved, f.is_held), ('escrow', f.escrow, f.is_shared),
    ('shortage', f.shortage, greatest(0, f.is_held + f.is_shared - f.is_on_hand))
) AS v(figure, before, after) WHERE v.before <> v.after
UNION ALL
SELECT sku, 'movements', w.code, coalesce(m.units, 0), coalesce(l.on_hand, 0), w.id
FROM moved m FULL JOIN (
    SELECT sku, warehouse_id, on_hand FROM stock_level WHERE %(all)s OR sku = ANY(%(skus)s)
) l USING (sku, warehouse_id) JOIN stock_warehouse w ON w.id = warehouse_id
WHERE coalesce(m.units, 0) <> coalesce(l.on_hand, 0)
UNION ALL
SELECT h.sku, 'held', o.number, sum(h.open), 0, o.id
FROM stock_hold h JOIN order_line l ON l.id = h.line_id JOIN order_order o ON o.id = l.order_id
WHERE h.open > 0 AND o.status IN ('cancelled', 'expired') AND (%(all)s OR h.sku = ANY(%(skus)s))
GROUP BY h.sku, o.id
UNION ALL
SELECT w.sku, v.figure, concat('#', w.id), v.before, v.after, w.id
FROM waits w CROSS JOIN LATERAL (VALUES ('promised', w.promised, w.open), ('done', w.done, w.filled)
) AS v(figure, before, after) WHERE v.before <> v.after
ORDER BY 1, 2, 3
"""


def find(skus: Collection[str] | None = None) -> list[Difference]:
    """Every figure that does not agree with the facts: of these SKUs, or of all."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"all": skus is None, "skus": sorted(set(skus or ()))})
        return [
            Difference(sku, Figure(figure), document, int(before), int(after), key)
            for sku, figure, document, before, after, key in cursor.fetchall()
        ]


def apply(sku: str, *, actor: str) -> list[Difference]:
    """Set right what is wrong with one SKU; returns what was. Again, or twice at once: nothing is done twice."""
    with transaction.atomic():
        pools.lock([sku])
        pools.keep_use(list(Warehouse.objects.values_list("pk", flat=True)))
        _lock(sku)
        found = [one for one in find([sku]) if one.figure != Figure.HELD]
        _keep(found, actor)
        _write_movements([one for one in found if one.figure == Figure.MOVEMENTS], actor)
        _balance(sku)
        pools.note_shortages([sku], Cause.REPAIR)
    over = [one for one in find([sku]) if one.figure == Figure.HELD]
    return [*found, *(one for one in over if _release(one, actor))]


def _release(one: Difference, actor: str) -> bool:
    """The order is over: what it still holds is free. With the balances right, each hold gives back what it took."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM order_order WHERE id = %s AND status IN ('cancelled', 'expired') FOR NO KEY UPDATE",
            [one.key],
        )
        released = bool(cursor.fetchone()) and holds.release(one.key) > 0
        if released:
            _keep([one], actor)
    return released


def _lock(sku: str) -> None:
    """What else the balances are sums of; after the pool, in the order in which everybody locks."""
    pools.lock_levels([sku])
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM stock_share WHERE sku = %s ORDER BY id FOR UPDATE", [sku])
        cursor.execute("SELECT 1 FROM stock_presale WHERE sku = %s ORDER BY id FOR UPDATE", [sku])


def _keep(found: Sequence[Difference], actor: str) -> None:
    Repair.objects.bulk_create(
        Repair(
            pool_id=one.sku,
            figure=one.figure,
            document=one.document,
            before=one.before,
            after=one.after,
            actor=actor,
        )
        for one in found
    )


def _write_movements(found: Sequence[Difference], actor: str) -> None:
    """The movement that lacks: the level stands, for by it was sold what was sold."""
    with connection.cursor() as cursor:
        for one in found:
            cursor.execute(
                """INSERT INTO stock_movement (sku, warehouse_id, quantity, reason, document, actor, note, at)
                   VALUES (%s, %s, %s, 'adjustment', 'repair', %s, '', now())""",
                [one.sku, one.key, one.after - one.before, actor],
            )
            cursor.execute(  # where the ledger speaks of a level that is not there
                """INSERT INTO stock_level (sku, warehouse_id, on_hand, on_hand_rev, reading_seq)
                   VALUES (%s, %s, 0, 0, 0) ON CONFLICT DO NOTHING""",
                [one.sku, one.key],
            )


_BALANCE = """
UPDATE stock_pool p
SET on_hand = f.on_hand, reserved = f.reserved, escrow = f.escrow,
    shortage = greatest(0, f.reserved + f.escrow - f.on_hand)
FROM (SELECT
    (SELECT coalesce(sum(l.on_hand), 0) FROM stock_level l JOIN stock_warehouse w ON w.id = l.warehouse_id
     WHERE l.sku = %(sku)s AND w.is_sellable) AS on_hand,
    (SELECT coalesce(sum(h.open), 0) FROM stock_hold h WHERE h.sku = %(sku)s AND h.open > 0) AS reserved,
    (SELECT coalesce(sum(s.escrow), 0) FROM stock_share s WHERE s.sku = %(sku)s) AS escrow
) f WHERE p.sku = %(sku)s
"""
# A presale never promises more than its cap: where more wait than it says, its cap is what waits.
_PRESALES = """
UPDATE stock_presale s SET promised = f.open, done = f.filled, cap = greatest(s.cap, f.open)
FROM (
    SELECT s.id, coalesce(sum(w.open), 0) AS open, coalesce(sum(w.filled + w.shipped), 0) AS filled
    FROM stock_presale s LEFT JOIN stock_waiting w ON w.presale_id = s.id WHERE s.sku = %(sku)s GROUP BY s.id
) f WHERE s.id = f.id AND (s.promised, s.done) IS DISTINCT FROM (f.open, f.filled)
"""


def _balance(sku: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BALANCE, {"sku": sku})
        cursor.execute(_PRESALES, {"sku": sku})
