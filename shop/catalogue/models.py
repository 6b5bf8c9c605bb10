"""What is offered. Titles and texts stand in each language in columns of their own (`translation.py`)."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
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

    def __str__(self) -> str:
        """Its title. Oscar tells a variant apart by its product's attributes too, which all variants share."""
        if self.parent_id and not self.title and not self.told_apart_by:
            from shop.catalogue.facts import name_variants  # which needs this module

            name_variants([self])
        return self.get_title()

    def get_title(self) -> str:
        """A variant without a title has its parent's, and what tells it apart where that was looked up."""
        title = super().get_title()
        return f"{title} ({self.told_apart_by})" if self.told_apart_by else title

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        from shop.catalogue.search import index  # jieba's dictionary is loaded only where something is indexed

        index([self])

    def clean(self) -> None:
        """What its structure demands. Values of attributes are checked by the forms and files that bring them, each
        beside its own field, which Oscar's `clean` could not say."""
        getattr(self, f"_clean_{self.structure}")()


class ImportState(models.TextChoices):
    CHECKED = "checked", _("waits for a decision")
    IMPORTED = "imported", _("imported")
    DISCARDED = "discarded", _("discarded")
    UNREADABLE = "unreadable", _("cannot be read")


class ImportRun(models.Model):
    """A file of products that somebody brought: checked first, written when they say so, kept with what was refused.

    `report` shows samples of what it `changed`, what was `refused` (all that fit), and `notices`; `plan` is the digest
    of what the check found, so that nothing else is written than was shown. `content` is kept until it is decided.
    """

    at = models.DateTimeField(_("brought at"), db_default=models.functions.Now(), editable=False)
    actor = models.CharField(_("by"), max_length=128)
    file_name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    content = models.BinaryField(null=True, editable=False)
    plan = models.CharField(max_length=64, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=16, choices=ImportState)
    problem = models.TextField(_("why it cannot be read"), blank=True)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    report = models.JSONField(default=dict, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    decided_by = models.CharField(_("decided by"), max_length=128, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)
    closed_by = models.CharField(_("closed by"), max_length=128, blank=True)
    note = models.CharField(_("note"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("import_products", gettext_noop("Can import products from files"))]

    def __str__(self) -> str:
        return f"#{self.pk} {self.file_name}"


from oscar.apps.catalogue.models import *
