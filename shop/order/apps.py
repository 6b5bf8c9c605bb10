"""Weft's fork of Oscar's `order` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class OrderConfig(OscarConfig):
    name = "shop.order"
    label = "order"
    verbose_name = _("Order")
