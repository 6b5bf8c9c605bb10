"""The stock ledger. Rows are written by the modules beside this one, in SQL that moves balances in place."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from shop.stock.causes import Cause as Cause


class Kind(models.TextChoices):
    """What a place is for. Only what lies on a shelf may be sold."""

    SHELF = "shelf", _("shelf")
    DAMAGED = "damaged", _("damaged goods")
    QUALITY = "quality", _("quality hold")
    TRANSIT = "transit", _("in transit")
    SUPPLIER = "supplier", _("at a supplier")
    MARKETPLACE = "marketplace", _("at a marketplace's warehouse")


SET_APART = (Kind.DAMAGED, Kind.QUALITY)  # goods that stay in their warehouse, but not on its shelf


class Warehouse(models.Model):
    """A place with stock. `erp_account` empty: Weft owns its figures; else that ERP does, and Weft only reads them.

    `parent`: the warehouse whose damaged goods, or whose goods on quality hold, this place holds; one of each kind.
    `is_sellable` changes through `closing` alone: the pools have to follow.
    """

    code = models.CharField(_("code"), max_length=32, unique=True, db_collation="C")
    name = models.CharField(_("name"), max_length=128)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind, default=Kind.SHELF)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="apart", verbose_name=_("belongs to")
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=1, help_text=_("Lower ships first."))
    is_sellable = models.BooleanField(_("sellable"), default=True, help_text=_("Its stock may be promised."))
    erp_account = models.ForeignKey(
        "hub.Account", on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("figures owned by")
    )

    class Meta:
        verbose_name = _("warehouse")
        verbose_name_plural = _("warehouses")
        ordering = ["priority", "code"]
        constraints = [
            models.CheckConstraint(name="only_shelves_sell", condition=Q(is_sellable=False) | Q(kind=Kind.SHELF)),
            models.CheckConstraint(
                name="set_apart_somewhere",
                condition=Q(kind__in=SET_APART, parent__isnull=False)
                | (~Q(kind__in=SET_APART) & Q(parent__isnull=True)),
            ),
            models.UniqueConstraint(fields=["parent", "kind"], name="one_place_of_a_kind"),
        ]

    def __str__(self) -> str:
        return self.name


class Pool(models.Model):
    """All of one SKU that may be promised. I1 is a constraint here; rows stay, so a SKU is never reused."""

    sku = models.CharField(_("SKU"), max_length=64, primary_key=True, db_collation="C")
    on_hand = models.BigIntegerField(_("on hand"), default=0)
    reserved = models.BigIntegerField(_("reserved"), default=0)
    escrow = models.BigIntegerField(_("escrow"), default=0)
    shortage = models.BigIntegerField(_("shortage"), default=0)

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stock")
        ordering = ["sku"]
        permissions = [("adjust_stock", gettext_noop("Can receive, count and write off stock"))]
        constraints = [
            models.UniqueConstraint(Upper("sku"), name="pool_sku_unique_in_any_case"),
            models.CheckConstraint(
                name="I1",
                condition=Q(reserved__gte=0, escrow__gte=0, shortage__gte=0)
                & Q(on_hand__gte=F("reserved") + F("escrow") - F("shortage")),
            ),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def free(self) -> int:
        """Units that may be promised now."""
        return 0 if self.shortage else max(0, self.on_hand - self.reserved - self.escrow)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("A SKU is never reused: its pool stays.")


class Level(models.Model):
    """One SKU in one warehouse. `on_hand_rev` rises with each local change; a reading applies only where it did not."""

    pool = models.ForeignKey(  # found by `level_unique`
        Pool, on_delete=models.PROTECT, db_column="sku", db_index=False, related_name="levels", verbose_name=_("SKU")
    )
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="levels")
    on_hand = models.BigIntegerField(_("on hand"), default=0)
    on_hand_rev = models.BigIntegerField(default=0)
    reading_seq = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(_("last counted"), null=True, editable=False)

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        constraints = [models.UniqueConstraint(fields=["pool", "warehouse"], name="level_unique")]

    def __str__(self) -> str:
        return f"{self.pool_id} @ {self.warehouse}"


class Reason(models.TextChoices):
    """Why a level changed."""

    OPENING = "opening", _("opening stock")
    RECEIPT = "receipt", _("goods received")
    COUNT = "count", _("count")
    DAMAGE = "damage", _("written off")
    SHIPPED = "shipped", _("shipped")
    READING = "reading", _("ERP's figure")
    RETURNED = "returned", _("returned")
    ADJUSTMENT = "adjustment", _("adjustment")
    SET_ASIDE = "set_aside", _("set aside as damaged")
    QUALITY_HOLD = "quality_hold", _("put on quality hold")
    QUALITY_PASSED = "quality_passed", _("released from quality hold")
    MOVED = "moved", _("moved to another place")


class Movement(models.Model):
    """One change of one level. Append-only (a trigger); the level is the sum of its movements (I2)."""

    # No constraints: each statement that writes a movement writes its level, which has them, and levels stay. A feed
    # writes a hundred thousand of these, and checking them cost a quarter of it.
    pool = models.ForeignKey(
        Pool,
        on_delete=models.PROTECT,
        db_column="sku",
        db_constraint=False,
        db_index=False,  # found by `movement_level`
        related_name="movements",
        verbose_name=_("SKU"),
    )
    warehouse = models.ForeignKey(
        Warehouse, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="movements"
    )
    quantity = models.BigIntegerField(_("quantity"), help_text=_("Signed."))
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    document = models.CharField(_("document"), max_length=160, blank=True)
    actor = models.CharField(_("by"), max_length=128, blank=True)
    note = models.CharField(_("note"), max_length=255, blank=True)
    at = models.DateTimeField(_("at"), db_default=models.functions.Now(), editable=False)

    class Meta:
        verbose_name = _("movement")
        verbose_name_plural = _("movements")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["pool", "warehouse"], name="movement_level"),
            models.Index(fields=["document"], name="movement_document"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity:+d} {self.pool_id}"


class Hold(models.Model):
    """Units of one SKU promised to one order line. Open units are what is neither consumed nor released."""

    pool = models.ForeignKey(  # found by `hold_pool`; without a constraint, for a promise finds it, and pools stay
        Pool,
        on_delete=models.PROTECT,
        db_column="sku",
        db_constraint=False,
        db_index=False,
        related_name="holds",
        verbose_name=_("SKU"),
    )
    line = models.ForeignKey("order.Line", on_delete=models.PROTECT, related_name="holds", verbose_name=_("order line"))
    quantity = models.PositiveIntegerField(_("quantity"))
    consumed = models.PositiveIntegerField(_("shipped"), default=0)
    released = models.PositiveIntegerField(_("released"), default=0)
    open = models.GeneratedField(
        expression=F("quantity") - F("consumed") - F("released"),
        output_field=models.IntegerField(),
        db_persist=True,
        verbose_name=_("open"),
    )
    deadline = models.DateTimeField(_("deadline"), null=True, blank=True)
    created_at = models.DateTimeField(_("made at"), db_default=models.functions.Now(), editable=False)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="hold_not_overdrawn", condition=Q(quantity__gte=F("consumed") + F("released"), quantity__gt=0)
            )
        ]
        indexes = [
            models.Index(fields=["pool"], name="hold_pool"),
            models.Index(fields=["pool"], name="hold_open", condition=Q(open__gt=0)),
            models.Index(fields=["deadline"], name="hold_deadline", condition=Q(open__gt=0, deadline__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.pool_id}"


class Shortage(models.Model):
    """More of a SKU is promised than is there. Open until the pool's shortage is 0 again.

    `provisional`: seen by a reading only; it stops promises, and counts once it stands after the next poll that
    processed shipments. `orders` are the affected order numbers, newest promise first.

    `in_all` is every unit that went missing while it was open, and `given_back` those of them for which a promise ended
    instead (a cancelled or unpaid order, a channel's share): null where that was not noted yet. Goods covered the rest.
    """

    pool = models.ForeignKey(
        Pool, on_delete=models.PROTECT, db_column="sku", related_name="shortages", verbose_name=_("SKU")
    )
    quantity = models.PositiveBigIntegerField(_("units short"))
    in_all = models.PositiveBigIntegerField(_("units short in all"), default=0, editable=False)
    given_back = models.PositiveBigIntegerField(_("promises given back"), default=0, null=True, editable=False)
    cause = models.CharField(_("cause"), max_length=16, choices=Cause)
    provisional = models.BooleanField(_("provisional"), default=False)
    orders = models.JSONField(_("affected orders"), default=list)
    opened_at = models.DateTimeField(_("opened at"), db_default=models.functions.Now(), editable=False)
    opened_by_reading = models.BigIntegerField(null=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("shortage")
        verbose_name_plural = _("shortages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["pool"], condition=Q(closed_at__isnull=True), name="one_open_shortage_per_sku"
            )
        ]
        indexes = [models.Index(fields=["closed_at"], name="shortage_closed")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.pool_id}"

    @property
    def still_short(self) -> int:
        return 0 if self.closed_at else self.quantity

    @property
    def covered(self) -> int | None:
        """Units that goods covered: received, counted up, moved back, or their warehouse opened again."""
        return None if self.given_back is None else self.in_all - self.given_back - self.still_short


class Reading(models.Model):
    """One look at an ERP's figures. `id` is its sequence number; the row is committed before the first request."""

    account = models.ForeignKey("hub.Account", on_delete=models.PROTECT, related_name="+", verbose_name=_("account"))
    started_at = models.DateTimeField(_("started at"), db_default=models.functions.Now(), editable=False)
    finished_at = models.DateTimeField(_("applied at"), null=True, blank=True)
    rows = models.PositiveIntegerField(_("rows read"), default=0)
    changed = models.PositiveIntegerField(_("rows changed"), default=0)
    refused = models.PositiveIntegerField(_("rows refused"), default=0, help_text=_("Changed here meanwhile."))

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk}"


# Tables in modules of their own; here, because Django looks for models in this one.
from shop.stock.count_models import CountEntry as CountEntry
from shop.stock.count_models import CountRow as CountRow
from shop.stock.count_models import CountSheet as CountSheet
from shop.stock.kit_models import KitPart as KitPart
from shop.stock.offered import Offered as Offered
from shop.stock.promise_models import BrokenPromise as BrokenPromise
from shop.stock.proposal_models import Proposal as Proposal
from shop.stock.repair_models import Repair as Repair
from shop.stock.share_models import Channel as Channel
from shop.stock.share_models import Closure as Closure
from shop.stock.share_models import Demand as Demand
from shop.stock.share_models import Mode as Mode
from shop.stock.share_models import Push as Push
from shop.stock.share_models import Share as Share
from shop.stock.supply_models import Filling as Filling
from shop.stock.supply_models import Presale as Presale
from shop.stock.supply_models import Supply as Supply
from shop.stock.supply_models import Waiting as Waiting
