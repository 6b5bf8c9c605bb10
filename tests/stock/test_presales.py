"""Selling what is not here yet: never more than may be, filled once and oldest first, given back, shipped, missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.hub.models import Account, AccountState
from shop import invariants
from shop.fulfilment import filling, shipping
from shop.fulfilment.models import Sourcing
from shop.fulfilment.shipping import Left, NothingToShip
from shop.order import kits, lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.stock import movements, presales, readings, supply
from shop.stock.holds import OutOfStock
from shop.stock.models import Hold, Offered, Pool, Presale, Reason, Shortage, Supply, Waiting
from shop.stock.movements import Move
from shop.stock.offered import Kind
from shop.stock.readings import Figure
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
SKU = "CHAIR-1"


@pytest.fixture(autouse=True)
def _sound() -> Iterator[None]:
    """Every test leaves everything that must be true true."""
    factories.china()
    factories.product(SKU)
    yield
    for invariant in invariants.registered():
        assert invariants.broken(invariant) == []


def offered() -> Offered:
    return Offered.objects.get(record__partner_sku=SKU)


def order(units: int, **fields: Any) -> Order:
    return factories.order({SKU: units}, **fields)


def on_account(units: int) -> Order:
    return order(units, payment_method=PaymentMethod.ON_ACCOUNT)


def arrive(units: int, code: str = "SZ") -> None:
    with transaction.atomic():
        movements.record([Move(SKU, factories.warehouse(code).pk, units, Reason.RECEIPT)])


def learn(account: Account, placed: Order, number: str, units: int) -> None:
    """The ERP says that so many have left."""
    left, now = [Left(SKU, "HZ", units)], timezone.now()
    assert shipping.learn(account, key=number, number=number, order_number=placed.number, at=now, left=left)


def day(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


# --- promising -------------------------------------------------------------------------------------------------------


def test_what_fits_the_stock_is_promised_from_stock() -> None:
    factories.presale(cap=10)
    factories.stock(SKU, SZ=3)
    order(3)
    assert (Hold.objects.count(), Waiting.objects.count()) == (1, 0)
    assert (offered().free, offered().room, offered().ships_on) == (0, 10, day(10))


def test_else_the_whole_line_is_promised_from_the_presale() -> None:
    sale = factories.presale(cap=10)
    factories.stock(SKU, SZ=3)
    order(5)
    waiting = Waiting.objects.get()
    assert (waiting.open, waiting.promised_on, waiting.deadline is not None) == (5, day(10), True)
    assert (Hold.objects.count(), Pool.objects.get().reserved) == (0, 0)
    sale.refresh_from_db()
    assert (sale.promised, sale.room) == (5, 5)


def test_what_waits_is_first_to_have_what_is_free() -> None:
    factories.presale(cap=10)
    order(5)
    arrive(6)
    assert offered().free == 1
    with pytest.raises(OutOfStock) as gone:
        order(6)
    assert gone.value.short == {SKU: 5}, "what one line could have: five ahead"
    order(1)
    assert filling.fill_waiting() == 5


def test_else_it_is_out_of_stock() -> None:
    sale = factories.presale(cap=4)
    with pytest.raises(OutOfStock) as gone:
        order(5)
    assert gone.value.short == {SKU: 4}
    presales.close(sale.pk, actor="test")
    with pytest.raises(OutOfStock):
        order(1)
    assert not Order.objects.exists() and not Hold.objects.exists()


def test_nothing_is_sold_from_a_supply_that_is_late() -> None:
    sale = factories.presale(cap=4)
    supply.set_date(sale.supply_id, day(-1))
    assert (offered().room, offered().expected_on) == (0, None)
    with pytest.raises(OutOfStock):
        order(1)
    with pytest.raises(presales.CannotOpen):
        presales.close(sale.pk, actor="test")
        presales.open_(sale.supply_id, cap=1, kind=Kind.PRESALE, actor="test")


def test_lines_of_one_order_go_each_its_way() -> None:
    """A kit whose part comes later, and the part by itself from stock."""
    factories.presale(cap=10)
    factories.stock(SKU, SZ=2)
    factories.kit("SET-1", {SKU: 3})
    placed = factories.order({SKU: 2, "SET-1": 1})
    assert Hold.objects.get().open == 2
    assert Waiting.objects.get().open == 3
    things = kits.bought(kits.awaiting(placed.lines.order_by("pk")))
    assert [(thing.sku, thing.ships_on) for thing in things] == [(SKU, None), ("SET-1", day(10))]


def test_a_kit_is_offered_ahead_where_its_parts_are() -> None:
    factories.presale(cap=10)
    factories.product("LAMP")
    factories.stock("LAMP", SZ=2)
    factories.kit("SET-1", {SKU: 3, "LAMP": 1})
    found = Offered.objects.get(record__partner_sku="SET-1")
    assert (found.free, found.room, found.kind, found.ships_on) == (0, 2, "presale", day(10))
    factories.order({"SET-1": 2})
    assert (Waiting.objects.get().open, Hold.objects.get().pool_id) == (6, "LAMP")


def test_16_threads_never_promise_more_than_the_cap() -> None:
    sale = factories.presale(cap=25)
    factories.stock(SKU, SZ=7)

    def buy(number: int) -> object:
        sold = 0
        for _ in range(5):
            try:
                order(1 + number % 3)
            except OutOfStock:
                continue
            sold += 1 + number % 3
        return sold

    results = at_once(buy, 16)
    assert all(isinstance(result, int) for result in results), results
    sale.refresh_from_db()
    assert sale.promised <= 25
    assert sum(results) == sale.promised + Pool.objects.get().reserved >= 30  # type: ignore[arg-type]


def test_two_skus_ahead_in_opposite_order_do_not_deadlock() -> None:
    factories.product("LAMP")
    factories.presale(cap=40)
    factories.presale("LAMP", cap=40)
    factories.stock(SKU, SZ=5)

    def buy(number: int) -> object:
        wanted = [(SKU, 2), ("LAMP", 1)]
        placed = factories.order(dict(wanted if number % 2 else reversed(wanted)))
        return lifecycle.cancel(placed.number, actor="test") if number % 3 == 0 else filling.fill_waiting()

    results = at_once(buy, 12)
    assert [result for result in results if isinstance(result, Exception)] == []


# --- opening and closing ---------------------------------------------------------------------------------------------


def test_a_presale_stands_on_what_is_still_to_come() -> None:
    row = factories.supply(units=10)
    with pytest.raises(presales.CannotOpen) as refusal:
        presales.open_(row.pk, cap=11, kind=Kind.PRESALE, actor="test")
    assert refusal.value.most == 10
    first = presales.open_(row.pk, cap=6, kind=Kind.BACKORDER, actor="test")
    with pytest.raises(presales.AlreadyOpen):
        presales.open_(factories.supply().pk, cap=1, kind=Kind.PRESALE, actor="test")
    order(4)
    assert presales.close(first.pk, actor="test") and not presales.close(first.pk, actor="test")
    with pytest.raises(presales.CannotOpen) as refusal:
        presales.open_(row.pk, cap=7, kind=Kind.PRESALE, actor="test")
    assert refusal.value.most == 6, "four of the ten are promised"
    presales.open_(row.pk, cap=6, kind=Kind.PRESALE, actor="test")
    order(6)
    assert Presale.objects.count() == 2


def test_opened_by_two_at_once_it_is_open_once() -> None:
    row = factories.supply(units=10)
    results = at_once(lambda _: presales.open_(row.pk, cap=10, kind=Kind.PRESALE, actor="test"), 4)
    assert sum(isinstance(result, Presale) for result in results) == 1, results


def test_supply_that_falls_while_it_is_sold_never_leaves_room_that_is_not_there() -> None:
    sale = factories.presale(cap=40)

    def either(number: int) -> object:
        if number % 4 == 0:
            return supply.cancel(sale.supply_id, 5)
        try:
            return order(3)
        except OutOfStock:
            return None

    results = at_once(either, 16)
    assert [result for result in results if isinstance(result, Exception)] == []
    row = Supply.objects.get()
    sale.refresh_from_db()
    assert row.open == 20
    assert sale.promised <= max(20, sale.cap)


# --- goods arrive ----------------------------------------------------------------------------------------------------


def test_a_receipt_is_given_to_who_waits_longest() -> None:
    sale = factories.presale(cap=10)
    first, second = order(4), order(5)
    supply.receive(sale.supply_id, 6, seen=0, actor="test")
    assert filling.fill_waiting() == 6
    assert filling.fill_waiting() == 0
    held = dict(Hold.objects.values_list("line__order__number", "open"))
    assert held == {first.number: 4, second.number: 2}
    sale.refresh_from_db()
    assert (sale.promised, sale.room, Pool.objects.get().free) == (3, 1, 0)


def test_filled_by_eight_at_once_it_is_filled_once() -> None:
    sale = factories.presale(cap=30)
    for _ in range(6):
        order(5)
    supply.receive(sale.supply_id, 22, seen=0, actor="test")
    results = at_once(lambda _: filling.fill_waiting(), 8)
    assert sum(results) == 22, results  # type: ignore[arg-type]
    assert Pool.objects.get().reserved == 22


def test_filling_beside_buying_and_cancelling() -> None:
    sale = factories.presale(cap=30)
    placed = [order(3) for _ in range(6)]

    def act(number: int) -> object:
        match number % 4:
            case 0:
                return filling.fill_waiting()
            case 1:
                return lifecycle.cancel(placed[number // 4].number, actor="test")
            case 2:
                return arrive(4)
        return order(1)

    results = at_once(act, 16)
    assert [result for result in results if isinstance(result, Exception)] == []
    filling.fill_waiting()
    sale.refresh_from_db()
    assert not Shortage.objects.exists()
    assert sale.promised == max(0, sum(Waiting.objects.values_list("open", flat=True)))


def test_an_erps_reading_brings_them_too() -> None:
    account = factories.account("erp", state=AccountState.ACTIVE)
    erps = factories.warehouse("HZ", erp_account=account)
    sale = factories.presale(cap=10, warehouse=erps)
    placed = on_account(4)
    readings.apply(readings.start(account), [Figure(SKU, "HZ", 10)])
    assert filling.fill_waiting() == 4
    assert Sourcing.objects.get(line__order=placed).warehouse == erps
    supply.receive(sale.supply_id, 10, seen=0, actor="test")
    assert Pool.objects.get().on_hand == 10, "the ERP's figure, not added to"
    assert Supply.objects.get().open == 0


def test_a_shortage_keeps_what_arrives() -> None:
    factories.stock(SKU, SZ=5)
    order(5)
    factories.presale(cap=10)
    order(2)
    with transaction.atomic():
        movements.record([Move(SKU, factories.warehouse().pk, -3, Reason.DAMAGE)])
    arrive(2)
    assert filling.fill_waiting() == 0
    arrive(2)
    assert filling.fill_waiting() == 1


# --- the order's way -------------------------------------------------------------------------------------------------


def test_cancel_and_expiry_give_it_back() -> None:
    sale = factories.presale(cap=10)
    first, second = order(4), order(5)
    lifecycle.cancel(first.number, actor="test")
    Order.objects.filter(pk=second.pk).update(payment_deadline=timezone.now())
    assert lifecycle.expire_overdue() == 1
    sale.refresh_from_db()
    assert (sale.promised, sale.room) == (0, 10)
    assert sorted(Waiting.objects.values_list("released", "open")) == [(4, 0), (5, 0)]


def test_paid_it_has_no_deadline_and_is_sourced_when_it_is_here() -> None:
    sale = factories.presale(cap=10)
    placed = order(4)
    lifecycle.confirm_payment(placed.number, actor="test")
    assert Waiting.objects.get().deadline is None
    assert not Sourcing.objects.exists()
    with pytest.raises(NothingToShip):
        shipping.ship(placed.number, warehouse=factories.warehouse(), actor="test")
    supply.receive(sale.supply_id, 3, seen=0, actor="test")
    filling.fill_waiting()
    assert Sourcing.objects.get().quantity == 3
    shipping.ship(placed.number, warehouse=factories.warehouse(), actor="test")
    assert Order.objects.get().status == Status.PARTLY_SHIPPED
    supply.receive(sale.supply_id, 7, seen=3, actor="test")
    filling.fill_waiting()
    assert Sourcing.objects.get().quantity == 4
    shipping.ship(placed.number, warehouse=factories.warehouse(), actor="test")
    assert Order.objects.get().status == Status.SHIPPED


def test_filled_before_it_is_paid_it_keeps_its_deadline_until_then() -> None:
    factories.presale(cap=10)
    placed = order(4)
    arrive(4)
    filling.fill_waiting()
    assert Hold.objects.get().deadline is not None
    lifecycle.confirm_payment(placed.number, actor="test")
    assert Hold.objects.get().deadline is None
    assert Sourcing.objects.get().quantity == 4


def test_paid_and_filled_at_once_it_is_sourced_once() -> None:
    for _ in range(8):
        factories.presale(cap=4, days=9)
        placed = order(4)
        arrive(4)

        def either(number: int, placed: Order = placed) -> object:
            if number:
                return lifecycle.confirm_payment(placed.number, actor="test")
            return filling.fill_waiting()

        results = at_once(either, 2)
        assert not any(isinstance(result, Exception) for result in results), results
        assert [row.quantity for row in Sourcing.objects.filter(line__order=placed)] == [4]
        assert Hold.objects.get(line__order=placed).deadline is None
        presales.close(Presale.objects.latest("pk").pk, actor="test")


def test_on_account_what_is_here_is_sourced_and_the_rest_later() -> None:
    factories.product("LAMP")
    factories.stock("LAMP", SZ=5)
    factories.presale(cap=10)
    placed = factories.order({"LAMP": 2, SKU: 4}, payment_method=PaymentMethod.ON_ACCOUNT)
    assert [row.line.partner_sku for row in Sourcing.objects.all()] == ["LAMP"]
    arrive(4)
    filling.fill_waiting()
    assert sorted(row.line.partner_sku for row in Sourcing.objects.filter(line__order=placed)) == [SKU, "LAMP"]


def test_expired_and_paid_late_it_waits_anew() -> None:
    sale = factories.presale(cap=4)
    placed = order(4)
    Order.objects.filter(pk=placed.pk).update(payment_deadline=timezone.now())
    lifecycle.expire_overdue()
    paid = lifecycle.confirm_payment(placed.number, actor="test")
    assert paid.status == Status.PAID
    assert sorted(Waiting.objects.values_list("open", flat=True)) == [0, 4]
    sale.refresh_from_db()
    assert sale.promised == 4


def test_what_an_erp_ships_before_we_knew_is_not_waited_for_any_more() -> None:
    account = factories.account("erp", state=AccountState.ACTIVE)
    erps = factories.warehouse("HZ", erp_account=account)
    sale = factories.presale(cap=10, warehouse=erps)
    placed = on_account(4)
    shipping.learn(
        account, key="1", number="S-1", order_number=placed.number, at=timezone.now(), left=[Left(SKU, "HZ", 3)]
    )
    waiting = Waiting.objects.get()
    sale.refresh_from_db()
    assert (waiting.open, waiting.shipped, sale.promised, sale.room) == (1, 3, 1, 6)
    readings.apply(readings.start(account), [Figure(SKU, "HZ", 7)])
    assert filling.fill_waiting() == 1
    assert Sourcing.objects.get().quantity == 1
    shipping.learn(
        account, key="2", number="S-2", order_number=placed.number, at=timezone.now(), left=[Left(SKU, "HZ", 1)]
    )
    assert Order.objects.get().status == Status.SHIPPED


# --- what cannot be kept ---------------------------------------------------------------------------------------------


def test_supply_that_does_not_come_names_the_orders() -> None:
    sale = factories.presale(cap=10)
    first, second, third = order(4), order(3), order(2)
    assert presales.short() == []
    supply.cancel(sale.supply_id, 6)
    assert [(short.sku, short.units, short.orders) for short in presales.short()] == [
        (SKU, 5, [third.number, second.number])
    ]
    with pytest.raises(OutOfStock):
        order(1)
    arrive(2)
    assert [(short.units, short.orders) for short in presales.short()] == [(3, [third.number, second.number])]
    lifecycle.cancel(third.number, actor="test")
    lifecycle.cancel(second.number, actor="test")
    assert presales.short() == []
    assert first.number


def test_a_later_date_shows_where_it_was_promised() -> None:
    sale = factories.presale(cap=10)
    placed = order(4)
    supply.set_date(sale.supply_id, day(20))
    (thing,) = kits.bought(kits.awaiting(placed.lines))
    assert (thing.ships_on, thing.promised_on) == (day(20), day(10))


def test_the_database_refuses_more_than_the_cap() -> None:
    sale = factories.presale(cap=4)
    with connection.cursor() as cursor, pytest.raises(Exception, match="presale_not_oversold"), transaction.atomic():
        cursor.execute("UPDATE stock_presale SET promised = 5 WHERE id = %s", [sale.pk])
