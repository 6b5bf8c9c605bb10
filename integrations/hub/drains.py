"""Sending what is due. Claim, build, commit the attempt, send, settle: each step survives a kill between any two."""

from __future__ import annotations

import logging
import random
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.db import close_old_connections, connection, transaction
from django.db.models import Q
from django.utils import timezone

from integrations.hub import claims, commands, outgoing, registry, topics, wakeups
from integrations.hub.claims import Claim
from integrations.hub.errors import Conflict, HubError, Misconfigured, OutcomeUnknown, Rejected, Scope, TryAgain
from integrations.hub.models import Account, Attempt, Outgoing, Pause
from integrations.hub.topics import Command, State
from integrations.hub.values import Absent, Done, NotReady, Unneeded

log = logging.getLogger("weft.hub")

STARTS_FOR = 60.0  # seconds in which a drain begins new work; the worker's timeout leaves room for the last piece
THREADS = 8
PATIENCE = 10  # failures in a row after which a row is parked, if its neighbours get through

lanes_due = claims.lanes_due


class LeaseLost(Exception):
    """Another worker has the row now: what we were about to write is not ours to write."""


def drain(lane: int) -> int:
    """Send what is due in the lanes a wake-up for `lane` serves; returns how many rows were settled.

    Up to eight accounts at once, one batch in flight per account.
    """
    lanes = claims.lanes_served(lane)
    due = claims.accounts_due(lanes)
    until = time.monotonic() + STARTS_FOR
    if len(due) <= 1:
        return sum(drain_account(account_id, lanes, until) for account_id in due)
    with ThreadPoolExecutor(max_workers=min(THREADS, len(due)), thread_name_prefix="drain") as pool:
        return sum(pool.map(lambda account_id: _in_thread(account_id, lanes, until), due))


def _in_thread(account_id: int, lanes: Sequence[int], until: float) -> int:
    try:
        return drain_account(account_id, lanes, until)
    finally:
        connection.close()


def drain_account(account_id: int, lanes: Sequence[int], until: float) -> int:
    """Send one account's due rows, batch after batch, until there are none or the time is over."""
    settled = 0
    while time.monotonic() < until:
        claim = claims.claim(account_id, lanes, until)
        if claim is None:
            return settled
        settled += work(claim)
        close_old_connections()
    wakeups.wake([lanes[-1]])
    return settled


def work(claim: Claim) -> int:
    """Send the rows of one claim; whatever happens, each row's outcome is written down. Returns rows settled."""
    settled = 0
    for name, group in groupby(claim.rows, key=lambda row: row.topic):
        rows = list(group)
        topic = topics.find(name)
        guilty = [row for row in rows if row.crashes >= claims.MAX_CRASHES]
        for row in guilty:
            park(claim, row, "The worker died five times while sending this. Look at the log before you retry.")
        rows = [row for row in rows if row not in guilty]
        if topic is None:
            for row in rows:
                park(claim, row, f"No part of Weft knows how to send {name!r}. Update Weft or retry after it is back.")
        elif isinstance(topic, State):
            settled += _send_state(claim, topic, rows)
        elif isinstance(topic, Command):
            settled += sum(_send_command(claim, topic, row) for row in rows)
    return settled


def _give_back_closed(claim: Claim, rows: Sequence[Outgoing]) -> bool:
    """After a refusal that concerns all, or when the time is over: the rest of the claim waits, untried."""
    if not claim.is_closed(rows[0].topic):
        return False
    for row in rows:
        release(claim, row)
    return True


# --- state -----------------------------------------------------------------------------------------------------------


def _send_state(claim: Claim, topic: State, rows: list[Outgoing]) -> int:
    if not rows or _give_back_closed(claim, rows):
        return 0
    by_key = {row.key: row for row in rows}
    try:
        built = topic.build(claim.account, list(by_key))
    except Exception as error:
        for row in rows:
            _failed(claim, row, None, error)
        return 0
    settled = 0
    sendable: dict[str, Any] = {}
    for key, row in by_key.items():
        doc = built.get(key, Absent())
        if isinstance(doc, NotReady):
            wait(claim, row, doc)
        elif isinstance(doc, Unneeded):
            settled += _settle_state(claim, topic, row, None, Done(facts=dict(row.facts)))
        else:
            sendable[key] = doc
    keys = list(sendable)
    for start in range(0, len(keys), topic.batch):
        chunk = {key: sendable[key] for key in keys[start : start + topic.batch]}
        settled += _deliver(claim, topic, [by_key[key] for key in chunk], chunk)
    return settled


