"""What a client was told, and what it asked for without being told: a line each, on the disk before anything else."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Line:
    """`what` was told (or asked, see `lost`), with what belongs to it."""

    client: str
    number: int
    at: float
    what: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        facts = " ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.client}, line {self.number}, {self.at:.2f} s: {self.what} {facts}"

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]


@dataclass
class Journal:
    """One client's lines, in a file of its own."""

    client: str
    path: Path
    now: Callable[[], float]
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(self, what: str, **facts: Any) -> None:
        """One line, synced to the disk."""
        line = Line(self.client, len(self.lines) + 1, self.now(), what, facts)
        row = {"line": line.number, "at": round(line.at, 3), "what": what, **facts}
        os.write(self._file, (json.dumps(row, ensure_ascii=False) + "\n").encode())
        os.fsync(self._file)
        self.lines.append(line)

    def close(self) -> None:
        os.close(self._file)


class Journals:
    """Those of all clients of one run. What was told in `earlier` runs on the same data is still to be true."""

    def __init__(self, folder: Path, earlier: Journals | None = None) -> None:
        folder.mkdir(parents=True)
        self.folder, self.earlier = folder, earlier
        self._begun = time.monotonic()
        self._all: list[Journal] = []
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Time runs from here."""
        self._begun = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._begun

    @contextmanager
    def of(self, client: str) -> Iterator[Journal]:
        """The journal of one client, for as long as it is at it."""
        journal = Journal(client, self.folder / f"{client.replace(' ', '-')}.jsonl", self.now)
        with self._lock:
            self._all.append(journal)
        try:
            yield journal
        finally:
            journal.close()

    def lines(self, *what: str) -> list[Line]:
        """All lines of these kinds, of this run so far."""
        with self._lock:
            return [line for journal in self._all for line in list(journal.lines) if line.what in what]

    def of_all_runs(self, *what: str) -> list[Line]:
        """And of the runs before."""
        return [*(self.earlier.of_all_runs(*what) if self.earlier else ()), *self.lines(*what)]
