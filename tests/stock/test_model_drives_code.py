"""The model's interleavings, driven through the real code on PostgreSQL: after each step both must say the same.

Placing, cancelling, draining (claim, build, attempt on disk, settle), learning shipments and readings are Weft's own;
only the remote is a double (`twin.py`). Each step runs in a savepoint, so that a trace can be taken back.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from erp import orders
from integrations.hub import registry
from integrations.hub.models import Account, Outgoing
from integrations.hub.sending import claims, drains
from integrations.hub.values import Lane
from shop import invariants
from shop.customer.models import User
from shop.fulfilment import shipping
from shop.fulfilment.shipping import Left
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.stock import readings
from shop.stock.holds import OutOfStock
from shop.stock.models import Pool, Shortage
from shop.stock.readings import Begun, Figure
from tests import factories
from tests.savepoints import taken_back
from tests.stock import model
from tests.stock.model import AS_WRITTEN, Bounds, State, Step
from tests.stock.test_model import LOOSER
from tests.stock.twin import Line, Twin, World

pytestmark = pytest.mark.django_db

SKU, WAREHOUSE = "CHAIR-1", "SZ"
WORLD = Bounds(stock=2, orders=3, readings=2, adjusted=1)
ELSEWHERE = {"ship", "lose", "find", "answer"}  # nothing of ours runs; what it did shows in the next step
STATUS = {
    model.WAITING: Status.ON_ACCOUNT,
    model.SENT: Status.ON_ACCOUNT,
    model.CANCELLING: Status.CANCELLING,
    model.RELEASED: Status.CANCELLED,
    model.GONE: Status.SHIPPED,
}


@dataclass
class Weft:
    """The real thing, and what the test must remember to drive it. `figures` are None until the ERP answered."""

    account: Account
    user: User
    world: World
    dice: random.Random
    numbers: list[str] = field(default_factory=list)
    begun: list[Begun] = field(default_factory=list)
    figures: list[int | None] = field(default_factory=list)

    def copy(self) -> Weft:
        return Weft(
            self.account,
            self.user,
            self.world.copy(),
            self.dice,
            list(self.numbers),
            list(self.begun),
            list(self.figures),
        )

    def do(self, step: Step, before: State) -> None:
        """Carry out one step of the model."""
        Twin.world = self.world
        what, which = step
        actions: dict[str, Callable[[int, State], None]] = {
            "buy": self._buy,
            "send": lambda n, _: self._drain(n, Line.REQUEST_LOST),
            "arrive": self._arrive,
            "cancel": lambda n, _: void(lifecycle.cancel(self.numbers[n], actor="test")),
            "handle": lambda n, _: self._drain(n, Line.ANSWER_LOST),
            "hear": lambda n, _: self._drain(n, Line.ANSWERED),
            "ship": lambda n, _: self.world.ship(self.numbers[n]),
            "learn": self._learn,
            "lose": lambda n, _: self._adjust(-1),
            "find": lambda n, _: self._adjust(+1),
            "begin": self._begin,
            "answer": self._answer,
            "apply": self._apply,
        }
        actions[what](which, before)

    def _buy(self, number: int, before: State) -> None:
        order = factories.order({SKU: 1}, payment_method=PaymentMethod.ON_ACCOUNT, user_id=self.user.pk, email="")
        self.numbers.append(order.number)

    def _drain(self, number: int, line: Line) -> None:
        """Send this order's row, and no other order's, over a line that behaves like this."""
        self.world.line = line
        now = timezone.now()
        rows = Outgoing.objects.filter(topic=orders.ORDER)
        rows.exclude(key=self.numbers[number]).update(next_at=now + timedelta(hours=1))
        rows.filter(key=self.numbers[number]).update(next_at=now - timedelta(seconds=1))
        while claim := claims.claim(self.account.pk, [Lane.ORDERS]):
            drains.work(claim)

    def _arrive(self, number: int, before: State) -> None:
        """What was on its way arrives; or it was lost, and the next try is answered."""
        if before.orders[number].shop == model.SENT and self.dice.random() < 0.5:
            self.world.travelling.discard(self.numbers[number])
            self._drain(number, Line.ANSWERED)
        else:
            self.world.arrive(self.numbers[number])

    def _learn(self, number: int, before: State) -> None:
        for _ in range(2):  # ERPs say things twice
            shipping.learn(
                self.account,
                key=f"out-{number}",
                number=f"OUT{number}",
                order_number=self.numbers[number],
                at=timezone.now(),
                left=[Left(SKU, WAREHOUSE, 1)],
            )

    def _adjust(self, units: int) -> None:
        self.world.physical += units

    def _begin(self, place: int, before: State) -> None:
        self.begun.append(readings.start(self.account))
        self.figures.append(None)

    def _answer(self, place: int, before: State) -> None:
        self.figures[place] = next(Twin({}, None, timezone.now).stock([WAREHOUSE])).on_hand  # type: ignore[arg-type]

    def _apply(self, place: int, before: State) -> None:
        figure = self.figures.pop(place)
        assert figure is not None
        readings.apply(self.begun.pop(place), [Figure(SKU, WAREHOUSE, figure)])

    def differences(self, state: State) -> list[str]:
        """Where Weft and the model disagree; and the invariants, in words."""
        pool = Pool.objects.get(sku=SKU)
        placed = dict(Order.objects.values_list("number", "status"))
        pairs = {
            "on hand": (pool.on_hand, state.on_hand),
            "reserved": (pool.reserved, state.reserved),
            "shortage": (pool.shortage, state.shortage),
            "free": (pool.free, state.free),
            "physical": (self.world.physical, state.physical),
            "orders": ([placed[n] for n in self.numbers], [STATUS[o.shop] for o in state.orders]),
            "erp": ([self.world.orders.get(n, "-") for n in self.numbers], [o.erp for o in state.orders]),
            "open shortages": (Shortage.objects.filter(closed_at=None).count(), int(state.shortage > 0)),
        }
        wrong = [f"{name}: code {code}, model {said}" for name, (code, said) in pairs.items() if code != said]
        return wrong + [str(row) for one in (invariants.I1, invariants.I2) for row in invariants.broken(one)]


def void(_: object) -> None:
    return None


@pytest.fixture
def weft(monkeypatch: pytest.MonkeyPatch) -> Weft:
    monkeypatch.setitem(registry.connectors(), (Twin.kind, Twin.name), Twin)
    account = factories.account("erp", "twin")
    factories.warehouse(WAREHOUSE, erp_account=account)
    factories.stock(SKU, **{WAREHOUSE: WORLD.stock})
    factories.china()
    user = User.objects.create(email="buyer@example.test")
    return Weft(account, user, World(SKU, WAREHOUSE, WORLD.stock), random.Random(0))


def may_buy(weft: Weft, state: State, trace: tuple[Step, ...]) -> None:
    """One more order is taken exactly where the model has something free."""
    with taken_back():
        try:
            weft.copy()._buy(0, state)
        except OutOfStock:
            taken = False
        else:
            taken = True
    assert taken == (state.free >= 1), trace


def follow(weft: Weft, trace: tuple[Step, ...]) -> None:
    """Drive one trace, comparing after each step; then take it back."""
    state = model.start(WORLD)
    with taken_back():
        mine = weft.copy()
        for at, step in enumerate(trace):
            after = dict(model.steps(state, AS_WRITTEN, WORLD))[step]
            mine.do(step, state)
            state = after
            if step[0] not in ELSEWHERE:
                assert mine.differences(state) == [], trace[: at + 1]
        may_buy(mine, state, trace)


def walk(seed: int, length: int) -> tuple[Step, ...]:
    """A random trace; buying and sending a little preferred, so that there is something to go wrong."""
    dice = random.Random(seed)
    state = model.start(WORLD)
    trace: list[Step] = []
    for _ in range(length):
        choices = list(model.steps(state, AS_WRITTEN, WORLD))
        if not choices:
            break
        weights = [3 if step[0] in ("buy", "send", "arrive", "ship", "cancel") else 1 for step, _ in choices]
        step, state = dice.choices(choices, weights)[0]
        trace.append(step)
    return tuple(trace)


def explore(weft: Weft, state: State, depth: int, trace: tuple[Step, ...] = ()) -> int:
    """Drive every trace up to `depth` steps, as a tree of savepoints; returns how many steps were taken."""
    if not depth:
        return 0
    taken = 0
    for step, after in model.steps(state, AS_WRITTEN, WORLD):
        with taken_back():
            mine = weft.copy()
            mine.do(step, state)
            if step[0] not in ELSEWHERE:
                assert mine.differences(after) == [], (*trace, step)
            taken += 1 + explore(mine, after, depth - 1, (*trace, step))
    return taken


def test_every_short_trace(weft: Weft) -> None:
    taken = explore(weft, model.start(WORLD), 5 if settings.WEFT_DEEP else 3)
    print(f"\n{taken} steps, each as the model says")
    assert taken > 80


@pytest.mark.parametrize("name", [name for name in LOOSER if LOOSER[name][1] == "oversold"])
def test_where_a_looser_rule_oversells_the_code_does_not(weft: Weft, name: str) -> None:
    """The model's shortest wrong trace under each looser rule: the code follows it up to the sale, and refuses that."""
    bounds = Bounds(stock=WORLD.stock, orders=3, readings=2)
    trace = model.explore(bounds, LOOSER[name][0]).trace
    last_sale = max(i for i, step in enumerate(trace) if step[0] == "buy")
    follow(weft, trace[:last_sale])


@pytest.mark.parametrize("group", range(6))
def test_random_walks(weft: Weft, group: int) -> None:
    walks = 100 if settings.WEFT_DEEP else 12
    steps = 0
    for seed in range(group * walks, (group + 1) * walks):
        trace = walk(seed, 20)
        weft.dice = random.Random(seed)
        try:
            follow(weft, trace)
        except AssertionError:
            print(f"seed {seed}")
            raise
        steps += len(trace)
    print(f"\nseeds {group * walks} to {(group + 1) * walks - 1}: {steps} steps, each as the model says")
