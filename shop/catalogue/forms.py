from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shop.controls import Form
from shop.pricing.fields import MONEY_DECIMALS, MONEY_DIGITS

ORDERS = (
    ("featured", _("Recommended")),
    ("new", _("Newest first")),
    ("price", _("Price: low to high")),
    ("-price", _("Price: high to low")),
)
_price = {"required": False, "min_value": 0, "max_digits": MONEY_DIGITS, "decimal_places": MONEY_DECIMALS}


class ListForm(Form):
    """How a list is narrowed and ordered. Comes with the address, so it is checked like anything from outside."""

    q = forms.CharField(required=False, strip=True, widget=forms.HiddenInput)
    sort = forms.ChoiceField(label=_("Sort by"), required=False, choices=ORDERS)
    lowest = forms.DecimalField(label=_("Price from"), **_price)
    highest = forms.DecimalField(label=_("Price to"), **_price)
    in_stock = forms.BooleanField(label=_("In stock only"), required=False)

    def __init__(self, *args: Any, best_match: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, use_required_attribute=False, **kwargs)
        if best_match:
            self.fields["sort"].choices = (("", _("Best match")), *ORDERS)
        self.fields["sort"].widget.attrs["form"] = "filters"  # it stands above the list, the filters beside it
        for name in ("lowest", "highest"):
            self.fields[name].widget.attrs |= {"inputmode": "decimal", "step": "any"}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        lowest, highest = data.get("lowest"), data.get("highest")
        if lowest is not None and highest is not None and lowest > highest:
            self.add_error("highest", _("The upper price is below the lower one."))
        return data
