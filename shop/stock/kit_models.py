"""What kits are made of. A kit has a SKU and a price of its own, and no stock: its stock is that of its parts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class KitPart(models.Model):
    """`quantity` units of `part` in each kit. That no part is a kit, and that a kit has no pool, triggers see to."""

    kit = models.ForeignKey(
        "catalogue.Product", on_delete=models.CASCADE, related_name="kit_parts", db_index=False, verbose_name=_("kit")
    )  # found by `kit_part_once`
    part = models.ForeignKey(
        "partner.StockRecord", on_delete=models.PROTECT, related_name="in_kits", verbose_name=_("part")
    )
    quantity = models.PositiveIntegerField(_("quantity"), default=1)

    class Meta:
        verbose_name = _("part of a kit")
        verbose_name_plural = _("parts of a kit")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["kit", "part"], name="kit_part_once"),
            models.CheckConstraint(name="kit_part_counts", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.part}"
