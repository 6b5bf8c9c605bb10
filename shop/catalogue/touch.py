"""Pages remember products under the time of their last save. What hangs on a product (pictures, attributes, variants,
categories) is saved without it, so whoever changes such a thing says so here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from shop.catalogue.models import Product


def lock(products: Collection[int]) -> dict[int, datetime]:
    """Lock these products (by key) with their parents and variants, in one order, so that nobody waits for whom waits
    for them; returns the keys with the time of each one's last save."""
    wanted = list(products)
    family = Q(pk__in=wanted) | Q(parent__in=wanted) | Q(pk__in=Product.objects.filter(pk__in=wanted).values("parent"))
    locked = Product.objects.filter(family).order_by("pk").select_for_update(no_key=True)
    return dict(locked.values_list("pk", "date_updated"))


def touched(products: Collection[int]) -> None:
    """Stamp these products, their parents and their variants: the page of each shows something of the others."""
    if products:
        Product.objects.filter(pk__in=lock(products)).update(date_updated=timezone.now())
