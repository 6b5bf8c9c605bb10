"""What may be bought of a SKU, said honestly: in stock, only so many left, sold out."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from oscar.apps.partner import availability as oscar

FEW = 5


class Unavailable(oscar.Unavailable):
    message = _("Not for sale at the moment")


class Available(oscar.Available):
    pass


class StockRequired(oscar.StockRequired):
    """`num_available` units may be promised now."""

    CODE_FEW = "few"

    @property
    def code(self) -> str:
        if self.num_available <= 0:
            return self.CODE_OUT_OF_STOCK
        return self.CODE_FEW if self.num_available <= FEW else self.CODE_IN_STOCK

    @property
    def message(self) -> str:
        if self.num_available <= 0:
            return _("Sold out")
        if self.num_available <= FEW:
            return ngettext_lazy("Only %(count)d left", "Only %(count)d left", self.num_available) % {
                "count": self.num_available
            }
        return _("In stock")

    short_message = message

    def is_purchase_permitted(self, quantity: int) -> tuple[bool, str]:
        if self.num_available <= 0:
            return False, _("sold out")
        if quantity > self.num_available:
            return False, ngettext_lazy("only %(count)d left", "only %(count)d left", self.num_available) % {
                "count": self.num_available
            }
        return True, ""
