"""What a basket costs: the same sums, taken apart in the same way, as the order that is made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from shop.basket.models import Basket, Line
from shop.catalogue import facts
from shop.catalogue.models import Product
from shop.checkout import together
from shop.order import kits
from shop.order.drafts import DraftLine
from shop.pricing.money import ZERO, quantise
from shop.pricing.tax import Taxed, split
from shop.shipping.repository import Repository


@dataclass(frozen=True)
class QuotedLine:
    """One basket line with its price, as it will be written: `written` are its parts where it is a kit, else itself.

    `problem` says why it cannot be ordered as it stands, '' if it can; `later` what is said of goods that leave later.
    """

    line: Line
    draft: DraftLine
    written: tuple[DraftLine, ...]
    currency: str
    problem: str = ""
    later: str = ""

    @property
    def unit(self) -> Decimal:
        return self.draft.unit_gross

    @property
    def discount(self) -> Decimal:
        return self.draft.discount

    @property
    def before_discount(self) -> Decimal:
        return self.draft.gross

    @property
    def parts(self) -> list[tuple[int, str]]:
        """Of a kit, how many of what is in each."""
        return [(part.quantity // self.draft.quantity, part.title) for part in self.written if part.kit]

    @cached_property
    def taxed_by_rate(self) -> list[tuple[Decimal, Taxed]]:
        return [
            (one.tax_rate.normalize(), split(one.gross - one.discount, one.tax_rate, self.currency))
            for one in self.written
        ]

    @cached_property
    def taxed(self) -> Taxed:
        return _sum(taxed for _rate, taxed in self.taxed_by_rate)


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
        return _sum([*(line.taxed for line in self.lines), self.shipping])

    @cached_property
    def taxes(self) -> list[tuple[Decimal, Decimal]]:
        """(rate, tax) of every rate that occurs, highest first."""
        sums: dict[Decimal, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            for rate, taxed in line.taxed_by_rate:
                sums[rate] += taxed.tax
        sums[self.shipping_tax_rate.normalize()] += self.shipping.tax
        return sorted(((rate, tax) for rate, tax in sums.items() if tax), reverse=True)

    @property
    def products(self) -> list[Product]:
        return [line.product for line in (*(quoted.line for quoted in self.lines), *self.unpriced)]

    @property
    def is_orderable(self) -> bool:
        return bool(self.lines) and not self.unpriced and not any(line.problem for line in self.lines)

    def draft_lines(self) -> tuple[DraftLine, ...]:
        return tuple(one for line in self.lines for one in line.written)


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
        lines=tuple(_quoted(priced, currency)),
        unpriced=tuple(line for line in lines if not line.purchase_info.price.exists),
        **shipping,
    )


def _quoted(lines: list[Line], currency: str) -> Iterator[QuotedLine]:
    drafts = [_draft(line, currency) for line in lines]
    has_kits = any(line.stockrecord.offer.is_kit for line in lines)
    written = kits.explode_each(drafts, currency) if has_kits else [(draft,) for draft in drafts]
    problems = together.problems(lines, written)
    for line, draft, parts, problem in zip(lines, drafts, written, problems, strict=True):
        availability = line.purchase_info.availability
        later = availability.later if availability.is_later(line.quantity) else ""
        yield QuotedLine(line, draft, parts, currency, problem, later)


def _draft(line: Line, currency: str) -> DraftLine:
    price = line.purchase_info.price
    before = price.incl_tax * line.quantity
    return DraftLine(
        sku=line.stockrecord.partner_sku,
        title=line.product.get_title(),
        quantity=line.quantity,
        unit_gross=price.incl_tax,
        discount=min(quantise(Decimal(line.discount_value), currency), before),
        tax_code=price.tax_code,
        tax_rate=price.tax_rate,
        product_id=line.product_id,
        stockrecord_id=line.stockrecord_id,
    )


def _sum(parts: Iterable[Taxed]) -> Taxed:
    found = list(parts)
    return Taxed(*(sum((getattr(part, name) for part in found), ZERO) for name in ("net", "tax", "gross")))


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
