"""Closing a warehouse for sale, and opening it: which levels are in the pools changes, and the pools with them.

close(warehouse)     # what lies there stays there, and cannot be promised any more
open_for_sale(...)   # it can again
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from shop.stock import pools
from shop.stock.models import Cause, Kind, Level, Warehouse

TRIES = 20


class NothingToChange(Exception):
    """It is so already, or the place is none to sell from."""


class LastOne(Exception):
    """No warehouse would be left from which a paid order could be sent."""


class Busy(Exception):
    """SKUs that were new there kept arriving; nothing was changed."""


class _Again(Exception):
    """A SKU's first goods arrived while the pools were locked: its pool has to be locked as well, in its turn."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What it means: SKUs with stock there and their units; `orders` with open promises on these SKUs, their
    `promised` units, and how many units of promises more (or fewer) could not be kept."""

    skus: int
    units: int
    orders: int
    promised: int
    short: int


# Of each SKU there what would be on hand, and short.
_EFFECT = """
WITH here AS (
    SELECT l.sku, l.on_hand AS units, p.shortage,
        greatest(0, p.reserved + p.escrow - (p.on_hand + %(sign)s * l.on_hand)) AS short
    FROM stock_level l JOIN stock_pool p ON p.sku = l.sku WHERE l.warehouse_id = %(warehouse)s AND l.on_hand <> 0
), open_holds AS (
    SELECT o.order_id, h.open FROM stock_hold h JOIN order_line o ON o.id = h.line_id
    WHERE h.open > 0 AND h.sku IN (SELECT sku FROM here)
)
SELECT count(*), coalesce(sum(units), 0)::bigint, (SELECT count(DISTINCT order_id) FROM open_holds),
    (SELECT coalesce(sum(open), 0)::bigint FROM open_holds), coalesce(sum(short - shortage), 0)::bigint
FROM here
"""


def effect(warehouse: Warehouse) -> Effect:
    """What closing an open warehouse would mean, or opening a closed one. Only looks."""
    with connection.cursor() as cursor:
        cursor.execute(_EFFECT, {"sign": -1 if warehouse.is_sellable else 1, "warehouse": warehouse.pk})
        return Effect(*cursor.fetchone())


def close(warehouse_id: int) -> int:
    """Take the warehouse's stock out of what may be promised; returns SKUs whose pool changed.

    A transaction of its own. Opens shortages where promises cannot be kept. Raises NothingToChange, LastOne, Busy.
    """
    return _turn(warehouse_id, sellable=False)


def open_for_sale(warehouse_id: int) -> int:
    """Let the warehouse's stock be promised (again); closes shortages it covers. Raises NothingToChange, Busy."""
    return _turn(warehouse_id, sellable=True)


def _turn(warehouse_id: int, *, sellable: bool) -> int:
    for _try in range(TRIES):
        try:
            with transaction.atomic(durable=True):
                _check(warehouse_id, sellable)
                _lock(warehouse_id)
                return _move_pools(warehouse_id, sellable)
        except _Again:
            continue
    raise Busy


def _check(warehouse_id: int, sellable: bool) -> None:
    """Locks the warehouses first, as readings do: one of them is turned at a time, and not under a reading."""
    locked = Warehouse.objects.select_for_update(no_key=True).order_by("pk")
    places = {place.pk: place for place in locked}
    wanted = places[warehouse_id]
    if wanted.kind != Kind.SHELF or wanted.is_sellable == sellable:
        raise NothingToChange
    if not sellable and not any(place.is_sellable for pk, place in places.items() if pk != warehouse_id):
        raise LastOne


def _lock(warehouse_id: int) -> None:
    """Pools by sku, then the warehouse's use, then its levels. Who moves goods holds that use from its pools on
    (`pools.keep_use`), so once it is ours nobody is between asking what is sellable and writing."""
    locked = pools.lock(_skus(warehouse_id))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [pools.USE, warehouse_id])
    if not locked.issuperset(_skus(warehouse_id)):
        raise _Again
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT 1 FROM stock_level WHERE warehouse_id = %s ORDER BY sku COLLATE "C" FOR UPDATE', [warehouse_id]
        )


def _skus(warehouse_id: int) -> list[str]:
    return list(Level.objects.filter(warehouse=warehouse_id).values_list("pool_id", flat=True))


_TURN = """
WITH turned AS (
    UPDATE stock_warehouse SET is_sellable = %(sellable)s WHERE id = %(warehouse)s
), here AS (
    SELECT sku, CASE WHEN %(sellable)s THEN on_hand ELSE -on_hand END AS units
    FROM stock_level WHERE warehouse_id = %(warehouse)s AND on_hand <> 0
)
UPDATE stock_pool p
SET on_hand = p.on_hand + h.units, shortage = greatest(0, p.reserved + p.escrow - (p.on_hand + h.units))
FROM here h WHERE p.sku = h.sku
RETURNING p.sku
"""


def _move_pools(warehouse_id: int, sellable: bool) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TURN, {"sellable": sellable, "warehouse": warehouse_id})
        changed = [row[0] for row in cursor.fetchall()]
    pools.note_shortages(changed, Cause.CLOSED)
    return len(changed)
