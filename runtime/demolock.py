"""One demo per checkout: who runs, and whether an earlier one is still ending.

Two locks, because they end at different moments: `demo.lock` belongs to the demo's own process and is free as soon as
it is dead; `children.lock` is held by the watchdogs of its children and is free when the last child is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 30.0


class AlreadyRunning(Exception):
    """A demo of this checkout runs; the text says where."""


@dataclass
class DemoLock:
    """The locks of the running demo."""

    own: int
    children: int

    def tell(self, url: str) -> None:
        """Leave word for a second `make demo`."""
        os.ftruncate(self.own, 0)
        os.pwrite(self.own, json.dumps({"pid": os.getpid(), "url": url}).encode("ascii"), 0)

    def release(self) -> None:
        """Give both locks back."""
        os.close(self.children)
        os.close(self.own)


def _try(file: Path) -> int | None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _running_text(file: Path) -> str:
    try:
        known = json.loads(file.read_text(encoding="ascii"))
        return f"The demo of this checkout already runs (process {known['pid']}): {known['url']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "The demo of this checkout is already starting in another terminal."


def acquire(var: Path, say: Callable[[str], None], check: Callable[[], None] = lambda: None) -> DemoLock:
    """Take both locks; waits for the children of a demo that was killed a moment ago."""
    own = _try(var / "demo.lock")
    if own is None:
        raise AlreadyRunning(_running_text(var / "demo.lock"))
    os.ftruncate(own, 0)
    deadline = time.monotonic() + PATIENCE
    said = False
    while (children := _try(var / "children.lock")) is None:
        if not said:
            say("an earlier demo is still ending; waiting for it")
            said = True
        if time.monotonic() > deadline:
            os.close(own)
            raise AlreadyRunning(f"Processes of an earlier demo do not end. See the logs in {var / 'log'}.")
        check()
        time.sleep(0.1)
    return DemoLock(own, children)
