"""Real workers while they are measured: `manage.py supervise` with the work of `bench.bare_hub`, and their CPU time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import psutil

from bench.bare_hub.apps import COUNTED
from bench.web import PROJECT, tree_seconds
from integrations.hub.models import Pulse
from runtime.processes import Child, Command

READY_TIMEOUT = 120.0


class Workers:
    """Up once both clusters gave a sign of life."""

    def __init__(self, folder: Path) -> None:
        self.counted = folder / "statements"
        self.counted.touch()
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.bare_hub.settings", COUNTED: str(self.counted),
               "WEFT_LOG_LEVEL": "ERROR"}  # fmt: skip
        argv = [sys.executable, str(PROJECT / "manage.py"), "supervise"]
        self._command = Command("workers", argv, folder / "workers.log", env, cwd=PROJECT, grace=15.0)

    def __enter__(self) -> Workers:
        Pulse.objects.all().delete()
        self._child = Child(self._command)
        wait(lambda: Pulse.objects.exclude(host="").count() >= 2, READY_TIMEOUT)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._child.stop()

    def cpu(self) -> float:
        """Seconds, of supervisor, clusters and workers together."""
        return tree_seconds(psutil.Process(self._child.pid))

    def statements(self) -> tuple[int, int]:
        """Weft's own, and django-q2's."""
        said = self.counted.read_bytes()
        return said.count(b"w"), said.count(b"q")


def wait(true: Callable[[], object], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends:
            raise TimeoutError("it did not happen in time")
        time.sleep(0.1)
