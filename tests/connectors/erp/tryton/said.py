"""What the contract tests ask of Tryton: one customer, one order, its cancellation, stock and shipments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from erp.base import Customer, OrderLine, SalesOrder, Target
from erp.providers.tryton import Tryton
from integrations.hub.values import Address

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SETTINGS = {
    "url": "http://tryton.example", "database": "tryton", "web_shop": "weft", "user": "weft",
    "key": "an-application-key-for-tests", "password": "a-password-for-tests",
}  # fmt: skip
ADDRESS = Address("张伟", ("科技路 1 号",), "南山区", "深圳市", "广东省", "518057", "CN", "13800138000")
CUSTOMER = Customer("guest:W20261122-CONTRA", "张伟", "buyer@example.com", "13800138000", "zh-hans", ADDRESS)
LINE = OrderLine("1", "goods", "BOOK-1", "书", 2, Decimal("50.00"), Decimal("0.00"), Decimal("50.00"), "VAT0",
                 Decimal(0), "SZ")  # fmt: skip


def order(number: str, target: Target = Target.CONFIRMED) -> SalesOrder:
    """Two books from SZ."""
    return SalesOrder(number, target, NOW, CUSTOMER, ADDRESS, ADDRESS, "CNY", (LINE,), LINE.net, LINE.tax, LINE.gross,
                      "bank-transfer")  # fmt: skip


ORDER = order("W20261122-CONTRA")
CALLS: dict[str, Callable[[Tryton], Any]] = {
    "health": lambda tryton: tryton.health(),
    "ensure_customer": lambda tryton: tryton.ensure_customer(CUSTOMER),
    "ensure_order": lambda tryton: tryton.ensure_order(ORDER),
    "ensure_order-again": lambda tryton: tryton.ensure_order(ORDER),
    "ensure_order-cancelled": lambda tryton: tryton.ensure_order(replace(ORDER, target=Target.CANCELLED)),
    "stock": lambda tryton: tryton.stock(["SZ"]),
    "changes": lambda tryton: tryton.changes(None),
}
