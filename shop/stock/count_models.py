"""Count sheets: SKUs of one place to be counted, what was found, and who said so."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

WHO: dict[str, Any] = {"on_delete": models.PROTECT, "null": True, "related_name": "+"}


class Choice(models.TextChoices):
    """Which SKUs of a place come first."""

    ALL = "all", _("all, by SKU")
    NEVER = "never", _("never counted")
    LONGEST = "longest", _("counted longest ago")
    MOVED = "moved", _("moved most often in the last 90 days")


class SheetState(models.TextChoices):
    COUNTING = "counting", _("being counted")
    COUNTED = "counted", _("counted, waits for a decision")
    APPROVED = "approved", _("approved")
    DISCARDED = "discarded", _("discarded")


OPEN = (SheetState.COUNTING, SheetState.COUNTED)


class CountSheet(models.Model):
    """`blind`: who counts does not see the figures. `round` 2 and more: rows that differed are counted again."""

    warehouse = models.ForeignKey(
        "stock.Warehouse", on_delete=models.PROTECT, related_name="+", verbose_name=_("warehouse")
    )
    choice = models.CharField(_("which SKUs"), max_length=16, choices=Choice, default=Choice.ALL)
    prefix = models.CharField(_("SKU begins with"), max_length=64, blank=True)
    blind = models.BooleanField(_("blind"), default=True)
    state = models.CharField(_("state"), max_length=16, choices=SheetState, default=SheetState.COUNTING)
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    made_by = models.CharField(_("made by"), max_length=128)
    made_at = models.DateTimeField(_("made at"), db_default=models.functions.Now(), editable=False)
    finisher = models.ForeignKey(settings.AUTH_USER_MODEL, **WHO)
    finished_by = models.CharField(_("counting ended by"), max_length=128, blank=True)
    finished_at = models.DateTimeField(_("counting ended at"), null=True)
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, **WHO)
    decided_by = models.CharField(_("decided by"), max_length=128, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    note = models.CharField(_("note"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("count sheet")
        verbose_name_plural = _("count sheets")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["warehouse"], condition=Q(state__in=OPEN), name="sheet_open")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def document(self) -> str:
        """What its movements name."""
        return f"sheet:{self.pk}"


class CountRow(models.Model):
    """One SKU of a sheet and its count that stands: `found` units, and the `figure` at that moment.

    `entries` rises with each entry. `again`: a second count was asked for. `price`: at the moment of the count.
    """

    sheet = models.ForeignKey(CountSheet, on_delete=models.PROTECT, db_index=False, related_name="rows")
    pool = models.ForeignKey(
        "stock.Pool", on_delete=models.PROTECT, db_column="sku", related_name="+", verbose_name=_("SKU")
    )
    position = models.PositiveIntegerField(_("row"))
    found = models.BigIntegerField(_("units found"), null=True)
    figure = models.BigIntegerField(_("figure when counted"), null=True)
    difference = models.GeneratedField(
        expression=F("found") - F("figure"),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
        verbose_name=_("difference"),
    )
    price = models.DecimalField(_("price"), max_digits=19, decimal_places=4, null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    counted_by = models.CharField(_("counted by"), max_length=128, blank=True)
    counted_at = models.DateTimeField(_("counted at"), null=True)
    entries = models.PositiveSmallIntegerField(default=0)
    again = models.BooleanField(_("count again"), default=False)

    class Meta:
        verbose_name = _("row of a count sheet")
        verbose_name_plural = _("rows of count sheets")
        ordering = ["sheet", "position"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["sheet", "pool"], name="once_on_a_sheet"),
            models.CheckConstraint(
                name="found_against_a_figure",
                condition=Q(found__isnull=True, figure__isnull=True) | Q(found__gte=0, figure__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.pool_id}"


class CountEntry(models.Model):
    """What somebody entered for a row; append-only. `found` None: took the row's count back."""

    row = models.ForeignKey(CountRow, on_delete=models.PROTECT, related_name="history")
    round = models.PositiveSmallIntegerField()
    found = models.BigIntegerField(null=True)
    figure = models.BigIntegerField(null=True)
    counter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    counted_by = models.CharField(max_length=128)
    counted_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    source = models.CharField(max_length=255, blank=True)  # the file; empty: the form

    class Meta:
        verbose_name = _("entry of a count")
        verbose_name_plural = _("entries of counts")
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.found}"
