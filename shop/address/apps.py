"""Weft's fork of Oscar's `address` app: its models as they are, with migrations of our own."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class AddressConfig(OscarConfig):
    name = "shop.address"
    label = "address"
    verbose_name = _("Address")
