"""Orders as they stand. Written by `place.py` and moved by `lifecycle.py`, by nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from oscar.apps.address.abstract_models import AbstractShippingAddress
from oscar.apps.order.abstract_models import (
    AbstractLine,
    AbstractLinePrice,
    AbstractOrder,
    AbstractOrderDiscount,
    AbstractOrderLineDiscount,
    AbstractOrderStatusChange,
    AbstractPaymentEvent,
    AbstractSurcharge,
)

from runtime.logs import trace
from shop.phones import backwards
from shop.pricing.fields import MoneyField


class Status(models.TextChoices):
    """Where an order stands. `lifecycle.MOVES` is the table of moves."""

    PENDING_PAYMENT = "pending_payment", _("awaiting payment")
    PAID = "paid", _("paid")
    ON_ACCOUNT = "on_account", _("accepted on account")
    PARTLY_SHIPPED = "partly_shipped", _("partly shipped")
    SHIPPED = "shipped", _("shipped")
    CANCELLING = "cancelling", _("being cancelled")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("payment time over")


class PaymentMethod(models.TextChoices):
    BANK_TRANSFER = "bank_transfer", _("bank transfer")
    ON_ACCOUNT = "on_account", _("on account")
    ONLINE = "online", _("online")
    ELSEWHERE = "elsewhere", _("settled elsewhere")
    NOTHING_DUE = "nothing_due", _("nothing to pay")


class LineKind(models.TextChoices):
    """What a line charges for. Only goods have stock, holds and parcels."""

    GOODS = "goods", _("goods")
    SHIPPING = "shipping", _("shipping")
    FEE = "fee", _("fee")


OPEN_RETURN = models.Q(needs_return=True, return_closed_at__isnull=True)  # its goods have left and are not back

SAID_TO_BE_PAID = models.Q(status=Status.PENDING_PAYMENT, payment_said_at__isnull=False)


class Order(AbstractOrder):
    """A customer's order. Never deleted. `number` is unguessable and immutable."""

    source_account = models.CharField(_("source"), max_length=64, default="web", editable=False)
    external_number = models.CharField(_("external number"), max_length=128, editable=False)
    buyer_reference = models.CharField(
        _("buyer at the source"), max_length=128, blank=True, editable=False, help_text=_("The source's own number.")
    )
    status = models.CharField(_("Status"), max_length=32, choices=Status, editable=False)
    language = models.CharField(_("language"), max_length=10, editable=False)
    payment_method = models.CharField(_("payment method"), max_length=32, choices=PaymentMethod, editable=False)
    payment_deadline = models.DateTimeField(_("payment deadline"), null=True, blank=True, editable=False)
    payment_said_at = models.DateTimeField(_("said to be paid at"), null=True, blank=True, editable=False)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True, editable=False)
    needs_return = models.BooleanField(_("needs a return"), default=False, editable=False)
    return_closed_at = models.DateTimeField(_("return closed at"), null=True, blank=True, editable=False)
    needs_refund = models.BooleanField(_("money to give back"), default=False, editable=False)
    is_historical = models.BooleanField(_("historical"), default=False, editable=False)
    is_test = models.BooleanField(_("test"), default=False, editable=False)
    note = models.TextField(_("customer's note"), blank=True)
    total_incl_tax = MoneyField(_("Order total (inc. tax)"))
    total_excl_tax = MoneyField(_("Order total (excl. tax)"))
    shipping_incl_tax = MoneyField(_("Shipping charge (inc. tax)"), default=0)
    shipping_excl_tax = MoneyField(_("Shipping charge (excl. tax)"), default=0)
    shipping_tax_rate = models.DecimalField(_("shipping tax rate"), max_digits=6, decimal_places=5, default=0)

    class Meta(AbstractOrder.Meta):
        abstract = False
        permissions = [
            ("confirm_payment", gettext_noop("Can confirm payments")),
            ("cancel_order", gettext_noop("Can cancel orders")),
            ("ship_order", gettext_noop("Can ship orders from warehouses of ours")),
            ("close_return", gettext_noop("Can note that returned goods have arrived")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source_account", "external_number"], name="order_external_number_unique"),
            models.CheckConstraint(
                name="order_totals_not_negative",
                condition=models.Q(total_incl_tax__gte=0, total_excl_tax__gte=0),
            ),
        ]
        indexes = [
            models.Index(
                fields=["payment_deadline"],
                name="order_deadline",
                condition=models.Q(status="pending_payment"),
            ),
            models.Index(fields=["status", "-date_placed"], name="order_status"),
            models.Index(
                fields=["source_account", "buyer_reference"],
                name="order_buyer",
                condition=~models.Q(buyer_reference=""),
            ),
            # What staff look for, see `finding.py`. The shop's own orders have no other number and pay nothing for it.
            models.Index(
                OpClass("external_number", name="varchar_pattern_ops"),
                name="order_external_number",
                condition=~models.Q(source_account="web"),
            ),
            models.Index(
                OpClass(Lower("guest_email"), name="text_pattern_ops"),
                name="order_guest_email",
                condition=~models.Q(guest_email=""),
            ),
            models.Index(fields=["id"], name="order_needs_return", condition=OPEN_RETURN),
            models.Index(fields=["id"], name="order_needs_refund", condition=models.Q(needs_refund=True)),
        ]

    def set_status(self, new_status: str) -> None:
        raise NotImplementedError("Orders move through shop.order.lifecycle only.")

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("Orders are never deleted.")

    @property
    def subject(self) -> str:
        """The key under which the hub's rows about this order are found."""
        return f"order:{self.number}"

    @property
    def email(self) -> str:
        return (self.user.email if self.user else self.guest_email) or self.guest_email

    @property
    def is_open(self) -> bool:
        """Goods are still promised or about to leave."""
        return self.status in {Status.PENDING_PAYMENT, Status.PAID, Status.ON_ACCOUNT, Status.PARTLY_SHIPPED}


class Line(AbstractLine):
    """One line. `partner_sku` is the SKU. Gross, net and tax add up; the rate is the one at placement."""

    kind = models.CharField(_("kind"), max_length=16, choices=LineKind, default=LineKind.GOODS)
    line_price_incl_tax = MoneyField(_("Price (inc. tax)"))
    line_price_excl_tax = MoneyField(_("Price (excl. tax)"))
    line_price_before_discounts_incl_tax = MoneyField(_("Price before discounts (inc. tax)"))
    line_price_before_discounts_excl_tax = MoneyField(_("Price before discounts (excl. tax)"))
    unit_price_incl_tax = MoneyField(_("Unit Price (inc. tax)"), blank=True, null=True)
    unit_price_excl_tax = MoneyField(_("Unit Price (excl. tax)"), blank=True, null=True)
    tax_rate = models.DecimalField(_("tax rate"), max_digits=6, decimal_places=5)
    num_allocated = None  # type: ignore[assignment]
    allocation_cancelled = None  # type: ignore[assignment]
    # A line that came with a kit remembers which: the kits of an order are numbered from 1.
    kit_number = models.PositiveSmallIntegerField(_("kit no."), null=True, blank=True, editable=False)
    kit_sku = models.CharField(
        _("SKU of the kit"), max_length=64, blank=True, db_default="", default="", editable=False
    )
    kit_title = models.CharField(
        _("title of the kit"), max_length=255, blank=True, db_default="", default="", editable=False
    )
    kit_quantity = models.PositiveIntegerField(_("number of kits"), null=True, blank=True, editable=False)
    kit_product = models.ForeignKey(
        "catalogue.Product", on_delete=models.SET_NULL, null=True, blank=True, editable=False, db_index=False,
        related_name="+", verbose_name=_("kit"),
    )  # fmt: skip

    class Meta(AbstractLine.Meta):
        abstract = False

    @property
    def sku(self) -> str:
        return self.partner_sku

    def set_status(self, new_status: str) -> None:
        raise NotImplementedError("Orders move through shop.order.lifecycle only.")


class ShippingAddress(AbstractShippingAddress):
    """Where an order goes. Found by phone and name, see `finding.py`."""

    class Meta(AbstractShippingAddress.Meta):
        abstract = False
        indexes = [
            models.Index(OpClass(backwards("phone_number"), name="text_pattern_ops"), name="address_phone"),
            models.Index(OpClass(Lower("first_name"), name="text_pattern_ops"), name="address_name"),
        ]


class OrderStatusChange(AbstractOrderStatusChange):
    """The audit row of one move."""

    date_created = models.DateTimeField(_("Date Created"), default=timezone.now, db_index=True)
    actor = models.CharField(_("by"), max_length=128, blank=True)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    trace = models.CharField(_("trace"), max_length=64, blank=True, default=trace.current, editable=False)

    class Meta(AbstractOrderStatusChange.Meta):
        abstract = False
        indexes = [models.Index(fields=["trace"], name="order_change_trace", condition=~models.Q(trace=""))]


OPEN_INTAKE = models.Q(closed_at__isnull=True) & ~models.Q(refused={})  # rows were refused, and nobody has looked


class Intake(models.Model):
    """One document from outside and what became of each of its rows: the proof that none was lost or taken twice.

    `rows` maps a class of row (see `shop.intake.Class`) to the positions of its rows in the source; `refused` maps a
    position to the reason. Written in the transaction of the document's effects. What was refused stays open until a
    person closes it with a note.
    """

    source_account = models.CharField(_("source"), max_length=64)
    external_number = models.CharField(_("external number"), max_length=128)
    rows = models.JSONField(_("rows"), default=dict)
    refused = models.JSONField(_("refused"), default=dict)
    taken_at = models.DateTimeField(_("taken at"), db_default=models.functions.Now(), editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    closed_by = models.CharField(_("closed by"), max_length=128, blank=True, editable=False)
    closing_note = models.CharField(_("what was done about it"), max_length=255, blank=True, editable=False)

    class Meta:
        verbose_name = _("import of orders")
        verbose_name_plural = _("imports of orders")
        ordering = ["-id"]
        permissions = [("close_intake", gettext_noop("Can close refused imports"))]
        constraints = [
            models.UniqueConstraint(fields=["source_account", "external_number"], name="intake_document_unique")
        ]
        indexes = [models.Index(fields=["id"], name="intake_open", condition=OPEN_INTAKE)]

    def __str__(self) -> str:
        return f"{self.source_account} {self.external_number}"


class LinePrice(AbstractLinePrice):
    price_incl_tax = MoneyField(_("Price (inc. tax)"))
    price_excl_tax = MoneyField(_("Price (excl. tax)"))
    shipping_incl_tax = MoneyField(_("Shiping (inc. tax)"), default=0)
    shipping_excl_tax = MoneyField(_("Shipping (excl. tax)"), default=0)


class PaymentEvent(AbstractPaymentEvent):
    amount = MoneyField(_("Amount"))


class OrderDiscount(AbstractOrderDiscount):
    amount = MoneyField(_("Amount"), default=0)


class OrderLineDiscount(AbstractOrderLineDiscount):
    amount = MoneyField(_("Line discount (excl. tax)"), default=0)


class Surcharge(AbstractSurcharge):
    incl_tax = MoneyField(_("Surcharge (inc. tax)"), default=0)
    excl_tax = MoneyField(_("Surcharge (excl. tax)"), default=0)


from oscar.apps.order.models import *
