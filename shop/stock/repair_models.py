"""What a repair has set right, and what it said before: kept for good."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Figure(models.TextChoices):
    """What did not agree with the facts."""

    ON_HAND = "on_hand", _("on hand")
    RESERVED = "reserved", _("reserved")
    ESCROW = "escrow", _("escrow")
    SHORTAGE = "shortage", _("units short")
    MOVEMENTS = "movements", _("movements of a level")
    HELD = "held", _("held for an order that is over")
    PROMISED = "promised", _("sold ahead")
    DONE = "done", _("filled")


class Repair(models.Model):
    """One figure that was brought in line with the facts. Append-only (a trigger)."""

    pool = models.ForeignKey("stock.Pool", on_delete=models.PROTECT, db_column="sku", verbose_name=_("SKU"))
    figure = models.CharField(_("figure"), max_length=16, choices=Figure)
    document = models.CharField(_("document"), max_length=64, blank=True)
    before = models.BigIntegerField(_("said"))
    after = models.BigIntegerField(_("says now"))
    actor = models.CharField(_("by"), max_length=128)
    at = models.DateTimeField(_("at"), db_default=models.functions.Now(), editable=False)

    class Meta:
        verbose_name = _("repair")
        verbose_name_plural = _("repairs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.pool_id}: {self.before} → {self.after}"
