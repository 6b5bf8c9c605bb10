"""When a remote is left alone: it refused as a whole (429, 401, nobody there), or failed five times in a row.

One row of `hub_pause` for an (account, topic), '' = all its topics. While `until` is ahead nothing is claimed. Then one
row goes first (`claims`); the first success removes the pause, and with it the count.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from integrations.hub.clock import Clock
from integrations.hub.models import Account, Pause

CIRCUIT = 5  # failures in a row that open it
OPEN_FOR = timedelta(seconds=30)  # at first; doubled each time the one that went first failed
LONGEST = timedelta(minutes=5)
FIRST = timedelta(seconds=5)  # after a refusal that names no time

_SHUT = """
INSERT INTO hub_pause AS p (account_id, topic, until, reason, times, failures)
VALUES (%(account)s, %(topic)s, clock_timestamp() + coalesce(%(after)s, %(first)s * %(jitter)s), %(reason)s, 1, 0)
ON CONFLICT (account_id, topic) DO UPDATE SET times = p.times + 1, reason = excluded.reason,
    until = clock_timestamp() + coalesce(%(after)s,
        least(%(first)s * power(2, least(p.times, 10)), %(longest)s) * %(jitter)s)
"""
_COUNT = """
INSERT INTO hub_pause AS p (account_id, topic, until, reason, times, failures)
VALUES (%(account)s, %(topic)s, clock_timestamp(), '', 0, 1)
ON CONFLICT (account_id, topic) DO UPDATE SET failures = p.failures + 1,
    times = CASE WHEN p.failures + 1 >= %(circuit)s THEN p.times + 1 ELSE p.times END,
    reason = CASE WHEN p.failures + 1 >= %(circuit)s THEN %(reason)s ELSE p.reason END,
    until = CASE WHEN p.failures + 1 >= %(circuit)s THEN clock_timestamp()
        + least(%(first)s * power(2, least(p.failures + 1 - %(circuit)s, 10)), %(longest)s) * %(jitter)s
        ELSE p.until END
RETURNING p.failures >= %(circuit)s
"""


def shut(account: Account, topic: str, after: timedelta | None, reason: str) -> None:
    """Leave it alone for as long as it asked, else for 5 s, 10 s ... 5 min."""
    with connection.cursor() as cursor:
        cursor.execute(_SHUT, _values(account, topic, reason, first=FIRST, after=after))


def count(account: Account, topic: str, reason: str) -> bool:
    """One more failure in a row; True when that opens the circuit, for 30 s, 60 s ... 5 min.

    Only what says that the remote is unwell is counted: a document that it refuses is not.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, _values(account, topic, reason, first=OPEN_FOR, circuit=CIRCUIT))
        return bool(cursor.fetchone()[0])


def _values(account: Account, topic: str, reason: str, **more: Any) -> dict[str, Any]:
    jitter = random.uniform(0.9, 1.1)
    return {"account": account.pk, "topic": topic, "reason": reason, "longest": LONGEST, "jitter": jitter, **more}


def of(account: Account, topic: str) -> dict[str, bool]:
    """The pauses that concern a topic ('' and its own), and whether each still lasts."""
    concerning = Pause.objects.filter(account=account, topic__in=("", topic))
    return dict(concerning.annotate(lasts=Q(until__gt=Clock())).values_list("topic", "lasts"))


def end(account: Account, topics: Collection[str]) -> None:
    """It works: go on as always."""
    Pause.objects.filter(account=account, topic__in=topics).delete()
