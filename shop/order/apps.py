"""Weft's fork of Oscar's `order` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class OrderConfig(OscarConfig):
    name = "shop.order"
    label = "order"
    verbose_name = _("Order")
