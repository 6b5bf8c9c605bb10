"""Visiting every state of a small world, breadth first: what the models of this folder share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

Step = tuple[str, int]  # what, and to which
State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True)
class Explored:
    """How many states there are, and the shortest way to a wrong one, if there is any."""

    states: int
    problem: str = ""
    trace: tuple[Step, ...] = ()


def explore(
    first: State,
    steps: Callable[[State], Iterable[tuple[Step, State]]],
    problem: Callable[[State, list[tuple[Step, State]]], str],
) -> Explored:
    """Every state that can be reached; stops at the first of which `problem` (given what may follow) says something."""
    came: dict[State, tuple[State, Step] | None] = {first: None}
    queue = deque([first])
    while queue:
        state = queue.popleft()
        following = list(steps(state))
        if words := problem(state, following):
            return Explored(len(came), words, _way(came, state))
        for step, after in following:
            if after not in came:
                came[after] = (state, step)
                queue.append(after)
    return Explored(len(came))


def _way(came: dict[State, tuple[State, Step] | None], state: State) -> tuple[Step, ...]:
    trace: list[Step] = []
    while (link := came[state]) is not None:
        state, step = link
        trace.append(step)
    return tuple(reversed(trace))
