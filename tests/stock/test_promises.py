"""Promises that could not be kept: which events write them, how many units, once; and how a shortage ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.hub.models import AccountState
from shop import invariants
from shop.fulfilment import filling, shipping
from shop.fulfilment.shipping import Left
from shop.order import lifecycle
from shop.order.models import Order, OrderStatusChange, PaymentMethod
from shop.pricing.money import TooFine
from shop.stock import movements, promise_figures, promises, readings, supply
from shop.stock.models import BrokenPromise, Pool, Presale, Reason, Shortage, Supply, Waiting
from shop.stock.movements import Move
from shop.stock.readings import Figure
from tests import factories
from tests.statements import counted
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
SKU = "CHAIR-1"


@pytest.fixture(autouse=True)
def _sound() -> Iterator[None]:
    """Every test leaves everything that must be true true."""
    factories.china()
    yield
    for invariant in invariants.registered():
        assert invariants.broken(invariant) == []


def order(units: int, sku: str = SKU, **fields: Any) -> Order:
    return factories.order({sku: units}, payment_method=PaymentMethod.ON_ACCOUNT, **fields)


def move(units: int, reason: Reason = Reason.DAMAGE, sku: str = SKU) -> None:
    with transaction.atomic():
        movements.record([Move(sku, factories.warehouse("SZ").pk, units, reason)])


def cancel(placed: Order) -> None:
    lifecycle.cancel(placed.number, actor="test")


def rows() -> list[tuple[str, int, str, str, Decimal]]:
    found = BrokenPromise.objects.order_by("pk").select_related("line__order")
    return [(row.line.order.number, row.units, row.ending, row.cause, row.value) for row in found]


def short_of(units: int, *ordered: int, **fields: Any) -> list[Order]:
    """Orders of so many units each, oldest first; then so many units are broken."""
    factories.stock(SKU, SZ=sum(ordered))
    placed = [order(each, **fields) for each in ordered]
    move(-units)
    return placed


# --- cancelled --------------------------------------------------------------------------------------------------------


def test_cancelled_for_want_of_goods() -> None:
    first, second = short_of(2, 3, 4)
    cancel(second)
    shortage = Shortage.objects.get()
    assert rows() == [(second.number, 2, "cancelled", "damage", Decimal("226.00"))], "two of its four were missing"
    assert BrokenPromise.objects.get().shortage == shortage
    assert (shortage.in_all, shortage.given_back, shortage.covered) == (2, 2, 0)
    cancel(first)
    assert len(rows()) == 1, "its goods were there"


def test_orders_that_are_not_named_break_nothing() -> None:
    first, _second = short_of(2, 3, 4)
    cancel(first)
    assert not rows(), "the newest promise is the one that cannot be kept"
    shortage = Shortage.objects.get()
    assert (shortage.in_all, shortage.given_back, shortage.covered) == (2, 2, 0)


def test_no_more_units_than_are_short() -> None:
    """Three short; the newer order has two of them, the older one of its two."""
    older, newer = short_of(3, 2, 2)
    cancel(older)
    cancel(newer)
    assert [(number, units) for number, units, *_rest in rows()] == [(older.number, 2), (newer.number, 1)]
    assert Shortage.objects.get().given_back == 3


def test_what_only_a_reading_saw_does_not_count() -> None:
    account = factories.account("erp", state=AccountState.ACTIVE)
    factories.warehouse("HZ", erp_account=account)
    factories.stock(SKU, HZ=5)
    placed = [order(2), order(2)]
    readings.apply(readings.start(account), [Figure(SKU, "HZ", 1)])
    cancel(placed[1])
    assert not rows() and Shortage.objects.get().provisional
    begun = readings.start(account)
    readings.apply(begun, [Figure(SKU, "HZ", 1)])
    assert readings.confirm_standing(account, begun.seq) == 1
    cancel(placed[0])
    assert rows() == [(placed[0].number, 1, "cancelled", "reading", Decimal("113.00"))]


def test_what_lapses_unpaid_is_no_broken_promise_but_what_is_cancelled_is() -> None:
    factories.stock(SKU, SZ=4)
    lapsed, cancelled = factories.order({SKU: 2}), factories.order({SKU: 2})
    move(-4)
    Order.objects.filter(pk=lapsed.pk).update(payment_deadline=timezone.now())
    lifecycle.expire_overdue()
    assert not rows()
    cancel(cancelled)
    assert rows() == [(cancelled.number, 2, "cancelled", "damage", Decimal("226.00"))]
    assert Shortage.objects.get().given_back == 4


def test_test_orders_were_promised_nothing() -> None:
    factories.stock(SKU, SZ=2)
    cancel_this = order(2, is_test=True)
    move(-1)
    cancel(cancel_this)
    assert not rows()


def test_each_line_and_cause_by_itself_and_written_twice_once() -> None:
    factories.stock(SKU, SZ=3)
    factories.stock("LAMP", SZ=3)
    factories.stock("CUP", SZ=3)
    placed = factories.order({SKU: 3, "LAMP": 3, "CUP": 3}, payment_method=PaymentMethod.ON_ACCOUNT, unit="10.01")
    move(-1)
    move(-2, Reason.COUNT, "LAMP")
    with lifecycle.locked(placed.number) as locked:
        promises.note_cancelled(locked)
        promises.note_cancelled(locked)
        locked.status = "cancelling"
        lifecycle.OrderStatusChange.objects.create(
            order=locked, old_status="on_account", new_status="cancelling", actor="test"
        )
        lifecycle.acknowledge_cancellation(locked, actor="test")
    assert sorted(row[1:] for row in rows()) == [
        (1, "cancelled", "damage", Decimal("10.01")), (2, "cancelled", "count", Decimal("20.02")),
    ]  # fmt: skip
    assert OrderStatusChange.objects.filter(order=placed).count() == 3


def test_two_cancelled_at_once_share_what_is_short() -> None:
    factories.stock("LAMP", SZ=40)
    placed = short_of(15, *[2] * 8)
    mixed = [factories.order({"LAMP": 1}, payment_method=PaymentMethod.ON_ACCOUNT) for _number in range(4)]
    results = at_once(lambda number: cancel([*placed, *mixed][number]), 12)
    assert [result for result in results if result is not None] == []
    named = sum(units for _number, units, *_rest in rows())
    shortage = Shortage.objects.get()
    assert named == 15 and (shortage.in_all, shortage.given_back) == (15, 15)
    assert Pool.objects.get(sku=SKU).shortage == 0


def test_two_skus_in_opposite_order_do_not_deadlock() -> None:
    factories.stock(SKU, SZ=16)
    factories.stock("LAMP", SZ=16)
    wanted = [(SKU, 2), ("LAMP", 2)]
    placed = [
        factories.order(dict(wanted if number % 2 else reversed(wanted)), payment_method=PaymentMethod.ON_ACCOUNT)
        for number in range(8)
    ]
    move(-16)
    move(-16, sku="LAMP")
    results = at_once(lambda number: cancel(placed[number]), 8)
    assert [result for result in results if result is not None] == []
    by_sku = {sku: sum(BrokenPromise.objects.filter(pool=sku).values_list("units", flat=True)) for sku, _ in wanted}
    assert by_sku == {SKU: 16, "LAMP": 16}


# --- sold ahead -------------------------------------------------------------------------------------------------------


def day(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


def test_supply_that_fails_and_what_was_cancelled_for_it() -> None:
    sale = factories.presale(cap=10)
    older, newer = order(4), order(5)
    supply.cancel(sale.supply_id, 3)
    cancel(newer)
    assert rows() == [(newer.number, 2, "cancelled", "supply", Decimal("226.00"))], "ten less three, nine promised"
    assert BrokenPromise.objects.get().shortage is None
    cancel(older)
    assert len(rows()) == 1, "the rest would have come"


def test_cancelled_before_the_day_it_breaks_nothing_and_after_it_all() -> None:
    factories.presale(cap=10)
    before, after = order(4), order(5)
    cancel(before)
    assert not rows()
    Waiting.objects.update(promised_on=timezone.localdate() - timedelta(days=1))
    cancel(after)
    assert rows() == [(after.number, 5, "cancelled", "supply", Decimal("565.00"))]


def arrived(units: int = 5, promised: int = -3) -> Order:
    """An order whose goods came; its promised day was some days ago, or is to come."""
    sale = factories.presale(cap=10)
    placed = order(units)
    Waiting.objects.update(promised_on=timezone.localdate() + timedelta(days=promised))
    supply.receive(sale.supply_id, units, seen=0, actor="test")
    filling.fill_waiting()
    return placed


def test_shipped_after_the_day() -> None:
    placed = arrived()
    shipping.ship(placed.number, warehouse=factories.warehouse(), actor="test")
    assert rows() == [(placed.number, 5, "late", "supply", Decimal("565.00"))]


def test_shipped_on_the_day_and_what_was_never_promised_for_one() -> None:
    shipping.ship(arrived(promised=0).number, warehouse=factories.warehouse(), actor="test")
    factories.stock(SKU, SZ=5)
    shipping.ship(order(5).number, warehouse=factories.warehouse(), actor="test")
    assert not rows()


def test_late_in_parts_is_one_row_and_says_when_it_left_not_when_we_heard() -> None:
    account = factories.account("erp", state=AccountState.ACTIVE)
    erps = factories.warehouse("HZ", erp_account=account)
    factories.presale(cap=10, warehouse=erps)
    placed = order(6)
    Waiting.objects.update(promised_on=timezone.localdate() - timedelta(days=3))
    for key, units, left in (("1", 1, -3), ("2", 2, -1), ("3", 3, 0)):
        shipping.learn(account, key=key, number=key, order_number=placed.number, at=day(left),
                       left=[Left(SKU, "HZ", units)])  # fmt: skip
    assert rows() == [(placed.number, 5, "late", "supply", Decimal("565.00"))], "the first was in time"
    promises.note_cost(BrokenPromise.objects.get(), Decimal("5.00"), note="sorry", actor="staff:a")
    with lifecycle.locked(placed.number) as locked:
        promises.note_late(locked, [placed.lines.get().pk])
    row = BrokenPromise.objects.get()
    assert (row.units, row.cost) == (5, Decimal("5.00"))


def test_what_left_although_it_was_cancelled_is_not_late() -> None:
    account = factories.account("erp", state=AccountState.ACTIVE)
    erps = factories.warehouse("HZ", erp_account=account)
    factories.presale(cap=10, warehouse=erps)
    placed = order(2)
    Waiting.objects.update(promised_on=timezone.localdate() - timedelta(days=3))
    cancel(placed)
    shipping.learn(account, key="1", number="1", order_number=placed.number, at=day(0), left=[Left(SKU, "HZ", 2)])
    assert [row[2] for row in rows()] == ["cancelled"]


# --- what it takes ----------------------------------------------------------------------------------------------------


def test_the_common_paths_cost_one_statement_and_none() -> None:
    factories.stock(SKU, SZ=9)
    placed = [order(1) for _number in range(3)]
    cancel(placed[0])
    with counted("cancel") as found:
        cancel(placed[1])
    assert len([sql for sql in found.sql if "WITH mine AS (\n    SELECT h.sku, false AS waits" in sql]) == 1
    assert not found.naming("stock_brokenpromise") and len(found.naming("stock_shortage")) == 1, found
    with counted("ship") as found:
        shipping.ship(placed[2].number, warehouse=factories.warehouse(), actor="test")
    asked = found.naming("stock_waiting")
    assert len(asked) == 1 and asked[0].startswith("INSERT INTO fulfilment_parcelline"), found
    assert not found.naming("stock_brokenpromise")


# --- how a shortage ends ----------------------------------------------------------------------------------------------


def test_the_whole_story_of_a_shortage() -> None:
    first, second, third = short_of(5, 3, 3, 3)
    move(-2)
    cancel(third)
    move(3, Reason.RECEIPT)
    shortage = Shortage.objects.get()
    assert (shortage.in_all, shortage.given_back, shortage.still_short, shortage.covered) == (7, 3, 1, 3)
    cancel(first)
    shortage.refresh_from_db()
    assert (shortage.given_back, shortage.still_short, shortage.covered) == (4, 0, 3)
    assert [(number, units) for number, units, *_rest in rows()] == [(third.number, 3)]
    assert second.number


def test_what_it_was_before_nobody_knows() -> None:
    short_of(1, 2)
    Shortage.objects.update(given_back=None)
    assert Shortage.objects.get().covered is None
    move(1, Reason.RECEIPT)
    assert Shortage.objects.get().closed_at


# --- cost -------------------------------------------------------------------------------------------------------------


def test_what_it_cost_is_said_once_for_what_was_seen() -> None:
    cancel(short_of(1, 1)[0])
    seen = BrokenPromise.objects.get()
    with pytest.raises(TooFine):
        promises.note_cost(seen, Decimal("1.005"), note="", actor="staff:a")
    promises.note_cost(seen, Decimal("30.00"), note="voucher", actor="staff:a")
    with pytest.raises(promises.Stale):
        promises.note_cost(seen, Decimal("40.00"), note="", actor="staff:b")
    row = BrokenPromise.objects.get()
    assert (row.cost, row.cost_note, row.cost_by) == (Decimal("30.00"), "voucher", "staff:a")
    promises.note_cost(row, Decimal("0"), note="taken back", actor="staff:b")
    assert BrokenPromise.objects.get().cost == 0
    with pytest.raises(NotImplementedError):
        row.delete()


# --- figures ----------------------------------------------------------------------------------------------------------


def test_what_the_figures_say() -> None:
    placed = short_of(6, 4, 4, 2)
    for each in placed[1:]:
        cancel(each)
    yen = factories.stock("LAMP", SZ=2)
    abroad = order(2, yen.sku, currency="JPY", unit="1130")
    move(-2, Reason.COUNT, "LAMP")
    cancel(abroad)
    late = arrived(units=3)
    shipping.ship(late.number, warehouse=factories.warehouse(), actor="test")
    promises.note_cost(BrokenPromise.objects.get(line__order=placed[2]), Decimal("9.00"), note="", actor="staff:a")
    Order.objects.filter(pk=placed[0].pk).update(date_placed=day(-60))
    Order.objects.filter(pk=placed[1].pk).update(date_placed=day(-100))
    BrokenPromise.objects.filter(line__order=placed[1]).update(at=day(-40))
    Shortage.objects.filter(pool=SKU).update(opened_at=day(-10), closed_at=day(-8))
    Shortage.objects.filter(pool="LAMP").update(opened_at=day(-50), closed_at=day(-40))
    month, quarter = promise_figures.figures().periods
    assert (month.promised, quarter.promised) == (2 + 2 + 3, 4 + 2 + 2 + 3)
    assert (month.broken, month.cancelled, month.late) == (2 + 2 + 3, 4, 3)
    assert (quarter.broken, quarter.rate) == (4 + 2 + 2 + 3, Decimal(10000))
    said = {(part.ending, part.cause, part.currency): part for part in month.parts}
    assert set(said) == {("cancelled", "damage", "CNY"), ("cancelled", "count", "JPY"), ("late", "supply", "CNY")}
    chairs = said["cancelled", "damage", "CNY"]
    assert (chairs.rows, chairs.units, chairs.value, chairs.cost, chairs.uncosted) == (1, 2, 226, 9, 0)
    assert said["cancelled", "count", "JPY"].value == 2260 and month.uncosted == 2
    assert (month.closed, quarter.closed) == (1, 2)
    assert month.stood and quarter.stood
    assert [period.stood // timedelta(hours=1) for period in (month, quarter)] == [48, 144]


def test_figures_of_nothing_and_of_what_is_still_open() -> None:
    found = promise_figures.figures()
    assert [(p.promised, p.broken, p.rate, p.closed, p.stood) for p in found.periods] == [(0, 0, None, 0, None)] * 2
    assert (found.open, found.oldest) == (0, None)
    short_of(1, 1)
    found = promise_figures.figures()
    assert (found.open, found.oldest, found.periods[0].stood) == (1, Shortage.objects.get().opened_at, None)
    assert (found.periods[0].promised, found.periods[0].rate) == (1, 0)
    Shortage.objects.update(provisional=True)
    assert promise_figures.figures().open == 0


def test_figures_cost_three_statements_whatever_there_is() -> None:
    with counted("nothing") as found:
        promise_figures.figures()
    assert len(found) == 3
    for placed in short_of(9, *[1] * 12)[3:]:
        cancel(placed)
    with counted("nine") as found:
        promise_figures.figures()
    assert len(found) == 3 and len(rows()) == 9


def test_a_period_is_read_by_its_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT 1 FROM stock_brokenpromise WHERE at >= now() - interval '30 days'")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "stock_brokenpromise_at" in plan, plan
    assert Supply.objects.count() == Presale.objects.count() == 0
