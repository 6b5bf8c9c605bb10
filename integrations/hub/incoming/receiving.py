"""Keeping what a remote sent: one row for each event, in one statement, committed before anybody says 2xx."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import connection

from integrations.hub import hearing
from integrations.hub.connector import Connector
from integrations.hub.incoming import envelopes
from integrations.hub.models import Account
from integrations.hub.values import Inbound, Verified
from integrations.hub.workers import wakeups
from runtime.logs import trace

LONGEST_EVENT = 200
ANOMALY = "Another message came under this event's id, with another body. Ask the remote which is true, and close it."

# Who waits is looked for along the index, by statement_timestamp(): what waits for long must not be read each time.
# The same message again is counted, and makes a parked row due. Another body under a known id changes nothing here:
# no row comes back. What was purged before it was understood is taken from the new message.
_KEEP = """
INSERT INTO hub_incoming AS i (account_id, dedupe, event, digest, sealed, version, lane, is_anomaly, parked_at,
    parked_reason, trace, subject, times, lease_size, failures, crashes, attempts, last_error, note)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s THEN clock_timestamp() END, %s, %s, '', 1, 0, 0, 0, '[]', '', '')
ON CONFLICT (account_id, dedupe) DO UPDATE
SET times = i.times + 1, last_received_at = clock_timestamp(),
    sealed = CASE WHEN i.done_at IS NULL AND i.parsed_at IS NULL AND NOT i.is_anomaly
                  THEN coalesce(i.sealed, excluded.sealed) ELSE i.sealed END,
    next_at = CASE WHEN i.parked_at IS NULL THEN i.next_at ELSE clock_timestamp() END,
    failures = CASE WHEN i.parked_at IS NULL THEN i.failures ELSE 0 END,
    crashes = CASE WHEN i.parked_at IS NULL THEN i.crashes ELSE 0 END,
    parked_at = CASE WHEN i.is_anomaly THEN i.parked_at END,
    parked_reason = CASE WHEN i.is_anomaly THEN i.parked_reason ELSE '' END
WHERE i.digest = excluded.digest
RETURNING i.done_at IS NULL AND i.parked_at IS NULL AND i.lease_token IS NULL AND NOT coalesce((
    SELECT true FROM hub_incoming w
    WHERE w.account_id = i.account_id AND w.lane = i.lane AND w.done_at IS NULL AND w.parked_at IS NULL AND w.id <> i.id
    AND w.lease_token IS NULL
    AND w.next_at BETWEEN statement_timestamp() - interval '5 seconds' AND statement_timestamp()
    ORDER BY w.next_at DESC LIMIT 1), false)
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """What is written of a message."""

    account: Account
    verified: Verified
    digest: str
    sealed: bytes
    lane: int

    def keep(self, *, anomaly: bool = False) -> bool | None:
        """Write it; says whether a worker has to be woken. None: there is another body under this event's id.

        Nobody is woken where the account's last message still waits for the worker that was woken for it.
        """
        event = _event(self.verified.event)
        body = f"sha256:{self.digest}"
        dedupe = f"{event} {body}" if anomaly else event or body
        values: list[Any] = [self.account.pk, dedupe, event, self.digest, self.sealed, envelopes.VERSION, self.lane,
                             anomaly, anomaly, ANOMALY if anomaly else "", trace.current()]  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, values)
            row = cursor.fetchone()
        return row[0] if row else None


def receive(account: Account, connector: type[Connector], inbound: Inbound, verified: Verified) -> None:
    """Keep a message that was verified; on return it is committed, and a worker is woken. Raises a DatabaseError.

    Not inside a transaction: each statement is one by itself.
    """
    digest = hashlib.sha256(inbound.body if verified.content is None else verified.content).hexdigest()
    lane = hearing.lane_of(account.kind)
    row = _Row(account, verified, digest, envelopes.seal(inbound, connector.keeps), int(lane))
    wake = row.keep()
    if wake is None:
        row.keep(anomaly=True)
    elif wake:
        wakeups.wake_hearing([lane])


def _event(event: str) -> str:
    """An id that no column can hold is kept as its digest."""
    if len(event) <= LONGEST_EVENT and "\0" not in event:
        return event
    return f"sha256:{hashlib.sha256(event.encode()).hexdigest()}"
