"""What happens again and again: named, with its interval, started by the supervisor, run by a worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Beat:
    """`task` is a dotted name without arguments. It may run twice at once and must not mind."""

    name: str
    seconds: float
    task: str


_beats: dict[str, Beat] = {}


def register(name: str, *, seconds: float, task: str) -> None:
    """Have `task` run about every `seconds`."""
    _beats[name] = Beat(name, seconds, task)


def registered() -> tuple[Beat, ...]:
    """All beats."""
    return tuple(_beats.values())
