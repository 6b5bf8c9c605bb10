"""Losses on purpose, taken back at once: a check that cannot fail proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from erp.local.tryton_server import TrytonServer
from tests.faults import checks
from tests.faults.journal import Journals
from tests.faults.site import Site

PAID = "(SELECT max(id) FROM order_order WHERE status = 'paid')"
# What is done behind everybody's back, and what must be said of it.
UNTOLD = (
    (f"UPDATE order_order SET number = 'W-LOST' WHERE id = {PAID}", "there is no such order"),
    (f"UPDATE order_order SET basket_id = NULL WHERE id = {PAID}", "the order is of basket None"),
    (f"UPDATE order_line SET quantity = quantity + 1 WHERE order_id = {PAID}", "in the basket were"),
    ("UPDATE stock_hold SET released = quantity", "held is"),
    ("UPDATE hub_outgoing SET key = 'x' || key WHERE topic = 'mail'", "0 letters were wished for"),
    ("UPDATE order_order SET total_incl_tax = total_incl_tax + 1", "the order's total is"),
    (f"UPDATE order_order SET status = 'pending_payment' WHERE id = {PAID}", "the order is pending_payment"),
    ("UPDATE hub_outgoing SET key = 'x' || key WHERE topic = 'erp.order'", "0 rows for the ERP"),
    ("UPDATE basket_line SET quantity = quantity - 1", "told were"),
)
TOO_MUCH = (
    (f"UPDATE order_order SET number = 'W-MORE' WHERE id = {PAID}", "orders nobody was told of"),
    ("UPDATE order_order SET basket_id = (SELECT min(basket_id) FROM order_order)", "baskets ordered twice"),
    ("UPDATE basket_line SET quantity = quantity + 1", "more in a basket than was asked for"),
)
ELSEWHERE = (
    ("UPDATE stock_warehouse SET code = code || 'X'", "wanted the sales"),
    (f"UPDATE order_order SET total_incl_tax = total_incl_tax + 1 WHERE id = {PAID}", "the total is"),
    (f"UPDATE order_order SET status = 'pending_payment' WHERE id = {PAID}", "not paid, yet there"),
    ("UPDATE order_order SET status = 'paid'", "its customer is there 0 times"),
)


@dataclass
class Broken:
    """The data of a run as one transaction sees them that will not be committed."""

    connection: psycopg.Connection[Any]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()  # type: ignore[arg-type]

    def rows(self, query: str) -> list[dict[str, Any]]:
        return self.connection.cursor(row_factory=dict_row).execute(query).fetchall()  # type: ignore[arg-type]


def must_be_seen(site: Site, journals: Journals, tryton: TrytonServer) -> int:
    """Each of them, by the check that is there for it; returns how many."""
    planted: list[tuple[str, str, Callable[[Broken], object]]] = [
        *((*loss, lambda data: checks.told_is_so(data, journals)) for loss in UNTOLD),
        *((*loss, lambda data: checks.nothing_else(data, journals)) for loss in TOO_MUCH),
        *((*loss, lambda data: checks.erp_has_each_once(data, tryton)) for loss in ELSEWHERE),
    ]
    for statement, words, check in planted:
        with site.ground.connect(site.database) as connection, connection.transaction(force_rollback=True):
            connection.execute(statement)  # type: ignore[call-overload]
            with pytest.raises(AssertionError, match=words):
                check(Broken(connection))
    return len(planted)
