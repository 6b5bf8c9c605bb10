"""Selling what is not here yet: presales, who waits for them, and what becomes of both.

A line is promised from a presale by the database (`stock_promise`). Here presales are opened and closed, promises given
back, and turned into holds when goods arrive. None of it touches I1 but the last, and that never raises a shortage.

Locks: pools by SKU, holds, then presales by id, then who waits by id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from shop.stock import pools
from shop.stock.models import Pool, Presale, Supply
from shop.stock.offered import OWN_FREE, Kind


class CannotOpen(Exception):
    """No presale can stand on this supply; `most` is what would be allowed."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"at most {most}")


class AlreadyOpen(Exception):
    """The SKU has an open presale already."""


def open_(supply_id: int, *, cap: int, kind: Kind, actor: str) -> Presale:
    """Sell up to `cap` units of what this supply brings. Raises CannotOpen, AlreadyOpen."""
    with transaction.atomic():
        supply = Supply.objects.select_for_update(no_key=True).get(pk=supply_id)
        allowed = most(supply)
        if not 0 < cap <= allowed:
            raise CannotOpen(allowed)
        try:
            with transaction.atomic():
                return Presale.objects.create(
                    pool_id=supply.pool_id, supply=supply, kind=kind, size=cap, cap=cap, ships_on=supply.expected_on,
                    opened_by=actor,
                )  # fmt: skip
        except IntegrityError:
            raise AlreadyOpen(supply.pool_id) from None


def most(supply: Supply) -> int:
    """How many units of a supply may still be sold before they are here; none of one that is late."""
    if supply.expected_on < timezone.localdate():
        return 0
    promised = Presale.objects.filter(supply=supply).aggregate(units=Sum("promised", default=0))["units"]
    return max(0, supply.open - promised)


def close(pk: int, *, actor: str) -> bool:
    """Nothing more is promised from it; who waits goes on waiting. False when it was closed already."""
    closed = Presale.objects.filter(pk=pk, closed_at=None)
    return bool(closed.update(closed_at=Now(), closed_by=actor, cap=F("promised")))


# A cap is what is left of the presale's size, and no more than the supply still brings beside what other presales
# promised of it; but never below what is promised. Supplies are read without a lock: whoever changes one comes here
# afterwards.
_FOLLOW = """
UPDATE stock_presale s SET cap = CASE
    WHEN s.closed_at IS NOT NULL THEN s.promised
    ELSE greatest(s.promised, least(s.size - s.done, u.open - (
        SELECT coalesce(sum(o.promised), 0) FROM stock_presale o WHERE o.supply_id = s.supply_id AND o.id <> s.id)))
    END
FROM stock_supply u WHERE u.id = s.supply_id AND s.supply_id = ANY(%s)
"""


def follow(supply_id: int) -> None:
    """Bring the caps of this (locked) supply's presales in line with it."""
    _lock("supply_id = ANY(%s)", [[supply_id]])
    _follow([supply_id])


def _lock(which: str, params: Sequence[Any]) -> list[tuple[int, int]]:
    """Lock presales by id; returns (id, supply id) of each."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, supply_id FROM stock_presale WHERE {which} ORDER BY id FOR UPDATE", params)
        return cursor.fetchall()


def _follow(supplies: Collection[int]) -> None:
    """Whatever was promised, filled or given back: the caps of these supplies' presales, which are locked."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, [list(supplies)])


# --- who waits --------------------------------------------------------------------------------------------------------

_PRESALES_OF = """id IN (SELECT w.presale_id FROM stock_waiting w JOIN order_line l ON l.id = w.line_id
    WHERE l.order_id = %s AND w.open > 0)"""
_GIVE_BACK = """
WITH mine AS (
    SELECT w.id, w.presale_id, w.open AS units FROM stock_waiting w JOIN order_line l ON l.id = w.line_id
    WHERE l.order_id = %s AND w.open > 0 AND (%s::timestamptz IS NULL OR w.deadline <= %s)
    ORDER BY w.id FOR UPDATE OF w
), closed AS (
    UPDATE stock_waiting w SET released = w.released + m.units FROM mine m WHERE w.id = m.id
    RETURNING w.presale_id, m.units
), back AS (
    SELECT presale_id, sum(units)::int AS units FROM closed GROUP BY presale_id
)
UPDATE stock_presale s SET promised = s.promised - b.units FROM back b WHERE s.id = b.presale_id RETURNING b.units
"""


