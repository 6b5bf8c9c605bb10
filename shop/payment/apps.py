"""Weft's fork of Oscar's `payment` app: its models as they are, with migrations of our own."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class PaymentConfig(OscarConfig):
    name = "shop.payment"
    label = "payment"
    verbose_name = _("Payment")
