"""Returns, credit notes and money adjustments. Written by `receive.py` and `shop.intake`; the documents of money are
append-only (a trigger)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.pricing.fields import MoneyField


class Return(models.Model):
    """What one buyer sent back together. Its lines may come from several orders."""

    number = models.CharField(_("number"), max_length=128)
    source_account = models.CharField(_("source"), max_length=64)
    buyer_reference = models.CharField(_("buyer at the source"), max_length=128, blank=True)
    received_at = models.DateTimeField(_("received at"))
    actor = models.CharField(_("by"), max_length=128, blank=True)
    is_historical = models.BooleanField(_("historical"), default=False)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["source_account", "number"], name="return_number_unique")]

    def __str__(self) -> str:
        return self.number


class ReturnLine(models.Model):
    """Units of one order line that came back. `warehouse` is empty for what has no stock (shipping, fees)."""

    returned = models.ForeignKey(Return, on_delete=models.PROTECT, related_name="lines", verbose_name=_("return"))
    line = models.ForeignKey(
        "order.Line", on_delete=models.PROTECT, related_name="return_lines", verbose_name=_("order line")
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    warehouse = models.ForeignKey(
        "stock.Warehouse",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("warehouse"),
    )

    class Meta:
        verbose_name = _("return line")
        verbose_name_plural = _("return lines")
        constraints = [models.CheckConstraint(name="something_returned", condition=Q(quantity__gt=0))]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line.sku}"


class CreditNote(models.Model):
    """Money given back. `returned` empty: no purchase of ours is known to which it belongs (unlinked)."""

    number = models.CharField(_("number"), max_length=128)
    source_account = models.CharField(_("source"), max_length=64)
    returned = models.ForeignKey(
        Return, on_delete=models.PROTECT, null=True, blank=True, related_name="credit_notes", verbose_name=_("return")
    )
    buyer_reference = models.CharField(_("buyer at the source"), max_length=128, blank=True)
    currency = models.CharField(_("currency"), max_length=12)
    total_incl_tax = MoneyField(_("total (inc. tax)"))
    total_excl_tax = MoneyField(_("total (excl. tax)"))
    issued_at = models.DateTimeField(_("issued at"))
    actor = models.CharField(_("by"), max_length=128, blank=True)
    is_historical = models.BooleanField(_("historical"), default=False)

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source_account", "number"], name="credit_note_number_unique"),
            models.CheckConstraint(
                name="credit_not_negative", condition=Q(total_incl_tax__gte=0, total_excl_tax__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return self.number


class CreditNoteLine(models.Model):
    """One position of a credit note. `return_line` says for what it was, where that is known."""

    credit_note = models.ForeignKey(
        CreditNote, on_delete=models.PROTECT, related_name="lines", verbose_name=_("credit note")
    )
    return_line = models.ForeignKey(
        ReturnLine, on_delete=models.PROTECT, null=True, blank=True, related_name="credit_lines",
        verbose_name=_("return line"),
    )  # fmt: skip
    sku = models.CharField(_("SKU"), max_length=64, db_collation="C")
    title = models.CharField(_("title"), max_length=255)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price_incl_tax = MoneyField(_("unit price (inc. tax)"))
    line_price_incl_tax = MoneyField(_("price (inc. tax)"))
    line_price_excl_tax = MoneyField(_("price (excl. tax)"))
    tax_code = models.CharField(_("tax code"), max_length=64, blank=True)
    tax_rate = models.DecimalField(_("tax rate"), max_digits=6, decimal_places=5, default=0)

    class Meta:
        verbose_name = _("credit note line")
        verbose_name_plural = _("credit note lines")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class Adjustment(models.Model):
    """Money without goods, signed: a bad debt, a charge taken back, a price that was below zero."""

    source_account = models.CharField(_("source"), max_length=64)
    number = models.CharField(_("number"), max_length=128)
    position = models.PositiveIntegerField(_("position"), help_text=_("Its row in the source."))
    buyer_reference = models.CharField(_("buyer at the source"), max_length=128, blank=True)
    sku = models.CharField(_("SKU"), max_length=64, db_collation="C")
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    currency = models.CharField(_("currency"), max_length=12)
    amount = MoneyField(_("amount"), help_text=_("Signed: what the company receives more or less."))
    at = models.DateTimeField(_("at"))
    is_historical = models.BooleanField(_("historical"), default=False)

    class Meta:
        verbose_name = _("money adjustment")
        verbose_name_plural = _("money adjustments")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source_account", "number", "position"], name="adjustment_row_unique")
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.amount} {self.currency}"
