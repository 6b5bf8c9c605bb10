"""Closing a warehouse for sale and opening it: the pools follow, promises that cannot be kept are named, orders that
are placed meanwhile are right."""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import count

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from shop import invariants
from shop.fulfilment import shipping
from shop.fulfilment.models import Sourcing
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod
from shop.stock import closing, holds, movements, readings
from shop.stock.closing import Effect, LastOne, NothingToChange
from shop.stock.models import Cause, Kind, Level, Movement, Pool, Reason, Shortage, Warehouse
from shop.stock.movements import Move
from shop.stock.readings import Figure
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db
SKU = "CHAIR-1"
_numbers = count()


def broken() -> list[object]:
    return [row for one in (invariants.I1, invariants.I2) for row in invariants.broken(one)]


@pytest.fixture(autouse=True)
def _balanced() -> object:
    yield
    assert broken() == []


def place(code: str) -> Warehouse:
    return Warehouse.objects.get(code=code)


def released(**wanted: int) -> Order:
    return factories.order(wanted or {SKU: 1}, payment_method=PaymentMethod.ON_ACCOUNT)


def test_what_lies_there_cannot_be_promised_until_it_is_opened() -> None:
    factories.stock(SKU, SZ=10, HZ=3)
    factories.stock("DESK-1", HZ=4)
    factories.stock("LAMP-1", SZ=5)
    assert closing.close(place("SZ").pk) == 2
    assert not place("SZ").is_sellable
    assert dict(Pool.objects.values_list("sku", "on_hand")) == {SKU: 3, "DESK-1": 4, "LAMP-1": 0}
    assert Level.objects.get(pool=SKU, warehouse__code="SZ").on_hand == 10, "what lies there stays there"
    assert Movement.objects.exclude(reason=Reason.OPENING).count() == 0, "nothing has moved"
    with pytest.raises(holds.OutOfStock):
        factories.order({SKU: 4})
    assert closing.open_for_sale(place("SZ").pk) == 2
    assert dict(Pool.objects.values_list("sku", "on_hand")) == {SKU: 13, "DESK-1": 4, "LAMP-1": 5}


def test_promises_that_cannot_be_kept_are_named_and_covered_again() -> None:
    factories.stock(SKU, SZ=10, HZ=3)
    kept, suffers = factories.order({SKU: 3}), factories.order({SKU: 4})
    closing.close(place("SZ").pk)
    shortage = Shortage.objects.get()
    assert (shortage.quantity, shortage.cause, shortage.provisional) == (4, Cause.CLOSED, False)
    assert shortage.orders == [suffers.number], kept.number
    closing.open_for_sale(place("SZ").pk)
    assert Shortage.objects.get().closed_at is not None
    assert Pool.objects.get().shortage == 0


def test_what_it_would_mean_is_said_before() -> None:
    factories.stock(SKU, SZ=10, HZ=3)
    factories.stock("DESK-1", SZ=2)
    factories.stock("GONE-1", SZ=1)
    factories.stock("GONE-1", SZ=-1)
    factories.stock("LAMP-1", HZ=2)
    for wanted in ({SKU: 4}, {SKU: 1, "DESK-1": 2}, {"LAMP-1": 1}):
        factories.order(wanted)
    assert closing.effect(place("SZ")) == Effect(skus=2, units=12, orders=2, promised=7, short=4)
    closing.close(place("SZ").pk)
    assert sum(Shortage.objects.values_list("quantity", flat=True)) == 4, "as it was said"
    assert closing.effect(place("SZ")) == Effect(skus=2, units=12, orders=2, promised=7, short=-4)


def test_goods_that_move_in_a_closed_warehouse_stay_out_of_the_pool() -> None:
    factories.stock(SKU, SZ=10, HZ=3)
    closing.close(place("SZ").pk)
    factories.stock(SKU, SZ=5)
    factories.stock("NEW-1", SZ=2)
    assert dict(Pool.objects.values_list("sku", "on_hand")) == {SKU: 3, "NEW-1": 0}


