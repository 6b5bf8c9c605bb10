"""The thread: a buyer's order, a real Tryton's sales order, and the stock figure back."""

from __future__ import annotations

import pytest

from erp import feedback
from erp.accounts import connect
from erp.local import clerk
from erp.local.provision import API_USER, SHIPPING_SKU, WEB_SHOP
from erp.local.tryton_server import DATABASE, TrytonServer
from integrations.hub import accounts
from integrations.hub.models import Account, AccountState, Outgoing
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from shop.order import lifecycle
from shop.order.models import Order, Status
from shop.stock.models import Pool, Reading
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.tryton, pytest.mark.xdist_group("tryton")]

SKU = "LT-DESK-01"


@pytest.fixture
def erp(tryton: TrytonServer, settings: object) -> Account:
    """The shop connected to the real Tryton: account active, two warehouses its own, first reading applied."""
    settings.WEFT_PRIVATE_HOSTS = frozenset({tryton.url.removeprefix("http://")})  # type: ignore[attr-defined]
    factories.china()
    factories.warehouse("SZ", priority=1)
    factories.warehouse("HZ", priority=2)
    factories.stock(SKU, SZ=1, HZ=1)
    passwords = tryton.home.passwords()
    account = connect(
        "tryton",
        "Tryton",
        {
            "url": tryton.url,
            "database": DATABASE,
            "web_shop": WEB_SHOP,
            "user": API_USER,
            "key": passwords.weft_key,
            "password": passwords.weft,
            "shipping_sku": SHIPPING_SKU,
        },
        warehouses=("SZ", "HZ"),
    )
    assert account.state == AccountState.STARTING
    assert accounts.check(account), Account.objects.get(pk=account.pk).problem
    account.refresh_from_db()
    assert account.state == AccountState.ACTIVE
    assert feedback.poll(account) is not None
    return account


def paid_order(quantity: int) -> Order:
    order = factories.order({SKU: quantity}, unit="199.00")
    lifecycle.confirm_payment(order.number, actor="test")
    return order


def send(account: Account) -> Outgoing:
    drains.drain(Lane.ORDERS)
    drains.drain(Lane.ORDERS)
    return Outgoing.objects.filter(account=account, topic="erp.order").latest("id")


def test_an_order_reaches_the_erp_and_its_shipment_comes_back(erp: Account, tryton: TrytonServer) -> None:
    before = Pool.objects.get(sku=SKU)
    assert before.on_hand > 2, "the first reading replaced the opening levels"
    order = paid_order(2)
    row = send(erp)
    assert (row.key, row.delivered, row.last_error, row.parked_reason) == (order.number, row.wanted, "", "")
    assert row.refs and row.refs[0]["number"]

    polled = feedback.poll(erp)
    assert polled is not None and polled.levels is not None and polled.levels.refused == 0
    assert Reading.objects.latest("id").started_at > row.delivered_at
    pool = Pool.objects.get(sku=SKU)
    assert pool.free == before.free - 2, "our own sale is subtracted once"
    assert pool.on_hand == before.on_hand

    parcels = clerk.ship(tryton.url, DATABASE, tryton.home.passwords().clerk, order.number)
    assert sum(sum(parcel.goods.values()) for parcel in parcels) == 2
    polled = feedback.poll(erp)
    assert polled is not None and polled.shipments == len(parcels)
    feedback.poll(erp)
    order.refresh_from_db()
    pool = Pool.objects.get(sku=SKU)
    assert order.status == Status.SHIPPED
    assert (pool.on_hand, pool.reserved, pool.shortage) == (before.on_hand - 2, before.reserved, 0)


def test_a_cancelled_order_is_cancelled_there_and_its_goods_are_free_again(erp: Account) -> None:
    before = Pool.objects.get(sku=SKU).free
    order = paid_order(1)
    send(erp)
    assert lifecycle.cancel(order.number, actor="test").status == Status.CANCELLING
    assert Pool.objects.get(sku=SKU).free == before - 1, "held until the ERP has answered"
    row = send(erp)
    assert row.delivered == row.wanted == 2, row.last_error
    order.refresh_from_db()
    assert order.status == Status.CANCELLED
    assert Pool.objects.get(sku=SKU).free == before


def test_an_order_never_sent_is_cancelled_at_once_and_the_erp_never_hears_of_it(erp: Account) -> None:
    before = Pool.objects.get(sku=SKU).free
    order = paid_order(1)
    assert lifecycle.cancel(order.number, actor="test").status == Status.CANCELLED
    assert Pool.objects.get(sku=SKU).free == before
    row = send(erp)
    assert row.delivered == row.wanted
    assert row.refs == [] and not row.attempts.exists()
