from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from oscar.apps.shipping.abstract_models import AbstractOrderAndItemCharges, AbstractWeightBand

from shop.pricing.fields import MoneyField


class OrderAndItemCharges(AbstractOrderAndItemCharges):
    price_per_order = MoneyField(_("Price per order"), default=Decimal("0.00"))
    price_per_item = MoneyField(_("Price per item"), default=Decimal("0.00"))
    free_shipping_threshold = MoneyField(_("Free Shipping"), blank=True, null=True)


class WeightBand(AbstractWeightBand):
    charge = MoneyField(_("Charge"))


from oscar.apps.shipping.models import *
