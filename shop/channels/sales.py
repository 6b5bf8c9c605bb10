"""An order that a channel took -> an order of ours: sold and paid already, so it is placed whatever is in stock."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from babel.numbers import list_currencies
from django.conf import settings
from django.db import Error

from integrations.channels.base import ChannelLine, ChannelOrder
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod
from shop.order.place import CannotPlace, Draft, DraftLine, SoldOn, place
from shop.partner.models import StockRecord
from shop.partner.strategy import tax_class_of
from shop.pricing.money import quantise
from shop.stock.models import Channel

NOTHING = Decimal(0)


class CannotTake(Exception):
    """The order cannot become one of ours as it stands; the message says which and why."""


def take(channel: Channel, order: ChannelOrder, skew: timedelta) -> bool:
    """Place the order, if it is not in yet, and cancel it, if it was; True when it is new."""
    known = _known(channel, order)
    if known is None:
        _place(channel, order, skew)
    if order.is_cancelled:
        _cancel(channel, order)
    return known is None


def _known(channel: Channel, order: ChannelOrder) -> str | None:
    numbers = Order.objects.filter(source_account=channel.source, external_number=order.number)
    return numbers.values_list("number", flat=True).first()


def _place(channel: Channel, order: ChannelOrder, skew: timedelta) -> None:
    try:
        place(_draft(channel, order, skew))
    except (CannotPlace, ArithmeticError, ValueError, Error) as error:
        if _known(channel, order) is None:  # else somebody else has just taken it
            raise CannotTake(f"Order {order.number} cannot be taken: {error}") from error


def _cancel(channel: Channel, order: ChannelOrder) -> None:
    if number := _known(channel, order):
        lifecycle.cancelled_elsewhere(number, actor=channel.source)


def _draft(channel: Channel, order: ChannelOrder, skew: timedelta) -> Draft:
    if order.currency not in list_currencies():
        raise ValueError(f"there is no currency {order.currency}")
    taxed = StockRecord.objects.select_related("product__parent__tax_class", "product__tax_class")
    known = {record.partner_sku: record for record in taxed.filter(partner_sku__in=[line.sku for line in order.lines])}
    return Draft(
        currency=order.currency,
        lines=tuple(_line(line, known.get(line.sku), order.currency) for line in order.lines),
        ship_to=order.ship_to,
        payment_method=PaymentMethod.ELSEWHERE,
        language=settings.LANGUAGE_CODE,
        source_account=channel.source,
        external_number=order.number,
        buyer_reference=order.buyer,
        shipping_gross=quantise(order.shipping_gross, order.currency),
        sold_on=SoldOn(channel.account_id, order.sold_at, skew),
        placed_at=order.sold_at,
    )


def _line(line: ChannelLine, record: StockRecord | None, currency: str) -> DraftLine:
    """A SKU we do not know is taken all the same: it was sold. Its shortage says so."""
    tax = tax_class_of(record.product) if record else None
    return DraftLine(
        sku=line.sku,
        title=line.title or line.sku,
        quantity=line.quantity,
        unit_gross=quantise(line.unit_gross, currency),
        discount=NOTHING,
        tax_code=tax.code if tax else "",
        tax_rate=tax.rate if tax else NOTHING,
        product_id=record.product_id if record else None,
        stockrecord_id=record.pk if record else None,
    )
