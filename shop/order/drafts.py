"""Lines of an order that is about to be placed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shop.order.models import LineKind


@dataclass(frozen=True, slots=True)
class SoldKit:
    """The kit a line came with: the `number`-th of its order, sold `quantity` times."""

    number: int
    sku: str
    title: str
    quantity: int
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class DraftLine:
    """`gross` is the line's price before discounts, `discount` what comes off it; both quantised, tax included.
    `tax_rate` is a fraction. `whole`: the price before discounts, where it is not so many times `unit_gross`."""

    sku: str
    title: str
    quantity: int
    unit_gross: Decimal
    discount: Decimal
    tax_code: str
    tax_rate: Decimal
    product_id: int | None = None
    stockrecord_id: int | None = None
    kind: LineKind = LineKind.GOODS
    whole: Decimal | None = None
    kit: SoldKit | None = None

    @property
    def gross(self) -> Decimal:
        return self.unit_gross * self.quantity if self.whole is None else self.whole
