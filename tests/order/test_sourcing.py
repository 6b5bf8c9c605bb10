"""From where each unit leaves: the first warehouse that covers the line, else several; nothing counted twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from erp import documents
from shop.fulfilment import shipping, sourcing
from shop.fulfilment.models import Sourcing
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod
from shop.order.place import place
from shop.stock.models import Warehouse
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db

ON_ACCOUNT = PaymentMethod.ON_ACCOUNT


@pytest.fixture(autouse=True)
def _warehouses() -> None:
    factories.china()
    factories.warehouse("NEAR", priority=1)
    factories.warehouse("FAR", priority=2)
    factories.warehouse("ANNEX", priority=3)


def released(**wanted: int) -> Order:
    return factories.order(wanted, payment_method=ON_ACCOUNT)


def sources(order: Order) -> dict[str, int]:
    rows = Sourcing.objects.filter(line__order=order).values_list("warehouse__code", "quantity")
    return dict(rows)


def test_the_first_by_priority_that_covers_the_line() -> None:
    factories.stock("A", NEAR=2, FAR=5, ANNEX=9)
    assert sources(released(A=2)) == {"NEAR": 2}
    assert sources(released(A=4)) == {"FAR": 4}
    assert sources(released(A=6)) == {"ANNEX": 6}


def test_what_none_covers_is_split_by_priority() -> None:
    factories.stock("A", NEAR=2, FAR=3, ANNEX=1)
    assert sources(released(A=5)) == {"NEAR": 2, "FAR": 3}
    assert sources(released(A=1)) == {"ANNEX": 1}


def test_the_same_priority_goes_by_code() -> None:
    Warehouse.objects.update(priority=1)
    factories.stock("A", NEAR=2, FAR=2)
    assert sources(released(A=1)) == {"FAR": 1}


def test_what_is_sourced_is_not_counted_twice_until_it_has_left() -> None:
    factories.stock("A", NEAR=2, FAR=2)
    first = released(A=2)
    assert [sources(first), sources(released(A=1))] == [{"NEAR": 2}, {"FAR": 1}]
    shipping.ship(first.number, warehouse=Warehouse.objects.get(code="NEAR"), actor="li")
    factories.stock("A", NEAR=1)
    assert sources(released(A=1)) == {"NEAR": 1}, "what left is off the level, and off the count"


def test_a_cancelled_order_gives_its_place_back() -> None:
    factories.stock("A", NEAR=1, FAR=1)
    first = released(A=1)
    lifecycle.cancel(first.number, actor="li")
    assert sources(released(A=1)) == {"NEAR": 1}


def test_lines_of_one_order_do_not_count_on_the_same_units() -> None:
    factories.stock("A", NEAR=2, FAR=2)
    draft = factories.draft({"A": 2}, payment_method=ON_ACCOUNT)
    order = place(replace(draft, lines=draft.lines * 2))
    assert sources(order) == {"NEAR": 2, "FAR": 2}


def test_what_may_not_be_sold_is_no_source() -> None:
    Warehouse.objects.filter(code="NEAR").update(is_sellable=False)
    factories.stock("A", NEAR=9, FAR=2)
    assert sources(released(A=2)) == {"FAR": 2}


def test_what_nobody_has_is_left_to_the_first() -> None:
    """Promised, and then lost by a count: somebody must be told to ship it."""
    factories.stock("A", NEAR=1, FAR=1)
    order = factories.order({"A": 2})
    factories.stock("A", NEAR=-1)
    lifecycle.confirm_payment(order.number, actor="li")
    assert sources(order) == {"FAR": 1, "NEAR": 1}


def test_sourced_once() -> None:
    factories.stock("A", NEAR=1, FAR=5)
    order = released(A=1)
    factories.stock("A", NEAR=5)
    sourcing.source(order)
    assert sources(order) == {"NEAR": 1}


def test_an_unpaid_order_has_no_source_yet() -> None:
    factories.stock("A", NEAR=1)
    assert sources(factories.order({"A": 1})) == {}


def test_a_split_line_adds_up_in_the_document_for_the_erp() -> None:
    factories.stock("A", NEAR=1, FAR=1, ANNEX=1)
    order = factories.order({"A": 3}, payment_method=ON_ACCOUNT, unit="0.67", shipping_gross=Decimal("12.00"))
    document = documents.sales_order(documents.orders([order.number])[order.number])
    assert [(line.warehouse, line.quantity) for line in document.lines] == [
        ("NEAR", 1),
        ("FAR", 1),
        ("ANNEX", 1),
        ("", 1),
    ]
    for name in ("net", "tax", "gross"):
        assert sum(getattr(line, name) for line in document.lines) == getattr(document, name)
    assert all(line.net + line.tax == line.gross and line.tax >= 0 for line in document.lines)


@pytest.mark.django_db(transaction=True)
def test_two_orders_at_once_do_not_count_on_the_same_units() -> None:
    factories.china()
    factories.warehouse("NEAR", priority=1)
    factories.warehouse("FAR", priority=2)
    factories.stock("A", NEAR=4, FAR=4)
    results = at_once(lambda _: released(A=1), 8)
    assert [r for r in results if not isinstance(r, Order)] == []
    units = sorted(Sourcing.objects.values_list("warehouse__code", "quantity"))
    assert units == [("FAR", 1)] * 4 + [("NEAR", 1)] * 4
