"""Paying for orders: each try at a provider, the money it moved, and what was given back."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.pricing.fields import MoneyField
from shop.pricing.money import quantise


class AttemptStatus(models.TextChoices):
    """Where a try stands, by the last thing the provider said of it. `STARTING`: perhaps it never heard of it."""

    STARTING = "starting", _("being started")
    ABSENT = "absent", _("not at the provider yet")
    OPEN = "open", _("waits for the buyer")
    PROCESSING = "processing", _("being paid")
    AUTHORISED = "authorised", _("authorised")
    CAPTURED = "captured", _("paid")
    CLOSED = "closed", _("closed")
    REFUSED = "refused", _("refused by the provider")


# Nobody can pay it any more, so nothing waits for it but its watch.
OVER = (AttemptStatus.CLOSED, AttemptStatus.REFUSED)

OPEN_REVIEW = ~Q(review="") & Q(reviewed_at__isnull=True)  # somebody has to look at it


class Attempt(models.Model):
    """One try at paying an order with one method of one account. Never deleted; amounts are in `currency`.

    `number` is ours at the provider. `observed_from` is when the request began whose answer was applied last: an
    older answer is ignored. `advance_at`: the money is here and the order has yet to hear of it.
    """

    order = models.ForeignKey("order.Order", on_delete=models.PROTECT, related_name="attempts", verbose_name=_("order"))
    account = models.ForeignKey("hub.Account", on_delete=models.PROTECT, related_name="+", verbose_name=_("account"))
    number = models.CharField(_("number"), max_length=26, unique=True, db_collation="C", editable=False)
    method = models.CharField(_("method"), max_length=32)
    status = models.CharField(_("status"), max_length=16, choices=AttemptStatus, default=AttemptStatus.STARTING)
    currency = models.CharField(_("currency"), max_length=12)
    total = MoneyField(_("total"))
    captured = MoneyField(_("paid"), default=0)
    refund_pending = MoneyField(_("being given back"), default=0)
    refunded = MoneyField(_("given back"), default=0)
    disputed = MoneyField(_("lost in disputes"), default=0)
    action = models.JSONField(default=dict, editable=False)  # what the buyer's browser does: redirect, qr or js
    remote = models.CharField(_("number at the provider"), max_length=128, blank=True, db_collation="C")
    payee = models.CharField(_("payee"), max_length=128, blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("can be paid until"))
    watched_until = models.DateTimeField(_("watched until"))
    close_at = models.DateTimeField(null=True, blank=True, editable=False)  # since when nobody shall pay it any more
    look_at = models.DateTimeField(null=True, blank=True, editable=False)  # when the provider is asked next
    looks = models.PositiveIntegerField(default=0, editable=False)
    looked_at = models.DateTimeField(_("last asked"), null=True, blank=True)
    look_error = models.CharField(_("why it could not be seen"), max_length=255, blank=True)
    observed_from = models.DateTimeField(null=True, blank=True, editable=False)
    advance_at = models.DateTimeField(null=True, blank=True, editable=False)
    advance_tries = models.PositiveIntegerField(default=0, editable=False)
    advanced_at = models.DateTimeField(_("order told"), null=True, blank=True)
    review = models.CharField(_("needs review"), max_length=255, blank=True)
    review_note = models.CharField(_("what was done about it"), max_length=255, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-id"]
        permissions = [
            ("refund_payment", _("Can give payments back")),
            ("approve_refund", _("Can approve refunds of others")),
            ("settle_payment", _("Can put payments right that went wrong")),
        ]
        constraints = [
            models.CheckConstraint(
                name="refunds_within_captured", condition=Q(captured__gte=F("refunded") + F("refund_pending"))
            ),
            models.CheckConstraint(
                name="payment_not_negative",
                condition=Q(total__gt=0, captured__gte=0, refunded__gte=0, refund_pending__gte=0),
            ),
            models.CheckConstraint(
                name="lost_within_captured", condition=Q(disputed__gte=0, captured__gte=F("disputed"))
            ),
        ]
        indexes = [
            models.Index(fields=["look_at"], name="payment_look", condition=Q(look_at__isnull=False)),
            models.Index(fields=["advance_at"], name="payment_advance", condition=Q(advance_at__isnull=False)),
            models.Index(fields=["id"], name="payment_review", condition=OPEN_REVIEW),
            models.Index(fields=["remote"], name="payment_remote", condition=~Q(remote="")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def refundable(self) -> Decimal:
        """What may still be given back; what a bank took back in a dispute is with the payer already."""
        return max(self.captured - self.refunded - self.refund_pending - self.disputed, Decimal(0))

    @property
    def net(self) -> Decimal:
        """What is left of it to us; below nothing it is a loss."""
        return self.captured - self.refunded - self.disputed

    @property
    def needs_review(self) -> bool:
        """As `OPEN_REVIEW`, of what was read already."""
        return bool(self.review) and self.reviewed_at is None

    @property
    def is_disputed(self) -> bool:
        """Is a dispute about it open? Of the disputes that were read already, if they were."""
        return any(one.status == DisputeStatus.OPEN for one in self.disputes.all())

    @property
    def was_paid(self) -> bool:
        """Money came, whatever of it and in whatever currency."""
        return self.status == AttemptStatus.CAPTURED


class EntryKind(models.TextChoices):
    CAPTURED = "captured", _("paid")
    REFUNDED = "refunded", _("given back")
    DISPUTED = "disputed", _("lost in a dispute")


class Entry(models.Model):
    """Money that moved at a provider: append-only (a trigger). `source` says how we know."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="entries", verbose_name=_("payment"))
    kind = models.CharField(_("kind"), max_length=16, choices=EntryKind)
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=12)
    at = models.DateTimeField(_("at"))
    source = models.CharField(_("source"), max_length=64)
    refund_key = models.CharField(_("refund"), max_length=64, blank=True, db_collation="C")
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("movement of money")
        verbose_name_plural = _("movements of money")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["attempt", "refund_key"], name="refund_booked_once", condition=~Q(refund_key="")
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount} {self.currency}"


