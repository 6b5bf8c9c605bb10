"""Channels beside kits, which share parts with what they sell, and beside who waits for goods."""

from __future__ import annotations

import pytest

from integrations.sandbox.market import Market, Site
from shop import invariants
from shop.channels import orders
from shop.fulfilment import filling
from shop.order import kits
from shop.order.models import Order
from shop.stock.models import Channel, Pool, Share, Shortage, Waiting
from tests import factories
from tests.channels.conftest import settle, share, state

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _country() -> None:
    factories.china()


def sound() -> None:
    for invariant in invariants.registered():
        assert invariants.broken(invariant) == []


def sells(market: Market, sku: str, figure: int) -> None:
    """Staff of the market type in a figure by themselves, and somebody buys."""
    market.figures[sku] = figure
    assert market.buy(sku)


def test_a_kit_sold_on_a_channel_leaves_what_it_may_sell_of_the_parts(channel: Channel, site: Site) -> None:
    """The figure of the part stands as it stood: all of it can still be sold."""
    factories.product("CHAIR-1")
    factories.stock("CHAIR-1", SZ=10)
    factories.kit("SET", {"CHAIR-1": 2}, price="150.00")
    share(channel)
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 5}
    sells(site.market, "SET", 1)
    orders.poll(channel)
    order = Order.objects.get()
    assert [(thing.sku, thing.quantity) for thing in kits.bought(kits.awaiting(order.lines.all()))] == [("SET", 1)]
    assert state() == (10, 2, 5, 0)
    while site.market.buy("CHAIR-1"):
        continue
    orders.poll(channel)
    assert state() == (10, 7, 0, 0)
    assert not Shortage.objects.exists()
    sound()


def test_a_kit_and_its_part_in_one_order_of_a_channel(channel: Channel, site: Site) -> None:
    factories.product("CHAIR-1")
    factories.stock("CHAIR-1", SZ=10)
    factories.kit("SET", {"CHAIR-1": 2}, price="150.00")
    share(channel)
    settle(channel)
    sale = site.market.buy("CHAIR-1")
    assert sale
    sale.lines.append({"sku": "SET", "title": "SET", "quantity": 1, "price": "150.00"})
    orders.poll(channel)
    assert state() == (10, 3, 4, 0), "one of the three came out of its figure"
    sound()


def test_what_somebody_waits_for_is_given_to_no_channel(channel: Channel, site: Site) -> None:
    factories.product("CHAIR-1")
    factories.stock("CHAIR-1", SZ=2)
    factories.presale("CHAIR-1", 6)
    share(channel, mode="guaranteed")
    factories.order({"CHAIR-1": 6})
    factories.stock("CHAIR-1", SZ=2)
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 0}, "4 are there, 6 are waited for"
    factories.stock("CHAIR-1", SZ=10)
    settle(channel)
    assert Share.objects.get().escrow == (14 - 6) // 2
    assert filling.fill_waiting() == 6
    assert Waiting.objects.get().open == 0
    assert Pool.objects.get().reserved == 6
    sound()


def test_shared_mode_is_not_told_of_what_somebody_waits_for(channel: Channel, site: Site) -> None:
    factories.product("CHAIR-1")
    factories.stock("CHAIR-1", SZ=2)
    factories.presale("CHAIR-1", 6)
    share(channel, mode="shared")
    factories.order({"CHAIR-1": 6})
    factories.stock("CHAIR-1", SZ=7)
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 3}
    sound()
