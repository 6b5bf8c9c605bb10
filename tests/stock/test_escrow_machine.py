"""Everything that may happen to stock, in any order, on real PostgreSQL: after each step it must all add up.

`make test` runs 200 examples of 30 steps, the same ones every time; `make test-deep` many more, new ones every time.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, seed
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from shop.order.models import Order, Status
from shop.stock.models import Mode
from tests.stock import world
from tests.stock.world import SKUS, World

pytestmark = pytest.mark.django_db

GROUPS = 4  # so that several workers share the work
EXAMPLES, STEPS = (1250, 60) if settings.WEFT_DEEP else (50, 30)
CHANNEL = st.integers(0, 1)
SKU = st.sampled_from(SKUS)
LINE = st.sampled_from(
    ("answered", "answered", "answered", "answer lost", "delayed", "refused", "crash before", "crash after")
)


class Escrow(RuleBasedStateMachine):
    """Own shop, two channels, an ERP, and a bad network between them all."""

    patch: pytest.MonkeyPatch
    modes = (Mode.GUARANTEED, Mode.GUARANTEED)
    comes_to_rest = False  # at the end of each example, which costs as much as the example

    def __init__(self) -> None:
        super().__init__()
        self.block: Any = transaction.atomic()
        self.block._from_testcase = True
        self.block.__enter__()
        self.world: World = world.make(self.patch, modes=self.modes)
        for place in range(2):  # the channels are at work already
            self.world.rebalance()
            self.world.send(place, "answered")
            self.world.pass_time()
            self.world.poll(place)
        self.world.rebalance()

    def teardown(self) -> None:
        try:
            if self.comes_to_rest:
                self.world.quiesce()
                assert self.world.wrong() + self.world.unsettled() == []
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    def orders(self, *statuses: Status) -> list[str]:
        return list(Order.objects.filter(status__in=statuses).order_by("pk").values_list("number", flat=True))

    # --- the own shop ---

    @rule(units=st.integers(1, 3), sku=SKU)
    def buy(self, units: int, sku: str) -> None:
        self.world.buy({sku: units})

    @rule()
    def buy_both(self) -> None:
        self.world.buy(dict.fromkeys(SKUS, 1))

    @precondition(lambda self: self.orders(Status.PENDING_PAYMENT))
    @rule(which=st.integers(0, 9))
    def pay(self, which: int) -> None:
        numbers = self.orders(Status.PENDING_PAYMENT)
        self.world.pay(numbers[which % len(numbers)])

    @precondition(lambda self: self.orders(Status.PENDING_PAYMENT))
    @rule(which=st.integers(0, 9), hours=st.sampled_from((71, 80, 160, 200)))
    def extend(self, which: int, hours: int) -> None:
        numbers = self.orders(Status.PENDING_PAYMENT)
        self.world.extend(numbers[which % len(numbers)], hours)

    @precondition(lambda self: self.orders(Status.PENDING_PAYMENT, Status.PAID))
    @rule(which=st.integers(0, 9))
    def cancel(self, which: int) -> None:
        numbers = self.orders(Status.PENDING_PAYMENT, Status.PAID)
        self.world.cancel(numbers[which % len(numbers)])

    @rule()
    def expire(self) -> None:
        self.world.expire()

    @precondition(lambda self: self.orders(Status.EXPIRED))
    @rule()
    def pay_late(self) -> None:
        self.world.pay(self.orders(Status.EXPIRED)[0])

    @precondition(lambda self: self.orders(Status.PAID))
    @rule(which=st.integers(0, 9))
    def ship(self, which: int) -> None:
        numbers = self.orders(Status.PAID)
        self.world.ship_ours(numbers[which % len(numbers)])

    # --- stock ---

    @rule(sku=SKU, units=st.integers(1, 6))
    def receive(self, sku: str, units: int) -> None:
        self.world.receive(sku, units)

    @rule(sku=SKU)
    def lose(self, sku: str) -> None:
        self.world.lose(sku, 1)

    @rule(sku=SKU, found=st.integers(0, 6))
    def count(self, sku: str, found: int) -> None:
        self.world.count(sku, found)

    @precondition(lambda self: self.orders(Status.SHIPPED, Status.PARTLY_SHIPPED))
    @rule(which=st.integers(0, 9))
    def take_back(self, which: int) -> None:
        numbers = self.orders(Status.SHIPPED, Status.PARTLY_SHIPPED)
        self.world.take_back(numbers[which % len(numbers)])

    # --- the ERP ---

    @precondition(lambda self: self.orders(Status.PAID))
    @rule(which=st.integers(0, 9))
    def erp_ships(self, which: int) -> None:
        numbers = self.orders(Status.PAID)
        self.world.erp_ships(numbers[which % len(numbers)])

    @precondition(lambda self: self.world.shipped)
    @rule(which=st.integers(0, 9))
    def learn(self, which: int) -> None:
        self.world.learn(which % len(self.world.shipped))

    @rule(sku=SKU, units=st.sampled_from((-1, 1)))
    def erp_adjusts(self, sku: str, units: int) -> None:
        self.world.erp_adjusts(sku, units)

    @rule()
    def begin_reading(self) -> None:
        self.world.begin_reading()

    @precondition(lambda self: self.world.readings)
    @rule(which=st.integers(0, 9))
    def go_on_reading(self, which: int) -> None:
        place = which % len(self.world.readings)
        if self.world.readings[place][1] is None:
            self.world.answer_reading(place)
        else:
            self.world.apply_reading(place)

    # --- channels ---

    @rule(place=CHANNEL, line=LINE)
    def send(self, place: int, line: str) -> None:
        self.world.send(place, line)

    @rule(place=CHANNEL, sku=SKU)
    def sell(self, place: int, sku: str) -> None:
        self.world.sell(place, sku)

    @rule(place=CHANNEL)
    def poll(self, place: int) -> None:
        self.world.poll(place)

    @rule(place=CHANNEL)
    def sell_out(self, place: int) -> None:
        """All it shows, and nobody tells us."""
        for sku in SKUS:
            while self.world.sell(place, sku):
                continue

    @rule(place=CHANNEL, line=LINE)
    def push(self, place: int, line: str) -> None:
        self.world.rebalance()
        self.world.send(place, line)

    @rule(place=CHANNEL)
    def round_trip(self, place: int) -> None:
        """What happens when nothing goes wrong, so that channels get something to sell."""
        self.world.rebalance()
        self.world.send(place, "answered")
        self.world.poll(place)

    @precondition(lambda self: any(shop.sales for shop in self.world.shops))
    @rule(place=CHANNEL, which=st.integers(0, 9))
    def hear(self, place: int, which: int) -> None:
        if self.world.shops[place].sales:
            self.world.hear(place, which)

    @precondition(lambda self: any(shop.travelling for shop in self.world.shops))
    @rule(place=CHANNEL, which=st.integers(0, 9))
    def arrive(self, place: int, which: int) -> None:
        shop = self.world.shops[place]
        if shop.travelling:
            shop.arrive(shop.travelling[which % len(shop.travelling)])

    @rule(seconds=st.sampled_from((1.0, 20.0, world.BOUND)))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @invariant()
    def it_adds_up(self) -> None:
        assert self.world.wrong() == []


@pytest.mark.parametrize("group", range(GROUPS))
def test_everything_that_may_happen(monkeypatch: pytest.MonkeyPatch, group: int) -> None:
    explore(type("Escrow", (Escrow,), {"patch": monkeypatch}), group, EXAMPLES)


def test_it_comes_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """One channel under guarantee, one in shared mode: whatever happened, at the end each shows what it should."""
    fields = {"patch": monkeypatch, "modes": (Mode.GUARANTEED, Mode.SHARED), "comes_to_rest": True}
    explore(type("Restful", (Escrow,), fields), GROUPS, EXAMPLES // 4)


def explore(machine: type[Escrow], group: int, count: int) -> None:
    if not settings.WEFT_DEEP:
        machine = seed(group)(machine)
    run_state_machine_as_test(
        machine,
        settings=examples(
            max_examples=count, stateful_step_count=STEPS, deadline=None, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
