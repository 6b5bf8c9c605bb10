"""What goes into a basket, checked against what there is. Nothing is held yet: that is the order's doing."""

from __future__ import annotations

from django.utils.translation import gettext as _

from shop.basket.models import Basket, Line
from shop.catalogue.models import Product


class Refused(Exception):
    """It cannot be put into the basket; the message tells the customer why."""


def add(basket: Basket, product: Product, quantity: int) -> Line:
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
    line, _created = basket.add_product(product, quantity)
    return line


def set_quantity(basket: Basket, line: Line, quantity: int) -> None:
    """`quantity` in all; 0 takes the line out. Raises Refused."""
    if quantity <= 0:
        line.delete()
        basket.reset_offer_applications()
        return
    if quantity > line.quantity:
        _check(line.purchase_info.availability, quantity, line.product.get_title(), 0)
        _check_room(basket, quantity - line.quantity)
    if quantity != line.quantity:
        Line.objects.filter(pk=line.pk).update(quantity=quantity)
        basket.reset_offer_applications()


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
