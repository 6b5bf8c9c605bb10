"""The rules of ERP feedback (docs/stock.md, rules 1-6a) for one SKU, as a model that shares no code with Weft.

A state is a plain value; `steps` are all the things that may happen next, in any order the world likes; `explore`
visits every state within small bounds and checks each. `Rules` switches single rules off, to show that each is needed.
Orders are for one unit. Revisions and sequence numbers are kept as what they are compared for: a reading is *stale*
when the revision rose after it was noted, *outrun* when a reading with a higher number was applied before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.stock.exploring import Explored, Step
from tests.stock.exploring import explore as visit


@dataclass(frozen=True)
class Rules:
    """True = the rule as written; each False is a looser rule that one might write first."""

    checks_revision: bool = True  # 5: a reading applies only where nothing changed here since it was noted
    checks_sequence: bool = True  # 5: ... and no later reading was applied
    reads_gross: bool = True  # 4: the figure is gross of our own orders
    consumes_always: bool = True  # 6: even if a reading already included the shipment
    consuming_raises_revision: bool = True  # 6
    holds_while_cancelling: bool = True  # 6a: released only when the ERP says it will not ship
    started_is_told: bool = True  # 6a: an attempt that was started counts, acknowledged or not
    leaves_tombstone: bool = True  # the ERP keeps a cancellation of an order it has not seen yet


AS_WRITTEN = Rules()


@dataclass(frozen=True)
class Bounds:
    """How far the world goes."""

    stock: int
    orders: int
    readings: int  # under way at once
    adjusted: int = 0  # units the ERP may lose or find by itself


# What the shop thinks of an order, and what the ERP does.
WAITING, SENT, CANCELLING, RELEASED, GONE = "waiting", "sent", "cancelling", "released", "gone"
NOTHING, OPEN, SHIPPED, CANCELLED = "-", "open", "shipped", "cancelled"


class Order(NamedTuple):
    """`travels`: a request to create it is on its way. `cancel`: none, asked, or what the ERP answered (unheard)."""

    shop: str = WAITING
    erp: str = NOTHING
    travels: bool = False
    cancel: str = ""


class Reading(NamedTuple):
    """One reading under way, in the order of their sequence numbers."""

    stale: bool = False
    outrun: bool = False
    figure: int | None = None
    saw: frozenset[int] = frozenset()  # shipments in the figure; only where a rule looks at it


class State(NamedTuple):
    """`physical` and `erp` are the world; `on_hand` and `reserved` are Weft's row."""

    physical: int
    on_hand: int
    reserved: int = 0
    lost: int = 0
    found: int = 0
    orders: tuple[Order, ...] = ()
    readings: tuple[Reading, ...] = ()
    applied: frozenset[int] = frozenset()

    @property
    def shortage(self) -> int:
        return max(0, self.reserved - self.on_hand)

    @property
    def free(self) -> int:
        return max(0, self.on_hand - self.reserved)


def start(bounds: Bounds) -> State:
    return State(physical=bounds.stock, on_hand=bounds.stock)


def steps(state: State, rules: Rules, bounds: Bounds) -> Iterator[tuple[Step, State]]:
    """Everything that may happen next."""
    if len(state.orders) < bounds.orders and state.free >= 1:
        yield (
            ("buy", len(state.orders)),
            state._replace(reserved=state.reserved + 1, orders=(*state.orders, Order(WAITING))),
        )
    for number, order in enumerate(state.orders):
        yield from _shop_steps(state, number, order, rules)
        yield from _erp_steps(state, number, order, rules)
    yield from _adjustments(state, bounds)
    yield from _reading_steps(state, rules, bounds)


def _with(state: State, number: int, order: Order, **changes: object) -> State:
    orders = list(state.orders)
    orders[number] = order
    return state._replace(orders=tuple(orders), **changes)


def _shop_steps(state: State, number: int, order: Order, rules: Rules) -> Iterator[tuple[Step, State]]:
    if order.shop == WAITING:
        yield ("send", number), _with(state, number, order._replace(shop=SENT, travels=True))
        yield ("cancel", number), _with(state, number, Order(RELEASED), reserved=state.reserved - 1)
    if order.shop == SENT:
        told = rules.started_is_told or order.erp != NOTHING
        if rules.holds_while_cancelling and told:
            yield ("cancel", number), _with(state, number, order._replace(shop=CANCELLING, cancel="asked"))
        else:
            early = order._replace(shop=RELEASED, cancel="asked")
            yield ("cancel", number), _with(state, number, early, reserved=state.reserved - 1)
    if order.cancel == "cancelled":
        freed = 1 if order.shop == CANCELLING else 0
        after = order._replace(shop=RELEASED, cancel="")
        yield ("hear", number), _with(state, number, after, reserved=state.reserved - freed)
    if order.cancel == "shipped":
        yield ("hear", number), _with(state, number, order._replace(cancel="refused"))
    if order.erp == SHIPPED and order.shop != GONE:
        yield ("learn", number), _learn(state, number, order, rules)


