"""What may be bought of a SKU, said honestly: in stock, only so many left, ships by a day, sold out until a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from oscar.apps.partner import availability as oscar

from shop.days import spoken
from shop.stock.offered import Kind, Offered

FEW = 5
AHEAD = "ahead"  # the code of what is sold before it is here


class Unavailable(oscar.Unavailable):
    message = gettext_lazy("Not for sale at the moment")


class Available(oscar.Available):
    pass


class StockRequired(oscar.StockRequired):
    """`num_available` units may be promised at once, `ahead` of what is still to come, leaving by `ships_on`."""

    CODE_FEW = "few"

    def __init__(self, offer: Offered) -> None:
        super().__init__(offer.free)
        self.ahead, self.kind, self.most = offer.room, offer.kind, offer.most
        self.ships_on, self.expected_on = offer.ships_on, offer.expected_on

    @property
    def code(self) -> str:
        if self.num_available > 0:
            return self.CODE_FEW if self.num_available <= FEW else self.CODE_IN_STOCK
        return AHEAD if self.ahead > 0 else self.CODE_OUT_OF_STOCK

    @property
    def message(self) -> str:
        if self.num_available > 0:
            return _left(self.num_available) if self.num_available <= FEW else _("In stock")
        if self.ahead > 0:
            return self.later if self.ahead > FEW else f"{self.later} · {_left(self.ahead)}"
        if self.expected_on:
            return _("Sold out, expected %(day)s") % {"day": spoken(self.expected_on)}
        return _("Sold out")

    short_message = message

    @property
    def later(self) -> str:
        """What is said of goods that leave later; empty where nothing is sold ahead."""
        return _("Ships by %(day)s") % {"day": spoken(self.ships_on)} if self.ships_on else ""

    def is_later(self, quantity: int) -> bool:
        """Would so many be promised from what is still to come?"""
        return self.num_available < quantity <= self.ahead

    @property
    def schema(self) -> str:
        """As schema.org calls it."""
        if self.num_available > 0:
            return "LimitedAvailability" if self.num_available <= FEW else "InStock"
        if self.ahead > 0:
            return "BackOrder" if self.kind == Kind.BACKORDER else "PreOrder"
        return "OutOfStock"

    def is_purchase_permitted(self, quantity: int) -> tuple[bool, str]:
        if quantity <= self.most:
            return (True, "") if self.most > 0 else (False, _("sold out"))
        if self.most <= 0:
            return False, _("sold out")
        return False, ngettext("only %(count)d left", "only %(count)d left", self.most) % {"count": self.most}


class AnyOf(StockRequired):
    """What a product offers whose variants offer these: some of them at once, else the first to come."""

    def __init__(self, variants: Sequence[StockRequired]) -> None:
        self.num_available = sum(max(0, variant.num_available) for variant in variants)
        later = sorted((v for v in variants if v.ahead > 0 and v.ships_on), key=lambda v: v.ships_on or date.max)
        self.ahead = sum(variant.ahead for variant in later)
        self.most = max(self.num_available, self.ahead)
        self.kind, self.ships_on = (later[0].kind, later[0].ships_on) if later else ("", None)
        self.expected_on = min((v.expected_on for v in variants if v.expected_on), default=None)


def _left(count: int) -> str:
    return ngettext("Only %(count)d left", "Only %(count)d left", count) % {"count": count}
