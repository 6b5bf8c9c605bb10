"""Claiming work: a lease on rows of one account, on the database's clock. One batch in flight per account."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction

from integrations.hub.models import Account, AccountState, Outgoing
from integrations.hub.values import Lane
from integrations.hub.wakeups import URGENT

LEASE_SECONDS = 90
CLAIM_ROWS = 20
MAX_CRASHES = 5

_DUE = """
    o.delivered < o.wanted AND o.parked_at IS NULL AND o.waits_key = ''
    AND o.next_at <= clock_timestamp()
    AND (o.lease_until IS NULL OR o.lease_until <= clock_timestamp())
    AND NOT EXISTS (SELECT 1 FROM hub_pause p WHERE p.account_id = o.account_id
                    AND p.topic IN ('', o.topic) AND p.until > clock_timestamp())
    AND (o.serial = '' OR NOT EXISTS (
         SELECT 1 FROM hub_outgoing e WHERE e.account_id = o.account_id AND e.serial = o.serial
         AND e.id < o.id AND e.delivered < e.wanted))
"""
_IDLE = """
    NOT EXISTS (SELECT 1 FROM hub_outgoing f WHERE f.account_id = {account} AND f.lease_until > clock_timestamp())
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows that only the holder of `token` may settle, until their lease ends.

    `closed` are the topics ('' = all) that the remote refused as a whole while these rows were worked on. Nothing is
    begun after `until` (monotonic): a slow remote must not outlast the worker's own timeout.
    """

    account: Account
    token: uuid.UUID
    rows: tuple[Outgoing, ...]
    until: float = math.inf
    closed: set[str] = field(default_factory=set)

    def is_closed(self, topic: str) -> bool:
        """Is the time over, or would another row of this topic only knock again at a door that just said no?"""
        return time.monotonic() > self.until or not self.closed.isdisjoint({"", topic})


def lanes_served(lane: int) -> list[int]:
    """The lanes a drain woken for `lane` works on: the urgent cluster its own two, the other all, urgent first."""
    return [int(x) for x in (URGENT if lane in URGENT else Lane)]


def accounts_due(lanes: Collection[int]) -> list[int]:
    """Ids of active accounts with something to claim in these lanes and nothing in flight."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT a.id FROM hub_account a WHERE a.state = %s AND {_IDLE.format(account="a.id")}
                AND EXISTS (SELECT 1 FROM hub_outgoing o WHERE o.account_id = a.id AND o.lane = ANY(%s) AND {_DUE})
                ORDER BY a.id""",
            [AccountState.ACTIVE, list(lanes)],
        )
        return [row[0] for row in cursor.fetchall()]


def lanes_due() -> list[int]:
    """Lanes in which something could be claimed now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT o.lane FROM hub_outgoing o JOIN hub_account a ON a.id = o.account_id
                WHERE a.state = %s AND {_IDLE.format(account="a.id")} AND {_DUE} ORDER BY o.lane""",
            [AccountState.ACTIVE],
        )
        return [row[0] for row in cursor.fetchall()]


def stalled_lanes(seconds: int) -> list[int]:
    """Lanes with claimable rows of which none was claimed for `seconds`, though they were due that long."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT o.lane FROM hub_outgoing o JOIN hub_account a ON a.id = o.account_id
                LEFT JOIN hub_laneclock c ON c.lane = o.lane
                WHERE a.state = %s AND {_IDLE.format(account="a.id")} AND {_DUE}
                AND o.next_at < clock_timestamp() - make_interval(secs => %s)
                AND coalesce(c.claimed_at, '-infinity') < clock_timestamp() - make_interval(secs => %s)""",
            [AccountState.ACTIVE, seconds, seconds],
        )
        return [row[0] for row in cursor.fetchall()]


def claim(account_id: int, lanes: Collection[int], until: float = math.inf) -> Claim | None:
    """Lease the next rows of an account; None when there are none, or another worker has some in flight.

    Rows whose last lease died are claimed one at a time, so that only the guilty one is blamed for a crash.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        account = (
            Account.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk=account_id, state=AccountState.ACTIVE)
            .first()
        )
        if account is None:
            return None
        cursor.execute(
            f"""SELECT o.id, o.lease_token IS NOT NULL FROM hub_outgoing o
                WHERE o.account_id = %s AND o.lane = ANY(%s) AND {_IDLE.format(account="o.account_id")} AND {_DUE}
                ORDER BY o.lane, o.next_at, o.id LIMIT %s FOR UPDATE OF o SKIP LOCKED""",
            [account_id, list(lanes), CLAIM_ROWS],
        )
        ids = _choose(cursor.fetchall())
        if not ids:
            return None
        token = uuid.uuid4()
        rows = _lease(ids, token)
    return Claim(account, token, rows, until)


def _choose(found: Sequence[tuple[int, bool]]) -> list[int]:
    if found and found[0][1]:
        return [found[0][0]]
    return [row_id for row_id, died in found if not died]


def _lease(ids: list[int], token: uuid.UUID) -> tuple[Outgoing, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE hub_outgoing SET lease_token = %s, lease_size = %s,
                   lease_until = clock_timestamp() + make_interval(secs => %s),
                   crashes = CASE WHEN lease_token IS NOT NULL AND lease_size = 1 THEN crashes + 1 ELSE crashes END
               WHERE id = ANY(%s)""",
            [token, len(ids), LEASE_SECONDS, ids],
        )
        cursor.execute(
            """INSERT INTO hub_laneclock (lane, claimed_at)
               SELECT lane, clock_timestamp() FROM hub_outgoing WHERE id = ANY(%s) GROUP BY lane ORDER BY lane
               ON CONFLICT (lane) DO UPDATE SET claimed_at = excluded.claimed_at""",
            [ids],
        )
    return tuple(Outgoing.objects.filter(pk__in=ids).order_by("lane", "next_at", "pk"))


def renew(claim: Claim, sending: Collection[Outgoing]) -> list[int]:
    """Renew the whole lease by compare-and-set, and say which of `sending` may be sent.

    Not the ones whose lease was lost, nor those wished anew since they were read: they are built again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE hub_outgoing SET lease_until = clock_timestamp() + make_interval(secs => %s)
               WHERE id = ANY(%s) AND lease_token = %s AND lease_until > clock_timestamp()
               RETURNING id, wanted""",
            [LEASE_SECONDS, [row.pk for row in claim.rows], claim.token],
        )
        kept = dict(cursor.fetchall())
    return [row.pk for row in sending if kept.get(row.pk) == row.wanted]
