"""The places in a checkout at which the web process may be made to kill itself, and the files that say when.

Standard library only: the web process (`wsgi.py`) and the test that watches it share this.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FOLDER = "WEFT_FIRE_FOLDER"  # the environment variable that names the folder of orders to die


class Point(StrEnum):
    """In the order in which a checkout passes them."""

    ORDER = "after the order row"
    HOLD = "after the hold"
    OUTGOING = "after the outgoing upsert"
    BEFORE_COMMIT = "just before commit"
    AFTER_COMMIT = "after commit, before the answer"
    ANSWER = "after the answer"

    @property
    def file(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Orders:
    """Orders to die: a file per point holds after how many passes more. Who carries one out leaves a note first."""

    folder: Path

    def give(self, point: Point, passes: int) -> None:
        """Whoever is the `passes`-th to pass this point, of all processes and threads, kills its process there."""
        draft = self.folder / f"{point.file}.new"
        draft.write_text(str(passes))
        draft.replace(self.folder / point.file)

    def taken(self, point: Point) -> dict[str, Any] | None:
        """The note of the process that killed itself there: its id, and what it was at."""
        try:
            return dict(json.loads((self.folder / f"{point.file}.taken").read_text()))
        except FileNotFoundError:
            return None

    def forget(self, point: Point) -> None:
        for name in (point.file, f"{point.file}.taken"):
            (self.folder / name).unlink(missing_ok=True)

    def passed(self, point: Point, what: str) -> None:
        """We are at this point. Does not return when it is ours to die."""
        try:
            order = os.open(self.folder / point.file, os.O_RDWR)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(order, fcntl.LOCK_EX)  # the end of the process gives it back
            left = int(os.pread(order, 16, 0) or 0)
            if left < 1:
                return
            os.ftruncate(order, 0)
            os.pwrite(order, str(left - 1).encode(), 0)
            if left == 1:
                self._die(point, what)
        finally:
            os.close(order)

    def _die(self, point: Point, what: str) -> None:
        draft = self.folder / f"{point.file}.note"
        draft.write_text(json.dumps({"process": os.getpid(), "at": what}))
        draft.replace(self.folder / f"{point.file}.taken")
        os.kill(os.getpid(), signal.SIGKILL)
