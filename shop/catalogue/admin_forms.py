"""Forms of the catalogue's admin: what a product is, what it costs, where it hangs. What the state forbids is refused
beside the field it concerns, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from treebeard.forms import MoveNodeForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
)

from shop.catalogue import attributes, pictures, touch
from shop.catalogue.admin_prices import PricedForm
from shop.catalogue.admin_uploads import PicturesField
from shop.catalogue.models import (
    Category,
    Product,
    ProductAttribute,
    ProductAttributeValue,
    ProductClass,
    ProductImage,
)
from shop.catalogue.records import taken

STRUCTURES = (
    (Product.STANDALONE, gettext_lazy("single product")),
    (Product.PARENT, gettext_lazy("product with variants")),
)
PREFIX = "attr_"  # of the form's fields for attributes


class CategoryChoice(forms.ModelChoiceField):
    """Indented by depth. A category's own words for itself would ask the database for its ancestors, each time."""

    def label_from_instance(self, obj: Any) -> str:
        return format_html("{}{}", "\u2003" * (obj.depth - 1), obj.name)


class CategoriesChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return format_html("{}{}", "\u2003" * (obj.depth - 1), obj.name)


# --- attributes ---


class AttributedForm(forms.ModelForm):
    """Has a field for each attribute in `asked`, which a subclass made by `asking` brings."""

    asked: tuple[ProductAttribute, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = attributes.values(self.instance) if self.instance.pk else {}
        for attribute in self.asked:
            self.initial[PREFIX + attribute.code] = attributes.initial(attribute, kept.get(attribute.pk))

    def chosen(self) -> dict[ProductAttribute, Any]:
        """Every value asked for, as cleaned."""
        return {attribute: self.cleaned_data.get(PREFIX + attribute.code) for attribute in self.asked}

    def write_attributes(self, product: Product) -> None:
        changed = {a: value for a, value in self.chosen().items() if PREFIX + a.code in self.changed_data}
        attributes.write(product, changed)


def asking(form: type[AttributedForm], asked: Iterable[ProductAttribute], *, required: bool) -> Any:
    """`form` with these attributes. `required`: those that must have a value must have it here."""
    found = tuple(asked)
    fields = {PREFIX + a.code: attributes.field(a, required=required and a.required) for a in found}
    return type(form.__name__, (form,), {**fields, "asked": found})


# --- a product ---


class ProductForm(PricedForm, AttributedForm):
    """One product, or one variant on a page of its own."""

    categories = CategoriesChoice(
        label=gettext_lazy("Categories"),
        queryset=Category.objects.order_by("path"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    new_pictures = PicturesField(label=gettext_lazy("Add pictures"), required=False)
    seen = forms.CharField(required=False, widget=forms.HiddenInput())
    WORDS = {
        "title_zh_hans": gettext_lazy("Title (中文)"),
        "title_en": gettext_lazy("Title (English)"),
        "summary_zh_hans": gettext_lazy("Summary (中文)"),
        "summary_en": gettext_lazy("Summary (English)"),
        "description_zh_hans": gettext_lazy("Description (中文)"),
        "description_en": gettext_lazy("Description (English)"),
        "slug": gettext_lazy("Address in the shop"),
        "code": gettext_lazy("Style code"),
        "upc": gettext_lazy("Bar code (EAN, UPC)"),
        "product_class": gettext_lazy("Type"),
        "structure": gettext_lazy("Sold as"),
        "is_public": gettext_lazy("Public"),
        "is_discountable": gettext_lazy("Takes part in offers"),
    }
    HELP = {
        "slug": gettext_lazy("Left empty it is made from the English title. Old addresses lead to the new one."),
        "code": gettext_lazy("How files name this product and its variants belong to it. It has no SKU of its own."),
        "is_public": gettext_lazy("Customers see it."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in self.WORDS.items():
            if name in self.fields:
                self.fields[name].label = words
                self.fields[name].help_text = self.HELP.get(name, "")
            if name.startswith("description") and name in self.fields:
                self.fields[name].widget.attrs["rows"] = 6
        if "slug" in self.fields:
            self.fields["slug"].required = False
        if "structure" in self.fields:
            self.fields["structure"].choices = STRUCTURES
            self.fields["structure"].error_messages["invalid_choice"] = _(
                "Variants are added on the page of the product they belong to."
            )
        if self.instance.pk:
            self.initial["seen"] = self.instance.date_updated.isoformat()
        if self.record is not None:
            self.fields["sku"].help_text = _(
                "It is never edited: orders, stock and other systems know the goods by it. For another SKU copy the "
                "product and hide this one."
            )

    def clean_code(self) -> str | None:
        code = str(self.cleaned_data.get("code") or "").strip()
        if code and taken(code, product=self.instance.pk):
            raise ValidationError(_("A SKU or another product has this code already (capitals make no difference)."))
        return code or None

    def clean_structure(self) -> str:
        """What a product is sold as stays once something hangs on it."""
        wanted, product = str(self.cleaned_data["structure"]), self.instance
        if product.pk and wanted != product.structure:
            self._refuse_structure(product, wanted)
        return wanted

    def _refuse_structure(self, product: Product, wanted: str) -> None:
        variants = product.children.count()
        if variants:
            raise ValidationError(
                ngettext(
                    "It has %(n)d variant. Make a new single product instead, and hide this one.",
                    "It has %(n)d variants. Make a new single product instead, and hide this one.",
                    variants,
                )
                % {"n": variants}
            )
        if wanted == Product.PARENT and self.record is not None:
            words = _("It is sold under its own SKU %(sku)s. Make a new product with variants, and hide this one.")
            raise ValidationError(words % {"sku": self.record.partner_sku})

    def clean_product_class(self) -> ProductClass | None:
        """Values of attributes that another type does not know would be lost."""
        wanted, product = self.cleaned_data["product_class"], self.instance
        if wanted is None and product.structure != Product.CHILD:
            raise ValidationError(_("Choose a type."))
        if product.pk and wanted != product.product_class:
            self._refuse_class(product)
        return wanted

    def _refuse_class(self, product: Product) -> None:
        family = [product.pk, *product.children.values_list("pk", flat=True)]
        values = ProductAttributeValue.objects.filter(product__in=family).select_related("attribute")
        names = sorted({value.attribute.name for value in values})
        if names:
            words = _("It has values of its present type: %(names)s. Empty them first, here and in its variants.")
            raise ValidationError(words % {"names": ", ".join(names)})

    def clean(self) -> dict[str, Any]:
        self._refuse_stale()
        data = super().clean() or {}
        if "slug" in self.fields and not data.get("slug"):
            data["slug"] = slugify(data.get("title_en") or "") or slugify(data.get("sku") or data.get("code") or "")
        if not self.instance.parent_id and not data.get("title_zh_hans"):
            self.add_error("title_zh_hans", _("The title in Chinese is needed; English falls back to it."))
        return data

    def _refuse_stale(self) -> None:
        """Two people on one product: who saves second sees what the first one did before anything is overwritten."""
        if not self.instance.pk:
            return
        now = touch.lock([self.instance.pk])[self.instance.pk]
        if self.cleaned_data.get("seen") != now.isoformat():
            raise ValidationError(
                _(
                    "Somebody else saved this product, or something of it, while you were editing. Nothing was saved. "
                    "Open it anew beside this page and take over what you changed."
                )
            )


class ImageForm(forms.ModelForm):
    """Words and place of a picture; the picture itself is never exchanged."""

    class Meta:
        model = ProductImage
        fields = ("caption", "display_order")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in (("caption", _("Caption")), ("display_order", _("Place"))):
            if name in self.fields:
                self.fields[name].label = words
                self.fields[name].help_text = ""


def keep_pictures(product: Product, uploads: Iterable[Any]) -> None:
    """Put these (checked) uploads behind the pictures the product has."""
    last = product.images.order_by("-display_order").values_list("display_order", flat=True).first()
    for order, upload in enumerate(uploads, start=0 if last is None else last + 1):
        pictures.add(product, upload, order=order)


# --- a category ---


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

    WORDS = {
        "name_zh_hans": gettext_lazy("Name (中文)"),
        "name_en": gettext_lazy("Name (English)"),
        "description_zh_hans": gettext_lazy("Description (中文)"),
        "description_en": gettext_lazy("Description (English)"),
        "slug": gettext_lazy("Address in the shop"),
        "is_public": gettext_lazy("Public"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in self.WORDS.items():
            if name in self.fields:
                self.fields[name].label = words
            if name.startswith("description") and name in self.fields:
                self.fields[name].widget.attrs["rows"] = 4
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("name_zh_hans"):
            self.add_error("name_zh_hans", _("The name in Chinese is needed; English falls back to it."))
        if not data.get("slug"):
            data["slug"] = slugify(data.get("name_en") or "") or "category"
        return data
