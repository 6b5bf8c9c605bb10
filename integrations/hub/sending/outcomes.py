"""What came of sending: settled, given back, put off, waiting, parked or failed. Written by whoever holds the lease."""

from __future__ import annotations

import json
import logging
import random
import traceback
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from integrations.hub import outgoing, topics
from integrations.hub.clock import Clock
from integrations.hub.door import pauses
from integrations.hub.errors import Conflict, HubError, Misconfigured, NoTime, OutcomeUnknown, Rejected, Scope, TryAgain
from integrations.hub.keeping import redaction
from integrations.hub.keeping.redaction import Exchange
from integrations.hub.models import Account, Attempt, Outgoing
from integrations.hub.sending.claims import Claim
from integrations.hub.values import Done, NotReady
from integrations.hub.workers import wakeups

log = logging.getLogger("weft.hub")

PATIENCE = 10  # failures in a row after which a row is parked, if its neighbours get through

_UNLEASED: dict[str, Any] = {"lease_token": None, "lease_until": None, "lease_size": 0}


class LeaseLost(Exception):
    """Another worker has the row now: what we were about to write is not ours to write."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the remote answered for a row. `attempt` is its id, None where nothing was sent. `unconfirmed`: a person
    says so, and the remote can be asked."""

    row: Outgoing
    attempt: int | None
    done: Done
    unconfirmed: bool = False


_BEGIN = """
INSERT INTO hub_attempt (outgoing_id, lease_token, revision, outcome, message)
SELECT id, %s, revision, '', '' FROM unnest(%s::bigint[], %s::bigint[]) AS r(id, revision)
RETURNING outgoing_id, id
"""


def begin(claim: Claim, rows: Sequence[Outgoing]) -> dict[int, int]:
    """Write that sending these rows begins now; row id -> attempt id. Committed before the wire."""
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [claim.token, [row.pk for row in rows], [row.wanted for row in rows]])
        return dict(cursor.fetchall())


# --- settling --------------------------------------------------------------------------------------------------------


def settle(claim: Claim, sent: Sequence[Sent], news: Callable[[Sent], None]) -> int:
    """Write the news, then that the remote has it: one transaction, void if a lease was lost. Domain rows first.

    Where one of several cannot be settled, each is settled by itself. Returns how many were.
    """
    if not sent:
        return 0
    try:
        with outgoing.recording():
            for each in sent:
                news(each)
            _write(claim, sent)
    except Exception as error:
        if len(sent) > 1:
            return sum(settle(claim, [each], news) for each in sent)
        _unsettled(claim, sent[0], error)
        return 0
    if over := claim.paused & {"", sent[0].row.topic}:
        pauses.end(claim.account, over)
        claim.paused.difference_update(over)
    return len(sent)


def _unsettled(claim: Claim, sent: Sent, error: Exception) -> None:
    if isinstance(error, LeaseLost):
        log.warning("lease of %s lost before it was settled", sent.row)
    else:
        failed(claim, sent.row, sent.attempt, error)


# Rows in the one lock order; a business transaction may be wishing for several of them anew. Attempts of workers that
# died over a row are ended with ours.
_SETTLE = """
WITH done AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS d(
        id bigint, revision bigint, attempt_id bigint, message text, refs jsonb, facts jsonb, warnings jsonb,
        unconfirmed bool)
), mine AS MATERIALIZED (
    SELECT o.id FROM hub_outgoing o JOIN done USING (id) WHERE o.lease_token = %s
    ORDER BY o.topic COLLATE "C", o.key COLLATE "C" FOR UPDATE OF o
), attempts AS (
    UPDATE hub_attempt a
    SET finished_at = clock_timestamp(),
        outcome = CASE WHEN a.id = d.attempt_id THEN 'done' ELSE 'looked up' END,
        message = CASE WHEN a.id = d.attempt_id THEN d.message ELSE a.message END
    FROM done d JOIN mine USING (id) WHERE a.outgoing_id = d.id AND a.finished_at IS NULL
)
UPDATE hub_outgoing o
SET delivered = d.revision, delivered_at = clock_timestamp(), refs = d.refs, facts = d.facts, warnings = d.warnings,
    lease_token = NULL, lease_until = NULL, lease_size = 0, failures = 0, crashes = 0, failing_since = NULL,
    is_unknown = false, last_error = '', taken_id = NULL, taken_revision = NULL, is_unconfirmed = d.unconfirmed
FROM done d JOIN mine USING (id) WHERE o.id = d.id
RETURNING o.id
"""
# A statement of its own: what began to wait while the rows above were waited for must be seen.
_WAKE = """
UPDATE hub_outgoing SET waits_topic = '', waits_key = '', next_at = clock_timestamp()
WHERE account_id = %s AND waits_key <> '' AND waits_topic = %s AND waits_key = ANY(%s)
RETURNING lane
"""


