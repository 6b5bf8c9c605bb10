"""Weft's fork of Oscar's `offer` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class OfferConfig(OscarConfig):
    name = "shop.offer"
    label = "offer"
    verbose_name = _("Offer")
