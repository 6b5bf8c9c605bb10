"""What is offered. Titles and texts stand in each language in columns of their own (`translation.py`)."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _
from oscar.apps.catalogue.abstract_models import AbstractCategory, AbstractProduct


class Category(AbstractCategory):
    pass


class Product(AbstractProduct):
    """A product, or one variant of it. Its SKU, price and stock hang on its stock record."""

    summary = models.CharField(_("summary"), max_length=255, blank=True)
    tax_class = models.ForeignKey(
        "pricing.TaxClass", on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("tax class")
    )
    weight_g = models.PositiveIntegerField(_("weight (g)"), null=True, blank=True)
    is_featured = models.BooleanField(_("on the home page"), default=False, db_index=True)
    search = SearchVectorField(null=True, editable=False)

    class Meta(AbstractProduct.Meta):
        abstract = False
        indexes = [GinIndex(fields=["search"], name="product_search")]

    told_apart_by = ""  # what `facts.name_variants` found

    def get_title(self) -> str:
        """A variant without a title has its parent's, and what tells it apart where that was looked up."""
        title = super().get_title()
        return f"{title} ({self.told_apart_by})" if self.told_apart_by else title

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        from shop.catalogue.search import index  # jieba's dictionary is loaded only where something is indexed

        index([self])


from oscar.apps.catalogue.models import *
