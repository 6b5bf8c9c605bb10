"""Products, stock and orders as partners read them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from shop.api.orders import OrderRow
from shop.api.products import EXAMPLE, ProductRow
from shop.api.stock import StockRow
from shop.catalogue.models import (
    AttributeOption,
    AttributeOptionGroup,
    Category,
    Product,
    ProductAttribute,
    ProductAttributeValue,
    ProductCategory,
)
from shop.order import lifecycle
from shop.partner.models import StockRecord
from shop.stock.models import Pool
from tests import crowds, factories
from tests.api.conftest import Partner, partner, problem

pytestmark = pytest.mark.django_db


def test_a_product_is_all_there(acme: Partner, chair: Product) -> None:
    category = Category.add_root(name_zh_hans="家具", name_en="Furniture", slug="furniture")
    ProductCategory.objects.create(
        product=chair, category=category.add_child(name_en="Chairs", name_zh_hans="椅子", slug="chairs")
    )
    Product.objects.filter(pk=chair.pk).update(summary_en="Solid oak", weight_g=5200, upc="6901234567892")
    row = acme.get("products/CHAIR-1/").json()
    assert {name: row[name] for name in row if name not in ("updated_at", "pictures")} == {
        "sku": "CHAIR-1",
        "group": None,
        "title": {"zh-hans": "橡木椅", "en": "Oak chair"},
        "summary": {"zh-hans": "", "en": "Solid oak"},
        "price": "113.00",
        "currency": "CNY",
        "tax_code": "VAT13",
        "tax_rate": "0.13000",
        "categories": ["furniture/chairs"],
        "attributes": {},
        "parts": [],
        "upc": "6901234567892",
        "weight_g": 5200,
    }
    assert acme.get("products/").json()["results"] == [row]


def test_a_variant_has_its_own_and_its_parents(acme: Partner) -> None:
    parent = crowds.products(1, prefix="RUG")[0]
    small, large = crowds.variants(parent, 2)
    kind = parent.product_class
    group = AttributeOptionGroup.objects.create(name="Sizes")
    options = [AttributeOption.objects.create(group=group, option=name) for name in ("S", "L")]
    size = ProductAttribute.objects.create(
        product_class=kind, code="size", name="Size", type="option", option_group=group
    )
    care = ProductAttribute.objects.create(product_class=kind, code="care", name="Care", type="text")
    washable = ProductAttribute.objects.create(product_class=kind, code="washable", name="Washable", type="boolean")
    tags = ProductAttribute.objects.create(
        product_class=kind, code="tags", name="Tags", type="multi_option", option_group=group
    )
    ProductAttributeValue.objects.create(attribute=size, product=small, value_option=options[0])
    ProductAttributeValue.objects.create(attribute=size, product=parent, value_option=options[1])
    ProductAttributeValue.objects.create(attribute=care, product=parent, value_text="Cold")
    ProductAttributeValue.objects.create(attribute=washable, product=small, value_boolean=False)
    ProductAttributeValue.objects.create(attribute=tags, product=small).value_multi_option.set(options)
    rows = {row["sku"]: row for row in acme.get("products/").json()["results"]}
    first, second = (rows[child.stockrecords.get().partner_sku] for child in (small, large))
    assert first["group"] == second["group"] == str(parent.pk)
    assert first["title"] == {"zh-hans": "商品 0", "en": "Thing 0"}
    assert first["tax_code"] == "VAT13"
    assert first["attributes"] == {"size": "S", "care": "Cold", "washable": "false", "tags": "S, L"}
    assert second["attributes"] == {"size": "L", "care": "Cold"}
    assert [url.rsplit("/", 1)[1] for url in first["pictures"]] == ["rug-0.webp"]
    assert first["pictures"][0].startswith("http://testserver/media/")


def test_what_is_not_public_is_not_there(acme: Partner, chair: Product) -> None:
    parent = crowds.products(1, prefix="RUG")[0]
    crowds.variants(parent, 1)
    Product.objects.filter(pk__in=[chair.pk, parent.pk]).update(is_public=False)
    assert acme.get("products/").json()["results"] == acme.get("stock/").json()["results"] == []
    problem(acme.get("products/CHAIR-1/"), "not-found")
    problem(acme.get("stock/CHAIR-1/"), "not-found")


@pytest.mark.parametrize("change", [{"price": None}, {"price": Decimal("1.005")}])
def test_what_the_shop_does_not_sell_has_no_price(acme: Partner, chair: Product, change: dict[str, Any]) -> None:
    StockRecord.objects.update(**change)
    assert acme.get("products/CHAIR-1/").json()["price"] is None


def test_products_are_filtered(acme: Partner, chair: Product) -> None:
    category = Category.add_root(name_zh_hans="家具", name_en="Furniture", slug="furniture")
    things = crowds.products(3, category.add_child(name_en="Things", name_zh_hans="物", slug="things"))
    crowds.variants(things[0], 2)
    skus = lambda **params: {row["sku"] for row in acme.get("products/", **params).json()["results"]}  # noqa: E731
    assert skus(sku="CHAIR-1,MANY-0001,NONE") == {"CHAIR-1", "MANY-0001"}
    inside = {"MANY-0001", "MANY-0002", f"V{things[0].pk}-0000", f"V{things[0].pk}-0001"}
    assert skus(category="furniture") == skus(category="furniture/things/") == inside
    assert skus(category="nowhere") == set()
    assert skus(group=things[0].pk) == {f"V{things[0].pk}-0000", f"V{things[0].pk}-0001"}
    later = timezone.now() + timedelta(hours=1)
    assert skus(updated_since=later.isoformat()) == set()
    StockRecord.objects.filter(partner_sku="CHAIR-1").update(date_updated=later)
    assert skus(updated_since=later.isoformat()) == {"CHAIR-1"}


@pytest.mark.parametrize(
    ("path", "params", "pointer"),
    [
        ("products/", {"colour": "red"}, "/colour"),
        ("products/", {"page_size": "0"}, "/page_size"),
        ("products/", {"page_size": "101"}, "/page_size"),
        ("products/", {"page_size": "٣"}, "/page_size"),
        ("stock/", {"page_size": "1001"}, "/page_size"),
        ("products/", {"cursor": "rubbish"}, "/cursor"),
        ("products/", {"cursor": "cD1yZWQ="}, "/cursor"),
        ("products/", {"group": "x"}, "/group"),
        ("products/", {"group": "9" * 30}, "/group"),
        ("products/", {"sku": "nul\0"}, "/sku"),
        ("products/", {"updated_since": "yesterday"}, "/updated_since"),
        ("products/", {"updated_since": ""}, "/updated_since"),
        ("orders/", {"status": "lost"}, "/status"),
        ("orders/", {"external_number": "x" * 10_001}, "/external_number"),
    ],
)
def test_a_bad_parameter_is_named(acme: Partner, path: str, params: dict[str, str], pointer: str) -> None:
    body = problem(acme.get(path, **params), "invalid-request")
    assert pointer in [error["pointer"] for error in body["errors"]]
    assert all(error["detail"] for error in body["errors"])


def test_pages_follow_each_other_and_nothing_is_lost(acme: Partner) -> None:
    crowds.products(25)
    seen: list[str] = []
    url = "/api/v1/products/?page_size=10"
    while url:
        page = acme.browser.get(url, headers=acme.headers()).json()
        seen += [row["sku"] for row in page["results"]]
        url = page["next"]
    assert seen == [f"MANY-{number:04}" for number in range(25)]
    assert acme.browser.get(page["previous"], headers=acme.headers()).json()["results"][-1]["sku"] == "MANY-0019"


def test_stock_is_what_may_be_sold_now(acme: Partner, chair: Product) -> None:
    factories.product("STOOL-1")
    factories.order({"CHAIR-1": 3})
    nothing_ahead = {"ahead": 0, "ships_on": None, "expected_on": None}
    assert acme.get("stock/").json()["results"] == [
        {"sku": "CHAIR-1", "available": 7, "state": "in_stock", **nothing_ahead},
        {"sku": "STOOL-1", "available": 0, "state": "sold_out", **nothing_ahead},
    ]
    Pool.objects.filter(sku="CHAIR-1").update(escrow=2)
    assert acme.get("stock/CHAIR-1/").json()["available"] == 5
    Pool.objects.filter(sku="CHAIR-1").update(on_hand=0, shortage=F("reserved") + 2)
    found = acme.get("stock/", sku="CHAIR-1").json()["results"]
    assert [(row["available"], row["state"]) for row in found] == [(0, "sold_out")]


def test_a_sku_may_hold_a_slash(acme: Partner) -> None:
    factories.product("A/B 1")
    assert acme.get("products/A%2FB%201/").json()["sku"] == "A/B 1"
    problem(acme.get("products/%00/"), "not-found")


def test_orders_of_others_do_not_exist(acme: Partner, chair: Product) -> None:
    other = partner("other")
    mine = factories.order({"CHAIR-1": 1}, source_account=acme.client.source)
    theirs = factories.order({"CHAIR-1": 1}, source_account=other.client.source)
    shops = factories.order({"CHAIR-1": 1})
    assert [row["number"] for row in acme.get("orders/").json()["results"]] == [mine.number]
    for order in (theirs, shops):
        problem(acme.get(f"orders/{order.number}/"), "not-found")
    assert acme.get("orders/", external_number=theirs.external_number).json()["results"] == []
    assert other.get(f"orders/{theirs.number}/").json()["number"] == theirs.number


def test_an_order_tells_its_course(acme: Partner, chair: Product) -> None:
    order = factories.order(
        {"CHAIR-1": 2}, source_account=acme.client.source, external_number="PO-1", shipping_gross=Decimal(12)
    )
    row = acme.get(f"orders/{order.number}/").json()
    assert (row["status"], row["external_number"], row["total"], row["shipping"]) == (
        "pending_payment",
        "PO-1",
        "238.00",
        "12.00",
    )
    assert parse_datetime(row["pay_before"]) == order.payment_deadline
    moved = lifecycle.say_paid(order.number, actor="web").payment_deadline
    assert moved and moved > order.payment_deadline
    assert parse_datetime(acme.get(f"orders/{order.number}/").json()["pay_before"]) == moved
    assert row["ship_to"]["city"] == "深圳市" and row["ship_to"]["phone"] == "+8613800138000"
    assert (row["lines"][0]["sku"], row["lines"][0]["quantity"], row["lines"][0]["shipped"]) == ("CHAIR-1", 2, 0)
    lifecycle.confirm_payment(order.number, actor="test")
    row = acme.get(f"orders/{order.number}/").json()
    assert (row["status"], row["pay_before"]) == ("paid", None)
    assert row["paid_at"] is not None


def test_orders_are_filtered_newest_first(acme: Partner, chair: Product) -> None:
    first, second = (factories.order({"CHAIR-1": 1}, source_account=acme.client.source) for _ in range(2))
    lifecycle.confirm_payment(first.number, actor="test")
    numbers = lambda **params: [row["number"] for row in acme.get("orders/", **params).json()["results"]]  # noqa: E731
    assert numbers() == [second.number, first.number]
    assert numbers(status="paid") == [first.number]
    assert numbers(status=["paid", "pending_payment"]) == [second.number, first.number]
    assert numbers(external_number=second.external_number) == [second.number]
    assert numbers(placed_since=(timezone.now() + timedelta(hours=1)).isoformat()) == []
    assert len(numbers(placed_before=(timezone.now() + timedelta(hours=1)).isoformat())) == 2


def test_rows_are_what_the_schema_says(acme: Partner, chair: Product) -> None:
    """Rows are not made by the serializers' fields, so they are compared with them."""
    order = factories.order({"CHAIR-1": 1}, source_account=acme.client.source)
    for row, serializer in (
        (acme.get("products/CHAIR-1/").json(), ProductRow()),
        (acme.get("stock/CHAIR-1/").json(), StockRow()),
        (acme.get(f"orders/{order.number}/").json(), OrderRow()),
    ):
        assert list(row) == list(serializer.fields)
    assert list(EXAMPLE) == list(ProductRow().fields)
