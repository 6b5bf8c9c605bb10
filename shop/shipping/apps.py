"""Weft's fork of Oscar's `shipping` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class ShippingConfig(OscarConfig):
    name = "shop.shipping"
    label = "shipping"
    verbose_name = _("Shipping")
