"""Weft against the practice market, over HTTP: what it may sell is set aside, whatever happens on the way."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from integrations.hub.models import Cursor, Outgoing
from integrations.sandbox.market import Site
from shop import invariants
from shop.channels import orders, tasks
from shop.fulfilment import shipping
from shop.order import lifecycle
from shop.order.models import Order, Status
from shop.stock.models import Channel, Mode, Reason, Share, Shortage
from shop.stock.movements import Move, record
from tests import factories
from tests.channels.conftest import made, send, settle, share, state, turn, wait

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _country() -> None:
    factories.china()


def whole() -> None:
    """Everything adds up."""
    for each in ("I1", "I2"):
        found = invariants.broken(next(i for i in invariants.registered() if i.id == each))
        assert not found, found


def test_a_new_channel_is_told_0_first_and_then_its_share(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    tasks.rebalance()
    send(channel)
    assert site.market.figures == {"CHAIR-1": 0}, "what it showed before is not known"
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 5}
    assert state() == (10, 0, 5, 0)
    whole()


def test_a_sale_moves_one_unit_from_escrow_to_a_hold(channel: Channel, site: Site) -> None:
    factories.product()
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    site.market.buy("CHAIR-1")
    orders.poll(channel)
    assert state() == (10, 1, 4, 0)
    order = Order.objects.get()
    assert (order.status, order.source_account, order.external_number) == (Status.PAID, channel.source, "M-000001")
    assert order.paid_at is not None
    assert order.lines.get().sourcings.get().quantity == 1
    orders.poll(channel)
    assert Order.objects.count() == 1
    whole()


def test_what_is_set_aside_cannot_be_bought_in_the_shop(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    for _ in range(5):
        factories.order()
    with pytest.raises(Exception, match="0 left"):
        factories.order()
    while site.market.buy("CHAIR-1"):
        pass
    orders.poll(channel)
    assert state() == (10, 10, 0, 0)
    assert Order.objects.count() == 10
    assert not Shortage.objects.exists()


@pytest.mark.parametrize("fault", ["lose", "drop_answers", "repeat"])
def test_a_figure_that_was_perhaps_shown_stays_set_aside_until_that_is_known(
    channel: Channel, site: Site, fault: str
) -> None:
    factories.stock(SZ=10)
    share(channel)
    turn(channel)  # 0
    wait(3)
    turn(channel)  # drained, and 5 planned for the next turn
    assert Share.objects.get().is_drained
    site.faults[fault] = 1
    tasks.rebalance()
    send(channel)
    assert state()[2] == 5
    for _ in range(3):
        site.market.buy("CHAIR-1")
    sold = len(site.market.sales)
    assert sold == (0 if fault == "lose" else 3)
    wait(30)
    turn(channel)
    assert state() == (10, sold, 5 - sold, 0), "nothing more is set aside for what is sent again"
    whole()
    wait(120)
    settle(channel)
    assert site.market.figures["CHAIR-1"] + sold + Share.objects.get().sold_since <= 10
    assert site.market.figures["CHAIR-1"] == Share.objects.get().escrow > 0
    whole()


def test_a_figure_that_arrives_late_was_set_aside(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    turn(channel)
    wait(3)
    turn(channel)
    site.faults["delay"], site.late = 1, 0.3
    tasks.rebalance()
    send(channel)
    assert (site.market.figures, state()[2]) == ({"CHAIR-1": 0}, 5), "set aside, and not there yet"
    arrived = time.monotonic() + 10
    while not site.market.figures["CHAIR-1"] and time.monotonic() < arrived:
        time.sleep(0.02)
    for _ in range(5):
        assert site.market.buy("CHAIR-1")
    turn(channel)
    assert state() == (10, 5, 0, 0)
    wait(120)
    settle(channel)
    whole()


def test_orders_told_in_any_order_are_each_taken_once(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    for _ in range(4):
        site.market.buy("CHAIR-1")
    site.market.cancel("M-000002")
    site.faults["shuffle"] = 3
    for _ in range(3):
        orders.poll(channel)
    assert Order.objects.filter(status=Status.PAID).count() == 3
    assert Order.objects.count() == 4
    assert state() == (10, 3, 1, 0)
    whole()


def test_orders_told_late_are_never_topped_up(channel: Channel, site: Site) -> None:
    """The market sells all it has and tells nothing: it is sent no unit more, and the shop sells the others only."""
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    while site.market.buy("CHAIR-1"):
        pass
    site.faults["hide_orders"] = 3
    for _ in range(3):
        wait(60)
        turn(channel)
    assert Cursor.objects.get(account=channel.account, name="orders").problem
    assert state() == (10, 0, 5, 0)
    assert site.market.figures["CHAIR-1"] == 0
    wait(60)
    settle(channel)
    assert state()[1] == 5
    whole()


def test_a_cancelled_sale_is_free_again(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    sale = site.market.buy("CHAIR-1")
    assert sale
    orders.poll(channel)
    site.market.cancel(sale.number)
    orders.poll(channel)
    order = Order.objects.get()
    assert order.status == Status.CANCELLED
    assert not order.needs_refund, "the market gives the money back"
    assert state()[1] == 0
    orders.poll(channel)
    whole()


def test_a_sale_taken_and_cancelled_between_two_polls(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    sale = site.market.buy("CHAIR-1")
    assert sale
    site.market.cancel(sale.number)
    orders.poll(channel)
    assert Order.objects.get().status == Status.CANCELLED
    assert state()[1] == 0


def test_a_sale_of_a_sku_nobody_knows_is_kept_and_is_short(channel: Channel, site: Site) -> None:
    site.market.show({"GHOST": 1})
    site.market.buy("GHOST")
    orders.poll(channel)
    assert Order.objects.get().lines.get().partner_sku == "GHOST"
    assert Shortage.objects.get().cause == "channel"
    whole()


def test_shared_mode_shows_what_is_free_less_the_buffer(site: Site) -> None:
    channel = made(site, mode=Mode.SHARED, buffer=2)
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 8}
    assert state() == (10, 0, 0, 0)
    factories.order({"CHAIR-1": 3})
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 5}


def test_from_shared_to_guaranteed_by_way_of_0(site: Site) -> None:
    channel = made(site, mode=Mode.SHARED)
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    Channel.objects.update(mode=Mode.GUARANTEED)
    tasks.rebalance()
    send(channel)
    assert site.market.figures == {"CHAIR-1": 0}
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 5}
    Channel.objects.update(mode=Mode.SHARED)
    tasks.rebalance()
    send(channel)
    assert site.market.figures == {"CHAIR-1": 0}
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 10}
    assert state() == (10, 0, 0, 0)


def test_a_shortage_tells_channels_0_at_once(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    factories.order({"CHAIR-1": 5})
    record([Move("CHAIR-1", factories.warehouse().pk, -2, Reason.DAMAGE)])
    assert state() == (8, 5, 5, 2)
    tasks.rebalance()
    send(channel)
    assert site.market.figures == {"CHAIR-1": 0}
    settle(channel)
    assert state()[3] == 0
    assert not Shortage.objects.filter(closed_at=None).exists()
    whole()


def test_lost_keys_are_said(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    site.key = "another"
    turn(channel)
    assert "refuses this key" in Outgoing.objects.get().last_error
    channel.account.refresh_from_db()
    assert "refuses this key" in channel.account.problem


def test_an_order_cancelled_after_it_was_shipped_needs_a_return(channel: Channel, site: Site, client: Client) -> None:
    factories.stock(SZ=10)
    share(channel)
    settle(channel)
    sale = site.market.buy("CHAIR-1")
    assert sale
    orders.poll(channel)
    order = Order.objects.get()
    shipping.ship(order.number, warehouse=factories.warehouse(), actor="test")
    site.market.cancel(sale.number)
    orders.poll(channel)
    order.refresh_from_db()
    assert (order.status, order.needs_return) == (Status.SHIPPED, True)
    with pytest.raises(lifecycle.IllegalMove):
        lifecycle.cancel(order.number, actor="test")
