"""Changes of `on_hand`: opening stock, receipts, counts, moves. Append-only, with reason, actor and document."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models.functions import Now

from shop.stock import pools
from shop.stock.models import Cause, Level, Reason, Warehouse


class NotOurs(Exception):
    """The warehouse's figures belong to an ERP; the change must be made there."""


class NotThere(Exception):
    """A Weft-owned level would fall below zero; `skus` where it is known whose."""

    def __init__(self, message: str, skus: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.skus = tuple(skus)


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
    pools.keep_use({m.warehouse_id for m in moves})
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
        raise NotThere(f"Fewer than 0 would be on hand: {', '.join(sorted(below))}.", sorted(set(below)))
    pools.note_shortages(skus, _cause(moves))


_CAUSES = {
    Reason.DAMAGE: Cause.DAMAGE,
    Reason.SET_ASIDE: Cause.DAMAGE,
    Reason.QUALITY_HOLD: Cause.MOVED,
    Reason.MOVED: Cause.MOVED,
}


def _cause(moves: Sequence[Move]) -> Cause:
    causes = {_CAUSES.get(m.reason, Cause.COUNT) for m in moves if m.quantity < 0}
    return next((cause for cause in (Cause.DAMAGE, Cause.MOVED) if cause in causes), Cause.COUNT)


def by_staff(moves: Sequence[Move]) -> None:
    """`record`, for people: refuses ERP-owned warehouses."""
    refuse_owned({m.warehouse_id for m in moves})
    record(moves)


def refuse_owned(warehouses: Collection[int]) -> None:
    """Raises NotOurs when an ERP owns the figures of one of them."""
    owned = Warehouse.objects.filter(pk__in=warehouses, erp_account__isnull=False)
    if names := list(owned.values_list("name", flat=True)):
        raise NotOurs(f"{', '.join(names)}: the ERP owns these figures. Change them there; Weft reads them back.")


def on_hand(skus: Collection[str], warehouse_id: int) -> dict[str, int]:
    """The figures at this moment, which nobody changes before the transaction ends. SKUs without a level are 0."""
    pools.lock(skus)
    pools.lock_levels(skus)
    found = dict(Level.objects.filter(pool__in=skus, warehouse=warehouse_id).values_list("pool_id", "on_hand"))
    return {sku: found.get(sku, 0) for sku in skus}


def note_counted(skus: Collection[str], warehouse_id: int) -> None:
    """Somebody counted them there, whatever came of it."""
    Level.objects.filter(pool__in=skus, warehouse=warehouse_id).update(counted_at=Now())


def count(sku: str, warehouse_id: int, found: int, *, actor: str, note: str) -> int:
    """A count found `found` units: writes the difference as a movement and returns it."""
    difference = found - on_hand([sku], warehouse_id)[sku]
    if difference:
        by_staff([Move(sku, warehouse_id, difference, Reason.COUNT, actor=actor, note=note)])
    note_counted([sku], warehouse_id)
    return difference
