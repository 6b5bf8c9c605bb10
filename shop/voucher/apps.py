"""Weft's fork of Oscar's `voucher` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class VoucherConfig(OscarConfig):
    name = "shop.voucher"
    label = "voucher"
    verbose_name = _("Voucher")