def _deliver(claim: Claim, topic: State, rows: list[Outgoing], docs: dict[str, Any]) -> int:
    if _give_back_closed(claim, rows):
        return 0
    try:
        remote = registry.connect(claim.account)  # its time runs from here, and is over before the lease
    except Exception as error:
        for row in rows:
            _failed(claim, row, None, error)
        return 0
    with transaction.atomic(durable=True):
        allowed = set(claims.renew(claim, rows))
        docs = dict(topic.charge(claim.account, {row.key: docs[row.key] for row in rows if row.pk in allowed}))
        attempts = {row.key: _attempt(claim, row) for row in rows if row.key in docs}
    for row in rows:
        if row.key not in docs:
            release(claim, row)
    if not docs:
        return 0
    results = _call(lambda: topic.deliver(remote, docs), docs)
    settled = 0
    for row in rows:
        if row.key in docs:
            settled += _conclude_state(claim, topic, row, attempts[row.key], results[row.key])
    return settled


def _call(send: Callable[[], Any], docs: dict[str, Any]) -> dict[str, Done | Exception]:
    try:
        answers = send()
    except Exception as error:
        return {key: error for key in docs}
    return {key: answers.get(key, KeyError(f"the connector gave no answer for {key}")) for key in docs}


def _conclude_state(claim: Claim, topic: State, row: Outgoing, attempt: Attempt, result: Done | Exception) -> int:
    if isinstance(result, Done):
        return _settle_state(claim, topic, row, attempt, result)
    _failed(claim, row, attempt, result)
    return 0


def _settle_state(claim: Claim, topic: State, row: Outgoing, attempt: Attempt | None, done: Done) -> int:
    return _settle(claim, row, attempt, done, lambda: topic.settle(claim.account, row.key, done))


# --- commands --------------------------------------------------------------------------------------------------------


def _send_command(claim: Claim, topic: Command, row: Outgoing) -> int:
    if _give_back_closed(claim, [row]):
        return 0
    payload = commands.current(topic, row)
    if payload is None:
        park(claim, row, f"Written by a newer Weft (version {row.version}). Update this worker.")
        return 0
    perhaps_sent = row.is_unknown or row.attempts.filter(finished_at=None).exists()
    plan = commands.plan(topic, row, perhaps_sent)
    if plan.park:
        park(claim, row, plan.park, unknown=plan.unknown)
        return 0
    try:
        if plan.look:
            seen = topic.look(registry.connect(claim.account), payload, row.key)
            verdict = commands.after_look(topic, row, seen)
            if verdict is not None:
                return _heed(claim, topic, row, payload, verdict)
        remote = registry.connect(claim.account)  # its time runs from here, and is over before the lease
    except Exception as error:
        _failed(claim, row, None, error, unknown=perhaps_sent)
        return 0
    with transaction.atomic(durable=True):
        if row.pk not in claims.renew(claim, [row]):
            return 0
        attempt = _attempt(claim, row)
    try:
        done = topic.send(remote, payload, row.key)
    except Exception as error:
        _failed(claim, row, attempt, error)
        return 0
    return _settle_command(claim, topic, row, attempt, payload, done)


def _heed(claim: Claim, topic: Command, row: Outgoing, payload: dict[str, Any], verdict: Done | timedelta | str) -> int:
    """Do what a look-up calls for: settle, look again later, or set aside."""
    if isinstance(verdict, Done):
        return _settle_command(claim, topic, row, None, payload, verdict)
    if isinstance(verdict, timedelta):
        postpone(claim, row, verdict, "Waiting to see whether it arrived.")
    else:
        park(claim, row, verdict)
    return 0


def _settle_command(
    claim: Claim, topic: Command, row: Outgoing, attempt: Attempt | None, payload: dict[str, Any], done: Done
) -> int:
    return _settle(claim, row, attempt, done, lambda: topic.settle(claim.account, payload, done))


# --- outcomes --------------------------------------------------------------------------------------------------------


def _attempt(claim: Claim, row: Outgoing) -> Attempt:
    return Attempt.objects.create(outgoing=row, lease_token=claim.token, revision=row.wanted)


def _settle(claim: Claim, row: Outgoing, attempt: Attempt | None, done: Done, news: Callable[[], None]) -> int:
    """Write the news, then that the remote has it: one transaction, void if the lease was lost. Domain rows first."""
    now = timezone.now()
    try:
        with outgoing.recording():
            news()
            refs = [{"id": ref.id, "number": ref.number, "url": ref.url} for ref in done.refs]
            mine = Outgoing.objects.filter(pk=row.pk, lease_token=claim.token).update(
                delivered=row.wanted,
                delivered_at=now,
                refs=refs or row.refs,
                facts=done.facts,
                warnings=list(done.warnings),
                **_CLEAN,
            )
            if not mine:
                raise LeaseLost
            _finish(attempt, "done", "; ".join(done.warnings))
            Attempt.objects.filter(outgoing=row, finished_at=None).update(finished_at=now, outcome="looked up")
            _wake_waiting(row)
    except LeaseLost:
        log.warning("lease of %s lost before it was settled", row)
        return 0
    except Exception as error:
        _failed(claim, row, attempt, error)
        return 0
    Pause.objects.filter(account=claim.account, topic__in=["", row.topic]).delete()
    return 1


