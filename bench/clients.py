"""Many clients at once: forked processes that start together and work for a while, each on a connection of its own."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator
from threading import BrokenBarrierError
from typing import Any

from django.db import connections

WAIT = 60.0  # for all to be connected

Work = Callable[[int], Iterator[None]]


def rate(work: Work, clients: int, seconds: float) -> float:
    """How many steps a second all of them take together. `work(number)` yields after each; the first one is warm-up."""
    connections.close_all()  # no child may share one with us
    context = multiprocessing.get_context("fork")
    start = context.Barrier(clients)
    rates = context.Array("d", clients)
    run = [context.Process(target=_run, args=(work, number, start, rates, seconds)) for number in range(clients)]
    for process in run:
        process.start()
    for process in run:
        process.join()
    if any(process.exitcode for process in run):
        raise RuntimeError("A client failed; its trace stands above.")
    return sum(rates)


def _run(work: Work, number: int, start: Any, rates: Any, seconds: float) -> None:
    try:
        steps = work(number)
        next(steps)
        start.wait(WAIT)
        begun = time.perf_counter()
        count = 0
        while time.perf_counter() < begun + seconds:
            next(steps)
            count += 1
        rates[number] = count / (time.perf_counter() - begun)
    except BrokenBarrierError:
        raise SystemExit(1) from None  # another one failed, and says why
    except BaseException:
        traceback.print_exc()
        start.abort()
        raise SystemExit(1) from None
