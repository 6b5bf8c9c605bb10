"""What each sales channel may sell of each SKU. The rules, model-checked, stand in docs/stock.md ("Escrow")."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Mode(models.TextChoices):
    """Guaranteed: what the channel may sell is set aside for it. Shared: it sells from what is free, less a buffer."""

    GUARANTEED = "guaranteed", _("guaranteed")
    SHARED = "shared", _("shared, with a buffer")


class Channels(models.Manager["Channel"]):
    """With their accounts: a channel is called as its account is."""

    def get_queryset(self) -> models.QuerySet[Channel]:
        return super().get_queryset().select_related("account")


class Channel(models.Model):
    """An account that sells from its own copy of our figures: a marketplace, say."""

    account = models.OneToOneField(
        "hub.Account", on_delete=models.PROTECT, primary_key=True, related_name="channel", verbose_name=_("account")
    )
    mode = models.CharField(_("mode"), max_length=16, choices=Mode, default=Mode.SHARED)
    weight = models.DecimalField(
        _("weight"), max_digits=6, decimal_places=2, default=1, validators=[MinValueValidator(0)],
        help_text=_("How much of the stock it is given, beside demand. The own shop has a weight too."),
    )  # fmt: skip
    buffer = models.PositiveIntegerField(
        _("buffer"), default=0, help_text=_("Shared mode: units that the channel is never told of.")
    )
    watermark = models.DateTimeField(
        _("orders known up to"), null=True, blank=True, editable=False,
        help_text=_("By the channel's clock: every order it took before that is in."),
    )  # fmt: skip

    objects = Channels()

    class Meta:
        verbose_name = _("sales channel")
        verbose_name_plural = _("sales channels")
        ordering = ["account__name"]
        constraints = [models.CheckConstraint(name="channel_weight_not_negative", condition=Q(weight__gte=0))]

    def __str__(self) -> str:
        return str(self.account)

    @property
    def source(self) -> str:
        """What stands on its orders as their source; never changes."""
        return f"channel:{self.account_id}"


class Share(models.Model):
    """One SKU on one channel. `escrow` is the most the channel may still sell, or has sold without our knowing.

    `wish` is the figure to send next, `shown` the one sent last. `live` is a figure that is surely live and not yet
    drained: since `live_at` the channel sells from it alone, and `sold_since` of it are known to be sold. `is_drained`:
    the escrow is what the channel shows. `is_guarded`: everything it shows was charged.
    """

    channel = models.ForeignKey(  # found by `share_unique`
        Channel, on_delete=models.PROTECT, db_index=False, related_name="shares", verbose_name=_("sales channel")
    )
    pool = models.ForeignKey(
        "stock.Pool", on_delete=models.PROTECT, db_column="sku", related_name="shares", verbose_name=_("SKU")
    )
    mode = models.CharField(
        _("mode"), max_length=16, choices=Mode, blank=True, help_text=_("Empty: as the channel says.")
    )
    is_offered = models.BooleanField(_("offered"), default=True, help_text=_("Cleared: the channel is told 0."))
    escrow = models.BigIntegerField(_("escrow"), default=0, editable=False)
    target = models.BigIntegerField(_("should show"), default=0, editable=False)
    wish = models.BigIntegerField(default=0, editable=False)
    shown = models.BigIntegerField(_("sent last"), null=True, blank=True, editable=False)
    shown_at = models.DateTimeField(_("sent at"), null=True, blank=True, editable=False)
    live = models.BigIntegerField(null=True, blank=True, editable=False)
    live_at = models.DateTimeField(null=True, blank=True, editable=False)
    sold_since = models.BigIntegerField(default=0, editable=False)
    is_drained = models.BooleanField(default=False, editable=False)
    is_guarded = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = _("share of a channel")
        verbose_name_plural = _("shares of channels")
        ordering = ["pool", "channel"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "pool"], name="share_unique"),
            models.CheckConstraint(name="share_not_negative", condition=Q(escrow__gte=0, wish__gte=0, target__gte=0)),
            models.CheckConstraint(
                name="share_live_has_a_moment", condition=Q(live__isnull=True) | Q(live_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pool_id} @ {self.channel_id}"


class Push(models.Model):
    """One attempt to make a channel show a figure; written with the charge, before anything is sent.

    It may arrive until it is closed: acknowledged, where one call arrives once only, or `closes_at` passed.
    `is_clean`: nothing sent earlier could arrive after it.
    """

    share = models.ForeignKey(Share, on_delete=models.PROTECT, db_index=False, related_name="pushes")
    figure = models.BigIntegerField(_("figure"))
    charged = models.BigIntegerField(_("charged"))
    is_clean = models.BooleanField()
    started_at = models.DateTimeField(_("started at"))
    closes_at = models.DateTimeField(_("may arrive until"))
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("figure sent to a channel")
        verbose_name_plural = _("figures sent to channels")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["share", "-id"], name="push_share"),
            models.Index(fields=["closes_at"], name="push_open", condition=Q(closed_at__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(name="push_charged", condition=Q(figure__gte=0, charged__gte=0)),
            models.CheckConstraint(name="push_closes_later", condition=Q(closes_at__gte=F("started_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.figure} → {self.share_id}"


class Closure(models.Model):
    """A warehouse that does not sell for a channel; without a channel: for the own shop."""

    warehouse = models.ForeignKey(
        "stock.Warehouse", on_delete=models.CASCADE, related_name="closures", verbose_name=_("warehouse")
    )
    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="closures",
        verbose_name=_("sales channel"), help_text=_("Empty: the own shop."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("warehouse closed for a channel")
        verbose_name_plural = _("warehouses closed for channels")
        constraints = [
            models.UniqueConstraint(fields=["warehouse", "channel"], name="closure_unique", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.warehouse} – {self.channel or _('own shop')}"


class Demand(models.Model):
    """Units of one SKU sold by one source in the last weeks; counted anew every hour. `channel` empty: the own shop."""

    pool = models.ForeignKey("stock.Pool", on_delete=models.CASCADE, db_column="sku", related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, related_name="+")
    units = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("demand")
        verbose_name_plural = _("demand")
        constraints = [models.UniqueConstraint(fields=["pool", "channel"], name="demand_unique", nulls_distinct=False)]

    def __str__(self) -> str:
        return f"{self.units} {self.pool_id}"
