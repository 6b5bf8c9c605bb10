"""What a cluster's processes share, such that the dead let go of it.

django-q2's workers wait for a task, and its monitor for a result, with the queue's lock in hand. multiprocessing's
locks are semaphores: killed there (kill -9, the OOM killer), a process takes the lock along, and all others wait for
ever, those that replace the dead included (django-q2 #23). A lock on a file is ended by the kernel with its holder.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import tempfile
from multiprocessing import queues

from django_q import cluster
from django_q.worker import worker


class Lock:
    """multiprocessing.RLock, without a time limit. Tells processes apart, not threads.

    Not for what several threads of a process wait for: the kernel would see deadlocks where there are none.
    """

    def __init__(self) -> None:
        # It has no name, and stays open: closing it anywhere in a process would end this process's lock.
        self._file = tempfile.TemporaryFile(prefix="weft-lock-")  # noqa: SIM115
        self._depth = 0

    def acquire(self) -> bool:
        if self._depth == 0:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Queue(queues.Queue):  # type: ignore[type-arg]  # says Python 3.11
    """The standard library's: django-q2's own has a counter in it, under a further lock."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize, ctx=multiprocessing.get_context())
        self._rlock = Lock()

    def qsize(self) -> int:
        """Asked for the cluster's status only; on macOS, where nobody can count, as if nothing waited."""
        try:
            return super().qsize()
        except NotImplementedError:
            return 0


class Sentinel(cluster.Sentinel):
    """The guard of a cluster; it looks at its workers under a lock of each."""

    def spawn_worker(self) -> None:
        timer = multiprocessing.Value("f", -1, lock=Lock())  # type: ignore[call-overload]
        self.spawn_process(worker, self.task_queue, self.result_queue, timer, self.timeout)


def install() -> None:
    """For clusters that are started in this process."""
    cluster.Queue, cluster.Sentinel = Queue, Sentinel
