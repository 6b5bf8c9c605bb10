"""A real Tryton for the tests: built once (over a minute), kept as a snapshot, given to each test run as new.

Where: WEFT_TRYTON_HOME, or var/tryton-test. It needs no database of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path

import pytest

from erp.base import Customer, OrderLine, SalesOrder, Target
from erp.local.clerk import Clerk
from erp.local.rpc import Session
from erp.local.tryton_server import DATABASE, ROOT, Home, TrytonServer, bring_up
from erp.providers.tryton import Tryton
from integrations.hub.values import Address
from tests.erp.door import LoopbackDoor

RATES = {"VAT13": Decimal("0.13"), "VAT9": Decimal("0.09"), "VAT6": Decimal("0.06"), "VAT0": Decimal(0)}
PORT = 18015
ADDRESS = Address("张伟", ("科技路 1 号",), "南山区", "深圳市", "广东省", "518057", "CN", "13800138000")


def round_half_up(amount: Decimal) -> Decimal:
    """To the minor unit, as the shop rounds."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def line(sku: str, quantity: int, gross: str | Decimal, tax: str = "VAT13", warehouse: str = "SZ") -> OrderLine:
    """A line as the shop makes it: tax = gross - round_half_up(gross / (1 + rate))."""
    total, rate = Decimal(gross), RATES[tax]
    net = round_half_up(total / (1 + rate))
    key = uuid.uuid4().hex[:8]
    return OrderLine(key, "goods", sku, f"{sku} 名称", quantity, net, total - net, total, tax, rate, warehouse)


def shipping(gross: str, tax: str = "VAT13") -> OrderLine:
    """Shipping costs: no SKU, no warehouse."""
    return replace(line("", 1, gross, tax, ""), kind="shipping", name="运费")


def order(*lines: OrderLine, number: str = "", target: Target = Target.CONFIRMED) -> SalesOrder:
    """A whole order, with a guest of its own."""
    number = number or f"W{uuid.uuid4().hex[:10].upper()}"
    customer = Customer(f"guest:{number}", "张伟", f"{number}@example.com", "13800138000", "zh-hans", ADDRESS)
    net, tax, gross = (sum((getattr(x, f) for x in lines), Decimal(0)) for f in ("net", "tax", "gross"))
    return SalesOrder(
        number, target, datetime.now(UTC), customer, ADDRESS, ADDRESS, "CNY", lines, net, tax, gross, "bank-transfer"
    )


def cancelled(wanted: SalesOrder) -> SalesOrder:
    """The same order, to be cancelled."""
    return replace(wanted, target=Target.CANCELLED)


@dataclass
class Live:
    """A Tryton at work, and the people in it."""

    server: TrytonServer

    def settings(self, **others: str) -> dict[str, str]:
        """The account's settings."""
        passwords = self.server.home.passwords()
        own = {"url": self.server.url, "database": DATABASE, "web_shop": "weft", "user": "weft"}
        return own | {"key": passwords.weft_key, "password": passwords.weft} | others

    def connector(self, **others: str) -> Tryton:
        """A connector as a drain gets it."""
        return Tryton(self.settings(**others), LoopbackDoor(), lambda: datetime.now(UTC))

    def push(self, wanted: SalesOrder) -> Tryton:
        """Customer, then order; returns the connector that did it."""
        connector = self.connector()
        connector.ensure_customer(wanted.customer)
        connector.ensure_order(wanted)
        return connector

    def level(self, sku: str, warehouse: str = "SZ") -> int:
        """What our stock reading says."""
        return next(x.on_hand for x in self.connector().stock([warehouse]) if x.sku == sku)

    @cached_property
    def admin(self) -> Session:
        """Tryton's administrator: to look, and to do what a clerk must not."""
        return Session(self.server.url, DATABASE, "admin", self.server.home.passwords().admin)

    def clerk(self) -> Clerk:
        """A warehouse clerk."""
        return Clerk(self.server.url, DATABASE, self.server.home.passwords().clerk)

    def ship(self, wanted: SalesOrder, warehouse: str | None = None) -> None:
        """The clerk sends the order off."""
        with self.clerk() as clerk:
            clerk.ship(wanted.number, warehouse)

    def sales(self, wanted: SalesOrder) -> list[dict]:
        """The order's sales in Tryton, in the order of their web ids."""
        fields = ["state", "web_id", "number", "total_amount", "shipment_state", "invoice_state", "reference"]
        fields += ["shipments.state", "invoices.state", "moves.state", "party.code", "lines.quantity", "lines.amount"]
        rows = self.admin.find("sale.sale", [["web_id", "like", f"{wanted.number}:%"]], fields)
        return sorted(rows, key=lambda row: row["web_id"])


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """A Tryton of this worker's own, as new."""
    base = Path(os.environ.get("WEFT_TRYTON_HOME") or ROOT / "var" / "tryton-test").resolve()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    instance = base / f"run-{worker}-{os.getpid()}"
    catalogue = json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8"))
    server = bring_up(Home(base, instance, base / "secrets"), catalogue, PORT, print)
    try:
        yield Live(server)
    finally:
        server.stop()
        shutil.rmtree(instance, ignore_errors=True)
