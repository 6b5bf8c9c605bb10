"""Goods have arrived: who waited for them gets them, the oldest promise first, and what is released is sourced."""

from __future__ import annotations

from django.db import transaction

from shop.fulfilment import sourcing
from shop.order.models import Line, Status
from shop.stock import presales

RELEASED = (Status.PAID, Status.ON_ACCOUNT, Status.PARTLY_SHIPPED)


def fill_waiting() -> int:
    """Fill what can be filled, each SKU in a transaction of its own; returns the units that are held now.

    It does not matter which receipt, reading or cancellation brought the goods, nor how often this runs.
    """
    return sum(map(_fill, list(presales.fillable().order_by("sku").values_list("sku", flat=True))))


def _fill(sku: str) -> int:
    with transaction.atomic(durable=True):
        filled = presales.fill(sku)
        lines = Line.objects.filter(pk__in={one.line_id for one in filled}, order__status__in=RELEASED)
        sourcing.source_lines(list(lines.order_by("pk")))
    return sum(one.units for one in filled)
