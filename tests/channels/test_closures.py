"""Warehouses that do not sell for one channel, or not for the own shop: what lies elsewhere sells on."""

from __future__ import annotations

import pytest

from integrations.sandbox.market import Site
from shop.channels import orders
from shop.fulfilment import filling
from shop.order.models import Order, PaymentMethod
from shop.stock.holds import OutOfStock
from shop.stock.models import Channel, Closure
from shop.stock.movements import Move, Reason, record
from tests import factories
from tests.channels.conftest import settle, share

pytestmark = pytest.mark.django_db


def close(code: str, channel: Channel | None = None) -> None:
    Closure.objects.create(warehouse=factories.warehouse(code), channel=channel)


def test_the_own_shop_sells_what_lies_in_open_warehouses_only() -> None:
    factories.stock(SZ=3, HZ=4)
    close("SZ")
    factories.order({"CHAIR-1": 4})
    with pytest.raises(OutOfStock):
        factories.order()
    Closure.objects.all().delete()
    factories.order({"CHAIR-1": 3})


def test_open_holds_count_against_open_warehouses() -> None:
    """What is promised may leave from any of them, so the closed one's stock never makes up for it."""
    factories.stock(SZ=3, HZ=4)
    factories.order({"CHAIR-1": 2})
    close("SZ")
    with pytest.raises(OutOfStock):
        factories.order({"CHAIR-1": 3})
    factories.order({"CHAIR-1": 2})


def test_what_is_short_in_a_closed_warehouse_closes_nothing_else() -> None:
    owner = factories.account("erp")
    factories.warehouse("HZ", erp_account=owner)
    factories.stock(SZ=5)
    record([Move("CHAIR-1", factories.warehouse("HZ").pk, -2, Reason.ADJUSTMENT)])
    close("HZ")
    factories.order({"CHAIR-1": 3})
    with pytest.raises(OutOfStock):
        factories.order()


def test_a_channel_is_given_what_lies_in_open_warehouses_only(channel: Channel, site: Site) -> None:
    factories.china()
    factories.stock(SZ=2, HZ=20)
    close("HZ", channel)
    share(channel)
    settle(channel)
    assert site.market.figures == {"CHAIR-1": 2}
    factories.order({"CHAIR-1": 20})


def test_orders_leave_from_warehouses_that_are_open_for_their_channel(channel: Channel, site: Site) -> None:
    factories.china()
    factories.stock(SZ=9, HZ=9)
    close("HZ", channel)
    share(channel)
    settle(channel)
    site.market.buy("CHAIR-1")
    orders.poll(channel)
    assert Order.objects.get().lines.get().sourcings.get().warehouse.code == "SZ"
    ours = factories.order(payment_method=PaymentMethod.ON_ACCOUNT)
    assert ours.lines.get().sourcings.get().warehouse.code == "HZ"


def test_who_waits_is_given_what_lies_in_open_warehouses_only() -> None:
    factories.china()
    factories.product()
    factories.presale("CHAIR-1", 5)
    factories.order({"CHAIR-1": 5})
    factories.warehouse("HZ")
    close("HZ")
    factories.stock(HZ=5)
    assert filling.fill_waiting() == 0, "the own shop does not sell from there"
    factories.stock(SZ=2)
    assert filling.fill_waiting() == 2
    with pytest.raises(OutOfStock) as gone:
        factories.order()
    assert gone.value.short == {"CHAIR-1": 0}