def test_paid_orders_go_to_warehouses_that_are_open() -> None:
    factories.warehouse("SZ", priority=1)
    factories.warehouse("HZ", priority=2)
    factories.stock(SKU, SZ=10, HZ=10)
    before = released()
    waiting = factories.order({SKU: 2})
    closing.close(place("SZ").pk)
    after = released()
    lifecycle.confirm_payment(waiting.number, actor="test")
    sourced = dict(Sourcing.objects.values_list("line__order", "warehouse__code"))
    assert sourced == {before.pk: "SZ", after.pk: "HZ", waiting.pk: "HZ"}, "what was sourced there is seen there still"
    shipping.ship(before.number, warehouse=place("SZ"), actor="test")
    assert Level.objects.get(warehouse__code="SZ").on_hand == 9
    assert Pool.objects.get().on_hand == 10


def test_what_is_lacking_is_left_to_an_open_warehouse() -> None:
    factories.warehouse("SZ", priority=1)
    factories.warehouse("HZ", priority=2)
    factories.stock(SKU, SZ=10, HZ=1)
    order = factories.order({SKU: 5})
    closing.close(place("SZ").pk)
    lifecycle.confirm_payment(order.number, actor="test")
    assert list(Sourcing.objects.values_list("warehouse__code", "quantity")) == [("HZ", 5)]


def test_the_last_one_stays_open() -> None:
    factories.stock(SKU, SZ=10)
    Warehouse.objects.create(code="ROAD", name="Road", kind=Kind.TRANSIT, is_sellable=False)
    with pytest.raises(LastOne):
        closing.close(place("SZ").pk)
    assert Pool.objects.get().on_hand == 10


def test_what_is_so_already_or_is_no_shelf_is_refused() -> None:
    factories.stock(SKU, SZ=10, HZ=1)
    road = Warehouse.objects.create(code="ROAD", name="Road", kind=Kind.TRANSIT, is_sellable=False)
    with pytest.raises(NothingToChange):
        closing.open_for_sale(place("SZ").pk)
    with pytest.raises(NothingToChange):
        closing.open_for_sale(road.pk)
    closing.close(place("SZ").pk)
    with pytest.raises(NothingToChange):
        closing.close(place("SZ").pk)


def test_an_erps_warehouse_can_be_closed_and_its_readings_go_on() -> None:
    factories.stock(SKU, SZ=10, HZ=3)
    account = factories.account("erp")
    Warehouse.objects.filter(code="SZ").update(erp_account=account)
    begun = readings.start(account)
    closing.close(place("SZ").pk)
    readings.apply(begun, [Figure(SKU, "SZ", 25)])
    assert Pool.objects.get().on_hand == 3
    closing.open_for_sale(place("SZ").pk)
    assert Pool.objects.get().on_hand == 28


STEPS = st.lists(st.tuples(st.sampled_from(["close", "open", "receive", "lose", "promise"]), st.sampled_from("AB"),
                           st.integers(1, 6)), max_size=12)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_the_pool_is_what_lies_in_open_warehouses(steps: list[tuple[str, str, int]]) -> None:
    sku, mark = "S", next(_numbers)
    sku = f"S{mark}"
    factories.warehouse("ELSEWHERE")
    factories.stock(sku, **{f"A{mark}": 6, f"B{mark}": 6})
    does = {
        "close": lambda at, _units: closing.close(at.pk),
        "open": lambda at, _units: closing.open_for_sale(at.pk),
        "receive": lambda at, units: factories.stock(sku, **{at.code: units}),
        "lose": lambda at, units: factories.stock(sku, **{at.code: -units}),
        "promise": lambda _at, units: factories.order({sku: units}),
    }
    for step, letter, units in steps:
        try:
            does[step](place(f"{letter}{mark}"), units)
        except (NothingToChange, movements.NotThere, holds.OutOfStock):
            continue
    open_levels = Level.objects.filter(pool=sku, warehouse__is_sellable=True)
    assert Pool.objects.get(sku=sku).on_hand == sum(open_levels.values_list("on_hand", flat=True))
    assert broken() == []


