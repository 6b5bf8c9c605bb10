"""Orders as their customers see them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from shop.fulfilment.models import ParcelLine
from shop.order import kits, lifecycle
from shop.order.models import Line, Order, OrderStatusChange, PaymentMethod, Status

SALT = "oscar.apps.order.Order"  # that of Order.verification_hash()


def of_customer(user: Any) -> QuerySet[Order]:
    return Order.objects.filter(user=user).order_by("-date_placed", "-pk")


def by_link(signed: str) -> str:
    """The number in a signed link; 404 when the signature is not ours."""
    try:
        return Signer(salt=SALT).unsign(signed)
    except BadSignature:
        raise Http404 from None


def with_details(orders: QuerySet[Order]) -> QuerySet[Order]:
    """All that an order's page shows, in a fixed number of queries."""
    lines = (
        Line.objects.select_related("product__parent", "kit_product")
        .defer("product__search", "product__description", "kit_product__search", "kit_product__description")
        .prefetch_related("product__images", "product__parent__images", "kit_product__images")
        .order_by("pk")
    )
    return orders.select_related("shipping_address", "user").prefetch_related(
        Prefetch("lines", kits.awaiting(lines)),
        "status_changes",
        "parcels",
        Prefetch("parcels__lines", ParcelLine.objects.select_related("line")),
    )


def taxes(order: Order) -> list[tuple[Decimal, Decimal]]:
    """(rate, tax) of every rate on the order, highest first."""
    sums: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in order.lines.all():
        sums[line.tax_rate.normalize()] += line.line_price_incl_tax - line.line_price_excl_tax
    sums[order.shipping_tax_rate.normalize()] += order.shipping_incl_tax - order.shipping_excl_tax
    return sorted(((rate, tax) for rate, tax in sums.items() if tax), reverse=True)


@dataclass(frozen=True, slots=True)
class Payment:
    """How it stands with an unpaid order: its money is `awaited`, or the time is `over`. With `held_then` the customer
    may say that the transfer is made, and the goods are held until that moment."""

    awaited: bool
    over: bool
    is_online: bool
    held_then: datetime | None


def payment(order: Order) -> Payment:
    """Decided again, under lock, when the customer says so (`lifecycle.say_paid`)."""
    is_pending = order.status == Status.PENDING_PAYMENT
    is_late = order.payment_deadline is not None and order.payment_deadline <= timezone.now()
    awaited = is_pending and not is_late
    may_say = awaited and order.payment_method == PaymentMethod.BANK_TRANSFER and order.payment_said_at is None
    return Payment(
        awaited=awaited,
        over=order.status == Status.EXPIRED or (is_pending and is_late),
        is_online=order.payment_method == PaymentMethod.ONLINE,
        held_then=lifecycle.deadline_once_said(order) if may_say else None,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to an order, or (without `at`) is still to come."""

    title: str
    at: datetime | None = None
    note: str = ""


def timeline(order: Order) -> list[Step]:
    """What happened, oldest first, then what comes next. Notes that changed no status are for staff."""
    changes = sorted(order.status_changes.all(), key=lambda change: change.pk)
    moved = [change for change in changes if change.old_status != change.new_status]
    happened = [
        *(Step(_happened(change), change.date_created) for change in moved),
        *([Step(_("You told us that the transfer is made"), order.payment_said_at)] if order.payment_said_at else []),
        *(Step(_("Parcel %(number)s left us") % {"number": p.number}, p.shipped_at) for p in order.parcels.all()),
    ]
    return [*sorted(happened, key=lambda step: step.at), *_to_come(order)]


def _happened(change: OrderStatusChange) -> str:
    """Orders begin by waiting for payment, or as paid where there is nothing to pay: customers call it placing them."""
    status, is_first = change.new_status, not change.old_status
    if status == Status.PENDING_PAYMENT or (is_first and status == Status.PAID) or status not in Status.values:
        return _("Order placed")
    return str(Status(status).label).capitalize()


def _by(deadline: datetime | None) -> str:
    if deadline is None:
        return ""
    return _("by %(date)s") % {"date": date_format(timezone.localtime(deadline), "DATETIME_FORMAT")}


def _to_come(order: Order) -> list[Step]:
    """Nothing where the order has ended."""
    steps = []
    if order.status == Status.PENDING_PAYMENT:
        steps.append(Step(_("Your payment arrives"), note=_by(order.payment_deadline)))
    if order.status == Status.PARTLY_SHIPPED:
        steps.append(Step(_("The rest is shipped")))
    elif order.is_open:
        steps.append(Step(_("The goods are shipped"), note=_("You get a mail when the goods leave us.")))
    return steps
