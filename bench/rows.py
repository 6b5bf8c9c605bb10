"""One measured thing: what it is, beside what it was measured, and what it should be."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

FLAT = 1.2  # the mean cost of the last tenth over that of the second tenth, at most


@dataclass(frozen=True, slots=True)
class Row:
    """`measured` and `baseline` in `unit`; `ratio` is measured / baseline. `target` says on what it is judged.

    A baseline of None: nothing to stand beside; the target is then on `measured`.
    """

    id: str
    unit: str
    measured: float
    baseline: float | None
    target: str
    holds: bool
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if not self.baseline else self.measured / self.baseline

    def as_json(self) -> dict[str, Any]:
        """The six public keys first, then unit and note."""
        values = asdict(self)
        order = ("id", "measured", "baseline", "ratio", "target", "holds", "unit", "note")
        return {key: self.ratio if key == "ratio" else values[key] for key in order}


def judged(
    id: str,
    unit: str,
    measured: float,
    baseline: float | None,
    *,
    on: Literal["ratio", "measured"],
    least: float | None = None,
    most: float | None = None,
    note: str = "",
    also: bool = True,
) -> Row:
    """A row whose target is a bound on the ratio or on the measured value. `also`: further conditions, in the note."""
    value = measured if on == "measured" else measured / baseline if baseline else None
    if value is None:
        raise ValueError(f"{id}: a ratio needs a baseline")
    sign, bound = (">=", least) if least is not None else ("<=", most)
    if bound is None:
        raise ValueError(f"{id}: no bound")
    within = value >= bound if sign == ">=" else value <= bound
    return Row(id, unit, measured, baseline, f"{on} {sign} {bound:g}", within and also, note)


def flatness(costs: Sequence[float]) -> float:
    """Mean cost of the last tenth over that of the second tenth; 1 is flat. At least 20 costs, in order."""
    tenth = len(costs) // 10
    if tenth < 2:
        raise ValueError("too few costs to call them flat")
    return statistics.fmean(costs[-tenth:]) / statistics.fmean(costs[tenth : 2 * tenth])
