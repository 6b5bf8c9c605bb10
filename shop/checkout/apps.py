"""Weft's fork of Oscar's `checkout` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class CheckoutConfig(OscarConfig):
    name = "shop.checkout"
    label = "checkout"
    verbose_name = _("Checkout")
