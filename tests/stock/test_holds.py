"""Promises under contention, on real connections."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.hub.models import Outgoing
from shop.order import lifecycle
from shop.order.models import Order, Status
from shop.order.place import place
from shop.stock import holds
from shop.stock.holds import OutOfStock
from shop.stock.models import Hold, Pool
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], object], threads: int | None = None) -> list[object]:
    """Run all calls from a common start; returns each one's result or exception."""
    gate = threading.Event()

    def run(call: Callable[[], object]) -> object:
        gate.wait(10)
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=threads or len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
        gate.set()
        return [future.result() for future in futures]


def attempt(wanted: dict[str, int]) -> Callable[[], object]:
    return lambda: place(factories.draft(wanted))


def balances_hold(sku: str) -> None:
    pool = Pool.objects.get(sku=sku)
    held = sum(Hold.objects.filter(pool=pool).values_list("open", flat=True))
    assert pool.reserved == held
    assert pool.on_hand == sum(pool.movements.values_list("quantity", flat=True))


def test_32_connections_400_attempts_on_100_pieces_sell_exactly_100() -> None:
    factories.china()
    factories.stock("HOT", SZ=100)
    results = at_once(*[attempt({"HOT": 1})] * 400, threads=32)
    sold = [r for r in results if isinstance(r, Order)]
    refused = [r for r in results if isinstance(r, OutOfStock)]
    assert (len(sold), len(refused)) == (100, 300)
    assert Order.objects.count() == 100
    assert Pool.objects.get(sku="HOT").reserved == 100
    balances_hold("HOT")


@pytest.mark.parametrize("seed", range(20))
def test_two_sku_baskets_in_opposite_order_do_not_deadlock(seed: int) -> None:
    factories.china()
    factories.stock("A", SZ=30)
    factories.stock("B", SZ=30)
    dice = random.Random(seed)
    baskets = [dict(dice.sample([("A", 1), ("B", 1)], 2)) for _ in range(24)]
    results = at_once(*[attempt(basket) for basket in baskets], threads=12)
    assert [r for r in results if not isinstance(r, Order)] == []
    assert {p.sku: p.reserved for p in Pool.objects.all()} == {"A": 24, "B": 24}


def test_a_basket_takes_all_or_nothing() -> None:
    factories.china()
    factories.stock("A", SZ=5)
    factories.stock("B", SZ=1)
    with pytest.raises(OutOfStock) as refusal:
        place(factories.draft({"A": 2, "B": 2}))
    assert refusal.value.short == {"B": 1}
    assert not Order.objects.exists()
    assert Pool.objects.get(sku="A").reserved == 0


def test_a_promise_that_fails_leaves_no_hold_even_where_its_caller_goes_on() -> None:
    factories.stock("A", SZ=5)
    line = factories.order({"A": 3}).lines.get()
    with transaction.atomic(), suppress(OutOfStock):
        holds.promise([line], deadline=None)
    assert (Hold.objects.count(), Pool.objects.get().reserved) == (1, 3)


def test_an_unknown_sku_is_out_of_stock() -> None:
    factories.china()
    with pytest.raises(OutOfStock) as refusal:
        place(factories.draft({"NOBODY": 1}))
    assert refusal.value.short == {"NOBODY": 0}


@pytest.mark.parametrize("seed", range(12))
def test_cancel_expire_and_pay_racing_lose_no_piece(seed: int) -> None:
    factories.stock("CHAIR-1", SZ=10)
    number = factories.order({"CHAIR-1": 3}).number
    overdue = timezone.now()
    Order.objects.filter(number=number).update(payment_deadline=overdue)
    calls: list[Callable[[], object]] = [
        lambda: lifecycle.cancel(number, actor="test"),
        lambda: lifecycle.cancel(number, actor="test"),
        lambda: lifecycle.expire_overdue(),
        lambda: lifecycle.expire_overdue(),
        lambda: lifecycle.confirm_payment(number, actor="test"),
        lambda: lifecycle.confirm_payment(number, actor="test"),
    ]
    random.Random(seed).shuffle(calls)
    results = at_once(*calls)
    assert [r for r in results if isinstance(r, Exception) and not isinstance(r, lifecycle.IllegalMove)] == []
    status = Order.objects.get(number=number).status
    assert status in (Status.PAID, Status.CANCELLED, Status.EXPIRED)
    assert Pool.objects.get(sku="CHAIR-1").reserved == (3 if status == Status.PAID else 0)
    balances_hold("CHAIR-1")


def test_payment_after_expiry_promises_anew_or_becomes_a_refund_task() -> None:
    factories.stock("CHAIR-1", SZ=1)
    first = factories.order({"CHAIR-1": 1})
    Order.objects.filter(pk=first.pk).update(payment_deadline=timezone.now())
    assert lifecycle.expire_overdue() == 1
    second = factories.order({"CHAIR-1": 1})
    first = lifecycle.confirm_payment(first.number, actor="test", reference="late")
    assert (first.status, first.needs_refund, first.paid_at is not None) == (Status.EXPIRED, True, True)
    assert not Outgoing.objects.filter(topic="erp.order", key=first.number).exists()
    lifecycle.cancel(second.number, actor="test")
    first = lifecycle.confirm_payment(first.number, actor="test")
    assert (first.status, first.needs_refund) == (Status.PAID, False)
    balances_hold("CHAIR-1")
