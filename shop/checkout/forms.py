from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shop.controls import Form
from shop.customer.addresses import AddressForm
from shop.order.models import PaymentMethod

METHODS = {
    PaymentMethod.ONLINE: (
        _("Alipay or WeChat Pay"),
        _("You pay on the next page. We hold the goods for you for %(minutes)d minutes."),
    ),
    PaymentMethod.BANK_TRANSFER: (
        _("Bank transfer"),
        _("We hold the goods for you for %(hours)d hours and ship when the money has arrived."),
    ),
    PaymentMethod.ON_ACCOUNT: (_("On account"), _("We ship at once; you pay by the invoice.")),
    PaymentMethod.NOTHING_DUE: (_("Nothing to pay"), _("Your order goes to the warehouse at once.")),
}


class ContactForm(Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("For the confirmation and for news about your order."),
    )

    def clean_email(self) -> str:
        return self.cleaned_data["email"].strip().lower()


class DetailsForm(AddressForm):
    """The address at the checkout; customers with an account may keep it."""

    remember = forms.BooleanField(label=_("Save this address to my address book"), required=False, initial=True)

    def __init__(self, *args: Any, has_account: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_account:
            del self.fields["remember"]


class PlaceForm(Form):
    """The last page's choices. `token` says which basket at which total was shown."""

    payment_method = forms.ChoiceField(label=_("Payment"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note to us"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, methods: list[PaymentMethod], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.methods = methods
        self.fields["payment_method"].choices = [(method.value, METHODS[method][0]) for method in methods]
        self.fields["payment_method"].initial = methods[0].value
