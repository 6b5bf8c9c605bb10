"""SKU, price and supplier of a product in forms: its stock record, of which there is at most one."""

from __future__ import annotations

from typing import Any

from babel.numbers import list_currencies
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from shop.catalogue.models import Product
from shop.catalogue.records import SKU_LENGTH, plain_price, price_change, record_of, taken, usual_partner
from shop.partner.models import Partner, StockRecord
from shop.pricing.fields import MONEY_DECIMALS, MONEY_DIGITS
from shop.pricing.money import TooFine, exact


def sku_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("SKU"), max_length=SKU_LENGTH, required=False, widget=UnfoldAdminTextInputWidget()
    )


def price_field() -> forms.DecimalField:
    """As customers pay it; finer than the currency is refused later, with words."""
    return forms.DecimalField(
        label=gettext_lazy("Price (tax included)"),
        required=False,
        min_value=0,
        max_digits=MONEY_DIGITS,
        decimal_places=MONEY_DECIMALS,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )


class PricedForm(forms.ModelForm):
    """A product that is sold itself, with its stock record: there is at most one, and its SKU is never edited."""

    sku = sku_field()
    price = price_field()
    price_currency = forms.CharField(
        label=gettext_lazy("Currency"), max_length=3, required=False, widget=UnfoldAdminTextInputWidget()
    )
    partner = forms.ModelChoiceField(
        label=gettext_lazy("Supplier"),
        queryset=Partner.objects.order_by("name"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    PRICED = ("price", "price_currency", "partner")
    priced = ""  # for the history, once saved: what the price was and is

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record = record_of(self.instance)
        self.fields["sku"].disabled = self.record is not None
        if self.record is not None:
            self.initial |= {
                "sku": self.record.partner_sku,
                "price": plain_price(self.record),
                "price_currency": self.record.price_currency,
                "partner": self.record.partner_id,
            }
        else:
            self.initial.setdefault("price_currency", settings.OSCAR_DEFAULT_CURRENCY)

    def clean_sku(self) -> str:
        sku = str(self.cleaned_data["sku"]).strip()
        if sku and self.record is None and taken(sku):
            raise ValidationError(_("This SKU is taken (capitals make no difference)."))
        return sku

    def clean_price_currency(self) -> str:
        currency = str(self.cleaned_data["price_currency"]).strip().upper()
        if currency and currency not in list_currencies():
            raise ValidationError(_("There is no such currency. Write its three letters, such as CNY."))
        return currency or self.usual_currency

    @property
    def usual_currency(self) -> str:
        """Where the form does not ask, or nothing was written."""
        return self.record.price_currency if self.record else settings.OSCAR_DEFAULT_CURRENCY

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "price_currency" not in self.errors:
            data.setdefault("price_currency", self.usual_currency)
        self._check_price(data)
        if data.get("price") is not None and not data.get("sku") and "sku" not in self.errors:
            self.add_error("sku", _("A price needs a SKU: orders and stock know the goods by it."))
        if data.get("sku") and self.record is None and usual_partner() is None:
            self.add_error("sku", _("There is no supplier yet. Make one first: every SKU comes from one."))
        return data

    def _check_price(self, data: dict[str, Any]) -> None:
        price, currency = data.get("price"), data.get("price_currency")
        if price is not None and currency:
            try:
                data["price"] = exact(price, currency)
            except TooFine:
                self.add_error("price", _("This has more decimals than the currency can be paid in."))

    def save_record(self, product: Product, *, partner: Partner | None = None) -> None:
        """Write the stock record as the form says, if it says anything new."""
        data = self.cleaned_data
        if self.record is None and data.get("sku"):
            self.record = StockRecord(product=product, partner_sku=data["sku"])
        elif self.record is None or not set(self.changed_data) & set(self.PRICED):
            return
        else:
            self.priced = price_change(self.record, data.get("price"), data["price_currency"])
        known = self.record.partner if self.record.partner_id else None
        self.record.price, self.record.price_currency = data.get("price"), data["price_currency"]
        self.record.partner = data.get("partner") or known or partner or usual_partner()
        self.record.save()
