"""What goes into a basket, checked against what there is. Nothing is held yet: that is the order's doing."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from shop.basket.models import Basket, Line
from shop.catalogue.models import Product

# One statement, so that two windows adding at once both count, and nothing gets into a basket that was just ordered.
_PUT = """
INSERT INTO basket_line AS line (basket_id, line_reference, product_id, stockrecord_id, quantity, price_currency,
    price_incl_tax, price_excl_tax, tax_code, date_created, date_updated)
SELECT id, %s, %s, %s, %s, %s, %s, %s, %s, now(), now() FROM basket_basket WHERE id = %s AND status = %s FOR SHARE
ON CONFLICT (basket_id, line_reference)
DO UPDATE SET quantity = line.quantity + excluded.quantity, date_updated = excluded.date_updated
"""


class Refused(Exception):
    """It cannot be put into the basket; the message tells the customer why."""


def add(basket: Basket, product: Product, quantity: int) -> None:
    """`quantity` more of `product`. Raises Refused."""
    info = basket.strategy.fetch_for_product(product)
    title = product.get_title()
    if product.is_parent or not info.price.exists or not product.is_public:
        raise Refused(_("“%(title)s” cannot be bought at the moment.") % {"title": title})
    if basket.pk and basket.currency and basket.currency != info.price.currency:
        raise Refused(
            _("Your basket is in %(basket)s, “%(title)s” is sold in %(currency)s. Please order them separately.")
            % {"basket": basket.currency, "title": title, "currency": info.price.currency}
        )
    there = sum(line.quantity for line in basket.all_lines() if line.stockrecord_id == info.stockrecord.pk)
    _check(info.availability, there + quantity, title, there)
    _check_room(basket, quantity)
    if not basket.pk:
        basket.save()
    if not _put(basket, product, info, quantity):
        raise Refused(_("Your basket was changed meanwhile. Please look at it again."))
    basket.reset_offer_applications()


def _put(basket: Basket, product: Product, info: Any, quantity: int) -> bool:
    """Write the line; False when the basket is no longer open."""
    record, price = info.stockrecord, info.price
    what = (f"{product.pk}_{record.pk}", product.pk, record.pk, quantity)
    costs = (price.currency, price.incl_tax, price.excl_tax, price.tax_code)
    with connection.cursor() as cursor:
        cursor.execute(_PUT, [*what, *costs, basket.pk, Basket.OPEN])
        return bool(cursor.rowcount)


def set_quantity(basket: Basket, line: Line, quantity: int) -> bool:
    """`quantity` in all; 0 takes the line out. Was that a change? Raises Refused."""
    if quantity <= 0:
        basket.all_lines().remove(line)
        line.delete()
        return True
    if quantity > line.quantity:
        _check(line.purchase_info.availability, quantity, line.product.get_title(), 0)
        _check_room(basket, quantity - line.quantity)
    if quantity == line.quantity:
        return False
    Line.objects.filter(pk=line.pk).update(quantity=quantity)
    line.quantity = quantity
    return True


def _check(availability, quantity: int, title: str, there: int) -> None:  # type: ignore[no-untyped-def]
    permitted, reason = availability.is_purchase_permitted(quantity)
    if permitted:
        return
    if there:
        raise Refused(
            _("“%(title)s”: %(reason)s, and %(there)d are in your basket already.")
            % {"title": title, "reason": reason, "there": there}
        )
    raise Refused(_("“%(title)s”: %(reason)s.") % {"title": title, "reason": reason})


def _check_room(basket: Basket, more: int) -> None:
    room, most = basket.max_allowed_quantity()
    if room is not None and more > room:
        raise Refused(_("One order can hold %(most)d pieces at most.") % {"most": most})
