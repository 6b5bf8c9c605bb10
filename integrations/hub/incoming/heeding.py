"""Heeding what came in: parse, look at the truth, settle. Each step survives a kill between any two, and twice at once.

parse   what was sent -> hints, kept as rows (one short transaction)
look    the truth of each hint, asked of the remote, outside any transaction
settle  what it means here, the hint's end and all wishes in one transaction, void if the lease was lost
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db import close_old_connections, connection, transaction
from django.db.models.functions import Now

from integrations.hub import hearing, outgoing, registry
from integrations.hub.errors import Rejected
from integrations.hub.hearing import Hearing
from integrations.hub.incoming import claims as incoming_claims
from integrations.hub.incoming import envelopes
from integrations.hub.incoming.claims import Batch
from integrations.hub.incoming.outcomes import UNLEASED, LeaseLost, failed, park, release, reopen
from integrations.hub.models import Incoming, IncomingHint
from integrations.hub.sending import claims, drains
from integrations.hub.values import Hint
from integrations.hub.workers import tracing, wakeups

PURGED = "What was sent is not kept any more, so it cannot be understood. Ask the other side to send it again."


def hear(lane: int) -> int:
    """Heed what came in, in the lanes a wake-up for `lane` serves; returns how many messages are done.

    Up to eight accounts at once, one batch in flight per account.
    """
    lanes = claims.lanes_served(lane)
    until = time.monotonic() + drains.STARTS_FOR
    return drains.at_once(incoming_claims.accounts_due(lanes), lambda account_id: _account(account_id, lanes, until))


def _account(account_id: int, lanes: Sequence[int], until: float) -> int:
    done = 0
    while time.monotonic() < until:
        batch = incoming_claims.claim(account_id, lanes, until)
        if batch is None:
            return done
        done += work(batch)
        close_old_connections()
    wakeups.wake_hearing([lanes[-1]])
    return done


def work(batch: Batch) -> int:
    """Heed the messages of one batch; whatever happens, each one's outcome is written down. Returns how many end."""
    done = 0
    for row in batch.rows:
        with tracing.message(batch.account, row):
            done += _work(batch, row)
    return done


def _work(batch: Batch, row: Incoming) -> bool:
    if row.crashes >= claims.MAX_CRASHES:
        park(batch, row, "The worker died five times while heeding this. Look at the log before you retry.")
        return False
    if batch.is_closed():
        release(batch, row)
        return False
    return _heed(batch, row)


def _heed(batch: Batch, row: Incoming) -> bool:
    try:
        hints = list(row.hints.filter(settled_at=None)) if row.parsed_at else _parse(batch, row)
        unknown = [hint.kind for hint in hints if hearing.find(batch.account.kind, hint.kind) is None]
        is_done = not hints
        for hint in hints:
            if heard := hearing.find(batch.account.kind, hint.kind):
                is_done = _learn(batch, row, hint, heard)
        if unknown:
            park(batch, row, f"No part of Weft hears news of {unknown[0]!r}. Update Weft or retry after it is back.")
        return is_done
    except Exception as error:
        failed(batch, row, error)
        return False


# --- parse -----------------------------------------------------------------------------------------------------------


def _parse(batch: Batch, row: Incoming) -> list[IncomingHint]:
    """Understand what was sent, and keep the hints."""
    if row.sealed is None:
        raise Rejected(PURGED)
    found = registry.connect(batch.account).parse(envelopes.unseal(bytes(row.sealed), row.version))
    hints = list({(hint.kind, hint.key): _as_row(batch, row, hint) for hint in found}.values())
    with transaction.atomic(durable=True):
        end = {} if hints else {"done_at": Now(), **UNLEASED}
        subject = next((hint.subject for hint in hints if hint.subject), "")
        # Once: a second writer of these hints would wait for whoever settles one of them, holding the row they need.
        mine = Incoming.objects.filter(pk=row.pk, lease_token=batch.token, parsed_at=None)
        if not mine.update(parsed_at=Now(), subject=subject, **end):
            raise LeaseLost
        IncomingHint.objects.bulk_create(hints)
    return list(row.hints.filter(settled_at=None)) if hints else []


def _as_row(batch: Batch, row: Incoming, hint: Hint) -> IncomingHint:
    known = hearing.find(batch.account.kind, hint.kind)
    subject = known.subject(hint.key) if known else ""
    return IncomingHint(incoming=row, kind=hint.kind, key=hint.key, subject=subject, facts=hint.facts)


# --- look and settle -------------------------------------------------------------------------------------------------


def _learn(batch: Batch, row: Incoming, hint: IncomingHint, heard: Hearing) -> bool:
    """Look and settle one hint; True when it was the last one of its message."""
    if not incoming_claims.renew(batch, row):
        raise LeaseLost
    news = Hint(hint.kind, hint.key, hint.facts)
    truth = heard.look(registry.connect(batch.account), news)  # its time runs from here, and is over before the lease
    with outgoing.recording():
        heard.lock(batch.account, news)
        if IncomingHint.objects.select_for_update().filter(pk=hint.pk, settled_at=None).first() is None:
            raise LeaseLost
        heard.settle(batch.account, news, truth)
        is_done = _finish(batch, row, hint, heard)
    reopen(batch)
    return is_done


# Void, with everything before it, where the row is another's by now. A statement later than the hint's lock.
_FINISH = """
WITH settled AS (
    UPDATE hub_incominghint SET settled_at = clock_timestamp(), applied = applied + 1, subject = %s
    WHERE id = %s AND settled_at IS NULL RETURNING incoming_id
), last AS (
    SELECT NOT EXISTS (
        SELECT 1 FROM hub_incominghint WHERE incoming_id = %s AND id <> %s AND settled_at IS NULL) AS is_last
)
UPDATE hub_incoming i
SET done_at = CASE WHEN is_last THEN clock_timestamp() END, failures = 0, failing_since = NULL, last_error = '',
    crashes = CASE WHEN is_last THEN 0 ELSE i.crashes END,
    subject = CASE WHEN i.subject = '' THEN %s ELSE i.subject END,
    lease_token = CASE WHEN is_last THEN NULL ELSE i.lease_token END,
    lease_until = CASE WHEN is_last THEN NULL ELSE i.lease_until END,
    lease_size = CASE WHEN is_last THEN 0 ELSE i.lease_size END
FROM settled, last WHERE i.id = settled.incoming_id AND i.lease_token = %s
RETURNING i.done_at IS NOT NULL
"""


def _finish(batch: Batch, row: Incoming, hint: IncomingHint, heard: Hearing) -> bool:
    subject = hint.subject or heard.subject(hint.key)  # registered only after the message was understood, perhaps
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, [subject, hint.pk, row.pk, hint.pk, subject, batch.token])
        written = cursor.fetchone()
    if written is None:
        raise LeaseLost
    return bool(written[0])
