"""Sending a command: look first where it was perhaps done, commit the attempt, send, settle."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from integrations.hub import registry
from integrations.hub.connector import Connector
from integrations.hub.door import gates
from integrations.hub.door.asking import answered
from integrations.hub.models import Outgoing
from integrations.hub.sending import claims, plans
from integrations.hub.sending.claims import Claim
from integrations.hub.sending.outcomes import Sent, begin, failed, park, postpone, settle
from integrations.hub.topics import Command
from integrations.hub.values import Done, Pending
from integrations.hub.workers import tracing


def send(claim: Claim, topic: Command, row: Outgoing) -> int:
    """Carry out one command, as far as it may be; returns 1 if it is settled."""
    with tracing.rows(claim, [row]):
        try:
            return _carry_out(claim, topic, row)
        except Exception as error:  # of the topic's own code, e.g. its `upgrade`
            failed(claim, row, None, error, unknown=_perhaps_sent(row))
            return 0


def _perhaps_sent(row: Outgoing) -> bool:
    return row.is_unknown or row.attempts.filter(finished_at=None).exists()


def _carry_out(claim: Claim, topic: Command, row: Outgoing) -> int:
    if gates.is_closed(claim, topic, [row]):
        return 0
    payload = plans.current(topic, row)
    if payload is None:
        park(claim, row, f"Written by a newer Weft (version {row.version}). Update this worker.")
        return 0
    perhaps_sent = _perhaps_sent(row)
    plan = plans.plan(topic, row, perhaps_sent)
    if plan.park:
        park(claim, row, plan.park, unknown=plan.unknown)
        return 0
    if not plan.look:
        return _send(claim, topic, row, payload, perhaps_sent)
    return _look(claim, topic, row, payload)


def _connected(claim: Claim, topic: Command, row: Outgoing, perhaps_sent: bool) -> Connector | None:
    """The account's connector; None where the row has to wait or the account is wrong."""
    try:
        remote = registry.connect(claim.account)  # its time runs from here, and is over before the lease
        return None if gates.is_spent(claim, topic, [row], remote) else remote
    except Exception as error:
        failed(claim, row, None, error, unknown=perhaps_sent)
        return None


def _look(claim: Claim, topic: Command, row: Outgoing, payload: dict[str, Any]) -> int:
    """It was perhaps done: ask, and send only if it surely was not."""
    remote = _connected(claim, topic, row, perhaps_sent=True)
    if remote is None:
        return 0
    try:
        seen = answered(lambda: topic.look(remote, payload, row.key), Done | Pending | None)
    except Exception as error:
        failed(claim, row, None, error, unknown=True)
        gates.heed(topic, remote, [error])
        return 0
    verdict = plans.after_look(topic, row, seen)
    if verdict is None:
        return _send(claim, topic, row, payload, perhaps_sent=False)  # surely it was not
    return _heed(claim, topic, row, payload, verdict)


def _send(claim: Claim, topic: Command, row: Outgoing, payload: dict[str, Any], perhaps_sent: bool) -> int:
    remote = _connected(claim, topic, row, perhaps_sent)
    if remote is None:
        return 0
    with transaction.atomic(durable=True):
        if row.pk not in claims.renew(claim, [row]):
            return 0
        attempt = begin(claim, [row])[row.pk]
    try:
        done: Done = answered(lambda: topic.send(remote, payload, row.key), Done)
    except Exception as error:
        failed(claim, row, attempt, error, unknown=perhaps_sent, exchanges=remote.http.exchanges)
        gates.heed(topic, remote, [error])
        return 0
    return _settle(claim, topic, row, attempt, payload, done)


def _heed(claim: Claim, topic: Command, row: Outgoing, payload: dict[str, Any], verdict: Done | timedelta | str) -> int:
    """Do what a look-up calls for: settle, look again later, or set aside."""
    if isinstance(verdict, Done):
        return _settle(claim, topic, row, None, payload, verdict)
    if isinstance(verdict, timedelta):
        postpone(claim, row, verdict, "Waiting to see whether it arrived.")
    else:
        park(claim, row, verdict)
    return 0


def _settle(
    claim: Claim, topic: Command, row: Outgoing, attempt: int | None, payload: dict[str, Any], done: Done
) -> int:
    return settle(claim, [Sent(row, attempt, done)], lambda sent: topic.settle(claim.account, payload, sent.done))
