from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.customer.models import User
from shop.order.models import PaymentMethod
from shop.stock.models import Hold, Level, Movement, Pool, Reason, Warehouse
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
    page = client.get(reverse(BOARD)).content.decode()
    assert "HZ <a" in page
    assert "SZ <a" in page


def test_the_shortage_filter(login: Login, pool: Pool) -> None:
    factories.order({"CHAIR-1": 13})
    factories.stock("DESK-1", SZ=1)
    do(login("warehouse"), "write_off", pool, quantity=4)
    page = login("warehouse").get(reverse(BOARD), {"short": "yes"}).content.decode()
    assert "CHAIR-1" in page
    assert "DESK-1" not in page


def test_the_page_shows_levels_holds_movements(login: Login, pool: Pool) -> None:
    order = factories.order({"CHAIR-1": 2})
    address = reverse("admin:stock_pool_change", args=["CHAIR-1"])
    page = login("warehouse").get(address).content.decode()
    assert reverse("admin:order_order_by_number", args=[order.number]) in page
    assert "opening stock" in page


NUMBERS = re.compile(r'href="(/admin/stock/(?:movement|hold|shortage)/\?[^"]+)">(?:<span[^>]*>)?(-?\d+)')


def busy() -> None:
    """A SKU with everything: two warehouses of ours, one that may not be sold from, holds, parcels, a shortage."""
    factories.warehouse("QC", is_sellable=False)
    factories.stock("DESK-1", SZ=9, HZ=4, QC=5)
    client = Client()
    client.force_login(User.objects.create_superuser("boss@weft.test"))
    for units in (1, 2, 3):
        order = factories.order({"CHAIR-1": units, "DESK-1": 1}, payment_method=PaymentMethod.ON_ACCOUNT)
    client.post(action("order_order", "ship", order.pk), {"warehouse": factories.warehouse("SZ").pk})
    desk = Pool.objects.get(sku="DESK-1")
    assert do(client, "correct", desk, quantity=2, what="missing").status_code == 302
    assert do(client, "write_off", Pool.objects.get(sku="CHAIR-1"), quantity=7).status_code == 302
    assert do(client, "write_off", Pool.objects.get(sku="CHAIR-1"), code="HZ", quantity=2).status_code == 302


def test_each_number_opens_exactly_the_rows_it_is_the_sum_of(login: Login, pool: Pool) -> None:
    """On the board and on the SKU's page: open every link, add up every row, and compare; the list says the sum too."""
    busy()
    assert Pool.objects.get(sku="CHAIR-1").shortage > 0
    client = login("warehouse")
    seen = 0
    for address in (reverse(BOARD), *(reverse("admin:stock_pool_change", args=[sku]) for sku in ("CHAIR-1", "DESK-1"))):
        for link, number in NUMBERS.findall(client.get(address).content.decode()):
            page = client.get(html.unescape(link))
            rows = page.context["cl"].result_list
            field = "open" if "/hold/" in link else "quantity"
            assert sum(getattr(row, field) for row in rows) == int(number), link
            if "/shortage/" not in link:
                assert page.context["weft_sum"] == int(number), link
            seen += 1
    pools = Pool.objects.count()
    assert seen >= 2 * (2 * pools + Level.objects.count()), "on hand, reserved and each warehouse, twice"


def test_the_sum_stands_only_where_one_sku_is_chosen(login: Login, pool: Pool) -> None:
    page = login("warehouse").get(reverse("admin:stock_movement_changelist"))
    assert "weft_sum" not in page.context
    assert "Sum of these rows" not in page.content.decode()


@pytest.mark.parametrize(
    ("what", "units", "reason"),
    [
        ("found", 3, Reason.ADJUSTMENT), ("returned", 3, Reason.RETURNED), ("missing", -3, Reason.ADJUSTMENT),
        ("given", -3, Reason.ADJUSTMENT),
    ],
)  # fmt: skip
def test_correcting_up_and_down_with_a_reason(login: Login, pool: Pool, what: str, units: int, reason: Reason) -> None:
    assert do(login("warehouse"), "correct", pool, quantity=3, what=what).status_code == 302
    move = Movement.objects.latest("pk")
    assert (move.quantity, move.reason, move.note, move.actor) == (
        units, reason, "pallet 7", "staff:warehouse@weft.test",
    )  # fmt: skip
    assert on_hand() == 10 + units


