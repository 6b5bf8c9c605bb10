"""Weft's fork of Oscar's `catalogue` app."""

from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class CatalogueConfig(OscarConfig):
    name = "shop.catalogue"
    label = "catalogue"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        from oscar.apps.catalogue import receivers  # noqa: F401  (hidden categories hide what stands below them)

        from shop.catalogue import receivers as ours  # noqa: F401  (a deleted picture's files go with it)