_CLEAN: dict[str, Any] = {
    "lease_token": None,
    "lease_until": None,
    "lease_size": 0,
    "failures": 0,
    "crashes": 0,
    "failing_since": None,
    "is_unknown": False,
    "last_error": "",
}
_UNLEASED: dict[str, Any] = {"lease_token": None, "lease_until": None, "lease_size": 0}


def _wake_waiting(row: Outgoing) -> None:
    Outgoing.objects.filter(account_id=row.account_id, waits_topic=row.topic, waits_key=row.key).update(
        waits_topic="", waits_key="", next_at=timezone.now()
    )
    wakeups.on_commit({row.lane})


def _finish(attempt: Attempt | None, outcome: str, message: str) -> None:
    if attempt is not None:
        Attempt.objects.filter(pk=attempt.pk).update(finished_at=timezone.now(), outcome=outcome, message=message)


def release(claim: Claim, row: Outgoing) -> None:
    """Give a row back untouched; it is due at once."""
    Outgoing.objects.filter(pk=row.pk, lease_token=claim.token).update(**_UNLEASED)


def postpone(claim: Claim, row: Outgoing, after: timedelta, why: str) -> None:
    """Give a row back for later; not a failure."""
    Outgoing.objects.filter(pk=row.pk, lease_token=claim.token).update(
        next_at=timezone.now() + after, last_error=why, **_UNLEASED
    )


def park(claim: Claim, row: Outgoing, reason: str, *, unknown: bool = False) -> None:
    """Set a row aside for a person, with the reason in words."""
    Outgoing.objects.filter(pk=row.pk, lease_token=claim.token).update(
        parked_at=timezone.now(), parked_reason=reason, is_unknown=unknown, last_error=reason, **_UNLEASED
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


def _failed(claim: Claim, row: Outgoing, attempt: Attempt | None, error: Exception, *, unknown: bool = False) -> None:
    """Write down what went wrong and what happens next (the table of errors in docs/delivery.md)."""
    message = error.message if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
    with transaction.atomic():
        _finish(attempt, _outcome(error), message)
        match error:
            case TryAgain(scope=Scope.OPERATION | Scope.ACCOUNT):
                _close(claim, row.topic if error.scope is Scope.OPERATION else "", error.after, message)
                postpone(claim, row, timedelta(0), message)
            case Misconfigured():
                Account.objects.filter(pk=claim.account.pk).update(problem=message)
                _close(claim, "", timedelta(minutes=5), message)
                postpone(claim, row, timedelta(0), message)
            case Conflict() | Rejected():
                park(claim, row, message)
            case TryAgain():
                _again(claim, row, message, error.after, unknown)
            case OutcomeUnknown():
                _again(claim, row, message, None, unknown=True)
            case HubError():
                park(claim, row, message)
            case _:
                log.error("bug while sending %s:\n%s", row, "".join(traceback.format_exception(error)))
                _again(claim, row, message, None, unknown=unknown or attempt is not None)


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
        failing_since=row.failing_since or timezone.now(),
        next_at=timezone.now() + delay,
        is_unknown=unknown,
        last_error=message,
        **_UNLEASED,
    )


def _neighbours_get_through(row: Outgoing) -> bool:
    since = row.failing_since or timezone.now()
    same = Q(account_id=row.account_id, topic=row.topic, delivered_at__gt=since)
    return row.is_command or Outgoing.objects.filter(same).exclude(pk=row.pk).exists()


def _close(claim: Claim, topic: str, after: timedelta | None, reason: str) -> None:
    """Pause what the remote refused as a whole: once for a claim, however many of its rows were refused together."""
    if topic not in claim.closed:
        claim.closed.add(topic)
        _pause(claim.account, topic, after, reason)


def _pause(account: Account, topic: str, after: timedelta | None, reason: str) -> None:
    pause, made = Pause.objects.select_for_update().get_or_create(
        account=account, topic=topic, defaults={"until": timezone.now(), "reason": reason}
    )
    pause.times = 1 if made else pause.times + 1
    pause.until = timezone.now() + (after or min(backoff(pause.times - 1), timedelta(minutes=5)))
    pause.reason = reason
    pause.save()
