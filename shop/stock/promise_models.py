"""Promises that could not be kept: what, why, and what it cost. Written by `promises.py`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from shop.pricing.fields import MoneyField
from shop.stock.causes import WHY_BROKEN


class Ending(models.TextChoices):
    """What became of the units that were promised."""

    CANCELLED = "cancelled", _("cancelled for want of goods")
    LATE = "late", _("shipped late")


class BrokenPromise(models.Model):
    """`units` of one order line that were promised and not given, or not by the day that was promised.

    One row for each line, ending and cause, however often it is written. `shortage` is empty where an incoming supply
    failed. `value` is what the line charges for these units, tax included; `cost` is what it cost besides (null: nobody
    has said yet), both in the order's currency.
    """

    line = models.ForeignKey(
        "order.Line", on_delete=models.PROTECT, db_index=False,  # found by `broken_promise_once`
        related_name="broken_promises", verbose_name=_("order line"),
    )  # fmt: skip
    pool = models.ForeignKey(
        "stock.Pool", on_delete=models.PROTECT, db_column="sku", related_name="broken_promises", verbose_name=_("SKU")
    )
    shortage = models.ForeignKey(
        "stock.Shortage", on_delete=models.PROTECT, null=True, related_name="broken_promises",
        verbose_name=_("shortage"),
    )  # fmt: skip
    ending = models.CharField(_("what became of it"), max_length=16, choices=Ending)
    cause = models.CharField(_("cause"), max_length=16, choices=WHY_BROKEN)
    units = models.PositiveIntegerField(_("units"))
    value = MoneyField(_("value"))
    cost = MoneyField(_("cost"), null=True)
    cost_note = models.CharField(_("what for"), max_length=255, blank=True)
    cost_by = models.CharField(_("cost entered by"), max_length=128, blank=True)
    cost_at = models.DateTimeField(_("cost entered at"), null=True)
    at = models.DateTimeField(_("at"), db_default=models.functions.Now(), editable=False, db_index=True)

    class Meta:
        verbose_name = _("promise not kept")
        verbose_name_plural = _("promises not kept")
        ordering = ["-id"]
        permissions = [("enter_promise_cost", gettext_noop("Can say what promises not kept have cost"))]
        constraints = [
            models.UniqueConstraint(fields=["line", "ending", "cause"], name="broken_promise_once"),
            models.CheckConstraint(name="broken_promise_of_something", condition=Q(units__gt=0, value__gte=0)),
            models.CheckConstraint(
                name="broken_promise_cost_by_somebody",
                condition=Q(cost__isnull=True, cost_at__isnull=True, cost_by="")
                | (Q(cost__gte=0, cost_at__isnull=False) & ~Q(cost_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.units} {self.pool_id}"

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("What happened stays.")


def since(days: int) -> QuerySet[BrokenPromise]:
    """Those of the last so many days."""
    return BrokenPromise.objects.filter(at__gte=timezone.now() - timedelta(days=days))