@pytest.mark.parametrize("wrong", [{"note": ""}, {"what": ""}, {"what": "stolen"}, {"quantity": 0}, {"quantity": -1}])
def test_a_correction_needs_all_it_asks_for(login: Login, pool: Pool, wrong: dict[str, Any]) -> None:
    form = {"quantity": 3, "what": "found", **wrong}
    assert do(login("warehouse"), "correct", pool, **form).status_code == 200
    assert on_hand() == 10


def test_overdue_holds_are_those_the_sweep_forgot(login: Login, pool: Pool) -> None:
    order = factories.order({"CHAIR-1": 2})
    address = reverse("admin:stock_hold_changelist") + "?state=overdue"
    assert order.number not in login("warehouse").get(address).content.decode()
    Hold.objects.update(deadline=timezone.now() - timedelta(hours=1))
    assert order.number in login("warehouse").get(address).content.decode()


@pytest.mark.parametrize(
    ("words", "found"), [("chair-1", {"CHAIR-1"}), ("test", {"CHAIR-1", "DESK-1"}), ("parcel:1", set())]
)
def test_movements_are_found_by_sku_and_document(login: Login, pool: Pool, words: str, found: set[str]) -> None:
    factories.stock("DESK-1", SZ=1)  # its document is `test`, as that of the others
    shown = login("warehouse").get(reverse("admin:stock_movement_changelist"), {"q": words}).context["cl"]
    assert {move.pool_id for move in shown.result_list} == found


def test_holds_are_found_by_sku_and_order(login: Login, pool: Pool) -> None:
    factories.stock("DESK-1", SZ=1)
    chair, desk = factories.order({"CHAIR-1": 1}), factories.order({"DESK-1": 1})
    holds = reverse("admin:stock_hold_changelist")
    for words in ("chair-1", chair.number):
        page = login("warehouse").get(holds, {"q": words}).content.decode()
        assert chair.number in page
        assert desk.number not in page


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
    assert do(login("warehouse"), "write_off", pool, quantity=3).status_code == 302
    shortage = pool.shortages.get()
    assert (shortage.quantity, shortage.orders) == (2, [order.number])


def test_below_zero_is_refused_in_words(login: Login, pool: Pool) -> None:
    answer = do(login("warehouse"), "write_off", pool, quantity=11)
    assert answer.status_code == 200
    assert "Fewer than 0 would be on hand at SZ" in answer.content.decode()
    assert on_hand() == 10


@pytest.mark.parametrize("name", ["receive", "count", "write_off", "correct", "set_aside", "hold", "move"])
def test_an_erps_figures_are_refused_in_words(login: Login, pool: Pool, name: str) -> None:
    Warehouse.objects.filter(code="HZ").update(erp_account=factories.account(name="Tryton"))
    answer = do(login("warehouse"), name, pool, code="HZ", quantity=3, what="found",
                destination=factories.warehouse("SZ").pk)  # fmt: skip
    assert answer.status_code == 200
    assert "Tryton owns the figures of HZ" in answer.content.decode()
    assert on_hand("HZ") == 3


def save(client: Client, place: Warehouse, **data: Any) -> Any:
    form = {"name": place.name, "priority": place.priority, "erp_account": "", **data}
    return client.post(reverse("admin:stock_warehouse_change", args=[place.pk]), form)


def test_a_warehouse_with_stock_keeps_its_owner(login: Login, pool: Pool) -> None:
    place = factories.warehouse("SZ")
    client = login("warehouse")
    assert save(client, place, name="Shenzhen", priority=3).status_code == 302
    owner = factories.account(name="Tryton").pk
    assert "This warehouse has stock" in save(client, place, erp_account=owner).content.decode()
    place.refresh_from_db()
    assert (place.name, place.priority, place.erp_account) == ("Shenzhen", 3, None)
