"""What a cluster's processes share, such that the dead let go of it.

django-q2's workers wait for a task, and its monitor for a result, with the queue's lock in hand. multiprocessing's
locks are semaphores: killed there (kill -9, the OOM killer), a process takes the lock along, and all others wait for
ever, those that replace the dead included (django-q2 #23). A lock on a file is ended by the kernel with its holder.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import tempfile
from multiprocessing import queues
from multiprocessing.process import BaseProcess

from django_q import cluster
from django_q.worker import worker


class Lock:
    """multiprocessing.RLock, without a time limit. Tells processes apart, not threads.

    Not for what several threads of a process wait for: the kernel would see deadlocks where there are none.
    """

    def __init__(self) -> None:
        # It has no name, and stays open: closing it anywhere in a process would end this process's lock.
        self._file = tempfile.TemporaryFile(prefix="weft-lock-")  # noqa: SIM115
        self._depth, self._pid = 0, os.getpid()

    def acquire(self) -> bool:
        if self._pid != os.getpid():  # forked while the other one had it
            self._depth, self._pid = 0, os.getpid()
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
        self._places = maxsize
        if maxsize > 0:
            self._sem = multiprocessing.Semaphore(maxsize)  # not a bounded one, which would mind `free`

    def free(self) -> None:
        """Who put here was killed: its lock is nobody's, and so are the places of what it had not put in yet. All are
        given back, as nobody knows how many these were: the queue may be as much longer from then on."""
        self._wlock = multiprocessing.Lock()
        for _ in range(self._places):
            self._sem.release()

    def qsize(self) -> int:
        """Asked for the cluster's status only; on macOS, where nobody can count, as if nothing waited."""
        try:
            return super().qsize()
        except NotImplementedError:
            return 0


class Sentinel(cluster.Sentinel):
    """The guard of a cluster; it looks at its workers under a lock of each."""

    task_queue: Queue

    def reincarnate(self, process: BaseProcess) -> None:
        if process is self.pusher and (process.exitcode or 0) < 0:
            self.task_queue.free()  # the one process that puts; its successor is forked after this
        super().reincarnate(process)

    def spawn_worker(self) -> None:
        timer = multiprocessing.Value("f", -1, lock=Lock())  # type: ignore[call-overload]
        self.spawn_process(worker, self.task_queue, self.result_queue, timer, self.timeout)


def install() -> None:
    """For clusters that are started in this process."""
    cluster.Queue, cluster.Sentinel = Queue, Sentinel
