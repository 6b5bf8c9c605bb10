"""The rules of escrow (docs/stock.md) for one SKU, the own site and one channel, as a model that shares no code with
Weft.

The channel sells from its own copy of the figure. What we send it may arrive, arrive a second time, arrive late or not
at all; of what it sells we hear one by one, in any order, each as often as it likes, and by asking for everything up
to a moment (the watermark). Sales are for one unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.stock.exploring import Explored, Step
from tests.stock.exploring import explore as visit


@dataclass(frozen=True)
class Rules:
    """True = the rule as written; each False is a looser rule that one might write first."""

    charges: bool = True  # an attempt to send N first adds N to the escrow, where that fits
    charges_retries: bool = True  # ... also when the same figure is sent again
    charges_every_arrival: bool = True  # ... as often as one attempt can arrive at that channel
    grants_what_fits: bool = True  # against the whole escrow, not only what the channel shows now
    waits_for_the_last: bool = True  # nothing but 0 is sent while an earlier attempt can still arrive
    drains_acknowledged: bool = True  # (a) the figure is known to be live
    drains_after_watermark: bool = True  # (b) what was sold before that is known
    drains_closed: bool = True  # (c) no attempt can arrive any more
    subtracts_later_sales_only: bool = True  # those that came after the figure was surely live
    counts_a_sale_once: bool = True  # told twice, it moves one unit


AS_WRITTEN = Rules()


@dataclass(frozen=True)
class Bounds:
    """How far the world goes."""

    stock: int
    attempts: int
    figure: int  # the largest that is sent
    arrivals: int = 1  # how often one attempt can arrive; a connector has to declare it
    lost: int = 0  # units that may vanish
    told_twice: int = 0  # sales of which we hear again


class Attempt(NamedTuple):
    """A figure on its way. `arrivals`: how often it may still arrive. `is_clean`: when it left, nothing older could
    arrive after it."""

    figure: int
    arrivals: int
    arrived: bool = False
    acknowledged: bool = False
    is_clean: bool = True


class State(NamedTuple):
    """`early`, `late`: sales of the channel we have not heard of, before and after `live` was surely live.

    `live` is the figure of the last attempt that was acknowledged, clean and closed, until the escrow fell to it."""

    on_hand: int
    reserved: int = 0
    escrow: int = 0
    shown: int = 0  # what the channel sells from
    early: int = 0
    late: int = 0
    heard_late: int = 0
    live: int | None = None
    is_passed: bool = False  # the watermark
    open: tuple[Attempt, ...] = ()
    attempts: int = 0
    lost: int = 0
    repeated: int = 0
    heard: int = 0
    last: int = -1  # the figure sent last, which a retry sends again

    @property
    def free(self) -> int:
        return max(0, self.on_hand - self.reserved - self.escrow) if not self.shortage else 0

    @property
    def shortage(self) -> int:
        return max(0, self.reserved + self.escrow - self.on_hand)


def start(bounds: Bounds) -> State:
    return State(on_hand=bounds.stock)


def steps(state: State, rules: Rules, bounds: Bounds) -> Iterator[tuple[Step, State]]:
    """Everything that may happen next."""
    if state.free >= 1:
        yield ("buy", 0), state._replace(reserved=state.reserved + 1)
    if state.lost < bounds.lost and state.on_hand > 0:
        yield ("lose", 0), state._replace(on_hand=state.on_hand - 1, lost=state.lost + 1)
    yield from _send(state, rules, bounds)
    for place, attempt in enumerate(state.open):
        yield from _travel(state, place, attempt, rules)
    yield from _channel(state, rules, bounds)
    if state.live is not None and (state.is_passed or not rules.drains_after_watermark):
        yield ("drain", state.live), _drain(state, state.live)


def _send(state: State, rules: Rules, bounds: Bounds) -> Iterator[tuple[Step, State]]:
    """Start an attempt; the charge is in the transaction that says so."""
    if state.attempts >= bounds.attempts:
        return
    for figure in range(bounds.figure + 1):
        if figure and state.open and rules.waits_for_the_last:
            continue
        is_retry = figure == state.last
        once = figure * (bounds.arrivals if rules.charges_every_arrival else 1)
        charge = once if rules.charges and (rules.charges_retries or not is_retry) else 0
        room = state.free if rules.grants_what_fits else state.free + state.shown
        if charge > room:
            continue
        escrow = state.escrow + charge
        if not rules.charges:  # the quota: what was promised before is thought to be replaced
            if figure > state.free + state.escrow:
                continue
            escrow = figure
        attempt = Attempt(figure, bounds.arrivals, is_clean=not state.open)
        after = state._replace(escrow=escrow, open=(*state.open, attempt), attempts=state.attempts + 1, last=figure)
        yield ("send", figure), after._replace(live=None, is_passed=False, heard_late=0)


def _travel(state: State, place: int, attempt: Attempt, rules: Rules) -> Iterator[tuple[Step, State]]:
    if attempt.arrivals:
        landed = attempt._replace(arrivals=attempt.arrivals - 1, arrived=True)
        yield ("arrive", place), _with(state, place, landed, shown=attempt.figure)
    if attempt.arrived and not attempt.acknowledged:
        heard = _with(state, place, attempt._replace(acknowledged=True))
        yield ("acknowledge", place), heard if rules.drains_closed else _live(heard, attempt, rules)
    if not rules.drains_acknowledged and not attempt.acknowledged:
        yield ("believe", place), _live(_without(state, place), attempt, rules)
    closed = _without(state, place)
    if attempt.acknowledged and attempt.is_clean and rules.drains_closed and not closed.open:
        closed = _live(closed, attempt, rules)
    yield ("close", place), closed


def _live(state: State, attempt: Attempt, rules: Rules) -> State:
    """From here on the channel shows this figure, less what it sells from here on."""
    since = 0 if rules.subtracts_later_sales_only else state.heard_late
    return state._replace(
        live=attempt.figure, is_passed=False, early=state.early + state.late, late=0, heard_late=since
    )


def _with(state: State, place: int, attempt: Attempt, **changes: int) -> State:
    attempts = list(state.open)
    attempts[place] = attempt
    return state._replace(open=tuple(attempts), **changes)


def _without(state: State, place: int) -> State:
    return state._replace(open=state.open[:place] + state.open[place + 1 :])


def _channel(state: State, rules: Rules, bounds: Bounds) -> Iterator[tuple[Step, State]]:
    if state.shown:
        sold = state._replace(shown=state.shown - 1)
        is_late = state.live is not None
        yield ("sell", 0), sold._replace(late=state.late + 1) if is_late else sold._replace(early=state.early + 1)
    if state.early:
        heard = _hear(state, state._replace(early=state.early - 1))
        yield (
            ("hear", 0),
            heard if rules.subtracts_later_sales_only else heard._replace(heard_late=heard.heard_late + 1),
        )
    if state.late:
        yield ("hear", 1), _hear(state, state._replace(late=state.late - 1, heard_late=state.heard_late + 1))
    if not rules.counts_a_sale_once and state.heard and state.repeated < bounds.told_twice:
        yield ("hear", 2), _hear(state, state._replace(repeated=state.repeated + 1))._replace(heard=state.heard)
    if state.live is not None and not state.is_passed and not state.early:
        yield ("watermark", 0), state._replace(is_passed=True)


def _hear(state: State, after: State) -> State:
    """One unit from escrow to a hold; beyond the escrow it is held all the same."""
    return after._replace(escrow=max(0, state.escrow - 1), reserved=state.reserved + 1, heard=state.heard + 1)


def _drain(state: State, figure: int) -> State:
    """What the channel may still sell is at most what it was told, less what it sold since."""
    fallen = min(state.escrow, max(0, figure - state.heard_late))
    return state._replace(escrow=fallen, live=None, is_passed=False)


# --- what must hold --------------------------------------------------------------------------------------------------


def wrong(state: State) -> str:
    """Why this state must not be, '' if it may."""
    sold = state.reserved - state.repeated + state.early + state.late
    if sold > state.on_hand + state.lost:
        return "oversold"
    if state.shown + state.early + state.late > state.escrow:
        return "the channel may sell more than its escrow"
    if state.reserved + state.escrow > state.on_hand + state.lost:
        return "more is promised than there was"
    return ""


def explore(bounds: Bounds, rules: Rules = AS_WRITTEN) -> Explored:
    """Every state of this world."""
    return visit(start(bounds), lambda state: steps(state, rules, bounds), lambda state, following: wrong(state))
