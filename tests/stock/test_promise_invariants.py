"""I19, broken on purpose, behind the back of constraints, must be seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from shop import invariants
from shop.fulfilment import filling, shipping
from shop.order import lifecycle
from shop.order.models import PaymentMethod
from shop.stock import movements, supply
from shop.stock.models import BrokenPromise, Reason, Waiting
from shop.stock.movements import Move
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

CANCELLED, LATE = "ending = 'cancelled'", "ending = 'late'"
ROW = "UPDATE stock_brokenpromise SET"
BREAKS = [
    (
        "INSERT INTO stock_brokenpromise (line_id, sku, shortage_id, ending, cause, units, value, cost_note, cost_by) "
        f"SELECT line_id, sku, shortage_id, ending, cause, 1, value, '', '' FROM stock_brokenpromise WHERE {LATE}",
        "LAMP",
        "written more than once",
    ),
    (f"{ROW} units = 9 WHERE {CANCELLED}", "CHAIR-1", "more was not kept than was promised"),
    ("UPDATE stock_hold SET released = 0 WHERE sku = 'CHAIR-1'", "CHAIR-1", "more was cancelled than was given back"),
    ("UPDATE fulfilment_parcelline SET quantity = 1", "LAMP", "more was late than was shipped"),
    (f"{ROW} value = value + 0.01 WHERE {LATE}", "LAMP", "not worth its share"),
    (f"{ROW} units = 1 WHERE {CANCELLED}", "CHAIR-1", "not worth its share"),
    (f"{ROW} sku = 'CHAIR-1' WHERE {LATE}", "LAMP", "of another SKU than its line"),
    (f"{ROW} cause = 'count' WHERE {CANCELLED}", "CHAIR-1", "something else than its shortage"),
    (f"{ROW} shortage_id = NULL WHERE {CANCELLED}", "CHAIR-1", "something else than its shortage"),
    (
        f"{ROW} shortage_id = (SELECT max(id) FROM stock_shortage) WHERE {LATE}",
        "LAMP",
        "something else than its shortage",
    ),
    ("UPDATE stock_shortage SET provisional = true", "CHAIR-1", "nobody confirmed"),
    ("UPDATE stock_shortage SET given_back = 0", "shortage ", "more promises were not kept than it cost"),
    ("UPDATE stock_shortage SET in_all = 1", "shortage ", "more units than it ever had"),
]


@pytest.fixture(autouse=True)
def _a_shop_that_could_not_keep_two() -> None:
    """Two chairs of three were broken and their order cancelled; two lamps left after their day."""
    factories.china()
    factories.stock("CHAIR-1", SZ=3)
    placed = factories.order({"CHAIR-1": 3}, payment_method=PaymentMethod.ON_ACCOUNT, unit="33.33")
    with transaction.atomic():
        movements.record([Move("CHAIR-1", factories.warehouse().pk, -2, Reason.DAMAGE)])
    lifecycle.cancel(placed.number, actor="test")
    sale = factories.presale("LAMP", cap=2)
    placed = factories.order({"LAMP": 2}, payment_method=PaymentMethod.ON_ACCOUNT)
    Waiting.objects.update(promised_on=timezone.localdate() - timedelta(days=1))
    supply.receive(sale.supply_id, 2, seen=0, actor="test")
    filling.fill_waiting()
    shipping.ship(placed.number, warehouse=factories.warehouse(), actor="test")
    assert BrokenPromise.objects.count() == 2


def found() -> list[tuple[str, str]]:
    one = next(one for one in invariants.registered() if one.id == "I19")
    return [(row.subject, row.problem) for row in invariants.broken(one)]


def test_as_it_is_nothing_is_broken() -> None:
    assert found() == []


@pytest.mark.parametrize(("statement", "subject", "problem"), BREAKS)
def test_what_breaks_it_is_seen(statement: str, subject: str, problem: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute("ALTER TABLE stock_brokenpromise DROP CONSTRAINT broken_promise_once")
            cursor.execute(statement)
            rows = found()
        finally:
            cursor.execute("ROLLBACK")
    assert [row for row in rows if subject in row[0] and problem in row[1]], rows
