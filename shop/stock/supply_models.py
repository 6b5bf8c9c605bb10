"""What is still to come, and what was promised from it. Written by `supply.py`, `presales.py` and `stock_promise`."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from shop.stock.offered import Kind


class Supply(models.Model):
    """One position of a document that says what arrives when: a purchase order, a production order, a transfer."""

    pool = models.ForeignKey(
        "stock.Pool", on_delete=models.PROTECT, db_column="sku", related_name="supplies", verbose_name=_("SKU"),
        db_index=False,
    )  # fmt: skip
    warehouse = models.ForeignKey(
        "stock.Warehouse", on_delete=models.PROTECT, related_name="+", verbose_name=_("warehouse")
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    received = models.PositiveIntegerField(_("received"), default=0)
    cancelled = models.PositiveIntegerField(_("cancelled"), default=0)
    open = models.GeneratedField(
        expression=F("quantity") - F("received") - F("cancelled"),
        output_field=models.IntegerField(),
        db_persist=True,
        verbose_name=_("still to come"),
    )
    expected_on = models.DateField(_("expected on"), db_index=True)
    document = models.CharField(_("document number"), max_length=64)
    note = models.CharField(_("note"), max_length=255, blank=True)
    actor = models.CharField(_("by"), max_length=128, blank=True)
    created_at = models.DateTimeField(_("made at"), db_default=models.functions.Now(), editable=False)

    class Meta:
        verbose_name = _("incoming supply")
        verbose_name_plural = _("incoming supplies")
        ordering = ["expected_on", "id"]
        permissions = [("manage_supply", gettext_noop("Can add, date and cancel incoming supply"))]
        constraints = [
            models.CheckConstraint(
                name="supply_not_overdrawn",
                condition=Q(quantity__gt=0, quantity__gte=F("received") + F("cancelled")),
            )
        ]
        indexes = [models.Index(fields=["pool", "expected_on"], name="supply_open", condition=Q(open__gt=0))]

    def __str__(self) -> str:
        return f"{self.document} · {self.pool_id}"


class Presale(models.Model):
    """Units of one SKU sold before they are here, from one supply. At most one of a SKU is open (`closed_at` empty).

    Of `size` units in all `done` were filled or shipped, `promised` are waited for. `cap` is the most that may be
    waited for now: what is left of the size, and no more than the supply still brings, but never below `promised`; what
    is left of it is the room. It is no part of I1. `ships_on` is the supply's date.
    """

    pool = models.ForeignKey(
        "stock.Pool", on_delete=models.PROTECT, db_column="sku", related_name="presales", verbose_name=_("SKU"),
        db_index=False,
    )  # fmt: skip
    supply = models.ForeignKey(
        Supply, on_delete=models.PROTECT, related_name="presales", verbose_name=_("incoming supply")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    size = models.PositiveIntegerField(_("units to sell"))
    done = models.PositiveIntegerField(_("filled"), default=0)
    cap = models.PositiveIntegerField(_("at most"))
    promised = models.PositiveIntegerField(_("sold ahead"), default=0)
    ships_on = models.DateField(_("ships by"))
    opened_at = models.DateTimeField(_("opened at"), db_default=models.functions.Now(), editable=False)
    opened_by = models.CharField(_("opened by"), max_length=128, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=128, blank=True)

    class Meta:
        verbose_name = _("presale")
        verbose_name_plural = _("presales")
        ordering = ["-id"]
        permissions = [("manage_presale", gettext_noop("Can open and close presales"))]
        constraints = [
            models.CheckConstraint(name="presale_not_oversold", condition=Q(promised__lte=F("cap"))),
            models.UniqueConstraint(
                fields=["pool"], condition=Q(closed_at__isnull=True), name="one_open_presale_per_sku"
            ),
        ]
        indexes = [models.Index(fields=["pool"], name="presale_promised", condition=Q(promised__gt=0))]

    def __str__(self) -> str:
        return f"{self.pool_id} · {self.supply.document}"

    @property
    def room(self) -> int:
        return self.cap - self.promised


class Waiting(models.Model):
    """Units promised to one order line that are not here yet. Filled they are holds; open is what neither was filled
    nor given back, nor shipped by an ERP before we knew that it was there."""

    presale = models.ForeignKey(Presale, on_delete=models.PROTECT, related_name="waiting", verbose_name=_("presale"))
    line = models.ForeignKey(
        "order.Line", on_delete=models.PROTECT, related_name="waiting", verbose_name=_("order line")
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    filled = models.PositiveIntegerField(_("filled"), default=0)
    released = models.PositiveIntegerField(_("released"), default=0)
    shipped = models.PositiveIntegerField(_("shipped"), default=0)
    open = models.GeneratedField(
        expression=F("quantity") - F("filled") - F("released") - F("shipped"),
        output_field=models.IntegerField(),
        db_persist=True,
        verbose_name=_("open"),
    )
    promised_on = models.DateField(_("promised for"), help_text=_("The day the customer was told."))
    deadline = models.DateTimeField(_("deadline"), null=True, blank=True)
    created_at = models.DateTimeField(_("made at"), db_default=models.functions.Now(), editable=False)

    class Meta:
        verbose_name = _("waiting for goods")
        verbose_name_plural = _("waiting for goods")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="waiting_not_overdrawn",
                condition=Q(quantity__gt=0, quantity__gte=F("filled") + F("released") + F("shipped")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.presale_id}"


class Filling(models.Model):
    """Units that arrived: which promise became which hold."""

    waiting = models.ForeignKey(Waiting, on_delete=models.PROTECT, related_name="fillings")
    hold = models.OneToOneField("stock.Hold", on_delete=models.PROTECT, related_name="filling")

    class Meta:
        verbose_name = _("filling")
        verbose_name_plural = _("fillings")

    def __str__(self) -> str:
        return f"#{self.pk}"
