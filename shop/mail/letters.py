"""Mails to customers: hub commands keyed `order:event`, in the order's language, rendered when they are sent."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy

from integrations.hub import outgoing
from integrations.hub.errors import Rejected
from integrations.hub.models import Account
from integrations.hub.topics import Command
from integrations.hub.values import Done, Lane, Pending, Repeat
from integrations.messages.base import Letter, Messages
from shop.order import kits
from shop.order.models import Order, Status


class Event(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"
    REFUNDED = "refunded"


class Mail(Command):
    """One mail about one order. After an unknown outcome it is sent once more, under the same Message-ID."""

    name = "mail"
    label = gettext_lazy("letter about an order")
    by_hand = True
    lane = Lane.ORDERS
    kind = "messages"
    repeat = Repeat.SAFE
    resends = 1
    expires_after = timedelta(hours=72)

    def subject(self, key: str) -> str:
        return f"order:{key.split(':')[0]}"

    def send(self, remote: Messages, payload: dict[str, Any], key: str) -> Done:
        order = Order.objects.select_related("user", "shipping_address").get(number=payload["number"])
        return remote.send(compose(order, Event(payload["event"]), key, payload.get("detail", "")))

    def look(self, remote: Messages, payload: dict[str, Any], key: str) -> Done | Pending | None:
        return None

    def settle(self, account: Account, payload: dict[str, Any], done: Done) -> None:
        """Nothing here depends on a mail."""


def write(order: Order, event: Event, detail: str = "") -> None:
    """Have the customer told. Orders without an address (marketplaces), historical and test orders get no mail."""
    if not order.email or order.is_historical or order.is_test:
        return
    key = ":".join(filter(None, [order.number, event, detail]))
    payload = {"number": order.number, "event": str(event), "detail": detail}
    for account in outgoing.accounts("messages")[:1]:
        outgoing.command("mail", account, payload, key=key, serial=f"mail:{order.number}")


def compose(order: Order, event: Event, key: str, detail: str = "") -> Letter:
    """The letter itself, in the order's language."""
    if not order.email:
        raise Rejected("The order has no mail address any more.")
    with translation.override(order.language or settings.LANGUAGE_CODE):
        context = {
            "order": order,
            "things": kits.bought(kits.awaiting(order.lines.order_by("pk"))),
            "awaits_goods": order.is_open,
            "parcel": order.parcels.filter(pk=detail).first() if detail and event is Event.SHIPPED else None,
            "refund": order.refunds.get(pk=detail) if event is Event.REFUNDED else None,
            "address": order.shipping_address,
            "link": settings.WEFT_SHOP_URL + reverse("customer:guest-order", args=[order.verification_hash()]),
            "pay_link": settings.WEFT_SHOP_URL + reverse("checkout:pay", args=[order.verification_hash()]),
            "is_unpaid": order.status == Status.PENDING_PAYMENT,
            "bank_details": settings.WEFT_BANK_DETAILS,
            "shop": settings.OSCAR_SHOP_NAME,
        }
        subject = render_to_string(f"mail/{event}_subject.txt", context).strip()
        text = render_to_string(f"mail/{event}.txt", context)
        html = render_to_string(f"mail/{event}.html", context)
    host = urlsplit(settings.WEFT_SHOP_URL).hostname or "weft"
    return Letter(
        message_id=f"{key}@{host}",
        to=order.email,
        sender=settings.DEFAULT_FROM_EMAIL,
        subject=subject,
        text=text,
        html=html,
    )
