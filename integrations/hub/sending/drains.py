"""Sending what is due. Claim, build, commit the attempt, send, settle: each step survives a kill between any two."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from itertools import groupby

from django.db import close_old_connections, connection

from integrations.hub import topics
from integrations.hub.models import Outgoing
from integrations.hub.sending import claims, commands, state
from integrations.hub.sending.claims import Claim
from integrations.hub.sending.outcomes import park
from integrations.hub.topics import Command, State
from integrations.hub.workers import tracing, wakeups

STARTS_FOR = 60.0  # seconds in which a drain begins new work; the worker's timeout leaves room for the last piece
THREADS = 8
LONGEST_PACE = timedelta(seconds=2)

lanes_due = claims.lanes_due


def drain(lane: int) -> int:
    """Send what is due in the lanes a wake-up for `lane` serves; returns how many rows were settled.

    Up to eight accounts at once, one batch in flight per account.
    """
    lanes = claims.lanes_served(lane)
    until = time.monotonic() + STARTS_FOR
    return at_once(claims.accounts_due(lanes), lambda account_id: drain_account(account_id, lanes, until))


def at_once(account_ids: Sequence[int], work: Callable[[int], int]) -> int:
    """Do the work of these accounts, up to eight at once, each on a connection of its own; the sum of what it says.

    Each in a copy of the caller's context: it bears the trace of the task.
    """
    if len(account_ids) <= 1:
        return sum(map(work, account_ids))
    with ThreadPoolExecutor(max_workers=min(THREADS, len(account_ids)), thread_name_prefix="drain") as pool:
        begun = [pool.submit(copy_context().run, _in_thread, account_id, work) for account_id in account_ids]
        return sum(each.result() for each in begun)


def _in_thread(account_id: int, work: Callable[[int], int]) -> int:
    try:
        return work(account_id)
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
        _pace(claim)
    wakeups.wake([lanes[-1]])
    return settled


def _pace(claim: Claim) -> None:
    """Where a budget is spent for moments only, wait for it here: the next wake-up may be half a minute away."""
    wait = min(claim.waits.values(), default=LONGEST_PACE * 2)
    if wait <= LONGEST_PACE:
        time.sleep(min(wait.total_seconds(), max(claim.until - time.monotonic(), 0)))


def work(claim: Claim) -> int:
    """Send the rows of one claim; whatever happens, each row's outcome is written down. Returns rows settled."""
    return sum(_work(claim, name, list(group)) for name, group in groupby(claim.rows, key=lambda row: row.topic))


def _work(claim: Claim, name: str, rows: list[Outgoing]) -> int:
    with tracing.rows(claim, rows):
        topic = topics.find(name)
        guilty = [row for row in rows if row.crashes >= claims.MAX_CRASHES]
        for row in guilty:
            park(claim, row, "The worker died five times while sending this. Look at the log before you retry.")
        rows = [row for row in rows if row not in guilty]
        if isinstance(topic, State):
            return state.send(claim, topic, rows)
        if isinstance(topic, Command):
            return sum(commands.send(claim, topic, row) for row in rows)
        for row in rows:
            park(claim, row, f"No part of Weft knows how to send {name!r}. Update Weft or retry after it is back.")
    return 0