# Somebody has to approve or decline it.
WAITING_REFUND = Q(needs_approval=True, approved_at__isnull=True, declined_at__isnull=True)


class Refund(models.Model):
    """Money of an order to be given back, decided once. Its parts say from which payments."""

    order = models.ForeignKey("order.Order", on_delete=models.PROTECT, related_name="refunds", verbose_name=_("order"))
    currency = models.CharField(_("currency"), max_length=12)
    amount = MoneyField(_("amount"))
    shipping = MoneyField(_("of it for shipping"), default=0)
    reason = models.CharField(_("reason"), max_length=255)
    actor = models.CharField(_("by"), max_length=128)
    is_automatic = models.BooleanField(_("automatic"), default=False)
    approval = models.CharField(_("what is approved"), max_length=64, blank=True, editable=False)
    needs_approval = models.BooleanField(_("needs approval"), default=False)
    approved_by = models.CharField(_("approved by"), max_length=128, blank=True)
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    declined_by = models.CharField(_("declined by"), max_length=128, blank=True)
    declined_at = models.DateTimeField(_("declined at"), null=True, blank=True)
    declined_note = models.CharField(_("why it was declined"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="refund_of_something", condition=Q(amount__gt=0))]
        indexes = [models.Index(fields=["id"], name="refund_waiting", condition=WAITING_REFUND)]

    def __str__(self) -> str:
        return f"{quantise(self.amount, self.currency)} {self.currency}"

    @property
    def is_waiting(self) -> bool:
        """As `WAITING_REFUND`, of what was read already."""
        return self.needs_approval and self.approved_at is None and self.declined_at is None


