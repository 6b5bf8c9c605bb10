"""Pages of places: goods set aside, held, moved and written off, what the board shows of them, warehouses turned."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.test import Client
from django.urls import reverse

from shop.order.models import PaymentMethod
from shop.stock import places
from shop.stock.models import Kind, Level, Movement, Pool, Reason, Warehouse
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, filled, said
from tests.admin.test_stock import NUMBERS

pytestmark = pytest.mark.django_db
BOARD = "admin:stock_pool_changelist"
SKU = "CHAIR-1"


@pytest.fixture
def pool() -> Pool:
    factories.product(SKU)
    return factories.stock(SKU, SZ=10, HZ=3)


def do(client: Client, name: str, place: str = "SZ", **data: Any) -> Any:
    form = {"warehouse": Warehouse.objects.get(code=place).pk, "note": "pallet 7", **data}
    return client.post(action("stock_pool", name, SKU), form)


def levels() -> dict[str, int]:
    return dict(Level.objects.filter(pool=SKU).values_list("warehouse__code", "on_hand"))


def test_aside_held_released_moved_and_written_off(login: Login, pool: Pool) -> None:
    client = login("warehouse")
    road = Warehouse.objects.create(code="ROAD", name="On the road", kind=Kind.TRANSIT, is_sellable=False)
    for name, place, data in (
        ("set_aside", "SZ", {"quantity": 3}),
        ("hold", "SZ", {"quantity": 2}),
        ("release", "SZ-Q", {"quantity": 1}),
        ("set_aside", "SZ-Q", {"quantity": 1}),
        ("move", "HZ", {"quantity": 2, "destination": road.pk}),
        ("write_off", "SZ-D", {"quantity": 1}),
    ):
        answer = do(client, name, place, **data)
        assert answer.status_code == 302, answer.content.decode()
        assert said(answer)
    assert levels() == {"SZ": 6, "SZ-D": 3, "SZ-Q": 0, "HZ": 1, "ROAD": 2}
    assert Pool.objects.get().on_hand == 7
    assert Movement.objects.get(reason=Reason.DAMAGE).quantity == -1
    assert LogEntry.objects.count() == 6


def test_the_message_says_what_went_where(login: Login, pool: Pool) -> None:
    assert said(do(login("warehouse"), "hold", quantity=2)).startswith("2 × CHAIR-1: SZ → SZ")


def test_released_is_offered_only_where_something_is_held(login: Login, pool: Pool) -> None:
    client = login("warehouse")
    page = reverse("admin:stock_pool_change", args=[SKU])
    address = action("stock_pool", "release", SKU)
    assert address not in client.get(page).content.decode()
    do(client, "hold", quantity=2)
    assert address in client.get(page).content.decode()


def options(client: Client, name: str, field: str = "warehouse") -> list[str]:
    form = client.get(action("stock_pool", name, SKU)).context["act"]["form"]
    return [str(label) for _value, label in form.fields[field].choices]


def test_pages_offer_the_places_where_the_goods_lie(login: Login, pool: Pool) -> None:
    client = login("warehouse")
    factories.warehouse("EMPTY")
    do(client, "set_aside", quantity=3)
    damaged = Warehouse.objects.get(kind=Kind.DAMAGED)
    assert options(client, "write_off") == [f"{damaged} (3)", "HZ (3)", "SZ (7)"], "damaged goods first"
    assert options(client, "set_aside") == ["HZ (3)", "SZ (7)"]
    assert options(client, "hold") == ["HZ (3)", "SZ (7)"]
    assert options(client, "move") == ["HZ (3)", "SZ (7)", f"{damaged} (3)"]
    assert options(client, "move", "destination") == ["EMPTY", "HZ", "SZ"]


@pytest.mark.parametrize(
    ("name", "place", "data", "words"),
    [
        ("hold", "SZ", {"quantity": 11}, "Fewer than 0 would be on hand at SZ"),
        ("move", "SZ", {"quantity": 1, "destination": "SZ"}, "The goods lie there already"),
        ("move", "SZ", {"quantity": 1}, "This field is required"),
        ("set_aside", "SZ", {"quantity": 0}, "greater than or equal to 1"),
        ("set_aside", "EMPTY", {"quantity": 1}, "not one of the available choices"),
        ("write_off", "SZ", {"quantity": 1, "note": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    login: Login, pool: Pool, name: str, place: str, data: dict[str, Any], words: str
) -> None:
    factories.warehouse("EMPTY")
    if "destination" in data:
        data = {**data, "destination": Warehouse.objects.get(code=data["destination"]).pk}
    answer = do(login("warehouse"), name, place, **data)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert levels() == {"SZ": 10, "HZ": 3}


def busy() -> None:
    """Goods everywhere: damaged in two warehouses, on hold, on the road, in a closed warehouse."""
    road = factories.warehouse("ROAD", kind=Kind.TRANSIT, is_sellable=False)
    factories.stock(SKU, OLD=4)
    Warehouse.objects.filter(code="OLD").update(is_sellable=False)
    Pool.objects.filter(sku=SKU).update(on_hand=13)
    sz, hz = (Warehouse.objects.get(code=code) for code in ("SZ", "HZ"))
    with transaction.atomic():
        for place, units in ((sz, 3), (hz, 1)):
            to = places.apart(place, Kind.DAMAGED)
            places.movements.by_staff(places.moves(SKU, place.pk, to.pk, units, Reason.SET_ASIDE, actor="a", note="b"))
        places.hold(SKU, sz, 2, actor="a", note="b")
        places.move(SKU, sz, road, 1, actor="a", note="b")


def test_the_board_and_the_page_show_what_lies_where_and_each_number_opens_its_movements(
    login: Login, pool: Pool
) -> None:
    busy()
    factories.stock("DESK-1", SZ=5)
    client = login("warehouse")
    seen: dict[str, int] = {}
    for address in (reverse(BOARD), reverse("admin:stock_pool_change", args=[SKU])):
        for link, number in NUMBERS.findall(client.get(address).content.decode()):
            page = client.get(link.replace("&amp;", "&"))
            assert page.context["weft_sum"] == int(number), link
            if "lies=" in link:
                seen[link.rpartition("lies=")[2]] = seen.get(link.rpartition("lies=")[2], 0) + int(number)
    assert seen == {"damaged": 8, "quality": 4, "elsewhere": 10}, "each on the board and on the page"
    board = client.get(reverse(BOARD)).context["cl"].result_list
    assert {row.sku: row.on_hand for row in board} == {SKU: 6, "DESK-1": 5}


def test_the_board_as_a_file_has_them_too(login: Login, pool: Pool) -> None:
    busy()
    answer = login("warehouse").post(reverse("admin:stock_pool_export"), {"format": "csv"})
    head, row = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    found = dict(zip(head.split(","), row.split(","), strict=True))
    assert (found["on hand"], found["damaged"], found["on quality hold"], found["elsewhere"]) == ("6", "4", "2", "5")


# --- the warehouses themselves ---------------------------------------------------------------------------------------


def add(client: Client, **data: Any) -> Any:
    form = {"code": "NEW", "name": "New", "kind": "shelf", "parent": "", "priority": 1, "erp_account": "", **data}
    return client.post(reverse("admin:stock_warehouse_add"), form)


def test_a_shelf_is_open_for_sale_and_other_places_are_not(login: Login) -> None:
    client = login("warehouse")
    assert add(client).status_code == 302
    assert add(client, code="ROAD", kind="transit").status_code == 302
    assert dict(Warehouse.objects.values_list("code", "is_sellable")) == {"NEW": True, "ROAD": False}


@pytest.mark.parametrize(
    ("kind", "parent", "words"),
    [
        ("damaged", "", "belong to a warehouse. Say to which"),
        ("supplier", "SZ", "Only damaged goods and quality holds belong"),
        ("quality", "SZ-D", "This is such a place itself"),
        ("damaged", "SZ", "has a place of this kind already"),
    ],
)
def test_places_that_make_no_sense_are_refused_in_words(login: Login, kind: str, parent: str, words: str) -> None:
    sz = factories.warehouse("SZ")
    places.apart(sz, Kind.DAMAGED)
    chosen = Warehouse.objects.get(code=parent).pk if parent else ""
    answer = add(login("warehouse"), kind=kind, parent=chosen)
    assert words in answer.content.decode()
    assert add(login("warehouse"), kind="quality", parent=sz.pk).status_code == 302


def test_the_form_changes_neither_kind_nor_what_may_be_sold(login: Login, pool: Pool) -> None:
    place = Warehouse.objects.get(code="SZ")
    client = login("warehouse")
    page = client.get(reverse("admin:stock_warehouse_change", args=[place.pk]))
    assert "is_sellable" not in filled(page, "warehouse_form")
    form = {"name": "Shenzhen", "priority": 2, "erp_account": "", "kind": "transit", "is_sellable": ""}
    assert client.post(reverse("admin:stock_warehouse_change", args=[place.pk]), form).status_code == 302
    place.refresh_from_db()
    assert (place.name, place.priority, place.kind, place.is_sellable) == ("Shenzhen", 2, Kind.SHELF, True)


def test_a_name_saved_late_does_not_open_what_was_closed_meanwhile(login: Login, pool: Pool) -> None:
    """The form saves what was changed in it, and nothing it had read before."""
    place = Warehouse.objects.get(code="SZ")
    client = login("warehouse")
    shown = filled(client.get(reverse("admin:stock_warehouse_change", args=[place.pk])), "warehouse_form")
    turn(client, "close", place)
    client.post(reverse("admin:stock_warehouse_change", args=[place.pk]), {**shown, "name": "Shenzhen"})
    place.refresh_from_db()
    assert (place.name, place.is_sellable) == ("Shenzhen", False)


def turn(client: Client, name: str, place: Warehouse) -> Any:
    return client.post(action("stock_warehouse", name, place.pk), {"why": "we move out"})


def test_closing_says_before_what_it_concerns(login: Login, pool: Pool) -> None:
    place = Warehouse.objects.get(code="SZ")
    factories.order({SKU: 5})
    factories.order({SKU: 4}, payment_method=PaymentMethod.ON_ACCOUNT)
    client = login("warehouse")
    page = client.get(action("stock_warehouse", "close", place.pk)).content.decode()
    for words in (
        "SKUs there: 1, units: 10. Open promises of them: 9 units in 2 orders.",
        "Promised units that cannot be kept then: 6 more.",
        "1 order is sent from here",
    ):
        assert words in page, words
    answer = turn(client, "close", place)
    assert "Closed for sale; SKUs whose stock changed: 1. we move out" in said(answer)
    assert Pool.objects.get().shortage == 6
    assert LogEntry.objects.latest("pk").change_message.endswith("we move out")
    page = client.get(action("stock_warehouse", "open_for_sale", place.pk)).content.decode()
    assert "Shortages get smaller by 6 units." in page
    assert "Open for sale" in said(turn(client, "open_for_sale", place))
    assert Pool.objects.get().shortage == 0


def test_closing_twice_and_the_last_one_is_refused_in_words(login: Login, pool: Pool) -> None:
    client = login("warehouse")
    sz, hz = (Warehouse.objects.get(code=code) for code in ("SZ", "HZ"))
    assert turn(client, "close", sz).status_code == 302
    assert "cannot be done in its present state" in said(turn(client, "close", sz))
    answer = turn(client, "close", hz)
    assert "It is the last one open" in answer.content.decode()
    assert Pool.objects.get().on_hand == 3


def test_only_shelves_are_opened_and_closed(login: Login, pool: Pool) -> None:
    road = Warehouse.objects.create(code="ROAD", name="Road", kind=Kind.TRANSIT, is_sellable=False)
    client = login("warehouse")
    page = client.get(reverse("admin:stock_warehouse_change", args=[road.pk])).content.decode()
    assert action("stock_warehouse", "open_for_sale", road.pk) not in page
    assert "cannot be done" in said(turn(client, "open_for_sale", road))
