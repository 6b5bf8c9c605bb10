"""What goes wrong when in a swarm run, all of it from one number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.faults.proxy import Does, Fault, answers

FIXED = (1, 2, 4, 17)  # between them everything above and below
DEEP = tuple(range(1001, 1061))
LOAD = 12.0  # seconds


class Kind(StrEnum):
    CHILD = "kill -9 of a worker that has a remote on the line"
    CLUSTER = "kill -9 of the main cluster"
    PARENT = "kill -9 of only the main cluster's parent"
    FREEZE = "a worker stands still for longer than its lease"
    CUT = "every connection to the database is cut"
    SLOW = "every message to the database is late"
    COMMITS = "answers to COMMIT are lost"
    FULL = "the database takes no more connections"
    HOLE = "one remote answers nothing at all"


LINE_FAULTS = (
    answers(500), answers(503), answers(429, retry_after="1"), Fault(Does.DROP), Fault(Does.LOSE), Fault(Does.RESET),
    Fault(Does.HALF_CLOSE), Fault(Does.CORRUPT), Fault(Does.DELAY, 0.1, 1.0), Fault(Does.SLOW, rate=60),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """`at`: seconds after the load began. `lasts`: until it is over by itself."""

    at: float
    kind: Kind
    lasts: float = 0.0

    def __str__(self) -> str:
        return f"{self.at:5.1f} s  {self.kind}" + (f", for {self.lasts:.1f} s" if self.lasts else "")


@dataclass(frozen=True, slots=True)
class Schedule:
    """`share` of all calls go wrong in one of the ways of `lines`, besides the events."""

    seed: int
    share: float
    lines: tuple[Fault, ...]
    events: tuple[Event, ...]

    def __str__(self) -> str:
        ways = "; ".join(map(str, self.lines))
        return "\n".join([f"seed {self.seed}: {self.share:.0%} of all calls: {ways}", *(f"  {e}" for e in self.events)])


LASTING = {Kind.FREEZE: 8.0, Kind.SLOW: 2.0, Kind.FULL: 2.0, Kind.HOLE: 4.0}


def draw(seed: int) -> Schedule:
    """Four of the events, spread over the load, and four of the ways in which calls go wrong."""
    random = Random(seed)
    kinds = random.sample(list(Kind), 4)
    events = tuple(
        Event(round(1.5 + place * 2.4 + random.uniform(0, 1), 1), kind, LASTING.get(kind, 0.0))
        for place, kind in enumerate(kinds)
    )
    return Schedule(seed, round(random.uniform(0.2, 0.4), 2), tuple(random.sample(LINE_FAULTS, 4)), events)
