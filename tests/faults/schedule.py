"""What is to be killed when, all of it from one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.faults.points import Point

FIXED = (1, 5, 11, 19)
DEEP = tuple(range(101, 117))


class Kind(StrEnum):
    WEB = "kill -9 of the web process"
    WORKER = "kill -9 of the worker that is talking to the ERP"
    CLUSTER = "kill -9 of the workers' whole cluster while it is talking to the ERP"
    POSTGRES = "immediate stop of PostgreSQL"
    GROUP = "kill -9 of web, workers and supervisor together"


@dataclass(frozen=True, slots=True)
class Fault:
    """`at`: seconds after the buyers began. `passes`: how often the point is passed, this time included."""

    at: float
    kind: Kind
    point: Point | None = None
    passes: int = 1
    pause: float = 0.0  # seconds until what was stopped is started again

    @property
    def what(self) -> str:
        return f"{self.kind}, {self.point} (pass {self.passes})" if self.point else str(self.kind)

    def __str__(self) -> str:
        return f"{self.at:5.1f} s  {self.what}" + (f", back after {self.pause:.1f} s" if self.pause else "")


def draw(seed: int, *, deep: bool = False) -> tuple[Fault, ...]:
    """Two of the six points (deep: all), workers and PostgreSQL in any order; at last everything but the database.

    The last one leaves nobody whose lease would have to be waited for.
    """
    random = Random(seed)
    points = random.sample(list(Point), 6 if deep else 2)
    drawn: list[tuple[Kind, Point | None]] = [(Kind.WEB, point) for point in points]
    drawn += [(random.choice([Kind.WORKER, Kind.CLUSTER]), None), (Kind.POSTGRES, None)]
    random.shuffle(drawn)
    faults = [
        Fault(
            at=round(1.5 + 2.0 * place + random.uniform(0, 1), 1),
            kind=kind,
            point=point,
            passes=random.randint(1, 3) if point else 1,
            pause=round(random.uniform(0.3, 1.5), 1) if kind is Kind.POSTGRES else 0.0,
        )
        for place, (kind, point) in enumerate(drawn)
    ]
    last = round(2.0 + 2.0 * len(drawn), 1)
    return (*faults, Fault(last, Kind.GROUP, pause=round(random.uniform(0.1, 1.0), 1)))


def words(seed: int, faults: Sequence[Fault]) -> str:
    """The schedule as it is printed."""
    return "\n".join([f"seed {seed}:", *(f"  {fault}" for fault in faults)])
