"""Adjustments that are too large for one person: proposed by one, decided by another. Rows stay as history."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

WHO: dict[str, Any] = {"on_delete": models.PROTECT, "related_name": "+"}


class Change(models.TextChoices):
    """What somebody wants to do to a level: the `Reason` its movement will have."""

    COUNT = "count", _("count")
    ADJUSTMENT = "adjustment", _("adjustment")
    RETURNED = "returned", _("returned")
    DAMAGE = "damage", _("written off")
    SET_ASIDE = "set_aside", _("set aside as damaged")


class Decision(models.TextChoices):
    WAITING = "waiting", _("waits for approval")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("turned down")


class Proposal(models.Model):
    """`quantity` signed units of a SKU at a warehouse; what goes from there to `destination` is not lost.

    Of a count also what was `found`, and what the `figure` was at that moment: their difference stays right whatever
    moves meanwhile. `value` is the quantity at the price of that moment, null where there was none.
    """

    pool = models.ForeignKey(
        "stock.Pool",
        on_delete=models.PROTECT,
        db_column="sku",
        db_index=False,  # found by `proposal_level`
        related_name="proposals",
        verbose_name=_("SKU"),
    )
    warehouse = models.ForeignKey(
        "stock.Warehouse", on_delete=models.PROTECT, related_name="+", verbose_name=_("warehouse")
    )
    destination = models.ForeignKey(
        "stock.Warehouse", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("goes to")
    )
    change = models.CharField(_("what"), max_length=16, choices=Change)
    quantity = models.BigIntegerField(_("quantity"), help_text=_("Signed."))
    found = models.BigIntegerField(_("units found"), null=True)
    figure = models.BigIntegerField(_("figure when counted"), null=True)
    value = models.DecimalField(_("value"), max_digits=19, decimal_places=4, null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    note = models.CharField(_("note"), max_length=255)
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, **WHO)
    proposed_by = models.CharField(_("proposed by"), max_length=128)
    proposed_at = models.DateTimeField(_("proposed at"), db_default=models.functions.Now(), editable=False)
    state = models.CharField(_("state"), max_length=16, choices=Decision, default=Decision.WAITING)
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, **WHO)
    decided_by = models.CharField(_("decided by"), max_length=128, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    answer = models.CharField(_("answer"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("adjustment to approve")
        verbose_name_plural = _("adjustments to approve")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("approve_stock", gettext_noop("Can approve large changes of stock"))]
        constraints = [
            models.CheckConstraint(
                name="decided_by_somebody_else",
                condition=Q(state=Decision.WAITING, decider__isnull=True)
                | (~Q(state=Decision.WAITING) & Q(decider__isnull=False) & ~Q(decider=F("proposer"))),
            ),
            models.CheckConstraint(
                name="counted_difference",
                condition=Q(found__isnull=True, figure__isnull=True) | Q(quantity=F("found") - F("figure")),
            ),
            models.UniqueConstraint(
                fields=["pool", "warehouse"],
                condition=Q(state=Decision.WAITING, change=Change.COUNT),
                name="one_count_waits",
            ),
        ]
        indexes = [
            models.Index(fields=["pool", "warehouse"], name="proposal_level"),
            models.Index(fields=["id"], condition=Q(state=Decision.WAITING), name="proposal_waiting"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.pool_id} {self.quantity:+d}"

    @property
    def document(self) -> str:
        """What its movements name."""
        return f"proposal:{self.pk}"