def _learn(state: State, number: int, order: Order, rules: Rules) -> State:
    """The shop learns of a shipment, at any time after it happened."""
    held = 1 if order.shop in (SENT, CANCELLING) else 0
    known_already = not rules.consumes_always and number in state.applied
    readings = state.readings
    if rules.consuming_raises_revision and not known_already:
        readings = tuple(reading._replace(stale=True) for reading in readings)
    return _with(
        state,
        number,
        Order(GONE, SHIPPED),
        on_hand=state.on_hand - (0 if known_already else 1),
        reserved=state.reserved - held,
        readings=readings,
    )


def _erp_steps(state: State, number: int, order: Order, rules: Rules) -> Iterator[tuple[Step, State]]:
    if order.travels:
        arrived = order._replace(travels=False, erp=OPEN if order.erp == NOTHING else order.erp)
        yield ("arrive", number), _with(state, number, arrived)
    if order.cancel == "asked":
        if order.erp == SHIPPED:
            answered = order._replace(cancel="shipped")
        elif order.erp == NOTHING and not rules.leaves_tombstone:
            answered = order._replace(cancel="cancelled")
        else:
            answered = order._replace(cancel="cancelled", erp=CANCELLED)
        yield ("handle", number), _with(state, number, answered)
    if order.erp == OPEN and state.physical > 0:
        yield ("ship", number), _with(state, number, order._replace(erp=SHIPPED), physical=state.physical - 1)


def _adjustments(state: State, bounds: Bounds) -> Iterator[tuple[Step, State]]:
    if state.lost + state.found < bounds.adjusted:
        if state.physical > 0:
            yield ("lose", 0), state._replace(physical=state.physical - 1, lost=state.lost + 1)
        yield ("find", 0), state._replace(physical=state.physical + 1, found=state.found + 1)


def _reading_steps(state: State, rules: Rules, bounds: Bounds) -> Iterator[tuple[Step, State]]:
    if len(state.readings) < bounds.readings:
        yield ("begin", len(state.readings)), state._replace(readings=(*state.readings, Reading()))
    for place, reading in enumerate(state.readings):
        if reading.figure is None:
            yield ("answer", place), _answer(state, place, reading, rules)
        else:
            yield ("apply", place), _apply(state, place, reading, rules)


def _answer(state: State, place: int, reading: Reading, rules: Rules) -> State:
    demand = 0 if rules.reads_gross else sum(order.erp == OPEN for order in state.orders)
    saw = frozenset(i for i, order in enumerate(state.orders) if order.erp == SHIPPED and not rules.consumes_always)
    readings = list(state.readings)
    readings[place] = Reading(reading.stale, reading.outrun, state.physical - demand, saw)
    return state._replace(readings=tuple(readings))


def _apply(state: State, place: int, reading: Reading, rules: Rules) -> State:
    refused = (rules.checks_revision and reading.stale) or (rules.checks_sequence and reading.outrun)
    others = list(state.readings)
    del others[place]
    if refused or reading.figure is None:
        return state._replace(readings=tuple(others))
    before = [other._replace(outrun=True) for other in others[:place]]
    return state._replace(
        on_hand=reading.figure, readings=(*before, *others[place:]), applied=reading.saw or state.applied
    )


# --- what must hold --------------------------------------------------------------------------------------------------


def wrong(state: State) -> str:
    """Why this state must not be, '' if it may."""
    holds = sum(order.shop in (WAITING, SENT, CANCELLING) for order in state.orders)
    if state.reserved < 0:
        return "reserved is below 0"
    if state.reserved != holds:
        return "reserved is not the sum of open holds"
    promised = sum(order.shop in (WAITING, SENT) and order.erp != SHIPPED for order in state.orders)
    if promised > state.physical + state.lost:
        return "oversold"
    return ""


ARRIVALS = {"arrive", "handle", "hear", "learn", "answer", "apply"}


def leaks(state: State, following: Iterable[Step], rules: Rules) -> str:
    """Where nothing is under way any more, one reading must make Weft's row the world's, with every loss seen.

    Each state has such an end among its successors, so checking the ends checks them all.
    """
    if any(what in ARRIVALS for what, _ in following):
        return ""
    asked = state._replace(readings=(Reading(),))
    answered = _answer(asked, 0, Reading(), rules)
    quiet = _apply(answered, 0, answered.readings[0], rules)
    promised = sum(order.shop in (WAITING, SENT) for order in quiet.orders)
    if quiet.on_hand != quiet.physical:
        return "on hand is not what is there"
    if quiet.reserved != promised:
        return "reserved is not what is promised"
    return "" if quiet.shortage == max(0, promised - quiet.physical) else "a loss without a shortage"


def explore(bounds: Bounds, rules: Rules = AS_WRITTEN) -> Explored:
    """Every state of this world."""
    return visit(
        start(bounds),
        lambda state: steps(state, rules, bounds),
        lambda state, following: wrong(state) or leaks(state, (step for step, _ in following), rules),
    )


def replay(bounds: Bounds, trace: tuple[Step, ...], rules: Rules = AS_WRITTEN) -> list[State]:
    """The states along a trace, the first included. A step that cannot happen raises KeyError."""
    states = [start(bounds)]
    for step in trace:
        states.append(dict(steps(states[-1], rules, bounds))[step])
    return states
