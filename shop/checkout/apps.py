"""Weft's fork of Oscar's `checkout` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class CheckoutConfig(OscarConfig):
    name = "shop.checkout"
    label = "checkout"
    verbose_name = _("Checkout")
