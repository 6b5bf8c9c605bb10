"""The two forms of the page of combinations: which values, and which of the offered combinations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from shop.catalogue import attributes, combinations
from shop.catalogue.admin_prices import price_field, sku_field
from shop.catalogue.models import ProductAttribute
from shop.catalogue.records import taken
from shop.pricing.money import TooFine, exact


class ListedValues(forms.CharField):
    """Several values of a text or a number, with commas between them, Chinese ones too."""

    def __init__(self, *, whole: bool, **kwargs: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextInputWidget(), **kwargs)
        self.whole = whole

    def clean(self, value: Any) -> list[Any]:
        text = str(super().clean(value) or "")
        for comma in "，、;；":
            text = text.replace(comma, ",")
        words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
        if self.whole and not all(word.lstrip("-").isdecimal() for word in words):
            raise ValidationError(_("Whole numbers with commas between them, please."))
        return [int(word) for word in words] if self.whole else words


class Choice(forms.Form):
    """Which values of which attributes."""

    asked: tuple[ProductAttribute, ...] = ()

    def chosen(self) -> dict[ProductAttribute, list[Any]]:
        found = {attribute: self.cleaned_data[f"attr_{attribute.code}"] for attribute in self.asked}
        return {attribute: values for attribute, values in found.items() if values}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        number = 1
        for values in self.chosen().values():
            number *= len(values)
        if not self.chosen():
            raise ValidationError(_("Choose at least one value."))
        if number > combinations.MOST:
            words = _("These are %(n)d combinations; at most %(most)d at once. Choose fewer values.")
            raise ValidationError(words % {"n": number, "most": combinations.MOST})
        return data


def choose_form(asked: Iterable[ProductAttribute], data: Any) -> Choice:
    """The form that asks for values of these attributes."""
    found = tuple(asked)
    fields = {f"attr_{attribute.code}": _field(attribute) for attribute in found}
    return type("Choice", (Choice,), {**fields, "asked": found})(data)


def _field(attribute: ProductAttribute) -> forms.Field:
    label = attributes.label(attribute)
    if attribute.type != "option":
        words = gettext_lazy("Several with commas between them.")
        return ListedValues(label=label, whole=attribute.type == "integer", help_text=words)
    known = {option.pk: option for option in attributes.options(attribute)}
    return forms.TypedMultipleChoiceField(
        label=label,
        required=False,
        choices=[(pk, str(option)) for pk, option in known.items()],
        coerce=lambda pk: known[int(pk)],
        empty_value=[],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )


class VariantRow(forms.Form):
    """One combination that may become a variant; its price is in `currency`."""

    use = forms.BooleanField(label=gettext_lazy("Add"), required=False, widget=UnfoldBooleanWidget())
    key = forms.CharField(widget=forms.HiddenInput())
    words = forms.CharField(required=False, widget=forms.HiddenInput())
    sku = sku_field()
    price = price_field()

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("use"):
            return data
        sku = str(data.get("sku") or "").strip()
        data["sku"] = sku
        if not sku:
            self.add_error("sku", _("A variant needs a SKU."))
        elif taken(sku):
            self.add_error("sku", _("This SKU is taken (capitals make no difference)."))
        if data.get("price") is not None:
            try:
                data["price"] = exact(data["price"], self.currency)
            except TooFine:
                self.add_error("price", _("This has more decimals than the currency can be paid in."))
        return data


class VariantRows(forms.BaseFormSet):
    def clean(self) -> None:
        """A SKU stands in one row only."""
        seen: set[str] = set()
        for form in self.forms:
            sku = str(form.cleaned_data.get("sku", "")).upper() if form.is_valid() else ""
            if form.is_valid() and form.cleaned_data.get("use") and sku in seen:
                form.add_error("sku", _("Another row has this SKU already."))
                raise ValidationError(_("Another row has this SKU already."))
            seen.add(sku)
