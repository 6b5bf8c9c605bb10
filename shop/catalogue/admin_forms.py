"""Forms of the catalogue's admin: SKUs that are never edited, pictures that are re-encoded, categories in a tree."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from treebeard.forms import MoveNodeForm
from unfold.widgets import UnfoldAdminImageFieldWidget, UnfoldAdminSelectWidget

from shop.catalogue import pictures
from shop.catalogue.models import Category, Product, ProductImage
from shop.partner.models import StockRecord
from shop.pricing.money import TooFine, exact, quantise


class CategoryChoice(forms.ModelChoiceField):
    """Indented by depth. A category's own words for itself would ask the database for its ancestors, each time."""

    def label_from_instance(self, obj: Any) -> str:
        return format_html("{}{}", "\u2003" * (obj.depth - 1), obj.name)


class ProductForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("slug"):
            data["slug"] = slugify(data.get("title_en") or "")
        if data.get("structure") != Product.CHILD and not data.get("title_zh_hans"):
            self.add_error("title_zh_hans", _("The title in Chinese is needed; English falls back to it."))
        return data


class StockRecordForm(forms.ModelForm):
    class Meta:
        model = StockRecord
        fields = ("partner_sku", "price", "price_currency", "partner")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "partner_sku" in self.fields:
            self.fields["partner_sku"].label = _("SKU")
            # Orders, stock and every ERP know the goods by it.
            self.fields["partner_sku"].disabled = bool(self.instance.pk)
        if self.instance.price is not None:
            self.initial["price"] = quantise(self.instance.price, self.instance.price_currency)

    def clean_partner_sku(self) -> str:
        sku = str(self.cleaned_data["partner_sku"]).strip()
        if StockRecord.objects.filter(partner_sku__iexact=sku).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This SKU is taken (capitals make no difference)."))
        return sku

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        price, currency = data.get("price"), data.get("price_currency")
        if price is not None and currency:
            try:
                exact(price, currency)
            except TooFine:
                self.add_error("price", _("This has more decimals than the currency can be paid in."))
        return data


class ImageForm(forms.ModelForm):
    """A new picture is re-encoded and gets its sizes; of an old one only words and place change."""

    upload = forms.ImageField(label=gettext_lazy("picture"), required=False, widget=UnfoldAdminImageFieldWidget())

    class Meta:
        model = ProductImage
        fields = ("caption", "display_order")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.instance.pk and not data.get("upload"):
            self.add_error("upload", _("Choose a picture."))
        return data

    def save(self, commit: bool = True) -> ProductImage:
        if self.instance.pk:
            return super().save(commit)
        data = self.cleaned_data
        self.instance = pictures.add(
            self.instance.product, data["upload"], caption=data["caption"], order=data["display_order"]
        )
        return self.instance


class CategoryForm(MoveNodeForm):
    treebeard_ref_node = CategoryChoice(
        label=gettext_lazy("Relative to"),
        required=False,
        empty_label=gettext_lazy("-- root --"),
        queryset=Category.objects.none(),  # MoveNodeForm fills it
        widget=UnfoldAdminSelectWidget(),
    )
    treebeard_position = forms.ChoiceField(
        label=gettext_lazy("Position"), required=True, widget=UnfoldAdminSelectWidget()
    )

    class Meta:
        model = Category
        exclude = ("path", "depth", "numchild")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("name_zh_hans"):
            self.add_error("name_zh_hans", _("The name in Chinese is needed; English falls back to it."))
        if not data.get("slug"):
            data["slug"] = slugify(data.get("name_en") or "") or "category"
        return data
