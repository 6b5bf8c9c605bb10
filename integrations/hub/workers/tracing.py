"""django-q2's tasks bear a trace: that of whose click queued them (their group), else one of their own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from django_q.signals import post_execute_in_worker, pre_execute

from integrations.hub.models import Account, Incoming, Outgoing
from integrations.hub.sending.claims import Claim
from runtime.logs import trace

TRACES = 5  # of rows that go out together, in a line


def register() -> None:
    """Once, from `HubConfig.ready`."""
    pre_execute.connect(_begins, dispatch_uid="hub.trace")
    post_execute_in_worker.connect(_ends, dispatch_uid="hub.trace")


def _begins(sender: object, task: dict[str, Any], **_: Any) -> None:
    given = str(task.get("group") or "")
    trace.begin(given if trace.is_trace(given) else trace.new(), task=task.get("name", ""))


def _ends(sender: object, **_: Any) -> None:
    """A worker does one task after another in the same context."""
    trace.end()


def rows(claim: Claim, sent: Sequence[Outgoing]) -> AbstractContextManager[None]:
    """What is logged meanwhile bears the traces of those whose clicks wished for these rows, the first few."""
    traces = dict.fromkeys(row.trace for row in sent if row.trace)
    numbers = [row.pk for row in sent[:TRACES]]
    return trace.bound(",".join(list(traces)[:TRACES]), account=claim.account.pk, topic=sent[0].topic, rows=numbers)


def message(account: Account, row: Incoming) -> AbstractContextManager[None]:
    """What is logged and wished for meanwhile bears the trace of the request that brought this message."""
    return trace.bound(row.trace, account=account.pk, topic="incoming", rows=[row.pk])
