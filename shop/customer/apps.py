"""Weft's fork of Oscar's `customer` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class CustomerConfig(OscarConfig):
    name = "shop.customer"
    label = "customer"
    verbose_name = _("Customer")
