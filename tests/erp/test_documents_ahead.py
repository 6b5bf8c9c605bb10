"""What the ERP is told of goods that are not here yet, and of kits: whole lines, at places that do not change."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erp import documents
from erp.base import SalesOrder
from integrations.hub.models import AccountState
from shop.fulfilment import filling
from shop.order.models import Order, PaymentMethod
from shop.stock import supply
from shop.stock.models import Waiting
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def told(order: Order) -> SalesOrder:
    return documents.sales_order(documents.orders([order.number])[order.number])


def lines(order: Order) -> list[tuple[str, str, int]]:
    return [(line.sku, line.warehouse, line.quantity) for line in told(order).lines if line.kind == "goods"]


def test_what_waits_is_ordered_where_it_is_to_arrive_before_and_after_it_has() -> None:
    factories.china()
    erps = factories.warehouse("HZ", priority=9, erp_account=factories.account("erp", state=AccountState.ACTIVE))
    factories.stock("LAMP", SZ=5)
    factories.presale("CHAIR-1", cap=10, warehouse=erps)
    order = factories.order({"LAMP": 2, "CHAIR-1": 6}, payment_method=PaymentMethod.ON_ACCOUNT)
    before = told(order)
    assert lines(order) == [("LAMP", "SZ", 2), ("CHAIR-1", "HZ", 6)]
    factories.stock("CHAIR-1", HZ=4)
    assert filling.fill_waiting() == 4
    assert Waiting.objects.get().open == 2
    assert told(order) == before, "partly filled it is the same document"
    factories.stock("CHAIR-1", HZ=2)
    filling.fill_waiting()
    assert told(order) == before
    assert sum(line.gross for line in before.lines) == before.gross == order.total_incl_tax


def test_a_kit_is_told_as_goods_with_their_money() -> None:
    factories.china()
    factories.product("POT", price="150.00")
    factories.product("CUP", price="25.00")
    factories.kit("TEA", {"POT": 1, "CUP": 4}, price="199.99")
    factories.stock("POT", SZ=5)
    factories.stock("CUP", SZ=50)
    order = factories.order({"TEA": 3}, unit="199.99", payment_method=PaymentMethod.ON_ACCOUNT)
    assert lines(order) == [("POT", "SZ", 3), ("CUP", "SZ", 12)]
    assert sum(line.gross for line in told(order).lines) == Decimal("599.97")


def test_a_supply_cancelled_changes_no_document() -> None:
    factories.china()
    sale = factories.presale("CHAIR-1", cap=10)
    order = factories.order({"CHAIR-1": 6}, payment_method=PaymentMethod.ON_ACCOUNT)
    before = told(order)
    supply.cancel(sale.supply_id, 10)
    assert told(order) == before
