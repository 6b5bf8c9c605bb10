"""Weft's fork of Oscar's `shipping` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class ShippingConfig(OscarConfig):
    name = "shop.shipping"
    label = "shipping"
    verbose_name = _("Shipping")
