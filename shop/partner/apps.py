"""Weft's fork of Oscar's `partner` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class PartnerConfig(OscarConfig):
    name = "shop.partner"
    label = "partner"
    verbose_name = _("Partner")