def release(order_id: int, *, deadline_before: datetime | None = None) -> int:
    """Give back what an order waits for; returns units. After its pools and holds were locked."""
    found = _lock(_PRESALES_OF, [order_id])
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [order_id, deadline_before, deadline_before])
        freed = sum(units for (units,) in cursor.fetchall())
    _follow({supply for _pk, supply in found})
    return freed


_KEEP = """
WITH mine AS (
    SELECT w.id FROM stock_waiting w JOIN order_line l ON l.id = w.line_id
    WHERE l.order_id = %s AND w.open > 0 AND w.deadline IS NOT NULL
    ORDER BY w.id FOR UPDATE OF w
)
UPDATE stock_waiting w SET deadline = %s FROM mine m WHERE w.id = m.id
"""


def keep(order_id: int, *, until: datetime | None = None) -> None:
    """Take the deadline off what an order waits for (it is paid), or move it to `until`. Before its holds: what is
    filled meanwhile becomes one of them, with the deadline it had."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [order_id, until])


_SHIP = """
WITH gone AS (
    SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS g(line_id, quantity)
), locked AS MATERIALIZED (
    SELECT w.id, w.line_id, w.presale_id, w.open FROM stock_waiting w
    WHERE w.line_id = ANY(%s::bigint[]) AND w.open > 0 ORDER BY w.id FOR UPDATE OF w
), ranked AS (
    SELECT id, line_id, presale_id, open, sum(open) OVER (PARTITION BY line_id ORDER BY id) - open AS before FROM locked
), used AS (
    UPDATE stock_waiting w SET shipped = w.shipped + least(r.open, g.quantity - r.before)
    FROM ranked r JOIN gone g USING (line_id) WHERE w.id = r.id AND g.quantity > r.before
    RETURNING w.presale_id, least(r.open, g.quantity - r.before) AS units
), by_presale AS (
    SELECT presale_id, sum(units)::int AS units FROM used GROUP BY presale_id
)
UPDATE stock_presale s SET promised = s.promised - b.units, cap = s.cap - b.units, done = s.done + b.units
FROM by_presale b WHERE s.id = b.presale_id
"""


def ship(gone: Mapping[int, int]) -> None:
    """Units of these lines left before we knew that they were there: they are not waited for any more."""
    lines = list(gone)
    found = _lock("id IN (SELECT presale_id FROM stock_waiting WHERE line_id = ANY(%s) AND open > 0)", [lines])
    with connection.cursor() as cursor:
        cursor.execute(_SHIP, [lines, list(gone.values()), lines])
    _follow({supply for _pk, supply in found})


# --- goods arrive -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filled:
    """`units` of a line that waited are held now."""

    line_id: int
    units: int


def fillable() -> QuerySet[Pool]:
    """Of the SKUs that somebody waits for, those of which something is free."""
    waited = Presale.objects.filter(promised__gt=0).values("pool")
    return Pool.objects.filter(sku__in=waited, shortage=0, on_hand__gt=F("reserved") + F("escrow"))


_WAITING = """
SELECT w.id, w.line_id, w.open, w.presale_id, w.deadline
FROM stock_waiting w JOIN stock_presale s ON s.id = w.presale_id
WHERE s.sku = %s AND w.open > 0 ORDER BY w.id FOR UPDATE OF w
"""
# The pool is locked and has what is taken. Holds are written one by one with who waited, in the same order.
_FILL = """
WITH given AS (
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::timestamptz[])
        AS g(id, line_id, presale_id, units, deadline)
), held AS (
    INSERT INTO stock_hold (sku, line_id, quantity, consumed, released, deadline)
    SELECT %s, line_id, units, 0, 0, deadline FROM given ORDER BY id
    RETURNING id, line_id, quantity
), numbered AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM held
), linked AS (
    INSERT INTO stock_filling (waiting_id, hold_id)
    SELECT g.id, n.id
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM given) g JOIN numbered n USING (place)
), filled AS (
    UPDATE stock_waiting w SET filled = w.filled + g.units FROM given g WHERE w.id = g.id
), sold AS (
    UPDATE stock_presale s SET promised = s.promised - b.units, cap = s.cap - b.units, done = s.done + b.units
    FROM (SELECT presale_id, sum(units)::int AS units FROM given GROUP BY presale_id) b WHERE s.id = b.presale_id
)
UPDATE stock_pool p
SET reserved = p.reserved + b.units, shortage = greatest(0, p.reserved + b.units + p.escrow - p.on_hand)
FROM (SELECT sum(units) AS units FROM given) b WHERE p.sku = %s AND p.shortage = 0
    AND p.on_hand - p.reserved - p.escrow >= b.units
