"""What the promises of the last weeks came to, in a constant number of statements.

**Promised**: units of goods on orders placed in the period; each was promised when it was placed, from stock or ahead.
Orders of the past that were only written down, and test orders, promised nothing.
**Not kept**: units of the rows of `BrokenPromise` written in the period, whenever they were promised. Those cancelled
were never given; those late were, after their day. No unit is both.
**Rate**: not kept for every ten thousand promised.
**Value**: what the lines charged for these units; of what was cancelled it is revenue lost. **Cost**: what staff have
said it cost besides; `uncosted` rows have none yet. Both by currency, and never added up across currencies.
**Stood open**: from opening to closing, the mean over confirmed shortages that were closed in the period. What only a
reading saw and the next did not find is no shortage; what is still open is counted beside it, for it is in no mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from shop.stock.promise_models import Ending

PERIODS = (30, 90)  # days


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one ending, cause and currency."""

    ending: str
    cause: str
    currency: str
    rows: int
    units: int
    value: Decimal
    cost: Decimal
    uncosted: int


@dataclass(frozen=True, slots=True)
class Period:
    """The last `days`. `closed` shortages stood open for `stood` in the mean (None: there were none)."""

    days: int
    promised: int
    parts: Sequence[Part]
    closed: int
    stood: timedelta | None

    @property
    def broken(self) -> int:
        return sum(part.units for part in self.parts)

    @property
    def cancelled(self) -> int:
        return sum(part.units for part in self.parts if part.ending == Ending.CANCELLED)

    @property
    def late(self) -> int:
        return self.broken - self.cancelled

    @property
    def uncosted(self) -> int:
        return sum(part.uncosted for part in self.parts)

    @property
    def rate(self) -> Decimal | None:
        """Of ten thousand units promised, to a tenth; None where nothing was promised."""
        return round(Decimal(self.broken * 10_000) / self.promised, 1) if self.promised else None


@dataclass(frozen=True, slots=True)
class Figures:
    """`open` confirmed shortages stand now, the oldest since `oldest`."""

    periods: Sequence[Period]
    open: int
    oldest: datetime | None


# One row for each period: `days` and when it began.
_PERIODS = "unnest(%(days)s::int[], %(since)s::timestamptz[]) AS t(days, since)"
_PROMISED = f"""
WITH placed AS MATERIALIZED (
    SELECT o.date_placed AS at, sum(l.quantity) AS units FROM order_order o JOIN order_line l ON l.order_id = o.id
    WHERE o.date_placed >= %(first)s AND NOT o.is_historical AND NOT o.is_test AND l.kind = 'goods' GROUP BY o.id
)
SELECT t.days, coalesce(sum(p.units), 0)::bigint FROM {_PERIODS} LEFT JOIN placed p ON p.at >= t.since GROUP BY t.days
"""
_BROKEN = f"""
SELECT t.days, b.ending, b.cause, o.currency, count(*), sum(b.units)::bigint, sum(b.value), coalesce(sum(b.cost), 0),
    count(*) FILTER (WHERE b.cost IS NULL)
FROM {_PERIODS} JOIN stock_brokenpromise b ON b.at >= t.since
JOIN order_line l ON l.id = b.line_id JOIN order_order o ON o.id = l.order_id
GROUP BY t.days, b.ending, b.cause, o.currency ORDER BY t.days, b.ending, sum(b.units) DESC, b.cause, o.currency
"""
_SHORTAGES = f"""
SELECT t.days, count(s.id) FILTER (WHERE s.closed_at >= t.since),
    avg(s.closed_at - s.opened_at) FILTER (WHERE s.closed_at >= t.since),
    count(s.id) FILTER (WHERE s.closed_at IS NULL), min(s.opened_at) FILTER (WHERE s.closed_at IS NULL)
FROM {_PERIODS}
LEFT JOIN stock_shortage s ON NOT s.provisional AND (s.closed_at >= %(first)s OR s.closed_at IS NULL)
GROUP BY t.days
"""


def figures(periods: Sequence[int] = PERIODS) -> Figures:
    """Of the last so many days each, in three statements."""
    now = timezone.now()
    begun = [now - timedelta(days=days) for days in periods]
    values = {"days": list(periods), "since": begun, "first": min(begun)}
    promised = dict(_rows(_PROMISED, values))
    broken = _rows(_BROKEN, values)
    shortages = {days: rest for days, *rest in _rows(_SHORTAGES, values)}
    made = [
        Period(days, promised[days], [Part(*part) for period, *part in broken if period == days], *shortages[days][:2])
        for days in periods
    ]
    return Figures(made, *shortages[periods[0]][2:])


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
