"""One form of postal address for checkout and address book, and its ways into and out of Oscar's columns.

Oscar keeps western address lines; ours go: name in `first_name`, street in `line1`, district (区) in `line3`, city (市)
in `line4`, province (省) in `state`.
"""

from __future__ import annotations

import re
from typing import Any

from babel import Locale
from django import forms
from django.core.cache import cache
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _
from oscar.apps.address.abstract_models import AbstractAddress
from oscar.core.loading import get_model
from phonenumber_field.formfields import PhoneNumberField

from integrations.hub.values import Address
from shop.controls import Form
from shop.customer import provinces

Country = get_model("address", "Country")
UserAddress = get_model("address", "UserAddress")

COUNTRIES = "weft:shipping-countries"
SECONDS = 60  # other processes see a change after this at the latest

COLUMNS = {
    "name": "first_name",
    "phone": "phone_number",
    "region": "state",
    "city": "line4",
    "district": "line3",
    "street": "line1",
    "postcode": "postcode",
    "country": "country_id",
}


def country_name(code: str) -> str:
    """The country in the page's language."""
    return Locale.parse(to_locale(get_language() or "en")).territories.get(code, code)


def shipping_countries() -> list[str]:
    """Codes of the countries we ship to, in the order staff gave them."""
    return cache.get_or_set(COUNTRIES, _load_countries, SECONDS)


def _load_countries() -> list[str]:
    return list(Country.objects.filter(is_shipping_country=True).values_list("pk", flat=True))


@receiver((post_save, post_delete), sender=Country)
def forget_countries(**kwargs: object) -> None:
    """A changed country shows at once in this process."""
    cache.delete(COUNTRIES)


def _text(label: Any, autocomplete: str, length: int = 255, **kwargs: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=length, widget=widget, **kwargs)


class AddressForm(Form):
    """Where the goods go. In the order Chinese addresses are written: from the province down to the door."""

    name = _text(_("Recipient"), "name")
    phone = PhoneNumberField(
        label=_("Phone"),
        region="CN",
        help_text=_("The courier calls this number."),
        error_messages={"invalid": _("Please check the number. Outside China, begin with + and the country code.")},
    )
    country = forms.ChoiceField(label=_("Country"))
    region = _text(_("Province"), "address-level1")
    city = _text(_("City"), "address-level2")
    district = _text(_("District"), "address-level3", required=False)
    street = _text(_("Street address"), "address-line1", 120, help_text=_("Street, number, building, unit and door."))
    postcode = _text(_("Postcode"), "postal-code", 16, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [(code, country_name(code)) for code in shipping_countries()]
        self.fields["country"].widget.attrs["autocomplete"] = "country"
        self.fields["phone"].widget.attrs |= {"autocomplete": "tel", "inputmode": "tel"}
        self.fields["postcode"].widget.attrs["inputmode"] = "numeric"
        self.fields["region"].widget.attrs["list"] = "provinces"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        country, postcode = data.get("country"), (data.get("postcode") or "").upper().replace(" ", "")
        pattern = AbstractAddress.POSTCODES_REGEX.get(country)
        if postcode and pattern and not re.match(pattern, postcode):
            self.add_error(
                "postcode",
                _("%(postcode)s is not a postcode in %(country)s.")
                % {"postcode": postcode, "country": country_name(country)},
            )
        data["postcode"] = postcode
        return data

    @property
    def provinces(self) -> list[str]:
        """What the field of the province offers."""
        return provinces.names()

    def parts(self) -> dict[str, str]:
        """The address as plain texts, as kept in the session."""
        data = self.cleaned_data
        return {
            **{name: data[name] for name in COLUMNS if name != "phone"},
            "phone": data["phone"].as_e164,
        }


def parts_of(address: Any) -> dict[str, str]:
    """A stored address as plain texts."""
    parts = {ours: getattr(address, theirs) or "" for ours, theirs in COLUMNS.items()}
    return {**parts, "phone": address.phone_number.as_e164 if address.phone_number else ""}


def to_ship(parts: dict[str, str]) -> Address:
    return Address(
        name=parts["name"],
        lines=(parts["street"],),
        district=parts["district"],
        city=parts["city"],
        region=parts["region"],
        postcode=parts["postcode"],
        country=parts["country"],
        phone=parts["phone"],
    )


def keep(user: Any, parts: dict[str, str], address: Any = None) -> Any:
    """Write `parts` into the user's address book, over `address` if given. The same address is kept once."""
    address = address or UserAddress(user=user)
    for ours, theirs in COLUMNS.items():
        setattr(address, theirs, parts[ours])
    known = UserAddress.objects.filter(user=user, hash=address.generate_hash()).exclude(pk=address.pk).first()
    if known:
        known.phone_number = address.phone_number
        address = known
    elif not address.pk and not UserAddress.objects.filter(user=user).exists():
        address.is_default_for_shipping = True
    address.save()
    return address
