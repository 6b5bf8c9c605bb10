"""Locks and shortages: what every statement that touches pools shares."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connection
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils import timezone

from shop.stock.models import Cause, Reading, Shortage

BATCH = 1000  # Shortage rows in one statement
USE = 0x706C6163  # first key of the advisory locks on what a warehouse is used for; its id is the second


def make(skus: Collection[str]) -> None:
    """Have a pool for each of these SKUs. A kit has none: that is refused by the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO stock_pool (sku, on_hand, reserved, escrow, shortage)
               SELECT sku, 0, 0, 0, 0 FROM unnest(%s::text[]) AS s(sku) ORDER BY sku COLLATE "C"
               ON CONFLICT (sku) DO NOTHING""",
            [sorted(set(skus))],
        )


def lock(skus: Collection[str]) -> set[str]:
    """Lock these pools in sku order; returns those there are. After the order; before levels, holds, outgoing rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT sku FROM stock_pool WHERE sku = ANY(%s) ORDER BY sku COLLATE "C" FOR UPDATE', [sorted(set(skus))]
        )
        return {row[0] for row in cursor.fetchall()}


def lock_levels(skus: Collection[str]) -> None:
    """Lock every level of these SKUs, after their pools."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT 1 FROM stock_level WHERE sku = ANY(%s) ORDER BY sku COLLATE "C", warehouse_id FOR UPDATE',
            [sorted(set(skus))],
        )


def keep_use(warehouses: Collection[int]) -> None:
    """Nobody closes or opens these warehouses for sale before the transaction ends. After the pools, and before a
    statement that asks what is sellable: a SKU's first goods in a warehouse have no level yet that could be locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(%s, id::int) FROM unnest(%s::bigint[]) AS w(id)",
            [USE, sorted(set(warehouses))],
        )


# Hardly ever any: this is asked with every parcel.
_TO_NOTE = """
SELECT p.sku, p.shortage FROM stock_pool p
WHERE p.sku = ANY(%s)
  AND (p.shortage > 0 OR EXISTS (SELECT 1 FROM stock_shortage s WHERE s.sku = p.sku AND s.closed_at IS NULL))
"""


def note_shortages(
    skus: Collection[str], cause: Cause, *, reading: int | None = None, given_back: bool = False
) -> None:
    """Open, adjust or close the Shortage row of each of these pools (locked), as its `shortage` now says.

    A shortage seen by a reading is provisional until `confirm_standing`. `given_back`: promises ended; else what makes
    a shortage smaller is goods. What a channel's share gives back ends promises too.
    """
    given_back = given_back or cause is Cause.CHANNEL
    with connection.cursor() as cursor:
        cursor.execute(_TO_NOTE, [list(skus)])
        short = dict(cursor.fetchall())
    if not short:
        return
    standing = {row.pool_id: row for row in Shortage.objects.filter(pool__in=short, closed_at=None)}
    over = [row.pk for sku, row in standing.items() if not short[sku]]
    ended = {"given_back": F("given_back") + F("quantity")} if given_back else {}
    Shortage.objects.filter(pk__in=over).update(closed_at=Now(), **ended)
    adjusted = [
        row for sku, row in standing.items() if short[sku] and _adjust(row, short[sku], cause, reading, given_back)
    ]
    opened = [
        Shortage(pool_id=sku, quantity=units, in_all=units, cause=cause, provisional=reading is not None,
                 opened_by_reading=reading)
        for sku, units in short.items()
        if units and sku not in standing
    ]  # fmt: skip
    affected = affected_orders({row.pool_id: row.quantity for row in [*adjusted, *opened]})
    for row in [*adjusted, *opened]:
        row.orders = affected.get(row.pool_id, [])
    Shortage.objects.bulk_create(opened, batch_size=BATCH)
    Shortage.objects.bulk_update(
        adjusted,
        ["quantity", "in_all", "given_back", "orders", "provisional", "confirmed_at", "opened_by_reading"],
        batch_size=BATCH,
    )


def _adjust(row: Shortage, short: int, cause: Cause, reading: int | None, given_back: bool) -> bool:
    """Bring a standing row up to date, but for its orders; False where it says so already."""
    if row.provisional and cause is Cause.SHIPPED:
        # The reading that opened it may have included this shipment: only a later reading can tell.
        row.opened_by_reading = Reading.objects.aggregate(latest=Max("pk"))["latest"]
    elif row.quantity == short:
        return False
    elif row.provisional and reading is None and short > row.quantity:
        row.provisional, row.confirmed_at = False, timezone.now()  # something of ours made it worse
    if short > row.quantity:
        row.in_all += short - row.quantity
    elif given_back and row.given_back is not None:
        row.given_back += row.quantity - short
    row.quantity = short
    return True


# Each open hold, newest first, with what newer ones of its SKU have: those that are needed to cover what is short.
_AFFECTED = """
WITH short AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[]) AS s(sku, units)
), promised AS (
    SELECT h.sku, h.id, o.number, s.units, sum(h.open) OVER (PARTITION BY h.sku ORDER BY h.id DESC) - h.open AS newer
    FROM short s JOIN stock_hold h USING (sku) JOIN order_line l ON l.id = h.line_id
    JOIN order_order o ON o.id = l.order_id
    WHERE h.open > 0
)
SELECT sku, array_agg(number ORDER BY latest DESC) FROM (
    SELECT sku, number, max(id) AS latest FROM promised WHERE newer < units GROUP BY sku, number
) AS named GROUP BY sku
"""


def affected_orders(short: Mapping[str, int]) -> dict[str, list[str]]:
    """Of each SKU the orders whose promises cannot be kept, newest promise first, until what is short is covered."""
    if not short:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_AFFECTED, [list(short), list(short.values())])
        return dict(cursor.fetchall())
