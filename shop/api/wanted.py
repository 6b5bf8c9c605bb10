"""What may be asked for in an order. Strict: what has the wrong type, or is not known, is refused by name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from shop.customer.addresses import AddressForm
from shop.order.models import PaymentMethod

MOST_LINES = 200
MOST_UNITS = 1_000_000
METHODS = (PaymentMethod.BANK_TRANSFER, PaymentMethod.ON_ACCOUNT, PaymentMethod.ONLINE)


class Text(serializers.CharField):
    """One line of visible characters."""

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(max_length=length, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not data.isprintable():
            raise ValidationError(_("Letters, digits, signs and spaces, in one line."))
        return super().to_internal_value(data)


class Units(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise ValidationError(_("A whole number."))
        return super().to_internal_value(data)


class Amount(serializers.DecimalField):
    """Money is written as a text: a JSON number may lose its last digits on the way."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise ValidationError(_('An amount in quotes, such as "2598.00".'))
        return super().to_internal_value(data)


class Strict(serializers.Serializer):
    """What it does not know it refuses, lest a misspelt field be lost."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := [name for name in data if name not in self.fields]):
            said = _("No such field. There are: %(known)s.") % {"known": ", ".join(self.fields)}
            raise ValidationError({name: [said] for name in unknown})
        return super().to_internal_value(data)


class WantedLine(Strict):
    sku = Text(64)
    quantity = Units(min_value=1, max_value=MOST_UNITS)


class WantedAddress(Strict):
    name = Text(255)
    phone = Text(32, help_text=gettext_lazy("The courier calls this number. Outside China, with + and country code."))
    country = Text(2, help_text=gettext_lazy("ISO 3166-1, two letters"))
    region = Text(255, help_text=gettext_lazy("Province"))
    city = Text(255)
    district = Text(255, required=False, allow_blank=True)
    street = Text(120, help_text=gettext_lazy("Street, number, building, unit and door."))
    postcode = Text(16, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """By the rules of the checkout's own form."""
        form = AddressForm(attrs)
        if not form.is_valid():
            raise ValidationError({name: list(messages) for name, messages in form.errors.items()})
        return form.parts()


class Wanted(Strict):
    external_number = Text(
        128, required=False, allow_blank=True, help_text=gettext_lazy("Your own number of this order. Only once.")
    )
    lines = WantedLine(many=True, allow_empty=False, max_length=MOST_LINES)
    ship_to = WantedAddress()
    email = serializers.EmailField(
        required=False,
        allow_blank=True,
        max_length=254,
        help_text=gettext_lazy("Gets the mails about the order. Without, nobody does."),
    )
    payment_method = serializers.ChoiceField(
        [method.value for method in METHODS],
        default=PaymentMethod.BANK_TRANSFER.value,
        help_text=gettext_lazy(
            "On account only where the shop allows it to you; online only where it has a payment provider."
        ),
    )
    expected_total = Amount(
        19, 4, required=False, help_text=gettext_lazy("What you think it costs. If it does not, nothing is ordered.")
    )
    language = serializers.ChoiceField(
        [code for code, _name in settings.LANGUAGES],
        default=settings.LANGUAGE_CODE,
        help_text=gettext_lazy("Of the order's texts and mails."),
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000)
