"""Weft's fork of Oscar's `partner` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class PartnerConfig(OscarConfig):
    name = "shop.partner"
    label = "partner"
    verbose_name = _("Partner")
