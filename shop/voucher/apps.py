"""Weft's fork of Oscar's `voucher` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class VoucherConfig(OscarConfig):
    name = "shop.voucher"
    label = "voucher"
    verbose_name = _("Voucher")
