"""Sending state: build, commit the attempts, deliver, settle; what is refused together is sent again in halves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.db import transaction

from integrations.hub import registry
from integrations.hub.door import gates
from integrations.hub.door.asking import answered, checked
from integrations.hub.errors import Conflict, HubError, Rejected
from integrations.hub.models import Outgoing
from integrations.hub.sending import claims
from integrations.hub.sending.claims import Claim
from integrations.hub.sending.outcomes import Sent, begin, failed, postpone, refused_together, release, settle, wait
from integrations.hub.topics import State
from integrations.hub.values import Absent, Done, Later, NotReady, Unneeded
from integrations.hub.workers import tracing

Value = TypeVar("Value")


def send(claim: Claim, topic: State, rows: list[Outgoing]) -> int:
    if not rows or gates.is_closed(claim, topic, rows):
        return 0
    by_key = {row.key: row for row in rows}
    try:
        built: Mapping[str, Any] = answered(lambda: topic.build(claim.account, list(by_key)), Mapping)
    except Exception as error:
        if len(rows) > 1:  # one of them may be to blame, and the others need not wait for it
            return sum(send(claim, topic, [row]) for row in rows)
        failed(claim, rows[0], None, error, unknown=rows[0].is_unknown)
        return 0
    sendable: dict[str, Any] = {}
    unneeded: list[Sent] = []
    for key, row in by_key.items():
        doc = built.get(key, Absent())
        if isinstance(doc, NotReady):
            _wait(claim, row, doc)
        elif isinstance(doc, Unneeded):
            unneeded.append(Sent(row, None, Done(facts=dict(row.facts))))
        else:
            sendable[key] = doc
    settled = sum(_settle_state(claim, topic, chunk) for chunk in _chunks(unneeded, topic.batch))
    for keys in _chunks(list(sendable), topic.batch):
        docs, sent = {key: sendable[key] for key in keys}, [by_key[key] for key in keys]
        with tracing.rows(claim, sent):
            settled += _deliver(claim, topic, sent, docs)
    return settled


def _wait(claim: Claim, row: Outgoing, other: NotReady) -> None:
    """Let it wait; what it names may be nothing that can be waited for."""
    try:
        wait(claim, row, other)
    except Exception as error:
        failed(claim, row, None, error, unknown=row.is_unknown)


def _chunks(values: Sequence[Value], size: int) -> Iterator[Sequence[Value]]:
    return (values[at : at + size] for at in range(0, len(values), size))


def _deliver(claim: Claim, topic: State, rows: list[Outgoing], docs: dict[str, Any]) -> int:
    if gates.is_closed(claim, topic, rows):
        return 0
    try:
        remote = registry.connect(claim.account)  # its time runs from here, and is over before the lease
        if gates.is_spent(claim, topic, rows, remote):
            return 0
    except Exception as error:
        for row in rows:
            failed(claim, row, None, error)
        return 0
    try:
        charged, attempts = _begin(claim, topic, rows, docs)
    except Exception as error:
        if len(rows) > 1:  # one of them may be to blame
            return _in_halves(claim, topic, rows, docs)
        failed(claim, rows[0], None, error, unknown=rows[0].is_unknown)
        return 0
    _put_off(claim, rows, charged)
    sendable = {key: doc for key, doc in charged.items() if not isinstance(doc, Later)}
    if not sendable:
        return 0
    sent = [row for row in rows if row.pk in attempts]
    try:
        answers: Mapping[str, Any] = answered(lambda: topic.deliver(remote, sendable), Mapping)
    except Exception as error:
        if len(sent) > 1 and _may_be_one_of_them(error):
            refused_together(attempts.values(), error, remote.http.exchanges)
            return _in_halves(claim, topic, sent, docs)
        answers = {key: error for key in sendable}
    return _heed_answers(claim, topic, remote, sent, attempts, answers)


def _begin(
    claim: Claim, topic: State, rows: Sequence[Outgoing], docs: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[int, int]]:
    """Charge, and commit the attempts with it: key -> what is sent of it now (or Later), row id -> attempt id."""
    with transaction.atomic(durable=True):
        topic.lock(claim.account, list(docs))
        allowed = set(claims.renew(claim, rows))
        mine = {row.key: docs[row.key] for row in rows if row.pk in allowed}
        charged: Mapping[str, Any] = answered(lambda: topic.charge(claim.account, mine), Mapping)
        going = [row for row in rows if row.key in charged and not isinstance(charged[row.key], Later)]
        return charged, begin(claim, going)


def _may_be_one_of_them(error: Exception) -> bool:
    """Refused as a whole, perhaps for one document; or a document that we cannot write. Not: the remote is unwell."""
    return isinstance(error, Rejected | Conflict) or not isinstance(error, HubError)


def _in_halves(claim: Claim, topic: State, rows: Sequence[Outgoing], docs: Mapping[str, Any]) -> int:
    """Send again in halves, until the guilty one stands alone."""
    middle = len(rows) // 2
    halves = (rows[:middle], rows[middle:])
    return sum(_deliver(claim, topic, list(half), {row.key: docs[row.key] for row in half}) for half in halves)


def _heed_answers(
    claim: Claim,
    topic: State,
    remote: Any,
    rows: Sequence[Outgoing],
    attempts: Mapping[int, int],
    answers: Mapping[str, Any],
) -> int:
    """Settle what the remote has, and write down what went wrong with the rest."""
    results = {
        row.key: checked(answers.get(row.key, KeyError(f"the connector gave no answer for {row.key}"))) for row in rows
    }
    done: list[Sent] = []
    for row in rows:
        result = results[row.key]
        if isinstance(result, Done):
            done.append(Sent(row, attempts[row.pk], result))
        else:
            failed(claim, row, attempts[row.pk], result, exchanges=remote.http.exchanges)
    gates.heed(topic, remote, results.values())
    return _settle_state(claim, topic, done)


def _put_off(claim: Claim, rows: Sequence[Outgoing], charged: Mapping[str, Any]) -> None:
    """What was not to be sent now waits; what was wished anew meanwhile, or is another's by now, is given back."""
    release(claim, [row for row in rows if row.key not in charged])
    for row in rows:
        if isinstance(later := charged.get(row.key), Later):
            postpone(claim, row, later.after, later.why)


def _settle_state(claim: Claim, topic: State, done: Sequence[Sent]) -> int:
    in_order = sorted(done, key=lambda sent: sent.row.key)  # as everybody else locks what is settled
    return settle(claim, in_order, lambda sent: topic.settle(claim.account, sent.row.key, sent.done))
