"""Weft's fork of Oscar's `catalogue` app."""

from oscar.core.application import OscarConfig
from django.utils.translation import gettext_lazy as _


class CatalogueConfig(OscarConfig):
    name = "shop.catalogue"
    label = "catalogue"
    verbose_name = _("Catalogue")
