"""Claiming messages to heed: a lease on rows of one account, as `claims.py` does it for outgoing work.

One batch in flight per account. Messages to retired accounts are heeded too, those to paused ones wait.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from integrations.hub.incoming import envelopes
from integrations.hub.models import Account, AccountState, Incoming, Pause
from integrations.hub.sending.claims import LEASE_SECONDS
from integrations.hub.values import Lane

CLAIM_ROWS = 20
PAUSE = "incoming"  # what a pause of looking is called, beside the topics of outgoing work
HEARD = [AccountState.ACTIVE, AccountState.RETIRED]

_DUE = f"""
    i.done_at IS NULL AND i.parked_at IS NULL AND i.version <= {envelopes.VERSION}
    AND i.next_at <= statement_timestamp()
    AND (i.lease_until IS NULL OR i.lease_until <= clock_timestamp())
    AND NOT EXISTS (SELECT 1 FROM hub_pause p WHERE p.account_id = i.account_id
                    AND p.topic IN ('', '{PAUSE}') AND p.until > clock_timestamp())
"""
_FIRSTS = f"""
    FROM hub_account a CROSS JOIN unnest(%s::smallint[]) AS l(lane) CROSS JOIN LATERAL (
        SELECT i.next_at FROM hub_incoming i WHERE i.account_id = a.id AND i.lane = l.lane AND {_DUE}
        ORDER BY i.next_at, i.id LIMIT 1
    ) AS first
    WHERE a.state = ANY(%s) AND NOT EXISTS (
        SELECT 1 FROM hub_incoming f WHERE f.account_id = a.id AND f.lease_token IS NOT NULL
        AND f.lease_until > clock_timestamp())
"""
_FIND = f"""
    SELECT i.id, i.lease_token IS NOT NULL AS died FROM hub_incoming i
    WHERE i.account_id = %s AND {_DUE} AND i.lane = (SELECT l.lane {_FIRSTS} AND a.id = %s ORDER BY l.lane LIMIT 1)
    ORDER BY i.next_at, i.id LIMIT {CLAIM_ROWS} FOR UPDATE OF i SKIP LOCKED
"""
# One worker at a time claims messages of an account. Not by the account's row: claims of outgoing work lock that and
# pass by one that is locked, so each would now and then leave the other's work to the next sweep.
_LOCKS = 1 << 40
_MINE = """
    SELECT * FROM (SELECT * FROM hub_account WHERE id = %s AND state = ANY(%s) OFFSET 0) a
    WHERE pg_try_advisory_xact_lock(%s)
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that only the holder of `token` may write on, until their lease ends.

    `closed`: the remote refused to answer at all, so the rest waits; `paused`: it had done so before, and the first
    answer ends that. Nothing is begun after `until` (monotonic).
    """

    account: Account
    token: uuid.UUID
    rows: tuple[Incoming, ...]
    until: float = math.inf
    closed: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)

    def is_closed(self) -> bool:
        """Is the time over, or would the next row only knock at a door that just said no?"""
        return bool(self.closed) or time.monotonic() > self.until


def accounts_due(lanes: Collection[int]) -> list[int]:
    """Ids of accounts with messages to heed in these lanes and none in flight."""
    return _firsts("SELECT DISTINCT a.id", lanes, "ORDER BY a.id")


def due() -> tuple[str, Sequence[Any]]:
    """A statement that finds a row when a message could be claimed now, and its values."""
    return f"SELECT 1 {_FIRSTS}", [[int(lane) for lane in Lane], HEARD]


def lanes_due() -> list[int]:
    """Lanes in which a message could be claimed now."""
    return _firsts("SELECT DISTINCT l.lane", list(Lane), "ORDER BY l.lane")


def stalled_lanes(seconds: int) -> list[int]:
    """Lanes with claimable messages of which none was claimed for `seconds`, though they were due that long."""
    return _firsts(
        "SELECT DISTINCT l.lane",
        list(Lane),
        """AND first.next_at < clock_timestamp() - make_interval(secs => %s)
           AND NOT EXISTS (SELECT 1 FROM hub_incomingclock c WHERE c.lane = l.lane
                           AND c.claimed_at >= clock_timestamp() - make_interval(secs => %s))
           ORDER BY l.lane""",
        seconds,
        seconds,
    )


def _firsts(select: str, lanes: Collection[int], rest: str, *values: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"{select} {_FIRSTS} {rest}", [[int(x) for x in lanes], HEARD, *values])
        return [row[0] for row in cursor.fetchall()]


def claim(account_id: int, lanes: Collection[int], until: float = math.inf) -> Batch | None:
    """Lease the next messages of an account; None when there are none, or another worker has some in flight.

    A row whose last lease died is claimed alone, so that only the guilty one is blamed for a crash.
    """
    with transaction.atomic(durable=True):
        account = next(iter(Account.objects.raw(_MINE, [account_id, HEARD, _LOCKS + account_id])), None)
        ids = [] if account is None else _choose(_find(account_id, lanes))
        if account is None or not ids:
            return None
        token = uuid.uuid4()
        rows = _lease(ids, token)
        paused = set(Pause.objects.filter(account=account, topic__in=["", PAUSE]).values_list("topic", flat=True))
    return Batch(account, token, rows, until, paused=paused)


def _find(account_id: int, lanes: Collection[int]) -> list[tuple[int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [account_id, [int(x) for x in lanes], HEARD, account_id])
        return cursor.fetchall()


def _choose(found: Sequence[tuple[int, bool]]) -> list[int]:
    """Of the rows found (id, did its lease die): a dead one alone, or all up to the first dead one."""
    if found and found[0][1]:
        return [found[0][0]]
    return [row_id for row_id, died in found if not died]


# Without what was sent: it is read one by one, where it is needed.
_COLUMNS = ", ".join(f.attname for f in Incoming._meta.concrete_fields if f.name != "sealed")
_LEASE = f"""
WITH clock AS (
    INSERT INTO hub_incomingclock (lane, claimed_at)
    SELECT lane, clock_timestamp() FROM hub_incoming WHERE id = ANY(%s) GROUP BY lane ORDER BY lane
    ON CONFLICT (lane) DO UPDATE SET claimed_at = excluded.claimed_at
)
UPDATE hub_incoming
SET lease_token = %s, lease_size = %s, lease_until = clock_timestamp() + make_interval(secs => %s),
    crashes = CASE WHEN lease_token IS NOT NULL AND lease_size = 1 THEN crashes + 1 ELSE crashes END
WHERE id = ANY(%s)
RETURNING {_COLUMNS}
"""


def _lease(ids: list[int], token: uuid.UUID) -> tuple[Incoming, ...]:
    rows = Incoming.objects.raw(_LEASE, [ids, token, len(ids), LEASE_SECONDS, ids])
    return tuple(sorted(rows, key=lambda row: (row.next_at, row.pk)))


_RENEW = """
WITH mine AS MATERIALIZED (
    SELECT id FROM hub_incoming WHERE id = ANY(%s) AND lease_token = %s ORDER BY id FOR UPDATE
)
UPDATE hub_incoming i SET lease_until = clock_timestamp() + make_interval(secs => %s)
FROM mine WHERE i.id = mine.id AND i.lease_until > clock_timestamp()
RETURNING i.id
"""


def renew(batch: Batch, row: Incoming) -> bool:
    """Renew the lease of the whole batch by compare-and-set, before something that takes time; False: `row` is lost."""
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [[one.pk for one in batch.rows], batch.token, LEASE_SECONDS])
        return row.pk in {kept for (kept,) in cursor.fetchall()}
