"""I17 and I18, broken on purpose, behind the back of constraints and triggers, must be seen."""

from __future__ import annotations

import pytest
from django.db import connection

from shop import invariants
from shop.fulfilment import filling
from shop.stock import supply
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

BREAKS = [
    ("I17", "UPDATE stock_presale SET promised = promised - 1", "CHAIR-1", "not the sum of who waits"),
    ("I17", "UPDATE stock_waiting SET released = released + 1 WHERE open > 0", "CHAIR-1", "not the sum of who waits"),
    ("I17", "UPDATE stock_presale SET done = done + 1", "CHAIR-1", "done is not what was filled"),
    ("I17", "UPDATE stock_presale SET cap = 1", "CHAIR-1", "more is promised than may be"),
    ("I17", "UPDATE stock_presale SET cap = 99", "CHAIR-1", "more may be promised than is to come"),
    ("I17", "UPDATE stock_supply SET cancelled = open - 2", "CHAIR-1", "more may be promised than is to come"),
    ("I17", "UPDATE stock_supply SET expected_on = expected_on + 1", "CHAIR-1", "is of another SKU or day"),
    ("I17", "DELETE FROM stock_filling", "line ", "filled is not what it holds"),
    ("I17", "UPDATE stock_hold SET quantity = quantity + 1", "line ", "filled is not what it holds"),
    ("I17", "DELETE FROM stock_movement WHERE reason = 'receipt'", "supply ", "more was received"),
    ("I18", "INSERT INTO stock_pool VALUES ('set-1', 0, 0, 0, 0)", "SET-1", "a kit has a pool"),
    ("I18", "UPDATE stock_kitpart SET part_id = (SELECT id FROM partner_stockrecord WHERE partner_sku = 'SET-1')",
     "SET-1", "a kit itself"),
    ("I18", "UPDATE order_line SET kit_quantity = 9 WHERE partner_sku = 'LAMP'", "kit 1", "tell of different kits"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _a_shop_that_sells_ahead() -> None:
    """Four chairs of ten are waited for, six came and filled two of the first order; and a kit was sold."""
    factories.china()
    factories.product("CHAIR-1")
    sale = factories.presale("CHAIR-1", cap=10)
    for units in (2, 4):
        factories.order({"CHAIR-1": units})
    supply.receive(sale.supply_id, 2, seen=0, actor="test")
    filling.fill_waiting()
    factories.product("LAMP")
    factories.product("CUP")
    for sku in ("LAMP", "CUP"):
        factories.stock(sku, SZ=5)
    factories.kit("SET-1", {"LAMP": 1, "CUP": 1})
    factories.order({"SET-1": 2})


def found(id: str) -> list[tuple[str, str]]:
    one = next(one for one in invariants.registered() if one.id == id)
    return [(row.subject, row.problem) for row in invariants.broken(one)]


def test_as_it_is_nothing_is_broken() -> None:
    assert [found(id) for id in ("I1", "I2", "I17", "I18")] == [[], [], [], []]


@pytest.mark.parametrize(("id", "statement", "subject", "problem"), BREAKS)
def test_what_breaks_it_is_seen(id: str, statement: str, subject: str, problem: str) -> None:
    guards = [
        "ALTER TABLE stock_presale DROP CONSTRAINT presale_not_oversold",
        "ALTER TABLE stock_movement DISABLE TRIGGER USER",
        "ALTER TABLE stock_pool DISABLE TRIGGER USER",
        "ALTER TABLE stock_kitpart DISABLE TRIGGER USER",
        "ALTER TABLE stock_kitpart DROP CONSTRAINT kit_part_once",
    ]
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            for text in (*guards, statement):
                cursor.execute(text)
            rows = found(id)
        finally:
            cursor.execute("ROLLBACK")
    assert [row for row in rows if subject in row[0] and problem in row[1]], rows