"""


def fill(sku: str) -> list[Filled]:
    """Give what is free of a SKU to those who wait for it, the oldest promise first. In the caller's transaction.

    Doing it again, or twice at once, gives nothing twice: the pool is locked, and only what is free is given.
    """
    pools.lock([sku])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {OWN_FREE} FROM stock_pool p WHERE p.sku = %s", [sku])
        free = cursor.fetchone()[0]
    if not free:
        return []
    found = _lock("sku = %s AND promised > 0", [sku])
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [sku])
        given = _give(free, cursor.fetchall())
        if given:
            columns = [list(column) for column in zip(*given, strict=True)]
            cursor.execute(_FILL, [*columns, sku, sku])
            if cursor.rowcount != 1:
                raise RuntimeError(f"{sku}: fewer than {free} are free under lock")
    _follow({supply for _pk, supply in found})
    return [Filled(line_id, units) for _pk, line_id, _presale, units, _deadline in given]


def _give(free: int, waiting: Sequence[tuple[int, int, int, int, Any]]) -> list[tuple[int, int, int, int, Any]]:
    """(id, line, presale, units, deadline) of those who get something."""
    given = []
    for pk, line_id, open_units, presale_id, deadline in waiting:
        if units := min(free, open_units):
            given.append((pk, line_id, presale_id, units, deadline))
            free -= units
    return given


# --- what cannot be kept ----------------------------------------------------------------------------------------------

# Who waits for more than is still to come and is free now: of each such SKU the orders, newest promise first, until
# what is missing is covered.
_SHORT = f"""
WITH short AS (
    SELECT s.sku, sum(s.promised) - {OWN_FREE} - (
        SELECT coalesce(sum(u.open), 0) FROM stock_supply u
        WHERE u.id IN (SELECT o.supply_id FROM stock_presale o WHERE o.sku = s.sku AND o.promised > 0)) AS units
    FROM stock_presale s JOIN stock_pool p ON p.sku = s.sku WHERE s.promised > 0
    GROUP BY s.sku, p.sku
), waits AS (
    SELECT t.sku, t.units, o.number, w.id, sum(w.open) OVER (PARTITION BY t.sku ORDER BY w.id DESC) - w.open AS newer
    FROM short t JOIN stock_presale s ON s.sku = t.sku JOIN stock_waiting w ON w.presale_id = s.id
    JOIN order_line l ON l.id = w.line_id JOIN order_order o ON o.id = l.order_id
    WHERE t.units > 0 AND w.open > 0
)
SELECT sku, max(units)::int, array_agg(number ORDER BY id DESC) FROM waits WHERE newer < units GROUP BY sku
ORDER BY sku COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class Short:
    """`units` of a SKU were promised and will not come, of these orders, newest first."""

    sku: str
    units: int
    orders: list[str]


def short_sales() -> QuerySet[Presale]:
    """The presales with promises that cannot be kept as things stand."""
    return Presale.objects.filter(promised__gt=0, pool__in=[one.sku for one in short()])


def short() -> list[Short]:
    """What was promised and cannot be kept as things stand."""
    with connection.cursor() as cursor:
        cursor.execute(_SHORT)
        return [Short(sku, units, list(dict.fromkeys(orders))) for sku, units, orders in cursor.fetchall()]
