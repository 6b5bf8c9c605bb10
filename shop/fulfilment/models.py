"""From which warehouse each unit of a line leaves, and what has left."""

from __future__ import annotations

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Sourcing(models.Model):
    """Units of one order line that are to leave one warehouse. A line that no warehouse covers has several."""

    line = models.ForeignKey("order.Line", on_delete=models.PROTECT, related_name="sourcings")
    warehouse = models.ForeignKey("stock.Warehouse", on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(_("quantity"))
    shipped = models.PositiveIntegerField(_("shipped"), default=0)

    class Meta:
        verbose_name = _("sourcing")
        verbose_name_plural = _("sourcings")
        constraints = [models.UniqueConstraint(fields=["line", "warehouse"], name="sourcing_unique")]

    def __str__(self) -> str:
        return f"{self.quantity} @ {self.warehouse_id}"


class Parcel(models.Model):
    """Goods that left a warehouse together. From an ERP: once per (account, remote key)."""

    order = models.ForeignKey("order.Order", on_delete=models.PROTECT, related_name="parcels", verbose_name=_("order"))
    account = models.ForeignKey("hub.Account", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    remote_key = models.CharField(max_length=64, blank=True)
    number = models.CharField(_("number"), max_length=64)
    shipped_at = models.DateTimeField(_("shipped at"))
    actor = models.CharField(_("by"), max_length=128, blank=True)

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "remote_key"], condition=Q(account__isnull=False), name="parcel_remote_unique"
            )
        ]
        indexes = [models.Index(OpClass("number", name="varchar_pattern_ops"), name="parcel_number")]

    def __str__(self) -> str:
        return self.number


class ParcelLine(models.Model):
    """Units of one order line in a parcel. `line` is empty where more left than the order had."""

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey("order.Line", on_delete=models.PROTECT, null=True, blank=True, related_name="parcel_lines")
    warehouse = models.ForeignKey("stock.Warehouse", on_delete=models.PROTECT, related_name="+")
    sku = models.CharField(_("SKU"), max_length=64, db_collation="C")
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("parcel line")
        verbose_name_plural = _("parcel lines")

    def __str__(self) -> str:
        return f"{self.quantity} {self.sku}"
