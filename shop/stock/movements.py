"""Changes of `on_hand`: opening stock, receipts, counts, damage. Append-only, with reason, actor and document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from shop.stock import pools
from shop.stock.models import Cause, Level, Reason, Warehouse


class NotOurs(Exception):
    """The warehouse's figures belong to an ERP; the change must be made there."""


class NotThere(Exception):
    """A Weft-owned level would fall below zero."""


@dataclass(frozen=True, slots=True)
class Move:
    """`quantity` signed units of `sku` at `warehouse_id`. `at`: when it happened, for history; None is now."""

    sku: str
    warehouse_id: int
    quantity: int
    reason: Reason
    document: str = ""
    actor: str = ""
    note: str = ""
    at: datetime | None = None


_MOVE = """
WITH moves AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::timestamptz[]) AS m(sku, warehouse_id, quantity, reason, document, actor, note, at)
), deltas AS (
    SELECT sku, warehouse_id, sum(quantity)::bigint AS quantity FROM moves GROUP BY sku, warehouse_id
), levels AS (
    INSERT INTO stock_level AS l (sku, warehouse_id, on_hand, on_hand_rev, reading_seq)
    SELECT sku, warehouse_id, quantity, 1, 0 FROM deltas ORDER BY sku COLLATE "C", warehouse_id
    ON CONFLICT (sku, warehouse_id)
    DO UPDATE SET on_hand = l.on_hand + excluded.on_hand, on_hand_rev = l.on_hand_rev + 1
    RETURNING l.sku, l.warehouse_id, l.on_hand
), written AS (
    INSERT INTO stock_movement (sku, warehouse_id, quantity, reason, document, actor, note, at)
    SELECT sku, warehouse_id, quantity, reason, document, actor, note, coalesce(at, now()) FROM moves
), changed AS (
    SELECT d.sku, sum(CASE WHEN w.is_sellable THEN d.quantity ELSE 0 END)::bigint AS quantity
    FROM deltas d JOIN stock_warehouse w ON w.id = d.warehouse_id GROUP BY d.sku
), pooled AS (
    UPDATE stock_pool p
    SET on_hand = p.on_hand + c.quantity,
        shortage = greatest(0, p.reserved + p.escrow - (p.on_hand + c.quantity))
    FROM changed c WHERE p.sku = c.sku
)
SELECT l.sku FROM levels l JOIN stock_warehouse w ON w.id = l.warehouse_id
WHERE l.on_hand < 0 AND w.erp_account_id IS NULL
"""


def record(moves: Sequence[Move]) -> None:
    """Write movements and move the balances, in one statement of the caller's transaction.

    Pools that do not exist yet are made. Raises NotThere when a Weft-owned level would fall below zero (a count or
    damage that finds less is a smaller move), the transaction must then roll back.
    """
    if not moves:
        return
    skus = sorted({move.sku for move in moves})
    pools.make(skus)
    pools.lock(skus)
    pools.lock_levels(skus)
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVE,
            [
                [m.sku for m in moves],
                [m.warehouse_id for m in moves],
                [m.quantity for m in moves],
                [m.reason for m in moves],
                [m.document for m in moves],
                [m.actor for m in moves],
                [m.note for m in moves],
                [m.at for m in moves],
            ],
        )
        below = [row[0] for row in cursor.fetchall()]
    if below:
        raise NotThere(f"Fewer than 0 would be on hand: {', '.join(sorted(below))}.")
    pools.note_shortages(skus, _cause(moves))


def _cause(moves: Sequence[Move]) -> Cause:
    return Cause.DAMAGE if any(m.reason == Reason.DAMAGE for m in moves) else Cause.COUNT


def by_staff(moves: Sequence[Move]) -> None:
    """`record`, for people: refuses ERP-owned warehouses."""
    owned = Warehouse.objects.filter(pk__in={m.warehouse_id for m in moves}, erp_account__isnull=False)
    if names := list(owned.values_list("name", flat=True)):
        raise NotOurs(f"{', '.join(names)}: the ERP owns these figures. Change them there; Weft reads them back.")
    record(moves)


def count(sku: str, warehouse_id: int, found: int, *, actor: str, note: str) -> int:
    """A count found `found` units: writes the difference as a movement and returns it."""
    pools.lock([sku])
    pools.lock_levels([sku])
    level = Level.objects.filter(pool=sku, warehouse_id=warehouse_id).first()
    difference = found - (level.on_hand if level else 0)
    if difference:
        by_staff([Move(sku, warehouse_id, difference, Reason.COUNT, actor=actor, note=note)])
    return difference
