"""Claiming work: a lease on rows of one account, on the database's clock. One batch in flight per account."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from integrations.hub import topics
from integrations.hub.models import Account, AccountState, Outgoing, Pause
from integrations.hub.values import Lane
from integrations.hub.workers.wakeups import URGENT

LEASE_SECONDS = 90
CLAIM_ROWS = 20  # of topics that take fewer documents in one delivery; of others one full delivery
MAX_CRASHES = 5

# Every part of the indices' conditions is named, so that a claim reads what is due and not what is done, parked or
# waiting: its cost must not grow with the table.
_DUE = """
    o.delivered < o.wanted AND o.parked_at IS NULL AND o.waits_key = '' AND o.taken_id IS NULL
    AND o.next_at <= statement_timestamp()
    AND (o.lease_until IS NULL OR o.lease_until <= clock_timestamp())
    AND NOT EXISTS (SELECT 1 FROM hub_pause p WHERE p.account_id = o.account_id
                    AND p.topic IN ('', o.topic) AND p.until > clock_timestamp())
    AND (o.serial = '' OR NOT EXISTS (
         SELECT 1 FROM hub_outgoing e WHERE e.account_id = o.account_id AND e.serial = o.serial
         AND e.id < o.id AND e.delivered < e.wanted))
"""
_IDLE = """
    NOT EXISTS (SELECT 1 FROM hub_outgoing f WHERE f.account_id = {account} AND f.lease_token IS NOT NULL
                AND f.lease_until > clock_timestamp())
"""
# A retired account starts nothing new, but what was paid with it can be looked up and refunded for a year and a day.
_WORKS = """
    (a.state = 'active' OR a.state = 'retired' AND a.retired_at > clock_timestamp() - interval '366 days')
"""
_MAY = "(a.state = 'active' OR o.topic = ANY(%(outliving)s))"
# The row of each idle account and lane that is due the longest.
_FIRSTS = f"""
    FROM hub_account a CROSS JOIN unnest(%(lanes)s::smallint[]) AS l(lane) CROSS JOIN LATERAL (
        SELECT o.next_at FROM hub_outgoing o WHERE o.account_id = a.id AND o.lane = l.lane AND {_MAY} AND {_DUE}
        ORDER BY o.next_at, o.id LIMIT 1
    ) AS first
    WHERE {_WORKS} AND {_IDLE.format(account="a.id")}
