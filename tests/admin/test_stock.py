from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shop.stock.models import Level, Movement, Pool, Reason, Warehouse
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action

pytestmark = pytest.mark.django_db
BOARD = "admin:stock_pool_changelist"


@pytest.fixture
def pool() -> Pool:
    factories.product("CHAIR-1")
    return factories.stock("CHAIR-1", SZ=10, HZ=3)


def do(client: Client, name: str, pool: Pool, code: str = "SZ", **data: Any) -> Any:
    form = {"warehouse": factories.warehouse(code).pk, "note": "pallet 7", **data}
    return client.post(action("stock_pool", name, pool.sku), form)


def on_hand(code: str = "SZ") -> int:
    return Level.objects.get(pool="CHAIR-1", warehouse__code=code).on_hand


def test_the_board_finds_by_sku_and_title_and_shows_places(login: Login, pool: Pool) -> None:
    factories.stock("DESK-1", SZ=1)
    client = login("warehouse")
    for words in ("chair", "oak"):
        page = client.get(reverse(BOARD), {"q": words}).content.decode()
        assert "Oak chair" in page
        assert "DESK-1" not in page
    assert "HZ 3 · SZ 10" in client.get(reverse(BOARD)).content.decode()


def test_the_shortage_filter(login: Login, pool: Pool) -> None:
    factories.order({"CHAIR-1": 13})
    factories.stock("DESK-1", SZ=1)
    do(login("warehouse"), "damage", pool, quantity=4)
    page = login("warehouse").get(reverse(BOARD), {"short": "yes"}).content.decode()
    assert "CHAIR-1" in page
    assert "DESK-1" not in page


def test_the_page_shows_levels_holds_movements(login: Login, pool: Pool) -> None:
    order = factories.order({"CHAIR-1": 2})
    address = reverse("admin:stock_pool_change", args=["CHAIR-1"])
    page = login("warehouse").get(address).content.decode()
    assert reverse("admin:order_order_by_number", args=[order.number]) in page
    assert "opening stock" in page


def test_receiving(login: Login, pool: Pool) -> None:
    assert do(login("warehouse"), "receive", pool, quantity=5).status_code == 302
    move = Movement.objects.get(reason=Reason.RECEIPT)
    assert (move.quantity, move.actor, move.note) == (5, "staff:warehouse@weft.test", "pallet 7")
    assert on_hand() == 15


def test_receiving_the_first_goods_of_a_sku(login: Login) -> None:
    factories.product("LAMP-1")
    client = login("warehouse")
    address = reverse("admin:stock_pool_receive_sku")
    form = {"warehouse": factories.warehouse("SZ").pk, "quantity": 4, "note": "first"}
    assert "No product has this SKU" in client.post(address, {**form, "sku": "LAMP-2"}).content.decode()
    assert client.post(address, {**form, "sku": "lamp-1"}).status_code == 302
    assert Pool.objects.get().sku == "LAMP-1"
    assert Pool.objects.get().on_hand == 4


def test_counting(login: Login, pool: Pool) -> None:
    assert do(login("warehouse"), "count", pool, quantity=7).status_code == 302
    assert on_hand() == 7
    assert do(login("warehouse"), "count", pool, quantity=7).status_code == 302
    assert Movement.objects.filter(reason=Reason.COUNT).count() == 1


def test_damage_that_takes_promised_goods_opens_a_shortage(login: Login, pool: Pool) -> None:
    order = factories.order({"CHAIR-1": 12})
    assert do(login("warehouse"), "damage", pool, quantity=3).status_code == 302
    shortage = pool.shortages.get()
    assert (shortage.quantity, shortage.orders) == (2, [order.number])


def test_below_zero_is_refused_in_words(login: Login, pool: Pool) -> None:
    answer = do(login("warehouse"), "damage", pool, quantity=11)
    assert answer.status_code == 200
    assert "Fewer than 0 would be on hand at SZ" in answer.content.decode()
    assert on_hand() == 10


@pytest.mark.parametrize("name", ["receive", "count", "damage"])
def test_an_erps_figures_are_refused_in_words(login: Login, pool: Pool, name: str) -> None:
    Warehouse.objects.filter(code="HZ").update(erp_account=factories.account(name="Tryton"))
    answer = do(login("warehouse"), name, pool, code="HZ", quantity=3)
    assert answer.status_code == 200
    assert "Tryton owns the figures of HZ" in answer.content.decode()
    assert on_hand("HZ") == 3


def save(client: Client, place: Warehouse, **data: Any) -> Any:
    form = {"name": place.name, "priority": place.priority, "erp_account": "", **data}
    return client.post(reverse("admin:stock_warehouse_change", args=[place.pk]), form)


def test_a_warehouse_with_stock_keeps_its_owner_and_use(login: Login, pool: Pool) -> None:
    place = factories.warehouse("SZ")
    client = login("warehouse")
    assert save(client, place, name="Shenzhen", priority=3, is_sellable="on").status_code == 302
    for change in ({}, {"is_sellable": "on", "erp_account": factories.account(name="Tryton").pk}):
        assert "This warehouse has stock" in save(client, place, **change).content.decode()
    place.refresh_from_db()
    assert (place.name, place.priority, place.is_sellable, place.erp_account) == ("Shenzhen", 3, True, None)


def test_an_empty_warehouse_may_change(login: Login) -> None:
    place = factories.warehouse("NEW")
    assert save(login("warehouse"), place).status_code == 302
    place.refresh_from_db()
    assert place.is_sellable is False
