"""Whether a remote may be asked now: not after it refused as a whole, not beyond its budget, not when time is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from integrations.hub.connector import Connector
from integrations.hub.door import budgets
from integrations.hub.errors import Scope, TryAgain
from integrations.hub.models import Outgoing
from integrations.hub.sending.claims import Claim
from integrations.hub.sending.outcomes import put_off, release
from integrations.hub.topics import Topic
from integrations.hub.workers import wakeups


def is_closed(claim: Claim, topic: Topic, rows: Sequence[Outgoing]) -> bool:
    """After a refusal that concerns all, or when the time is over: these rows are given back, untried."""
    if wait := claim.waits.get(topic.name):
        put_off(claim, rows, wait)
        return True
    if not claim.is_closed(topic.name):
        return False
    release(claim, rows)
    return True


def is_spent(claim: Claim, topic: Topic, rows: Sequence[Outgoing], remote: Connector) -> bool:
    """Takes what these rows cost of the remote's budget; where it is spent, they wait, untried."""
    wait = budgets.take(remote.budget(topic.operation), urgent=topic.lane in wakeups.URGENT)
    if not wait:
        return False
    claim.waits[topic.name] = wait
    put_off(claim, rows, wait)
    return True


def heed(topic: Topic, remote: Connector, answers: Iterable[Any]) -> None:
    """A 429 teaches how often is too often."""
    if any(isinstance(answer, TryAgain) and answer.scope is Scope.OPERATION for answer in answers):
        budgets.slow_down(remote.budget(topic.operation))
