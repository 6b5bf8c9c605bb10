"""What the shop wrote into rows, in the reader's language: its sentences, for `integrations.hub.said`."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

SENTENCES = (
    # moves and notes of orders
    gettext_noop("payment deadline"),
    gettext_noop("paid"),
    gettext_noop("money given back: %(reference)s"),
    gettext_noop("return closed: %(reference)s"),
    gettext_noop("paid late (%(reference)s), goods are gone: %(skus)s"),
    gettext_noop("held until %(at)s: %(reason)s"),
    gettext_noop("said to be paid; held until %(at)s"),
    gettext_noop("shipped although never released: %(parcel)s"),
    gettext_noop("the ERP had shipped it already"),
    # refused rows of documents
    gettext_noop("out of stock: %(units)s free"),
    gettext_noop("the quantity is 0"),
    gettext_noop("the quantity is too large"),
    gettext_noop("the amount is too large"),
    gettext_noop("the price is finer than %(currency)s can be paid in"),
    gettext_noop("a cancellation that takes nothing back (its quantity is above 0)"),
    gettext_noop("fewer than 0 would be on hand: %(units)s there"),
    # channels
    gettext_noop("What is free now does not cover this figure; it is planned anew."),
    gettext_noop("An earlier figure may still arrive there; until then only 0 is sent."),
    gettext_noop("Order %(number)s cannot be taken: %(reason)s"),
    gettext_noop("cancelled there"),
    gettext_noop("cancelled there after it was shipped"),
    gettext_noop("a kit has no stock of its own"),
    # letters
    gettext_noop("The account is gone, locked, or has no mail address."),
    gettext_noop("The order has no mail address any more."),
    gettext_noop("The provider told of a refund and does not show it yet."),
)


def who(actor: str) -> str:
    """Who did it, as people call them: `staff:a@b.c` is a@b.c."""
    kind, _colon, name = actor.partition(":")
    match kind:
        case "staff":
            return name
        case "customer":
            return _("customer")
        case "web":
            return _("guest")
        case "weft":
            return "Weft"
        case "erp":
            return "ERP"
    return actor