"""
# What is due longest in the first lane that has anything. Rows somebody else holds locked are left for later.
_FIND = f"""
    SELECT o.id, o.topic, o.lease_token IS NOT NULL OR EXISTS (
        SELECT 1 FROM hub_pause p WHERE p.account_id = o.account_id AND p.topic IN ('', o.topic) AND p.times > 0
    ) AS alone FROM hub_outgoing o JOIN hub_account a ON a.id = o.account_id
    WHERE o.account_id = %(account)s AND {_MAY} AND {_DUE}
    AND o.lane = (SELECT l.lane {_FIRSTS} AND a.id = %(account)s ORDER BY l.lane LIMIT 1)
    ORDER BY o.next_at, o.id LIMIT %(most)s FOR UPDATE OF o SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows that only the holder of `token` may settle, until their lease ends.

    `closed` are the topics ('' = all) that the remote refused as a whole while these rows were worked on, `paused`
    those it had refused before: the first success ends that. `waits`: topics whose budget is spent, and for how long.
    Nothing is begun after `until` (monotonic): a slow remote must not outlast the worker's own timeout.
    """

    account: Account
    token: uuid.UUID
    rows: tuple[Outgoing, ...]
    until: float = math.inf
    closed: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    waits: dict[str, timedelta] = field(default_factory=dict)

    def is_closed(self, topic: str) -> bool:
        """Is the time over, or would another row of this topic only knock again at a door that just said no?"""
        return time.monotonic() > self.until or not self.closed.isdisjoint({"", topic})


def lanes_served(lane: int) -> list[int]:
    """The lanes a drain woken for `lane` works on: the urgent cluster its own two, the other all, urgent first."""
    return [int(x) for x in (URGENT if lane in URGENT else Lane)]


def accounts_due(lanes: Collection[int]) -> list[int]:
    """Ids of accounts with something to claim in these lanes and nothing in flight."""
    return _firsts("SELECT DISTINCT a.id", lanes, "ORDER BY a.id")


def due() -> tuple[str, Mapping[str, Any]]:
    """A statement that finds a row when something could be claimed now, and its values."""
    return f"SELECT 1 {_FIRSTS}", _values(list(Lane))


def lanes_due() -> list[int]:
    """Lanes in which something could be claimed now."""
    return _firsts("SELECT DISTINCT l.lane", list(Lane), "ORDER BY l.lane")


def stalled_lanes(seconds: int) -> list[int]:
    """Lanes with claimable rows of which none was claimed for `seconds`, though they were due that long."""
    return _firsts(
        "SELECT DISTINCT l.lane",
        list(Lane),
        """AND first.next_at < clock_timestamp() - make_interval(secs => %(seconds)s)
           AND NOT EXISTS (SELECT 1 FROM hub_laneclock c WHERE c.lane = l.lane
                           AND c.claimed_at >= clock_timestamp() - make_interval(secs => %(seconds)s))
           ORDER BY l.lane""",
        seconds=seconds,
    )


def _firsts(select: str, lanes: Collection[int], rest: str, **values: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"{select} {_FIRSTS} {rest}", {**_values(lanes), **values})
        return [row[0] for row in cursor.fetchall()]


def _values(lanes: Collection[int]) -> dict[str, Any]:
    outliving = [name for name, topic in topics.registered().items() if topic.outlives_account]
    return {"lanes": [int(lane) for lane in lanes], "outliving": outliving}


def claim(account_id: int, lanes: Collection[int], until: float = math.inf) -> Claim | None:
    """Lease the next rows of an account; None when there are none, or another worker has some in flight.

    Rows whose last lease died are claimed one at a time, so that only the guilty one is blamed for a crash; so is the
    first row after a pause, so that a remote that is still unwell is asked once.
    """
    with transaction.atomic(durable=True):
        account = (
            Account.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk=account_id, state__in=(AccountState.ACTIVE, AccountState.RETIRED))
            .first()
        )
        ids = [] if account is None else _choose(_find(account_id, lanes))
        if account is None or not ids:
            return None
        token = uuid.uuid4()
        rows = _lease(ids, token)
        paused = set(Pause.objects.filter(account=account).values_list("topic", flat=True))
    return Claim(account, token, rows, until, paused=paused)


def _find(account_id: int, lanes: Collection[int]) -> list[tuple[int, str, bool]]:
    most = max([CLAIM_ROWS, *(topic.batch for topic in topics.registered().values())])
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {**_values(lanes), "account": account_id, "most": most})
        return cursor.fetchall()


def _choose(found: Sequence[tuple[int, str, bool]]) -> list[int]:
    """Of the rows found (id, topic, must it go alone): such a one, or one full delivery, or a few."""
    if not found:
        return []
    first, name, alone = found[0]
    if alone:
        return [first]
    topic = topics.find(name)
    if topic is not None and topic.batch > CLAIM_ROWS:
        return [row_id for row_id, its, alone in found if its == name and not alone][: topic.batch]
    return [row_id for row_id, _, alone in found if not alone][:CLAIM_ROWS]


_LEASE = """
WITH clock AS (
    INSERT INTO hub_laneclock (lane, claimed_at)
    SELECT lane, clock_timestamp() FROM hub_outgoing WHERE id = ANY(%s) GROUP BY lane ORDER BY lane
    ON CONFLICT (lane) DO UPDATE SET claimed_at = excluded.claimed_at
)
UPDATE hub_outgoing
SET lease_token = %s, lease_size = %s, lease_until = clock_timestamp() + make_interval(secs => %s),
    crashes = CASE WHEN lease_token IS NOT NULL AND lease_size = 1 THEN crashes + 1 ELSE crashes END
WHERE id = ANY(%s)
RETURNING *
"""


def _lease(ids: list[int], token: uuid.UUID) -> tuple[Outgoing, ...]:
    rows = Outgoing.objects.raw(_LEASE, [ids, token, len(ids), LEASE_SECONDS, ids])
    return tuple(sorted(rows, key=lambda row: (row.next_at, row.pk)))


# In the one lock order: a business transaction may be wishing for several of these rows anew.
_RENEW = """
WITH mine AS MATERIALIZED (
    SELECT o.id FROM hub_outgoing o WHERE o.id = ANY(%s) AND o.lease_token = %s
    AND (o.id = ANY(%s) OR o.lease_until < clock_timestamp() + make_interval(secs => %s))
    ORDER BY o.topic COLLATE "C", o.key COLLATE "C" FOR UPDATE OF o
)
UPDATE hub_outgoing o SET lease_until = clock_timestamp() + make_interval(secs => %s)
FROM mine WHERE o.id = mine.id AND o.lease_until > clock_timestamp()
RETURNING o.id, o.wanted
"""


def renew(claim: Claim, sending: Collection[Outgoing]) -> list[int]:
    """Renew the lease by compare-and-set, and say which of `sending` may be sent.

    Not the ones whose lease was lost, nor those wished anew since they were read: they are built again. The rest of
    the claim is renewed with them once a third of its lease is over.
    """
    ids = [row.pk for row in sending]
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [[row.pk for row in claim.rows], claim.token, ids, LEASE_SECONDS * 2 / 3, LEASE_SECONDS])
        kept = dict(cursor.fetchall())
    return [row.pk for row in sending if kept.get(row.pk) == row.wanted]
