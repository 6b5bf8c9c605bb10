"""Finding orders by what people know of them, in a shop with hundreds of thousands.

Each way is a query of its own with an index of its own, and they are put together as sets: `OR` over joined tables
would read every order (docs/decisions/0011-how-staff-find.md).
"""

from __future__ import annotations

import re

from django.db.models import Func, QuerySet
from django.db.models.functions import Lower, Substr

from integrations.hub.desk import finding
from runtime.logs import trace
from shop import phones
from shop.customer import finding as customers
from shop.order.models import Order, OrderStatusChange, ShippingAddress
from shop.stock.finding import spelled
from shop.stock.models import Hold

_NUMBER = re.compile(r"W(\d{8})[\s-]*([0-9A-Z]+)", re.IGNORECASE)


def as_number(text: str) -> str:
    """The (beginning of an) order number as it is written, however it was typed: `w20261122 7q2m` is W20261122-7Q2M."""
    typed = _NUMBER.fullmatch(text)
    return f"W{typed[1]}-{typed[2].upper()}" if typed else text.upper()


def orders(text: str) -> QuerySet[Order]:
    """Orders by number, number at the source, number at an ERP, name, e-mail, phone, or a SKU in them."""
    lower = text.lower()
    ways = [
        numbered(text),
        Order.objects.exclude(source_account="web").filter(external_number__startswith=text),
        Order.objects.filter(number__in=told_as(text)),
        Order.objects.alias(mail=Lower("guest_email")).exclude(guest_email="").filter(mail__startswith=lower),
        Order.objects.filter(shipping_address__in=_addresses(Lower("first_name"), lower)),
        Order.objects.filter(user__in=customers.users(text).values("pk")),
        Order.objects.filter(pk__in=_with_sku(text)),
    ]
    if trace.is_trace(text):
        ways += traced(text)
    if ending := phones.ending(text):
        by_phone = _addresses(phones.backwards("phone_number"), ending[::-1])
        ways.append(Order.objects.filter(shipping_address__in=by_phone))
    first, *others = [way.order_by().values("pk") for way in ways]
    return Order.objects.filter(pk__in=first.union(*others))


def numbered(text: str) -> QuerySet[Order]:
    """Orders whose own number begins so."""
    return Order.objects.filter(number__startswith=as_number(text))


def traced(text: str) -> list[QuerySet[Order]]:
    """Orders that this click (or call) moved, and those about which it had others told."""
    moved = OrderStatusChange.objects.exclude(trace="").filter(trace=text).values("order")
    told = finding.traced(text).filter(subject__startswith="order:")
    numbers = told.annotate(number=Substr("subject", len("order:") + 1)).values("number")
    return [Order.objects.filter(pk__in=moved), Order.objects.filter(number__in=numbers)]


def told_as(text: str) -> QuerySet[Order]:
    """Numbers of orders to which another system gave this number (or its own id)."""
    rows = finding.by_remote_number(text).filter(subject__startswith="order:")
    return rows.annotate(number=Substr("subject", len("order:") + 1)).values("number")


def _addresses(what: Func, begins: str) -> QuerySet[ShippingAddress]:
    return ShippingAddress.objects.alias(what=what).filter(what__startswith=begins).values("pk")


def _with_sku(text: str) -> QuerySet[Hold]:
    """Every line of goods was promised: the holds of the SKU name the orders, by an index they have anyway."""
    return Hold.objects.filter(pool__in=spelled(text)).values("line__order")
