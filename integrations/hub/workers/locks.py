"""The lock under which a cluster's processes take from a queue, as one that the dead let go of.

django-q2's workers wait for a task, and its monitor for a result, with the queue's lock in hand. It is a semaphore:
killed there (kill -9, the OOM killer), a process takes it along, and all others wait for ever, those that replace the
dead included (django-q2 #23). A lock on a file is ended by the kernel together with its holder.
"""

from __future__ import annotations

import fcntl
import tempfile
from typing import Any

from django_q import cluster, queues


class Lock:
    """What a queue asks of multiprocessing.Lock to take from it without a time limit.

    It tells processes apart, not threads: one thread of a process takes. Only for taking: a process that waited for
    two such locks from two threads could be told of a deadlock where there is none.
    """

    def __init__(self) -> None:
        # It has no name, and stays open: closing it anywhere in a process would end this process's lock.
        self._file = tempfile.TemporaryFile(prefix="weft-queue-")

    def __enter__(self) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN)


class Queue(queues.Queue):
    """django-q2's, but whoever dies while it waits for something leaves the others able to take."""

    _rlock: Lock

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rlock = Lock()


def install() -> None:
    """For clusters that are started in this process."""
    cluster.Queue = Queue