def _write(claim: Claim, sent: Sequence[Sent]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [json.dumps([_done(each) for each in sent]), claim.token])
        if cursor.rowcount != len(sent):
            raise LeaseLost
        cursor.execute(_WAKE, [claim.account.pk, sent[0].row.topic, [s.row.key for s in sent]])
        if woken := {lane for (lane,) in cursor.fetchall()}:
            wakeups.on_commit(woken)


def _done(sent: Sent) -> dict[str, Any]:
    """A row of `_SETTLE`. The remote's documents are those it named before where it named none now."""
    refs = [{"id": ref.id, "number": ref.number, "url": ref.url} for ref in sent.done.refs]
    return {
        "id": sent.row.pk,
        "revision": sent.row.wanted,
        "attempt_id": sent.attempt,
        "message": "; ".join(sent.done.warnings),
        "refs": refs or sent.row.refs,
        "facts": sent.done.facts,
        "warnings": list(sent.done.warnings),
        "unconfirmed": sent.unconfirmed,
    }


# --- not settled -----------------------------------------------------------------------------------------------------


def release(claim: Claim, rows: Sequence[Outgoing]) -> None:
    """Give rows back untouched; they are due at once."""
    if rows:
        Outgoing.objects.filter(pk__in=[row.pk for row in rows], lease_token=claim.token).update(**_UNLEASED)


def postpone(claim: Claim, row: Outgoing, after: timedelta, why: str) -> None:
    """Give a row back for later; not a failure."""
    Outgoing.objects.filter(pk=row.pk, lease_token=claim.token).update(
        next_at=Clock() + after, last_error=why, **_UNLEASED
    )


def put_off(claim: Claim, rows: Sequence[Outgoing], after: timedelta) -> None:
    """Give rows back for later, as they are: they were not tried."""
    Outgoing.objects.filter(pk__in=[row.pk for row in rows], lease_token=claim.token).update(
        next_at=Clock() + after, **_UNLEASED
    )


def park(claim: Claim, row: Outgoing, reason: str, *, unknown: bool = False) -> None:
    """Set a row aside for a person, with the reason in words."""
    Outgoing.objects.filter(pk=row.pk, lease_token=claim.token).update(
        parked_at=Clock(), parked_reason=reason, is_unknown=unknown, last_error=reason, **_UNLEASED
    )
    log.warning("parked %s of %s: %s", row, claim.account, reason)


def wait(claim: Claim, row: Outgoing, other: NotReady) -> None:
    """Let a row wait for another one of its account, which is wished for if nobody did. Woken when that is settled."""
    with outgoing.recording():
        awaited = (
            Outgoing.objects.select_for_update().filter(account=claim.account, topic=other.topic, key=other.key).first()
        )
        if awaited is None:
            outgoing.ensure(other.topic, [other.key])
        waits = awaited is None or awaited.is_open
        Outgoing.objects.filter(pk=row.pk, lease_token=claim.token).update(
            waits_topic=other.topic if waits else "", waits_key=other.key if waits else "", **_UNLEASED
        )


