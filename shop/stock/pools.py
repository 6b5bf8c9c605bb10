"""Locks and shortages: what every statement that touches pools shares."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from shop.stock.models import Cause, Hold, Pool, Reading, Shortage


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


# Hardly ever any: this is asked with every parcel.
_TO_NOTE = """
SELECT p.sku FROM stock_pool p
WHERE p.sku = ANY(%s)
  AND (p.shortage > 0 OR EXISTS (SELECT 1 FROM stock_shortage s WHERE s.sku = p.sku AND s.closed_at IS NULL))
"""


def note_shortages(skus: Collection[str], cause: Cause, *, reading: int | None = None) -> None:
    """Open, adjust or close the Shortage row of each of these pools (locked), as its `shortage` now says.

    A shortage seen by a reading is provisional until `confirm_standing`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TO_NOTE, [list(skus)])
        wanted = [row[0] for row in cursor.fetchall()]
    if not wanted:
        return
    pools = list(Pool.objects.filter(sku__in=wanted))
    standing = {s.pool_id: s for s in Shortage.objects.filter(pool__in=pools, closed_at=None)}
    for pool in pools:
        row = standing.get(pool.sku)
        if pool.shortage and row is None:
            Shortage.objects.create(
                pool=pool,
                quantity=pool.shortage,
                cause=cause,
                provisional=reading is not None,
                orders=affected_orders(pool.sku, pool.shortage),
                opened_by_reading=reading,
            )
        elif pool.shortage and row is not None and row.provisional and cause is Cause.SHIPPED:
            _look_again(row, pool.shortage)
        elif pool.shortage and row is not None and row.quantity != pool.shortage:
            if row.provisional and reading is None and pool.shortage > row.quantity:
                row.provisional, row.confirmed_at = False, timezone.now()  # something of ours made it worse
            row.quantity = pool.shortage
            row.orders = affected_orders(pool.sku, pool.shortage)
            row.save(update_fields=["quantity", "orders", "provisional", "confirmed_at"])
        elif not pool.shortage and row is not None:
            _close(row)


def _look_again(row: Shortage, short: int) -> None:
    """A shipment was learned that the reading which opened this may have included: only a later reading can tell."""
    row.opened_by_reading = Reading.objects.aggregate(latest=Max("pk"))["latest"]
    row.quantity = short
    row.orders = affected_orders(row.pool_id, short)
    row.save(update_fields=["opened_by_reading", "quantity", "orders"])


def _close(row: Shortage) -> None:
    Shortage.objects.filter(pk=row.pk).update(closed_at=Now())


def affected_orders(sku: str, short: int) -> list[str]:
    """Numbers of the orders whose promises cannot be kept, newest promise first, until `short` units are covered."""
    numbers: list[str] = []
    for number, units in (
        Hold.objects.filter(pool=sku, open__gt=0).order_by("-id").values_list("line__order__number", "open").iterator()
    ):
        if short <= 0:
            break
        if number not in numbers:
            numbers.append(number)
        short -= units
    return numbers
