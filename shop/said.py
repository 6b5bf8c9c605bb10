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
    # payments
    gettext_noop("The payment provider sends buyers to a host that the connector does not name."),
    gettext_noop("given back: %(amount)s"),
    gettext_noop("given back at the provider itself: %(amount)s"),
    gettext_noop("given back at the provider: %(amount)s more than was left"),
    gettext_noop("the order was cancelled before it was paid"),
    gettext_noop("paid twice"),
    gettext_noop("a refund that had failed was done at the provider: %(key)s"),
    gettext_noop("paid too late, the goods are gone: %(skus)s"),
    gettext_noop("it was paid, and now the provider says %(status)s"),
    gettext_noop("the provider does not say how much was paid"),
    gettext_noop("paid in %(one)s instead of %(other)s"),
    gettext_noop("paid %(captured)s of %(total)s, due were %(due)s"),
    gettext_noop("due are %(due)s by now, paid were %(paid)s"),
    gettext_noop("paid to %(one)s instead of %(other)s"),
    gettext_noop("paid, and its order cannot be moved; the log says why"),
    gettext_noop("the provider cannot pay it out"),
    gettext_noop("the provider refused it"),
    gettext_noop("all of it was given back at the provider"),
    gettext_noop("it is a payment of an order"),
    gettext_noop("Nothing is to be given back."),
    gettext_noop("A line stands in it twice."),
    gettext_noop("A line belongs to another order."),
    gettext_noop("Of shipping at most %(left)s is left to give back."),
    gettext_noop("The lines and shipping come to %(lines)s, which is more than %(amount)s."),
    gettext_noop("%(sku)s: at most %(left)s are left to refund."),
    gettext_noop("%(sku)s: at most %(left)s is left to give back."),
    gettext_noop("%(sku)s: only %(left)s have left and can be back."),
    gettext_noop("At most %(left)s can still be given back."),
    gettext_noop("Of payment %(number)s less than %(amount)s is left."),
    gettext_noop("It needs no approval any more."),
    gettext_noop("Somebody else has to approve it."),
    gettext_noop("It changed since it was shown. Look at it again."),
    gettext_noop("Its payment is disputed: nothing of it can be given back before that is decided."),
    gettext_noop("At most %(left)s can be disputed."),
    gettext_noop("A dispute about this payment is open already."),
    gettext_noop(
        "%(amount)s has more decimals than %(currency)s can be paid in (%(decimals)s); round it at its source."
    ),
    gettext_noop("payment reviewed: %(note)s"),
    gettext_noop("refund of %(amount)s declined: %(note)s"),
    gettext_noop("refund of %(amount)s tried again"),
    gettext_noop("refund of %(amount)s settled by hand: %(note)s"),
    gettext_noop("refund of %(amount)s not tried again: %(note)s"),
    gettext_noop("tried again as %(number)s"),
    gettext_noop("dispute of %(amount)s opened: %(reason)s"),
    gettext_noop("dispute of %(amount)s: evidence due on %(day)s"),
    gettext_noop("dispute of %(amount)s won: %(note)s"),
    gettext_noop("dispute of %(amount)s lost: %(note)s"),
    gettext_noop("dispute of %(amount)s withdrawn: %(note)s"),
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
