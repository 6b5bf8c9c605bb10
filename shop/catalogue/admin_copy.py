"""What is asked before a product is copied."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from integrations.hub.desk.admin_pages import Confirm
from shop.catalogue.models import Product
from shop.catalogue.records import SKU_LENGTH, record_of, taken


class Copy(Confirm):
    sku = forms.CharField(max_length=SKU_LENGTH, widget=UnfoldAdminTextInputWidget())
    with_pictures = forms.BooleanField(
        label=gettext_lazy("With its pictures"), required=False, initial=True, widget=UnfoldBooleanWidget()
    )

    def clean_sku(self) -> str:
        sku = str(self.cleaned_data["sku"]).strip()
        if sku and taken(sku):
            raise ValidationError(_("This SKU is taken (capitals make no difference)."))
        return sku


def copy_form(product: Product) -> type[Copy]:
    """Asks for the copy's SKU; for its style code where the copy is a product with variants."""

    class Form(Copy):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fields["sku"].label = _("Style code of the copy") if product.is_parent else _("SKU of the copy")
            self.fields["sku"].required = product.is_parent or record_of(product) is not None

    return Form