class RefundLine(models.Model):
    """Units of an order line for which money is given back. `restock`: they come back into this warehouse."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="lines", verbose_name=_("refund"))
    line = models.ForeignKey(
        "order.Line", on_delete=models.PROTECT, related_name="refund_lines", verbose_name=_("order line")
    )
    quantity = models.PositiveIntegerField(_("quantity"), default=0)
    amount = MoneyField(_("amount"))
    restock = models.ForeignKey(
        "stock.Warehouse", on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("back into stock"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("refunded line")
        verbose_name_plural = _("refunded lines")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line.sku}"


class PartStatus(models.TextChoices):
    PENDING = "pending", _("on its way")
    DONE = "done", _("given back")
    FAILED = "failed", _("failed")


OPEN_PART = Q(status=PartStatus.FAILED, closed_at__isnull=True)  # somebody has to do something about it
STUCK_PART = Q(status=PartStatus.PENDING, is_stuck=True)  # and about this one, at the provider or in another way


class RefundPart(models.Model):
    """What of a refund is given back from one payment. Written with the payment's `refund_pending`, under a CHECK.

    `is_stuck`: the provider cannot pay it out; a person acts there, or gives the money back in another way.
    """

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="parts", verbose_name=_("refund"))
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="parts", verbose_name=_("payment"))
    key = models.CharField(_("number"), max_length=26, unique=True, db_collation="C", editable=False)
    amount = MoneyField(_("amount"))
    status = models.CharField(_("status"), max_length=16, choices=PartStatus, default=PartStatus.PENDING)
    is_stuck = models.BooleanField(_("stuck at the provider"), default=False)
    remote = models.CharField(_("number at the provider"), max_length=128, blank=True)
    why = models.CharField(_("why"), max_length=255, blank=True)
    done_at = models.DateTimeField(_("given back at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_note = models.CharField(_("what was done about it"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("part of a refund")
        verbose_name_plural = _("parts of refunds")
        constraints = [models.CheckConstraint(name="part_of_something", condition=Q(amount__gt=0))]
        indexes = [
            models.Index(fields=["attempt"], name="refund_part_pending", condition=Q(status="pending")),
            models.Index(fields=["id"], name="refund_part_failed", condition=OPEN_PART),
            models.Index(fields=["id"], name="refund_part_stuck", condition=STUCK_PART),
            models.Index(fields=["remote"], name="refund_part_remote", condition=~Q(remote="")),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def needs_somebody(self) -> bool:
        """As `OPEN_PART` or `STUCK_PART`, of what was read already."""
        failed = self.status == PartStatus.FAILED and self.closed_at is None
        return failed or (self.status == PartStatus.PENDING and self.is_stuck)


class DisputeStatus(models.TextChoices):
    OPEN = "open", _("open")
    WON = "won", _("won")
    LOST = "lost", _("lost")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Dispute(models.Model):
    """A payer, or their bank, wants money of a payment back. Entered by staff; while it is open nothing of the payment
    is given back, lest it goes back twice. Lost: the money is gone, and stands among the movements.
    """

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("payment"))
    amount = MoneyField(_("amount"))
    opened_on = models.DateField(_("opened on"))
    evidence_due_on = models.DateField(_("evidence due on"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=255)
    status = models.CharField(_("status"), max_length=16, choices=DisputeStatus, default=DisputeStatus.OPEN)
    actor = models.CharField(_("entered by"), max_length=128)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    closed_by = models.CharField(_("closed by"), max_length=128, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    note = models.CharField(_("how it ended"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="dispute_of_something", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="dispute_open_or_closed",
                condition=Q(status=DisputeStatus.OPEN, closed_at__isnull=True)
                | (~Q(status=DisputeStatus.OPEN) & Q(closed_at__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["attempt"], name="one_open_dispute", condition=Q(status=DisputeStatus.OPEN)
            ),
        ]
        indexes = [
            models.Index(fields=["evidence_due_on"], name="dispute_open", condition=Q(status=DisputeStatus.OPEN))
        ]

    def __str__(self) -> str:
        return f"{quantise(self.amount, self.attempt.currency)} {self.attempt.currency}"


class Stray(models.Model):
    """A payment a provider proved to have taken for us, under a number that we do not know: money without an order."""

    account = models.ForeignKey("hub.Account", on_delete=models.PROTECT, related_name="+", verbose_name=_("account"))
    number = models.CharField(_("number"), max_length=128, db_collation="C")
    remote = models.CharField(_("number at the provider"), max_length=128, blank=True)
    currency = models.CharField(_("currency"), max_length=12)
    captured = MoneyField(_("paid"))
    refunded = MoneyField(_("given back"), default=0)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen at"), db_default=Now(), editable=False)
    checked_at = models.DateTimeField(_("last asked"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_note = models.CharField(_("what was done about it"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("money without an order")
        verbose_name_plural = _("money without an order")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="stray_once")]

    def __str__(self) -> str:
        return self.number
