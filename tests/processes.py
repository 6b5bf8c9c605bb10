"""Living processes as Linux shows them in /proc: found by parent, group or open connection, never by name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PROC = Path("/proc")
ESTABLISHED = "01"


def wait_until(look: Callable[[], T | None], seconds: float, what: str) -> T:
    """What `look` sees at last; an AssertionError that says `what` was waited for when the time is over."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.02)
    return seen


def _stat(pid: int) -> tuple[str, int, int] | None:
    """State, parent and group."""
    try:
        state, parent, group = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:3]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return state, int(parent), int(group)


def _living() -> dict[int, tuple[int, int]]:
    """(parent, group) of all that live; zombies do not."""
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    seen = {pid: stat for pid in pids if (stat := _stat(pid))}
    return {pid: (parent, group) for pid, (state, parent, group) in seen.items() if state != "Z"}


def is_alive(pid: int) -> bool:
    stat = _stat(pid)
    return stat is not None and stat[0] != "Z"


def children(pid: int) -> list[int]:
    return [child for child, (parent, _) in _living().items() if parent == pid]


def members(groups: Iterable[int]) -> list[int]:
    """Who lives in these process groups."""
    wanted = set(groups)
    return [pid for pid, (_, group) in _living().items() if group in wanted]


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def freeze(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)


def variable(pid: int, name: str) -> str:
    """A variable of a process's environment, "" when it has none."""
    try:
        parts = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    return dict(part.decode().partition("=")[::2] for part in parts).get(name, "")


def connected_to(port: int, among: Iterable[int]) -> list[int]:
    """Those of `among` that have a connection open to this port of this machine."""
    rows = [line.split() for line in (PROC / "net" / "tcp").read_text().splitlines()[1:]]
    wanted = f":{port:04X}"
    sockets = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(wanted) and row[3] == ESTABLISHED}
    return [pid for pid in among if sockets and not sockets.isdisjoint(_open_files(pid))]


def _open_files(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for entry in (PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                found.add(os.readlink(entry))
    return found