def failed(
    claim: Claim,
    row: Outgoing,
    attempt: int | None,
    error: Exception,
    *,
    unknown: bool = False,
    exchanges: Iterable[Exchange] = (),
) -> None:
    """Write down what went wrong and what happens next (the table of errors in docs/delivery.md).

    `unknown`: an earlier try perhaps did it, whatever came of this one.
    """
    message = error.message if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
    with transaction.atomic():
        if attempt is not None:
            Attempt.objects.filter(pk=attempt).update(
                finished_at=Clock(), outcome=_outcome(error), message=message, exchanges=_shown(exchanges)
            )
        match error:
            case TryAgain(scope=Scope.OPERATION | Scope.ACCOUNT):
                _close(claim, row.topic if error.scope is Scope.OPERATION else "", error.after, message)
                postpone(claim, row, timedelta(0), message)
            case Misconfigured():
                Account.objects.filter(pk=claim.account.pk).update(problem=message)
                _close(claim, "", timedelta(minutes=5), message)
                postpone(claim, row, timedelta(0), message)
            case Conflict() | Rejected():
                park(claim, row, message, unknown=unknown)
            case NoTime():
                _again(claim, row, message, error.after, unknown)
            case TryAgain():
                _count(claim, row.topic, message)
                _again(claim, row, message, error.after, unknown)
            case OutcomeUnknown():
                if error.after:  # it said when: for all of this topic, however often it failed before
                    _close(claim, row.topic, error.after, message)
                else:
                    _count(claim, row.topic, message)
                _again(claim, row, message, error.after, unknown=True)
            case HubError():
                park(claim, row, message)
            case _:
                log.error("bug while sending %s:\n%s", row, "".join(traceback.format_exception(error)))
                _again(claim, row, message, None, unknown=unknown or attempt is not None)


def refused_together(attempts: Collection[int], error: Exception, exchanges: Iterable[Exchange]) -> None:
    """These documents were refused as a whole; they are sent again in halves."""
    message = error.message if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
    Attempt.objects.filter(pk__in=attempts).update(
        finished_at=Clock(), outcome=_outcome(error), message=message, exchanges=_shown(exchanges)
    )


def _shown(exchanges: Iterable[Exchange]) -> list[dict[str, Any]]:
    return [redaction.shown(exchange) for exchange in exchanges]


def _outcome(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, HubError) else "bug"


def backoff(failures: int) -> timedelta:
    """5 s, 10 s, 20 s ... up to 15 min, with a tenth of jitter."""
    return timedelta(seconds=min(5 * 2 ** min(failures, 10), 900) * random.uniform(0.9, 1.1))


def _again(claim: Claim, row: Outgoing, message: str, after: timedelta | None, unknown: bool) -> None:
    topic = topics.find(row.topic)
    failures = row.failures + 1
    delay = after or backoff(row.failures)
    if unknown and topic is not None:
        delay = max(delay, topic.visibility_delay)
    if failures >= PATIENCE and _neighbours_get_through(row):
        park(claim, row, f"Failed {failures} times while others got through. Last: {message}", unknown=unknown)
        return
    Outgoing.objects.filter(pk=row.pk, lease_token=claim.token).update(
        failures=failures,
        failing_since=row.failing_since or Clock(),
        next_at=Clock() + delay,
        is_unknown=unknown,
        last_error=message,
        **_UNLEASED,
    )


def _neighbours_get_through(row: Outgoing) -> bool:
    since = row.failing_since or Clock()
    same = Q(account_id=row.account_id, topic=row.topic, delivered_at__gt=since)
    return row.is_command or Outgoing.objects.filter(same).exclude(pk=row.pk).exists()


def _close(claim: Claim, topic: str, after: timedelta | None, reason: str) -> None:
    """Pause what the remote refused as a whole: once for a claim, however many of its rows were refused together."""
    if topic not in claim.closed:
        claim.closed.add(topic)
        pauses.shut(claim.account, topic, after, reason)


def _count(claim: Claim, topic: str, reason: str) -> None:
    """Five failures in a row open the circuit: the rest of the claim waits, untried."""
    claim.paused.add(topic)
    if pauses.count(claim.account, topic, reason):
        claim.closed.add(topic)
