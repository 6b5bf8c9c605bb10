"""What requests may cost in statements, whatever the shop holds and however much is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from shop.catalogue.models import Category, Product
from tests import crowds, factories
from tests.api.conftest import WANTED, Partner
from tests.statements import Statements, budget, same

pytestmark = pytest.mark.django_db(transaction=True)

LIST = 2  # the token, and the rows with all that hangs on them
ORDERS = 5
PLACE, LINE = 22, 0


def read(acme: Partner, most: int, path: str, **params: Any) -> tuple[Statements, Any]:
    """Warm: the second of two equal requests."""
    assert acme.get(path, **params).status_code == 200
    with budget(most, path) as found:
        answer = acme.get(path, **params)
    return found, answer.json()


def test_products_cost_the_same_however_many(acme: Partner) -> None:
    category = Category.add_root(name_en="Things", name_zh_hans="物", slug="things")
    made = crowds.products(110, category)
    crowds.variants(made[0], 3)
    all_of_them, page = read(acme, LIST, "products/")
    assert len(page["results"]) == 100
    few, _page = read(acme, LIST, "products/", page_size=1)
    same(all_of_them, few)
    read(acme, LIST, "products/", category="things", updated_since="2026-01-01T00:00:00Z")
    read(acme, LIST, "products/MANY-0001/")


def test_stock_costs_the_same_however_many(acme: Partner) -> None:
    crowds.products(1010)
    all_of_it, page = read(acme, LIST, "stock/")
    assert len(page["results"]) == 1000
    few, _page = read(acme, LIST, "stock/", page_size=1)
    same(all_of_it, few)
    read(acme, LIST, "stock/MANY-0001/")


def test_orders_cost_the_same_however_many(acme: Partner, chair: Product) -> None:
    crowds.orders(60, "CHAIR-1", source_account=acme.client.source)
    all_of_them, page = read(acme, ORDERS, "orders/")
    assert len(page["results"]) == 50
    few, _page = read(acme, ORDERS, "orders/", page_size=1)
    same(all_of_them, few)
    read(acme, ORDERS, f"orders/{page['results'][0]['number']}/")


def test_an_order_costs_so_much_and_a_little_for_each_line(acme: Partner, chair: Product) -> None:
    factories.account("messages", "file")
    crowds.products(30)

    def placed(key: str, lines: int) -> Statements:
        wanted = [{"sku": f"MANY-{number:04}", "quantity": 1} for number in range(lines)]
        with budget(PLACE + LINE * lines, f"an order of {lines} lines") as found:
            answer = acme.order({**WANTED, "email": "buyer@example.test", "lines": wanted}, key)
        assert answer.status_code == 201, answer.content
        return found

    placed("warm", 1)
    same(placed("one", 1), placed("thirty", 30))
