"""What happens again and again: named, with its interval, started by the supervisor, run by a worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Beat:
    """`task` is a dotted name. It may run twice at once and must not mind."""

    name: str
    seconds: float
    task: str
    args: tuple[str, ...] = ()
    cluster: str | None = None  # the main one


_beats: dict[str, Beat] = {}


def register(name: str, *, seconds: float, task: str, args: tuple[str, ...] = (), cluster: str | None = None) -> None:
    """Have `task` run about every `seconds`, by the workers of a cluster."""
    _beats[name] = Beat(name, seconds, task, args, cluster)


def registered() -> tuple[Beat, ...]:
    """All beats."""
    return tuple(_beats.values())
