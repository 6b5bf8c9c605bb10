"""What processes of a cluster share, after one of them was killed with it in hand."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable

from integrations.hub.workers.locks import Lock, Queue

FORK = multiprocessing.get_context("fork")


def killed_after(work: Callable[[], object]) -> None:
    def run() -> None:
        work()
        os.kill(os.getpid(), signal.SIGKILL)

    child = FORK.Process(target=run)
    child.start()
    child.join(10)
    assert child.exitcode == -signal.SIGKILL


def test_the_dead_let_go() -> None:
    lock = Lock()
    killed_after(lock.acquire)
    child = FORK.Process(target=lock.acquire)
    child.start()
    child.join(10)
    assert child.exitcode == 0


def test_a_lock_holds_between_processes_and_may_be_taken_twice() -> None:
    lock, got = Lock(), FORK.Event()

    def take() -> None:
        with lock:
            got.set()

    with lock:
        with lock:
            pass
        child = FORK.Process(target=take)
        child.start()
        assert not got.wait(0.3)
    child.join(10)
    assert got.is_set()


def test_the_places_and_the_lock_of_a_dead_pusher_are_free_again() -> None:
    queue = Queue(2)

    def begin() -> None:
        queue._wlock.acquire()  # type: ignore[attr-defined]
        queue._sem.acquire()  # type: ignore[attr-defined]
        queue._sem.acquire()  # type: ignore[attr-defined]

    killed_after(begin)
    queue.free()
    for number in range(2):
        queue.put(number, timeout=5)
    assert [queue.get() for _ in range(2)] == [0, 1]
    queue.close()
    queue.join_thread()
