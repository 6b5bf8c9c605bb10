"""Sending what is due. Claim, build, commit the attempt, send, settle: each step survives a kill between any two."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import groupby
from typing import Any, TypeVar

from django.db import close_old_connections, connection, transaction

from integrations.hub import claims, commands, registry, topics, wakeups
from integrations.hub.claims import Claim
from integrations.hub.models import Outgoing
from integrations.hub.outcomes import Sent, begin, failed, park, postpone, release, settle, wait
from integrations.hub.topics import Command, State
from integrations.hub.values import Absent, Done, Later, NotReady, Unneeded

STARTS_FOR = 60.0  # seconds in which a drain begins new work; the worker's timeout leaves room for the last piece
THREADS = 8

Value = TypeVar("Value")

lanes_due = claims.lanes_due


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
    release(claim, rows)
    return True


# --- state -----------------------------------------------------------------------------------------------------------


def _send_state(claim: Claim, topic: State, rows: list[Outgoing]) -> int:
    if not rows or _give_back_closed(claim, rows):
        return 0
    by_key = {row.key: row for row in rows}
    try:
        built = topic.build(claim.account, list(by_key))
    except Exception as error:
        if len(rows) > 1:  # one of them may be to blame, and the others need not wait for it
            return sum(_send_state(claim, topic, [row]) for row in rows)
        failed(claim, rows[0], None, error)
        return 0
    sendable: dict[str, Any] = {}
    unneeded: list[Sent] = []
    for key, row in by_key.items():
        doc = built.get(key, Absent())
        if isinstance(doc, NotReady):
            wait(claim, row, doc)
        elif isinstance(doc, Unneeded):
            unneeded.append(Sent(row, None, Done(facts=dict(row.facts))))
        else:
            sendable[key] = doc
    settled = sum(_settle_state(claim, topic, chunk) for chunk in _chunks(unneeded, topic.batch))
    for keys in _chunks(list(sendable), topic.batch):
        docs = {key: sendable[key] for key in keys}
        settled += _deliver(claim, topic, [by_key[key] for key in keys], docs)
    return settled


def _chunks(values: Sequence[Value], size: int) -> Iterator[Sequence[Value]]:
    return (values[at : at + size] for at in range(0, len(values), size))


def _deliver(claim: Claim, topic: State, rows: list[Outgoing], docs: dict[str, Any]) -> int:
    if _give_back_closed(claim, rows):
        return 0
    try:
        remote = registry.connect(claim.account)  # its time runs from here, and is over before the lease
    except Exception as error:
        for row in rows:
            failed(claim, row, None, error)
        return 0
    with transaction.atomic(durable=True):
        topic.lock(claim.account, list(docs))
        allowed = set(claims.renew(claim, rows))
        charged = topic.charge(claim.account, {row.key: docs[row.key] for row in rows if row.pk in allowed})
        docs = {key: doc for key, doc in charged.items() if not isinstance(doc, Later)}
        attempts = begin(claim, [row for row in rows if row.key in docs])
    _put_off(claim, rows, charged)
    if not docs:
        return 0
    results = _call(lambda: topic.deliver(remote, docs), docs)
    done: list[Sent] = []
    for row in (row for row in rows if row.pk in attempts):
        result = results[row.key]
        if isinstance(result, Done):
            done.append(Sent(row, attempts[row.pk], result))
        else:
            failed(claim, row, attempts[row.pk], result)
    return _settle_state(claim, topic, done)


def _put_off(claim: Claim, rows: Sequence[Outgoing], charged: Mapping[str, Any]) -> None:
    """What was not to be sent now waits; what was wished anew meanwhile, or is another's by now, is given back."""
    release(claim, [row for row in rows if row.key not in charged])
    for row in rows:
        if isinstance(later := charged.get(row.key), Later):
            postpone(claim, row, later.after, later.why)


def _call(send: Callable[[], Any], docs: dict[str, Any]) -> dict[str, Done | Exception]:
    try:
        answers = send()
    except Exception as error:
        return {key: error for key in docs}
    return {key: answers.get(key, KeyError(f"the connector gave no answer for {key}")) for key in docs}


def _settle_state(claim: Claim, topic: State, done: Sequence[Sent]) -> int:
    in_order = sorted(done, key=lambda sent: sent.row.key)  # as everybody else locks what is settled
    return settle(claim, in_order, lambda sent: topic.settle(claim.account, sent.row.key, sent.done))


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
        failed(claim, row, None, error, unknown=perhaps_sent)
        return 0
    with transaction.atomic(durable=True):
        if row.pk not in claims.renew(claim, [row]):
            return 0
        attempt = begin(claim, [row])[row.pk]
    try:
        done = topic.send(remote, payload, row.key)
    except Exception as error:
        failed(claim, row, attempt, error)
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
    claim: Claim, topic: Command, row: Outgoing, attempt: int | None, payload: dict[str, Any], done: Done
) -> int:
    return settle(claim, [Sent(row, attempt, done)], lambda sent: topic.settle(claim.account, payload, sent.done))
