"""A worker is killed at named points of pay, notify and refund, against the practice gateways; then others go on.

Afterwards everything comes right by itself, and the gateway's own book shows each effect once.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from integrations.hub.incoming import heeding
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from shop import invariants
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.payments import flow, refunds, starting, tasks
from shop.payments.models import Attempt, RefundPart
from shop.payments.news import TradeNews
from shop.payments.topics import RefundTopic
from tests import factories
from tests.hub.conftest import Worker
from tests.payments.practice import account, deliver, here, hurry, letterbox, quiesce, tells_of_the_payer, there
from tests.sandbox.payments.conftest import Gateways, keys

__all__ = ["keys"]
pytestmark = pytest.mark.django_db(transaction=True)

METHODS = {"alipay": "qr", "wechatpay": "native"}
Point = tuple[Any, str, bool]  # a function, and whether it is carried out before the kill


def ask(lane: int) -> int:
    return tasks.look()


# what works · where it is killed
PAY: dict[str, Point] = {
    "after the provider took it, before we wrote": (flow, "settle", False),
    "between the money and the order": (flow, "advance", False),
    "in the advance": (lifecycle, "pay", True),
}
NOTIFY: dict[str, Point] = {
    "after the receipt, before the look": (TradeNews, "look", False),
    "before it is settled": (TradeNews, "settle", False),
    "in settle": (TradeNews, "settle", True),
}
REFUND: dict[str, Point] = {
    "after the reservation": (RefundTopic, "send", False),
    "after the provider did it": (RefundTopic, "send", True),
    "before it is booked": (refunds, "settle_part", False),
}


@pytest.fixture
def gateways(keys: Path, tmp_path: Path, settings: Any) -> Iterator[Gateways]:
    shutil.copytree(keys, tmp_path / "keys")
    started = Gateways(tmp_path / "keys")
    started.ask("notices", {"hold": True})
    settings.WEFT_PRIVATE_HOSTS = frozenset({f"127.0.0.1:{started.port}"})
    with letterbox() as box:
        settings.WEFT_SHOP_URL = box.url
        started.box = box  # type: ignore[attr-defined]
        yield started
    started.stop()


@pytest.fixture(params=METHODS)
def attempt(gateways: Gateways, request: pytest.FixtureRequest) -> Attempt:
    """A payment that the buyer has made, and of which we do not know."""
    factories.china()
    factories.product()
    factories.stock(SZ=3)
    order = factories.order(payment_method=PaymentMethod.ONLINE)
    made = starting.begin(order, account(gateways, request.param), METHODS[request.param])
    gateways.pay(request.param, made.number)
    return Attempt.objects.select_related("account", "order").get(pk=made.pk)


def killed(point: Point, task: Callable[[int], int]) -> None:
    """A worker works, and dies exactly there."""
    hurry()
    connection.close()
    worker = Worker(Lane.MONEY, task=_until(point, task))
    assert worker.ended() == -signal.SIGKILL, "it came to the point"


def _until(point: Point, task: Callable[[int], int]) -> Callable[[int], int]:
    place, name, is_done = point

    def work(lane: int) -> int:
        right = getattr(place, name)

        def die(*given: Any, **more: Any) -> None:
            if is_done:
                right(*given, **more)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(place, name, die)  # in the process that dies
        return task(lane)

    return work


def comes_right(gateways: Gateways, attempt: Attempt, refunded: str = "0") -> None:
    for _ in range(2):
        quiesce([attempt.account])
        gateways.ask("clock", {"add": 3})  # WeChat Pay's refunds take two seconds
    books = there(gateways, attempt)
    assert here(attempt) == books
    assert (books.captured, books.refunded, books.pending) == (Decimal(113), Decimal(refunded), 0)
    assert len(books.refunds) == RefundPart.objects.count()
    order = Order.objects.get(pk=attempt.order_id)
    assert (
        order.status == Status.PAID
        and order.status_changes.filter(new_status="paid").exclude(old_status="paid").count() == 1
    )
    assert {one.id: found for one in invariants.registered() if (found := invariants.broken(one))} == {}
    assert tells_of_the_payer() == []


@pytest.mark.parametrize("point", PAY)
def test_while_it_asks(gateways: Gateways, attempt: Attempt, point: str) -> None:
    killed(PAY[point], ask)
    comes_right(gateways, attempt)


@pytest.mark.parametrize("point", NOTIFY)
def test_while_it_heeds_a_notice(gateways: Gateways, attempt: Attempt, point: str) -> None:
    (notice,) = gateways.notices()
    gateways.ask("notices", {"release": [notice["name"]]})
    assert deliver(gateways.box.take()) in (200, 204)  # type: ignore[attr-defined]
    killed(NOTIFY[point], heeding.hear)
    comes_right(gateways, attempt)


@pytest.mark.parametrize("point", REFUND)
def test_while_it_gives_back(gateways: Gateways, attempt: Attempt, point: str) -> None:
    quiesce([attempt.account])
    with lifecycle.locked(attempt.order.number) as order:
        refunds.request(order, Decimal("13.00"), actor="staff:li", reason="刮花了")
    killed(REFUND[point], drains.drain)
    comes_right(gateways, attempt, "13")
