"""Weft's fork of Oscar's `basket` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class BasketConfig(OscarConfig):
    name = "shop.basket"
    label = "basket"
    verbose_name = _("Basket")
