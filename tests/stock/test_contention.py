"""Sixteen at once for fifty pieces, twenty times: exactly what is there is sold, and no two wait for each other."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from shop import invariants
from shop.customer.models import User
from shop.order.models import Order, PaymentMethod
from shop.order.place import place
from shop.stock import holds
from shop.stock.holds import OutOfStock
from shop.stock.models import Hold, Pool
from tests import crowds, factories
from tests.stock import planted, world
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

THREADS, BUYS, PIECES, SEEDS = 16, 25, 50, 20
SKUS = ("A", "B", "C")


@dataclass(frozen=True)
class Wanted:
    """What a promise needs to know of a line."""

    pk: int
    partner_sku: str
    quantity: int


@contextmanager
def sampled(wrong: list[str]) -> Iterator[None]:
    """Looks every 10 ms whether any pool has promised more than is there."""
    over = threading.Event()

    def look() -> None:
        with connection.cursor() as cursor:
            while not over.wait(0.01):
                cursor.execute("SELECT sku FROM stock_pool WHERE reserved + escrow > on_hand OR shortage > 0")
                wrong.extend(row[0] for row in cursor.fetchall())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def buyer(number: int, buys: int, skus: tuple[str, ...], user: int) -> int:
    """Buys one of each, every other buyer the other way round; returns how often it got them."""
    got = 0
    wanted = dict.fromkeys(skus if number % 2 else reversed(skus), 1)
    for _ in range(buys):
        try:
            place(factories.draft(wanted, payment_method=PaymentMethod.ON_ACCOUNT, user_id=user, email=""))
            got += 1
        except OutOfStock:
            continue
    return got


def rush(skus: tuple[str, ...], *, threads: int = THREADS, buys: int = BUYS) -> tuple[int, list[Exception]]:
    """All buyers at once: how many baskets were sold, and what else happened to them."""
    user = User.objects.create(email=f"crowd-{time.monotonic_ns()}@example.test").pk
    results = at_once(lambda number: buyer(number, buys, skus, user), threads)
    return sum(r for r in results if isinstance(r, int)), [r for r in results if isinstance(r, Exception)]


def test_exactly_what_is_there_is_sold() -> None:
    """Whole orders: one SKU, and baskets of three of which every other buyer takes the other end first."""
    factories.china()
    for skus in (SKUS[:1], SKUS):
        for sku in skus:
            factories.stock(f"{sku}{len(skus)}", SZ=PIECES)
        wrong: list[str] = []
        with sampled(wrong):
            sold, failed = rush(tuple(f"{sku}{len(skus)}" for sku in skus))
        assert (sold, failed, wrong) == (PIECES, [], [])
    for pool in Pool.objects.all():
        assert (pool.on_hand, pool.reserved, pool.shortage) == (PIECES, PIECES, 0)
    assert Order.objects.count() == 2 * PIECES
    assert [row for each in (invariants.I1, invariants.I2) for row in invariants.broken(each)] == []


def promised(skus: list[str], buys: int = BUYS) -> tuple[int, list[Exception]]:
    """The promise by itself, for lines that are written already: many more at the same moment. As `rush`."""
    for sku in skus:
        factories.stock(sku, SZ=PIECES)
    lines = {sku: crowds.orders(1, sku, prefix=sku)[0].pk for sku in skus}

    def buy(number: int) -> int:
        dice, got = random.Random(number), 0
        for _ in range(buys):
            wanted = [Wanted(pk, sku, 1) for sku, pk in dice.sample(sorted(lines.items()), len(lines))]
            try:
                with transaction.atomic():
                    holds.promise(wanted, deadline=None)
                got += 1
            except OutOfStock:
                continue
        return got

    results = at_once(buy, THREADS)
    return sum(r for r in results if isinstance(r, int)), [r for r in results if isinstance(r, Exception)]


def test_twenty_times_over() -> None:
    for seed in range(SEEDS):
        skus = [f"{sku}-{seed}" for sku in SKUS[: 1 + seed % len(SKUS)]]
        wrong: list[str] = []
        with sampled(wrong):
            sold, failed = promised(skus)
        assert (sold, failed, wrong) == (PIECES, [], []), seed
        pools = Pool.objects.filter(sku__in=skus).values_list("on_hand", "reserved", "shortage")
        assert set(pools) == {(PIECES, PIECES, 0)}


def test_with_channels_that_are_given_and_sell_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buyers in the shop, two channels that sell all they are shown, figures sent, orders read: never one too many."""
    made = world.make(monkeypatch, stock={"A": (PIECES, 0)})
    over, something = threading.Event(), threading.Event()

    def channel(place_: int) -> int:
        sold = 0
        while not over.is_set():
            made.rebalance()
            made.send(place_, "answered")
            while made.sell(place_, "A"):
                sold += 1
                something.set()
            made.poll(place_)
        made.poll(place_)
        return sold

    def anyone(number: int) -> int:
        if number < 2:
            return channel(number)
        try:
            assert something.wait(120), "no channel was given anything"
            return buyer(number, BUYS, ("A",), user)
        finally:
            finished.append(number)
            if len(finished) == THREADS:
                over.set()

    finished: list[int] = []
    user = User.objects.create(email="crowd@example.test").pk
    wrong: list[str] = []
    with sampled(wrong):
        results = at_once(anyone, THREADS + 2)
    assert [r for r in results if isinstance(r, Exception)] == []
    pool = Pool.objects.get(sku="A")
    assert made.wrong() == wrong == []
    on_channels = sum(len(shop.sales) for shop in made.shops)
    assert Hold.objects.count() == Order.objects.count() == sum(r for r in results if isinstance(r, int))
    assert on_channels > 0
    assert pool.reserved + pool.escrow <= PIECES


@pytest.mark.parametrize(
    ("mistake", "skus"),
    [(nullcontext, 1), (nullcontext, 3), (planted.unsorted, 3), (planted.looked_at_first, 1)],
)
def test_what_the_crowd_catches(mistake: Callable[[], AbstractContextManager[Any]], skus: int) -> None:
    with mistake():
        sold, failed = promised(list(SKUS[:skus]))
    told = ("deadlock", "lock timeout")  # who waits for another that waits is told so by one or the other
    deadlocks = [one for one in failed if isinstance(one, OperationalError) and any(word in str(one) for word in told)]
    assert len(deadlocks) == len(failed), failed
    is_wrong = bool(deadlocks) or sold > PIECES or Pool.objects.filter(shortage__gt=0).exists()
    assert is_wrong == (mistake is not nullcontext), (sold, failed)
