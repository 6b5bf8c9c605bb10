"""Weft's fork of Oscar's `basket` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class BasketConfig(OscarConfig):
    name = "shop.basket"
    label = "basket"
    verbose_name = _("Basket")
