"""How orders are sent, and what that costs."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from oscar.apps.shipping import methods as oscar
from oscar.core.prices import Price

from shop.pricing.models import TaxClass
from shop.pricing.money import ZERO, exact
from shop.pricing.tax import split

Base = oscar.Base
Free = oscar.Free
NoShippingRequired = oscar.NoShippingRequired
FixedPrice = oscar.FixedPrice
OfferDiscount = oscar.OfferDiscount
TaxExclusiveOfferDiscount = oscar.TaxExclusiveOfferDiscount
TaxInclusiveOfferDiscount = oscar.TaxInclusiveOfferDiscount


class Standard(Base):
    """A flat fee, tax included; free from a certain worth of goods on, counted after discounts."""

    code = "standard"
    name = _("Standard shipping")

    def __init__(self, tax_class: TaxClass) -> None:
        self.tax_class = tax_class

    def fee(self, goods: Decimal, currency: str) -> Decimal:
        """What shipping costs, tax included, for goods of this worth."""
        is_free = bool(settings.WEFT_FREE_SHIPPING_FROM) and goods >= Decimal(settings.WEFT_FREE_SHIPPING_FROM)
        return ZERO if is_free else exact(Decimal(settings.WEFT_SHIPPING_FEE), currency)

    def calculate(self, basket) -> Price:  # type: ignore[no-untyped-def]
        currency = basket.currency or settings.OSCAR_DEFAULT_CURRENCY
        goods = sum((line.line_price_incl_tax - line.discount_value for line in basket.all_lines()), ZERO)
        taxed = split(self.fee(goods, currency), self.tax_class.rate, currency)
        return Price(currency=currency, excl_tax=taxed.net, incl_tax=taxed.gross, tax_code=self.tax_class.code)
