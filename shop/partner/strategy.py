"""Price, tax and availability of a product for the person who asks. Prices are gross; figures are `stock.offered`'s."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection
from oscar.apps.partner.prices import TaxInclusiveFixedPrice
from oscar.apps.partner.prices import Unavailable as NoPrice
from oscar.apps.partner.strategy import PurchaseInfo, Structured, UseFirstStockRecord

from shop.partner.availability import AnyOf, StockRequired, Unavailable
from shop.partner.models import StockRecord
from shop.pricing.models import TaxClass
from shop.pricing.money import TooFine, exact
from shop.pricing.tax import split
from shop.rows import Rows
from shop.stock import offered
from shop.stock.offered import Offered


class Price(TaxInclusiveFixedPrice):
    """A gross price with the tax that is in it. `tax_rate` is a fraction."""

    def __init__(self, gross: Decimal, currency: str, tax_class: TaxClass) -> None:
        taxed = split(gross, tax_class.rate, currency)
        super().__init__(currency=currency, excl_tax=taxed.net, tax=taxed.tax, tax_code=tax_class.code)
        self.tax_rate = tax_class.rate


_RECORDS = f"""
SELECT {{columns}} FROM partner_stockrecord record {offered.JOIN} WHERE record.product_id = ANY(%s)
"""


def attach_records(products: Iterable[Any]) -> None:
    """Put on each product its `record` (None: it has none), and on that what is offered of it (`record.offer`), in one
    statement for all; without it every look at a price or a figure asks for itself."""
    products = list(products)
    records: dict[int, StockRecord] = {}
    if products:
        with connection.cursor() as cursor:
            cursor.execute(_RECORDS.format(columns=_rows().columns), [[product.pk for product in products]])
            for found in map(_rows().read, cursor.fetchall()):
                records[found["record"].product_id] = found["record"]
                found["record"].offer = found["offered"]
    for product in products:
        product.record = records.get(product.pk)


@cache
def _rows() -> Rows:
    return Rows(record=StockRecord, offered=Offered)


def offer_of(record: StockRecord) -> Offered:
    """What may be promised of this SKU, as it was read with the record, else asked for."""
    if not hasattr(record, "offer"):
        record.offer = Offered.objects.get(record=record)
    return record.offer


def free_units(record: StockRecord) -> int:
    """Units that may be promised at once."""
    return offer_of(record).free


def tax_class_of(product) -> TaxClass | None:  # type: ignore[no-untyped-def]
    """A variant is taxed like its parent unless it says otherwise."""
    if product.tax_class_id is None and product.parent_id:
        return product.parent.tax_class
    return product.tax_class


class Strategy(UseFirstStockRecord, Structured):
    """What has no price, no tax class, or a price finer than its currency can be paid in is not for sale."""

    def select_stockrecord(self, product) -> StockRecord | None:  # type: ignore[no-untyped-def]
        return product.record if hasattr(product, "record") else super().select_stockrecord(product)

    def fetch_for_line(self, line, stockrecord=None) -> PurchaseInfo:  # type: ignore[no-untyped-def]
        return self.fetch_for_product(line.product, stockrecord or line.stockrecord)

    def pricing_policy(self, product, stockrecord) -> Price | NoPrice:  # type: ignore[no-untyped-def]
        tax_class = tax_class_of(product)
        if not stockrecord or stockrecord.price is None or tax_class is None:
            return NoPrice()
        try:
            gross = exact(stockrecord.price, stockrecord.price_currency)
        except TooFine:
            return NoPrice()
        return Price(gross, stockrecord.price_currency, tax_class)

    def availability_policy(self, product, stockrecord) -> StockRequired | Unavailable:  # type: ignore[no-untyped-def]
        if not product.is_public or not self.pricing_policy(product, stockrecord).exists:
            return Unavailable()
        return StockRequired(offer_of(stockrecord))

    def parent_pricing_policy(self, product, children_stock) -> Price | NoPrice:  # type: ignore[no-untyped-def]
        """The lowest price of the variants."""
        prices = [self.pricing_policy(child, record) for child, record in children_stock]
        return min((p for p in prices if p.exists), key=lambda p: p.incl_tax, default=NoPrice())

    def parent_availability_policy(self, product, children_stock) -> StockRequired | Unavailable:  # type: ignore[no-untyped-def]
        policies = [self.availability_policy(child, record) for child, record in children_stock]
        counted = [policy for policy in policies if isinstance(policy, StockRequired)]
        return AnyOf(counted) if counted else Unavailable()


class Selector:
    def strategy(self, request=None, user=None, **kwargs) -> Strategy:  # type: ignore[no-untyped-def]
        return Strategy(request)
