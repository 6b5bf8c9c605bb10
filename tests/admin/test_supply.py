"""Staff and what is not here yet: supply added, received once, dated, cancelled, sold ahead; kits on product pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import AccountState
from shop.order import lifecycle
from shop.partner.models import StockRecord
from shop.stock import presales, supply
from shop.stock.models import KitPart, Movement, Offered, Pool, Presale, Supply, Waiting
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, filled, said
from tests.statements import Statements, counted, same

pytestmark = pytest.mark.django_db
SKU = "CHAIR-1"


@pytest.fixture
def boss(login: Login) -> Client:
    factories.china()
    factories.product(SKU)
    return login("superuser")


def page(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, address
    return answer.content.decode()


def add_form(**changes: Any) -> dict[str, Any]:
    day = timezone.localdate() + timedelta(days=9)
    return {"sku": "chair-1", "warehouse": factories.warehouse().pk, "quantity": 12, "expected_on": str(day),
            "document": "PO-1", "note": "", **changes}  # fmt: skip


def test_add(boss: Client) -> None:
    boss.post(reverse("admin:stock_supply_add"), add_form())
    row = Supply.objects.get()
    assert (row.pool_id, row.open, row.actor) == (SKU, 12, "staff:superuser@weft.test")
    shown = page(boss, reverse("admin:stock_supply_change", args=[row.pk]))
    assert "PO-1" in shown and "still to come" in shown
    assert "PO-1" in page(boss, reverse("admin:stock_supply_changelist") + "?state=open&q=chair-1")
    assert "PO-1" not in page(boss, reverse("admin:stock_supply_changelist") + "?state=overdue").partition("<main")[2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sku": "NOBODY"}, "No product has this SKU"),
        ({"sku": "SET-1"}, "This is a kit"),
        ({"quantity": 0}, "Between 1 and"),
        ({"expected_on": "2020-01-01"}, "This day is over"),
        ({"document": ""}, "This field is required"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(boss: Client, change: dict[str, Any], words: str) -> None:
    factories.product("CUP")
    factories.kit("SET-1", {"CUP": 2})
    answer = boss.post(reverse("admin:stock_supply_add"), add_form(**change))
    assert answer.status_code == 200 and words in answer.content.decode()
    assert not Supply.objects.exists()


def test_receive_in_parts_and_never_twice(boss: Client) -> None:
    row = factories.supply(SKU, units=10)
    address = action("stock_supply", "receive", row.pk)
    form = {"quantity": 4, "seen": 0, "note": "delivery note 7"}
    assert "4 received" in said(boss.post(address, form))
    assert "received meanwhile" in said(boss.post(address, form)), "the second click of the same page"
    assert (Pool.objects.get().on_hand, Movement.objects.filter(quantity=4).count()) == (4, 1)
    assert "Ensure this value is less than or equal to 6" in page_of_post(boss, address, {"quantity": 7, "seen": 4})
    movement = Movement.objects.get(quantity=4)
    assert f"/stock/supply/{row.pk}/change/" in page(boss, reverse("admin:stock_movement_changelist"))
    assert movement.note == f"{row.document} · delivery note 7"


def page_of_post(client: Client, address: str, form: dict[str, Any]) -> str:
    return client.post(address, form, follow=True).content.decode()


def test_in_an_erps_warehouse_the_page_says_what_happens(boss: Client) -> None:
    erps = factories.warehouse("HZ", erp_account=factories.account("erp", state=AccountState.ACTIVE, name="Tryton"))
    row = factories.supply(SKU, warehouse=erps)
    address = action("stock_supply", "receive", row.pk)
    assert "this only notes that they have arrived" in page(boss, address)
    boss.post(address, {"quantity": 10, "seen": 0})
    assert (Supply.objects.get().open, Pool.objects.get().on_hand) == (0, 0)


def test_another_day_and_the_rest_cancelled(boss: Client) -> None:
    row = factories.supply(SKU, units=10)
    presales.open_(row.pk, cap=10, kind=presales.Kind.PRESALE, actor="test")
    placed = factories.order({SKU: 8})
    later = timezone.localdate() + timedelta(days=40)
    assert later.isoformat() in said(
        boss.post(action("stock_supply", "change_date", row.pk), {"expected_on": str(later)})
    )
    assert Presale.objects.get().ships_on == later
    address = action("stock_supply", "cancel_rest", row.pk)
    assert "8 units of it are promised" in page(boss, address)
    boss.post(address, {"quantity": 5, "seen": 0})
    home = page(boss, reverse("admin:index"))
    assert "Sold ahead, and not coming" in home
    listed = page(boss, reverse("admin:stock_presale_changelist") + "?state=short")
    assert placed.number in listed
    assert placed.number in page(boss, reverse("admin:stock_supply_change", args=[row.pk]))
    lifecycle.cancel(placed.number, actor="test")
    assert placed.number not in page(boss, reverse("admin:stock_presale_changelist") + "?state=short")


def test_what_is_late_is_a_task(boss: Client) -> None:
    row = factories.supply(SKU)
    assert not supply.overdue()
    Supply.objects.update(expected_on=timezone.localdate() - timedelta(days=1))
    assert "Overdue supply" in page(boss, reverse("admin:index"))
    assert row.document in page(boss, reverse("admin:stock_supply_changelist") + "?state=overdue")
    assert "This day is over" in page_of_post(
        boss, action("stock_supply", "change_date", row.pk), {"expected_on": str(timezone.localdate() - timedelta(1))}
    )


def test_sell_it_now_and_close_it(boss: Client) -> None:
    row = factories.supply(SKU, units=10)
    address = action("stock_supply", "open_presale", row.pk)
    assert "Ensure this value is less than or equal to 10" in page_of_post(
        boss, address, {"quantity": 11, "seen": 0, "kind": "presale"}
    )
    boss.post(address, {"quantity": 8, "seen": 0, "kind": "backorder"})
    sale = Presale.objects.get()
    assert (sale.cap, sale.kind, sale.opened_by) == (8, "backorder", "staff:superuser@weft.test")
    assert "sold ahead already" in page_of_post(boss, address, {"quantity": 2, "seen": 0, "kind": "presale"})
    factories.order({SKU: 3})
    assert "3 units are waited for" in page(boss, action("stock_presale", "close", sale.pk))
    boss.post(action("stock_presale", "close", sale.pk), {})
    assert (Offered.objects.get().room, Waiting.objects.get().open) == (0, 3)
    assert "cannot be done" in said(boss.post(action("stock_presale", "close", sale.pk), {}))


def test_the_board_and_a_skus_page(boss: Client) -> None:
    factories.stock(SKU, SZ=2)
    row = factories.presale(SKU, cap=10).supply
    factories.order({SKU: 6})
    board = page(boss, reverse("admin:stock_pool_changelist"))
    assert row.expected_on.isoformat() in board and f"/stock/supply/?sku={SKU}&amp;state=open" in board
    shown = page(boss, reverse("admin:stock_pool_change", args=[SKU]))
    table = shown.partition("Available to promise")[2].partition("</table>")[0]
    assert row.document in table and "+10" in table and "<strong>6</strong>" in table and "<strong>2</strong>" in table


def test_an_orders_page_says_what_waits(boss: Client) -> None:
    row = factories.presale(SKU, cap=10).supply
    placed = factories.order({SKU: 6})
    shown = page(boss, reverse("admin:order_order_change", args=[placed.pk]))
    assert f"6 waiting, ships by {row.expected_on.isoformat()}" in shown


# --- kits ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cups(boss: Client) -> Any:
    factories.product("CUP", title_en="Cup")
    factories.product("POT", title_en="Pot")
    return factories.product("SET-1", title="套装", title_en="Set")


def save(boss: Client, product: Any, *rows: dict[str, Any]) -> Any:
    address = reverse("admin:catalogue_product_change", args=[product.pk])
    form = filled(boss.get(address), "product_form")
    form |= {"kit_parts-TOTAL_FORMS": str(len(rows))}
    for number, row in enumerate(rows):
        form |= {f"kit_parts-{number}-{name}": value for name, value in {"quantity": 1, **row}.items()}
    return boss.post(address, form)


def test_a_product_becomes_a_kit_and_none_again(boss: Client, cups: Any) -> None:
    assert save(boss, cups, {"sku": "pot"}, {"sku": "CUP", "quantity": 4}).status_code == 302
    assert sorted(KitPart.objects.values_list("part__partner_sku", "quantity")) == [("CUP", 4), ("POT", 1)]
    factories.stock("CUP", SZ=9)
    factories.stock("POT", SZ=9)
    shown = page(boss, reverse("admin:catalogue_product_change", args=[cups.pk]))
    assert "Units in each kit" in shown and "Pot" in shown
    assert Offered.objects.get(record__partner_sku="SET-1").free == 2
    first, second = KitPart.objects.order_by("pk")
    rows = [{"id": part.pk, "kit": cups.pk, "sku": part.part.partner_sku, "DELETE": "on"} for part in (first, second)]
    address = reverse("admin:catalogue_product_change", args=[cups.pk])
    form = filled(boss.get(address), "product_form")
    for number, row in enumerate(rows):
        form |= {f"kit_parts-{number}-{name}": value for name, value in row.items()}
    assert boss.post(address, form).status_code == 302
    assert not KitPart.objects.exists()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"sku": "NOBODY"}], "No product has this SKU"),
        ([{"sku": "SET-1"}], "This is a kit itself"),
        ([{"sku": "CUP"}, {"sku": "cup"}], "A part stands here twice"),
        ([{"sku": "CUP", "quantity": 0}], "greater than or equal to"),
        ([{"sku": "OTHER"}], "This is a kit itself"),
    ],
)
def test_what_makes_no_kit_is_refused(boss: Client, cups: Any, rows: list[dict[str, Any]], words: str) -> None:
    factories.kit("OTHER", {"CUP": 1})
    answer = save(boss, cups, *rows)
    assert answer.status_code == 200 and words in answer.content.decode()
    assert KitPart.objects.filter(kit=cups).count() == 0


def test_what_has_stock_becomes_no_kit(boss: Client, cups: Any) -> None:
    factories.stock("SET-1", SZ=1)
    answer = save(boss, cups, {"sku": "CUP"})
    assert "SET-1 has stock of its own" in answer.content.decode()
    assert "is part of a kit" in part_of_a_kit(boss)
    assert not KitPart.objects.filter(kit=cups).exists()


def part_of_a_kit(boss: Client) -> str:
    factories.kit("OTHER", {"CUP": 1})
    cup = StockRecord.objects.get(partner_sku="CUP").product
    return save(boss, cup, {"sku": "POT"}).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_kits_page_costs_the_same_with_more_parts(boss: Client, cups: Any) -> None:
    address = reverse("admin:catalogue_product_change", args=[cups.pk])
    save(boss, cups, {"sku": "CUP"})
    first = cost(boss, address)
    for number in range(6):
        factories.product(f"MORE-{number}")
        KitPart.objects.create(kit=cups, part=StockRecord.objects.get(partner_sku=f"MORE-{number}"))
    same(first, cost(boss, address))


def cost(boss: Client, address: str) -> Statements:
    boss.get(address)
    with counted(address) as found:
        boss.get(address)
    return found


def test_a_kit_is_not_received(boss: Client, cups: Any) -> None:
    save(boss, cups, {"sku": "CUP"})
    form = {"sku": "SET-1", "warehouse": factories.warehouse().pk, "quantity": 2, "note": "test"}
    answer = boss.post(reverse("admin:stock_pool_receive_sku"), form)
    assert "receive its parts" in answer.content.decode()


def test_a_kit_stands_on_an_orders_page_with_its_parts_beneath(boss: Client, cups: Any) -> None:
    save(boss, cups, {"sku": "CUP", "quantity": 2})
    factories.stock("CUP", SZ=9)
    placed = factories.order({"SET-1": 3})
    shown = page(boss, reverse("admin:order_order_change", args=[placed.pk]))
    assert 'class="weft-kit"' in shown and 'class="weft-part"' in shown and "SET-1" in shown
