"""Kits and goods sold ahead, as partners' programs read and order them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from shop.api.orders import OrderRow
from shop.api.stock import StockRow
from shop.order.models import Order
from shop.stock.models import Waiting
from shop.stock.offered import Kind
from tests import factories
from tests.api.conftest import WANTED, Partner, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea(chair: Callable[[], Any]) -> None:
    """TEA: one POT and four CUPs, for 199.99."""
    factories.product("POT", price="150.00", title_en="Pot")
    factories.product("CUP", price="25.00", title_en="Cup", tax_class=factories.tax_class("VAT9", "0.09"))
    factories.stock("POT", SZ=10)
    factories.stock("CUP", SZ=18)
    factories.kit("TEA", {"POT": 1, "CUP": 4}, price="199.99", title_en="Tea set")


def wanted(*lines: tuple[str, int]) -> dict[str, Any]:
    return {**WANTED, "language": "en", "lines": [{"sku": sku, "quantity": units} for sku, units in lines]}


def soon(days: int = 10) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def test_a_kit_says_what_is_in_it(acme: Partner, tea: None) -> None:
    assert acme.get("products/TEA/").json()["parts"] == [{"sku": "POT", "quantity": 1}, {"sku": "CUP", "quantity": 4}]
    assert acme.get("products/CUP/").json()["parts"] == []
    assert acme.get("stock/TEA/").json()["available"] == 4


def test_an_order_names_the_kit(acme: Partner, tea: None) -> None:
    answer = acme.order(wanted(("TEA", 2), ("CHAIR-1", 1)))
    assert answer.status_code == 201, answer.content
    kit, chair = answer.json()["lines"]
    assert (kit["sku"], kit["title"], kit["quantity"], kit["total"]) == ("TEA", "Tea set", 2, "399.98")
    assert (kit["tax_rate"], kit["tax_code"], kit["shipped"], kit["unit_price"]) == (None, "", 0, "199.99")
    assert [(part["sku"], part["quantity"], part["total"]) for part in kit["parts"]] == [
        ("POT", 2, "239.99"),
        ("CUP", 8, "159.99"),
    ]
    assert (chair["parts"], chair["tax_rate"]) == ([], "0.13000")
    row = acme.get(f"orders/{answer.json()['number']}/").json()
    assert row == answer.json()
    order = Order.objects.get()
    assert Decimal(row["total_excl_tax"]) == order.total_excl_tax
    fields = OrderRow().fields
    assert set(row) == set(fields) and set(kit) == set(fields["lines"].child.fields)
    assert set(kit["parts"][0]) == set(fields["lines"].child.fields["parts"].child.fields)


def test_what_is_short_is_named_as_it_was_ordered(acme: Partner, tea: None) -> None:
    body = problem(acme.order(wanted(("TEA", 5))), "out-of-stock")
    assert body["short"] == [{"sku": "TEA", "available": 4}]
    body = problem(acme.order(wanted(("TEA", 4), ("CUP", 3))), "out-of-stock")
    assert body["short"] == [{"sku": "CUP", "available": 18}, {"sku": "TEA", "available": 4}]
    assert not Order.objects.exists()


def test_goods_that_are_sold_ahead(acme: Partner, chair: Any) -> None:
    factories.stock("CHAIR-1", SZ=-10)
    factories.supply("CHAIR-1", days=30)
    row = acme.get("stock/CHAIR-1/").json()
    assert row == {"sku": "CHAIR-1", "available": 0, "state": "sold_out", "ahead": 0, "ships_on": None,
                   "expected_on": soon(30)}  # fmt: skip
    assert set(row) == set(StockRow().fields)
    factories.presale("CHAIR-1", cap=5, kind=Kind.BACKORDER)
    row = acme.get("stock/CHAIR-1/").json()
    assert row == {"sku": "CHAIR-1", "available": 0, "state": "backorder", "ahead": 5, "ships_on": soon(),
                   "expected_on": None}  # fmt: skip
    line = acme.order(wanted(("CHAIR-1", 2))).json()["lines"][0]
    assert (line["ships_on"], Waiting.objects.get().open) == (soon(), 2)
    body = problem(acme.order(wanted(("CHAIR-1", 4)), key="key-2"), "out-of-stock")
    assert body["short"] == [{"sku": "CHAIR-1", "available": 3}]
