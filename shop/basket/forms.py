from django import forms
from django.utils.translation import gettext_lazy as _

from shop.controls import Form

MOST = 9999


class QuantityForm(forms.Form):
    """How many of a product, and which variant where there are several."""

    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=MOST, initial=1)
    variant = forms.IntegerField(required=False, min_value=1)


class VoucherForm(Form):
    code = forms.CharField(label=_("Voucher code"), max_length=128)
