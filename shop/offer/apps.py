"""Weft's fork of Oscar's `offer` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class OfferConfig(OscarConfig):
    name = "shop.offer"
    label = "offer"
    verbose_name = _("Offer")
