"""A shop's web server while it is measured: the demo's gunicorn, and what CPU time it and PostgreSQL took."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil
import psycopg

from bench.client import Browser, Failed
from runtime.ports import any_free_port
from runtime.processes import Child, Command, ProcessFailed

PROJECT = Path(__file__).resolve().parent.parent
READY_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU time in seconds, user and system together."""

    web: float
    database: float

    @property
    def both(self) -> float:
        return self.web + self.database

    def __sub__(self, before: Spent) -> Spent:
        return Spent(self.web - before.web, self.database - before.database)

    def each(self, count: int) -> Spent:
        """The same per piece, in milliseconds."""
        return Spent(1000 * self.web / count, 1000 * self.database / count)

    @classmethod
    def median(cls, several: Sequence[Spent]) -> Spent:
        """That of the middle one, by the sum."""
        return sorted(several, key=lambda spent: spent.both)[len(several) // 2]

    def __str__(self) -> str:
        return f"{self.both:.0f} ms CPU ({self.web:.0f} web + {self.database:.0f} database)"


def percentile(seconds: Sequence[float], percent: int) -> float:
    """The time that `percent` in a hundred do not exceed, in milliseconds."""
    return 1000 * statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1]


def tree_seconds(root: psutil.Process) -> float:
    """CPU time of a process and all below it, living or ended.

    A process that ended stands in its parent's `children_*` (Linux keeps them, macOS does not). One that ends while
    we read would be missed or counted twice, so we then read again.
    """
    while True:
        try:
            return sum(sum(_four(process)) for process in [root, *root.children(recursive=True)])
        except psutil.NoSuchProcess as gone:
            if gone.pid == root.pid:
                raise


def _four(process: psutil.Process) -> tuple[float, float, float, float]:
    times = process.cpu_times()
    ended = getattr(times, "children_user", 0.0), getattr(times, "children_system", 0.0)
    return times.user, times.system, *ended


def postmaster(url: str) -> psutil.Process:
    """The server's first process, found through a connection; all its others are its children."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        try:
            parent = psutil.Process(row[0]).parent()
        except psutil.NoSuchProcess:
            parent = None
    if parent is None or not parent.name().startswith("postgres"):
        raise RuntimeError("The CPU time of PostgreSQL can only be read where it runs on this machine.")
    return parent


class Web:
    """gunicorn with one application, ended with the block.

    `spent()` counts gunicorn's processes, and of PostgreSQL the whole server: the backends, and what writes in the
    background for them (WAL, checkpoints, autovacuum). Nothing else may use that server meanwhile, and the shop that is
    not being asked is idle.
    """

    def __init__(self, name: str, wsgi: str, env: Mapping[str, str], folder: Path) -> None:
        self.port = any_free_port()
        self._database = postmaster(env["DATABASE_URL"])
        # As in runtime/demo.py.
        argv = [sys.executable, "-m", "gunicorn", wsgi, "--bind", f"127.0.0.1:{self.port}"]
        argv += ["--workers", "2", "--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "5"]
        argv += ["--access-logfile", "-", "--no-control-socket"]
        without = {key: value for key, value in env.items() if key != "GUNICORN_CMD_ARGS"}
        self._child = Child(
            Command(name=name, argv=argv, log=folder / f"{name}.log", env=without, cwd=PROJECT, grace=10.0)
        )

    def spent(self) -> Spent:
        """CPU time so far."""
        watchdog = psutil.Process(self._child.pid)
        return Spent(sum(tree_seconds(below) for below in watchdog.children()), tree_seconds(self._database))

    def wait(self, path: str) -> None:
        """Wait until that page comes."""
        deadline = time.monotonic() + READY_TIMEOUT
        while time.monotonic() < deadline and self._child.ended() is None:
            try:
                Browser(self.port).get(path)
            except (OSError, Failed):
                time.sleep(0.2)
            else:
                return
        raise ProcessFailed(f"{self._child.command.name} does not answer.\n{self.log()}")

    def log(self) -> str:
        return self._child.log_tail(40)

    def __enter__(self) -> Web:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.stop()
