"""Promises that could not be kept are written with the event that broke them, in its transaction.

Two events do: an order is cancelled for good while what it was promised is known to be missing, and a parcel leaves
after the day that was promised. What lapses unpaid, and money that comes after that, breaks none.

Locks: the order, its pools by SKU (as `holds.release` does after this), what stands on them; the rows here last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from shop.order.models import Line, Order
from shop.pricing import money
from shop.stock import presales
from shop.stock.causes import SUPPLY
from shop.stock.models import BrokenPromise, Hold, Shortage, Waiting
from shop.stock.promise_models import Ending


@dataclass(frozen=True, slots=True)
class Missed:
    """`units` of a line that were promised and not kept."""

    line_id: int
    units: int
    cause: str
    shortage_id: int | None = None


# Locked by this very statement, which reads `shortage` anew after waiting: where it says no, nothing more is asked.
_LOCK = """
WITH mine AS (
    SELECT h.sku, false AS waits FROM stock_hold h JOIN order_line l ON l.id = h.line_id
    WHERE l.order_id = %s AND h.open > 0
    UNION ALL
    SELECT s.sku, true FROM stock_waiting w
    JOIN order_line l ON l.id = w.line_id JOIN stock_presale s ON s.id = w.presale_id
    WHERE l.order_id = %s AND w.open > 0
)
SELECT p.sku, p.shortage > 0, EXISTS (SELECT 1 FROM mine WHERE mine.sku = p.sku AND waits)
FROM stock_pool p WHERE p.sku IN (SELECT sku FROM mine) ORDER BY p.sku COLLATE "C" FOR UPDATE OF p
"""


def note_cancelled(order: Order) -> None:
    """This locked order is cancelled for good, and what it still has is about to be given back: was any of it missing?

    It was where a confirmed shortage names the order, as many units as are short; and where it waits for goods that
    will not come, or whose promised day is over. One statement where nothing is short and nothing is waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [order.pk, order.pk])
        found = cursor.fetchall()
    short = {sku for sku, is_short, _waits in found if is_short}
    waited = {sku for sku, _is_short, waits in found if waits}
    missed = [*(_held(order, short) if short else ()), *(_waiting(order, waited) if waited else ())]
    if missed and not order.is_test:
        BrokenPromise.objects.bulk_create(_rows(order, Ending.CANCELLED, missed), ignore_conflicts=True)


def _held(order: Order, skus: Collection[str]) -> list[Missed]:
    """What it holds of goods that are known to be gone, newest promise first."""
    standing = Shortage.objects.filter(pool__in=skus, closed_at=None, provisional=False, orders__contains=order.number)
    rows = {row.pool_id: row for row in standing}
    held = Hold.objects.filter(line__order=order, pool__in=rows, open__gt=0).order_by("-pk")
    taken = _taken(held.values_list("pool", "line", "open"), {sku: row.quantity for sku, row in rows.items()})
    return [Missed(line, units, rows[sku].cause, rows[sku].pk) for (sku, line), units in taken.items()]


def _waiting(order: Order, skus: Collection[str]) -> list[Missed]:
    """What it waits for that will not come, newest promise first; all of what should have come by now."""
    mine = Waiting.objects.filter(line__order=order, open__gt=0).order_by("-pk")
    late = Q(promised_on__lt=timezone.localdate())
    missed = [Missed(line, units, SUPPLY) for line, units in mine.filter(late).values_list("line", "open")]
    short = {s.sku: s.units for s in presales.short() if s.sku in skus and order.number in s.orders}
    if short:
        taken = _taken(mine.exclude(late).values_list("presale__pool", "line", "open"), short)
        missed += [Missed(line, units, SUPPLY) for (_sku, line), units in taken.items()]
    return missed


def _taken(promised: Iterable[tuple[str, int, int]], short: Mapping[str, int]) -> dict[tuple[str, int], int]:
    """(sku, line) -> units that are missing: of each of these promises as many as are still short, then of the next."""
    left = dict(short)
    taken: dict[tuple[str, int], int] = defaultdict(int)
    for sku, line, open_units in promised:
        if units := min(open_units, left.get(sku, 0)):
            left[sku] -= units
            taken[sku, line] += units
    return taken


# --- late ------------------------------------------------------------------------------------------------------------

_LATE = """
SELECT w.line_id, least(sum(w.quantity - w.released), (
    SELECT coalesce(sum(c.quantity), 0) FROM fulfilment_parcelline c JOIN fulfilment_parcel p ON p.id = c.parcel_id
    WHERE c.line_id = w.line_id AND (p.shipped_at AT TIME ZONE %s)::date > max(w.promised_on)
))::int
FROM stock_waiting w WHERE w.line_id = ANY(%s) AND w.quantity > w.released GROUP BY w.line_id
"""


def note_late(order: Order, waited: Collection[int]) -> None:
    """A parcel of this locked order is written; these lines in it were promised for a day.

    What of them has left after that day. A line has one row for it, which grows with each late parcel.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [settings.TIME_ZONE, list(waited)])
        missed = [Missed(line, units, SUPPLY) for line, units in cursor.fetchall() if units]
    if missed and not order.is_test:
        BrokenPromise.objects.bulk_create(
            _rows(order, Ending.LATE, missed), update_conflicts=True, unique_fields=["line", "ending", "cause"],
            update_fields=["units", "value"],
        )  # fmt: skip


# --- rows ------------------------------------------------------------------------------------------------------------


def _rows(order: Order, ending: Ending, missed: Iterable[Missed]) -> list[BrokenPromise]:
    """By line and cause, so that two transactions write them in the same order."""
    units: dict[tuple[int, str, int | None], int] = defaultdict(int)
    for one in missed:
        units[one.line_id, one.cause, one.shortage_id] += one.units
    lines = Line.objects.in_bulk([line for line, _cause, _shortage in units])
    return [
        BrokenPromise(
            line=lines[line],
            pool_id=lines[line].partner_sku,
            shortage_id=shortage,
            ending=ending,
            cause=cause,
            units=count,
            value=value(lines[line], count, order.currency),
        )  # fmt: skip
        for (line, cause, shortage), count in sorted(units.items(), key=lambda item: item[0][:2])
    ]


def value(line: Line, units: int, currency: str) -> Decimal:
    """What the line charges for so many of its units, tax included."""
    return money.quantise(line.line_price_incl_tax * units / line.quantity, currency)


# --- what it cost ----------------------------------------------------------------------------------------------------


class Stale(Exception):
    """Somebody else said what it cost since the person looked."""


def note_cost(promise: BrokenPromise, cost: Decimal, *, note: str, actor: str) -> None:
    """What it cost besides, in all, in the order's currency: what was said before is replaced.

    `promise` is as the person saw it. Raises `money.TooFine`, and Stale when it has changed since.
    """
    cost = money.exact(cost, promise.line.order.currency)
    seen = BrokenPromise.objects.filter(pk=promise.pk, cost_at=promise.cost_at)
    if not seen.update(cost=cost, cost_note=note, cost_by=actor, cost_at=Now()):
        raise Stale(promise.pk)
