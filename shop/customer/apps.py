"""Weft's fork of Oscar's `customer` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class CustomerConfig(OscarConfig):
    name = "shop.customer"
    label = "customer"
    verbose_name = _("Customer")
