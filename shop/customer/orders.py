"""Orders as their customers see them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Prefetch, QuerySet
from django.http import Http404

from shop.fulfilment.models import ParcelLine
from shop.order.models import Line, Order

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
        Line.objects.select_related("product__parent")
        .defer("product__search", "product__description")
        .prefetch_related("product__images", "product__parent__images")
        .order_by("pk")
    )
    return orders.select_related("shipping_address", "user").prefetch_related(
        Prefetch("lines", lines),
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


def timeline(order: Order) -> list[Any]:
    """Changes of status, oldest first; notes that changed no status are for staff."""
    changes = sorted(order.status_changes.all(), key=lambda change: change.pk)
    return [change for change in changes if change.old_status != change.new_status]
