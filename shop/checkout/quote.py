"""What a basket costs: the same sums, taken apart in the same way, as the order that is made of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from shop.basket.models import Basket, Line
from shop.catalogue import facts
from shop.catalogue.models import Product
from shop.order.place import DraftLine
from shop.pricing.money import ZERO, quantise
from shop.pricing.tax import Taxed, split
from shop.shipping.repository import Repository


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """One basket line with its price. `problem` says why it cannot be ordered as it stands, '' if it can."""

    line: Line
    unit: Decimal
    discount: Decimal
    taxed: Taxed
    tax_code: str
    tax_rate: Decimal
    problem: str = ""

    @property
    def before_discount(self) -> Decimal:
        return self.unit * self.line.quantity


@dataclass(frozen=True)
class Quote:
    """A basket's price. Sums are gross; `taxes` are per rate."""

    currency: str
    lines: tuple[QuotedLine, ...]
    unpriced: tuple[Line, ...]
    shipping_code: str
    shipping_name: str
    shipping: Taxed
    shipping_tax_code: str
    shipping_tax_rate: Decimal

    @cached_property
    def goods(self) -> Decimal:
        return sum((line.before_discount for line in self.lines), ZERO)

    @cached_property
    def discount(self) -> Decimal:
        return sum((line.discount for line in self.lines), ZERO)

    @cached_property
    def total(self) -> Taxed:
        parts = [*(line.taxed for line in self.lines), self.shipping]
        return Taxed(*(sum((getattr(p, name) for p in parts), ZERO) for name in ("net", "tax", "gross")))

    @cached_property
    def taxes(self) -> list[tuple[Decimal, Decimal]]:
        """(rate, tax) of every rate that occurs, highest first."""
        sums: dict[Decimal, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            sums[line.tax_rate.normalize()] += line.taxed.tax
        sums[self.shipping_tax_rate.normalize()] += self.shipping.tax
        return sorted(((rate, tax) for rate, tax in sums.items() if tax), reverse=True)

    @property
    def products(self) -> list[Product]:
        return [line.product for line in (*(quoted.line for quoted in self.lines), *self.unpriced)]

    @property
    def is_orderable(self) -> bool:
        return bool(self.lines) and not self.unpriced and not any(line.problem for line in self.lines)

    def draft_lines(self) -> tuple[DraftLine, ...]:
        return tuple(
            DraftLine(
                sku=line.line.stockrecord.partner_sku,
                title=line.line.product.get_title(),
                quantity=line.line.quantity,
                unit_gross=line.unit,
                discount=line.discount,
                tax_code=line.tax_code,
                tax_rate=line.tax_rate,
                product_id=line.line.product_id,
                stockrecord_id=line.line.stockrecord_id,
            )
            for line in self.lines
        )


def quote(basket: Basket) -> Quote | None:
    """The price of `basket` (offers applied) with standard shipping; None when it is empty."""
    lines = basket.all_lines()
    facts.name_variants(line.product for line in lines)
    priced = [line for line in lines if line.purchase_info.price.exists]
    if not lines:
        return None
    currency = priced[0].purchase_info.price.currency if priced else basket.currency
    shipping = _shipping(basket, currency, has_goods=len(priced) == len(lines))
    return Quote(
        currency=currency,
        lines=tuple(_quoted(line, currency) for line in priced),
        unpriced=tuple(line for line in lines if not line.purchase_info.price.exists),
        **shipping,
    )


def _quoted(line: Line, currency: str) -> QuotedLine:
    price = line.purchase_info.price
    before = price.incl_tax * line.quantity
    discount = min(quantise(Decimal(line.discount_value), currency), before)
    permitted, reason = line.purchase_info.availability.is_purchase_permitted(line.quantity)
    return QuotedLine(
        line=line,
        unit=price.incl_tax,
        discount=discount,
        taxed=split(before - discount, price.tax_rate, currency),
        tax_code=price.tax_code,
        tax_rate=price.tax_rate,
        problem="" if permitted else str(reason),
    )


def _shipping(basket: Basket, currency: str, *, has_goods: bool) -> dict[str, Any]:
    if not has_goods:  # something in it has no price any more: it cannot be ordered, so shipping is not asked
        return _no_shipping()
    method = Repository().get_default_shipping_method(basket)
    charge = method.calculate(basket)
    tax_class = getattr(getattr(method, "method", method), "tax_class", None)
    rate = tax_class.rate if tax_class else ZERO
    return {
        "shipping_code": method.code,
        "shipping_name": str(method.name),
        "shipping": split(quantise(charge.incl_tax, currency), rate, currency),
        "shipping_tax_code": tax_class.code if tax_class else "",
        "shipping_tax_rate": rate,
    }


def _no_shipping() -> dict[str, Any]:
    return {
        "shipping_code": "",
        "shipping_name": "",
        "shipping": Taxed(ZERO, ZERO, ZERO),
        "shipping_tax_code": "",
        "shipping_tax_rate": ZERO,
    }
