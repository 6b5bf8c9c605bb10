"""How often a remote may be asked. A bucket of tokens for each key a connector names: a limit belongs to an app or a
merchant, so one bucket may serve several accounts.

A fifth of a bucket is kept for money and parcels. What a 429 taught lowers the configured rate; it comes back by
doubling every ten minutes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection

from integrations.hub.values import Budget

HEADROOM = 0.9  # of the rate the remote names: requests that left evenly may arrive closer together
KEPT = 0.2  # of a full bucket, for money and parcels
SLOWEST = 1 / 60  # calls a second, whatever was learnt
RECOVERS = 600.0  # seconds in which a learnt rate doubles
NOTHING = timedelta(0)

_RATE = """
least(%(rate)s, coalesce(b.learnt * power(2::float,
    least(extract(epoch FROM clock_timestamp() - b.learnt_at)::float / %(recovers)s, 60)), %(rate)s))
"""
_FILLED = f"""
least(%(full)s, b.tokens + greatest(extract(epoch FROM clock_timestamp() - b.filled_at)::float, 0) * {_RATE})
"""
_TAKE = f"""
INSERT INTO hub_budget AS b (key, tokens, filled_at) VALUES (%(key)s, %(full)s - %(cost)s, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET tokens = {_FILLED} - %(cost)s, filled_at = clock_timestamp()
WHERE {_FILLED} - %(cost)s >= %(kept)s
"""
_WAIT = f"SELECT (%(cost)s + %(kept)s - {_FILLED}) / {_RATE} FROM hub_budget b WHERE b.key = %(key)s"
_LEARN = f"""
INSERT INTO hub_budget AS b (key, tokens, filled_at, learnt, learnt_at)
VALUES (%(key)s, 0, clock_timestamp(), greatest(%(rate)s / 2, %(slowest)s), clock_timestamp())
ON CONFLICT (key) DO UPDATE SET tokens = least(0, b.tokens), filled_at = clock_timestamp(),
    learnt = greatest({_RATE} / 2, %(slowest)s), learnt_at = clock_timestamp()
"""


def take(budget: Budget | None, *, urgent: bool) -> timedelta:
    """Take what one delivery costs; zero when it may go, else how long until it may. One conditional UPDATE."""
    if budget is None:
        return NOTHING
    values = _values(budget, urgent)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        if cursor.rowcount:
            return NOTHING
        cursor.execute(_WAIT, values)
        return timedelta(seconds=max(float(cursor.fetchone()[0]), 0.001))


def slow_down(budget: Budget | None) -> None:
    """The remote said that it was too often: half as often from now on, for a while."""
    if budget is not None:
        with connection.cursor() as cursor:
            cursor.execute(_LEARN, _values(budget, urgent=True))


def _values(budget: Budget, urgent: bool) -> dict[str, Any]:
    full = budget.burst / (1 - KEPT)
    return {
        "key": budget.key,
        "rate": float(budget.per_second) * HEADROOM,
        "full": full,
        "cost": float(budget.cost),
        "kept": 0.0 if urgent else full * KEPT,
        "recovers": RECOVERS,
        "slowest": SLOWEST,
    }
