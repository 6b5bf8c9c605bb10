"""Waking a worker. A lost or doubled wake-up is harmless: the supervisor's sweep finds what waits."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

from integrations.hub.values import Lane
from runtime.logs import trace

log = logging.getLogger("weft.hub")

URGENT = (Lane.MONEY, Lane.PARCELS)


def cluster_of(lane: int) -> str | None:
    """The queue that serves a lane: money and parcels have a cluster of their own."""
    return settings.WEFT_URGENT_CLUSTER if lane in URGENT else None


def on_commit(lanes: Iterable[int]) -> None:
    """Wake one worker per lane once the transaction is in."""
    wanted = sorted(set(lanes))
    transaction.on_commit(lambda: wake(wanted), robust=True)


def wake(lanes: Iterable[int]) -> None:
    """Queue one drain per lane."""
    for lane in lanes:
        queue("integrations.hub.tasks.drain", int(lane), cluster=cluster_of(lane))


def wake_hearing(lanes: Iterable[int]) -> None:
    """Queue one hearing of what came in per lane."""
    for lane in lanes:
        queue("integrations.hub.tasks.hear", int(lane), cluster=cluster_of(lane))


def queue(task: str, *args: int | str, cluster: str | None = None) -> None:
    """Queue a task by dotted name; ids only, never objects. Its group is the trace of who wants it."""
    options = {name: value for name, value in (("cluster", cluster), ("group", trace.current())) if value}
    async_task(task, *args, q_options={**options, "task_name": task.rsplit(".", 1)[-1]})