# --- at once ---------------------------------------------------------------------------------------------------------


def receive(sku: str, code: str, units: int = 1) -> None:
    with transaction.atomic():
        movements.record([Move(sku, place(code).pk, units, Reason.RECEIPT)])


@pytest.mark.django_db(transaction=True)
def test_closing_and_opening_while_goods_arrive_and_orders_are_placed() -> None:
    """No deadlock, nothing promised beyond what was open, and the pools add up; first goods of new SKUs included."""
    factories.china()
    factories.warehouse("SZ", priority=1)
    factories.warehouse("HZ", priority=2)
    skus = [f"S{number}" for number in range(6)]
    for sku in skus:
        factories.stock(sku, SZ=20, HZ=20)
    warehouse = place("SZ").pk
    stop = threading.Event()

    def turn() -> int:
        turned = 0
        while not stop.is_set():
            with suppress(closing.Busy):  # it says so, and nothing was changed
                (closing.open_for_sale if turned % 2 else closing.close)(warehouse)
                turned += 1
        return turned

    def work(number: int) -> object:
        if number == 0:
            return turn()
        try:
            for step in range(12):
                sku = skus[(number + step) % len(skus)]
                receive(sku, "SZ")
                receive(f"N{number}-{step}", "SZ")
                try:
                    released(**{sku: 2, skus[(number + step + 3) % len(skus)]: 1})
                except holds.OutOfStock:
                    continue
            return number
        finally:
            if number == 1:
                stop.set()

    results = at_once(work, 6)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert results[0], "it was closed and opened meanwhile"
    assert broken() == []
    assert Level.objects.filter(pool__sku__startswith="N").count() == 60


@pytest.mark.django_db(transaction=True)
def test_closing_while_readings_are_applied_does_not_deadlock() -> None:
    factories.stock(SKU, SZ=10, HZ=3)
    account = factories.account("erp")
    Warehouse.objects.filter(code="SZ").update(erp_account=account)
    warehouse = place("SZ").pk

    def work(number: int) -> None:
        for step in range(10):
            if number:
                readings.apply(readings.start(account), [Figure(SKU, "SZ", 10 + step), Figure(f"X{step}", "SZ", 1)])
            else:
                closing.close(warehouse)
                closing.open_for_sale(warehouse)

    assert at_once(work, 3) == [None] * 3
    assert broken() == []


@pytest.mark.django_db(transaction=True)
def test_both_of_two_cannot_be_closed_at_once() -> None:
    factories.stock(SKU, SZ=10, HZ=3)
    keys = [place("SZ").pk, place("HZ").pk]
    results = at_once(lambda number: closing.close(keys[number]), 2)
    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [LastOne]
    assert Warehouse.objects.filter(is_sellable=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_skus_first_goods_wait_for_the_closing_or_it_for_them() -> None:
    """The hard case, step by step: the goods are written, not yet committed, when the closing begins."""
    factories.stock(SKU, SZ=10, HZ=3)
    warehouse = place("SZ").pk
    written, closed = threading.Event(), threading.Event()

    def work(number: int) -> object:
        if number:
            written.wait(10)
            done = closing.close(warehouse)
            closed.set()
            return done
        with transaction.atomic():
            movements.record([Move("NEW-1", warehouse, 7, Reason.RECEIPT)])
            written.set()
            return closed.wait(0.5)

    assert at_once(work, 2) == [False, 2], "it waited for them, and took both SKUs out of the pools"
    assert dict(Pool.objects.values_list("sku", "on_hand")) == {SKU: 3, "NEW-1": 0}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)
