"""One product on one page: what it is, in both languages, what it costs, its attributes, variants and pictures."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import IntegrityError
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.decorators import action, display

from integrations.hub.desk.admin_pages import Refused, act
from shop.catalogue import attributes, combinations, copies, pictures
from shop.catalogue.admin_copy import copy_form
from shop.catalogue.admin_forms import (
    PREFIX,
    ImageForm,
    ProductForm,
    asking,
    keep_pictures,
)
from shop.catalogue.admin_kits import KitInline
from shop.catalogue.admin_product_list import ProductList
from shop.catalogue.admin_variants import VariantActions, VariantInline
from shop.catalogue.models import Product, ProductAttribute, ProductClass, ProductImage
from shop.catalogue.records import plain_price, record_of
from shop.catalogue.touch import touched
from shop.partner.models import StockRecord
from shop.partner.strategy import offer_of
from shop.pricing.templatetags.prices import money

ADD = ["catalogue.add_product"]
PRICES = "partner.change_stockrecord"
TEXTS = ("title", "summary", "description")


class ImageInline(TabularInline):
    """New ones come through the one input for several above the table."""

    model = ProductImage
    form = ImageForm
    fields = ("preview", "caption", "display_order")
    readonly_fields = ("preview",)
    ordering_field = "display_order"
    template_before = "admin/catalogue/product/upload.html"
    hide_title = True
    extra = 0
    verbose_name_plural = gettext_lazy("pictures")

    def has_add_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        return False

    @display(description=gettext_lazy("picture"))
    def preview(self, image: ProductImage) -> str:
        if not image.pk:
            return ""
        return format_html('<img class="weft-thumb" alt="" src="{}">', pictures.address(image.original.name, 400))


@admin.register(Product)
class ProductAdmin(VariantActions, ProductList):
    """A product that is not sold any more is not deleted, it is not public: orders and stock know its SKU."""

    form = ProductForm
    compressed_fields = False
    inlines = (VariantInline, KitInline, ImageInline)
    actions_detail = ("in_shop", "add_variants", "copy")
    change_form_before_template = "admin/catalogue/product/seen.html"
    readonly_fields = (
        "shown_parent",
        "shown_stock",
        "shown_offer",
        "shown_values",
        "shown_categories",
        "structure_words",
    )

    # --- the form ---

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """First what it is going to be: the form's fields follow from it."""
        if self.has_add_permission(request) and request.method == "GET" and _kind(request, None) is None:
            return self._choose(request)
        return super().add_view(request, form_url, extra_context)

    def _choose(self, request: HttpRequest) -> HttpResponse:
        kinds = ProductClass.objects.order_by("name")
        context = {
            **self.admin_site.each_context(request),
            "title": _("What kind of product?"),
            "kinds": kinds,
            "opts": self.opts,
            "types_url": reverse("admin:catalogue_productclass_add"),
        }
        return TemplateResponse(request, "admin/catalogue/product/choose.html", context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"structure": Product.STANDALONE, **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Product | None = None, change: bool = False, **kwargs: Any) -> Any:
        required = _structure(request, obj) != Product.PARENT
        form = asking(ProductForm, _asked(request, obj), required=required)
        return super().get_form(request, obj, change, form=form, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        edits = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        structure = _structure(request, obj)
        return [
            (gettext_lazy("Product"), {"fields": _about(structure)}),
            *self._offer(request, structure, edits),
            (gettext_lazy("Titles and texts"), {"fields": [(f"{name}_zh_hans", f"{name}_en") for name in TEXTS]}),
            *_attributes(_asked(request, obj), edits),
            *_categories(structure, edits),
        ]

    def _offer(self, request: HttpRequest, structure: str, edits: bool) -> list[Any]:
        if structure == Product.PARENT:
            return []
        fields: list[Any] = ["shown_offer"]
        if edits and request.user.has_perm(PRICES):
            fields = [("sku", "price"), ("price_currency", "partner")]
        return [(gettext_lazy("SKU and price"), {"fields": [*fields, "shown_stock"]})]

    def get_inlines(self, request: HttpRequest, obj: Product | None) -> Any:
        if _structure(request, obj) == Product.PARENT:
            return (VariantInline, ImageInline) if obj is not None and obj.is_parent else (ImageInline,)
        return (KitInline, ImageInline)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the buttons that open another form in a window of its own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, False)
        return field

    # --- saving ---

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        product = form.instance
        if request.user.has_perm(PRICES):
            form.save_record(product)
        form.write_attributes(product)
        keep_pictures(product, form.cleaned_data["new_pictures"])
        pictures.renumber(product)
        touched([product.pk])

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """With each price that changed: what it was and what it is."""
        message = super().construct_change_message(request, form, formsets, add)
        forms: list[ModelForm] = [form, *(one for formset in formsets or () for one in formset.forms)]
        changes = [one.priced for one in forms if getattr(one, "priced", "")]
        return [*message, *({"changed": {"fields": [words]}} for words in changes)]

    # --- what is only shown ---

    @display(description=gettext_lazy("Variant of"))
    def shown_parent(self, product: Product) -> str:
        if not product.parent_id:
            return "–"
        return format_html('<a href="{}">{}</a>', self.address(product.parent), product.parent.title)

    @display(description=gettext_lazy("Sold as"))
    def structure_words(self, product: Product) -> Any:
        return product.get_structure_display()

    @display(description=gettext_lazy("Free to be promised"))
    def shown_stock(self, product: Product) -> str:
        record = record_of(product)
        if record is None:
            return "–"
        offer = offer_of(record)
        return str(offer.free) if offer.is_kit else stock_link(record, offer.free)

    @display(description=gettext_lazy("SKU and price"))
    def shown_offer(self, product: Product) -> str:
        record = record_of(product)
        if record is None:
            return "–"
        price = "–" if record.price is None else money(plain_price(record), record.price_currency)
        return format_html("{} · {}", record.partner_sku, price)

    @display(description=gettext_lazy("Attributes"))
    def shown_values(self, product: Product) -> str:
        pairs = attributes.shown(product) if product.pk else []
        return format_html_join("", "<div>{}: {}</div>", pairs) or "–"

    @display(description=gettext_lazy("Categories"))
    def shown_categories(self, product: Product) -> str:
        found = product.categories.order_by("path") if product.pk else []
        return format_html_join(", ", "{}", ((category.name,) for category in found)) or "–"

    # --- actions ---

    def offers(self, action: str, obj: Product) -> bool:
        if action == "in_shop":
            return obj.is_public and (obj.parent is None or obj.parent.is_public)
        if action == "add_variants":
            return obj.is_parent
        return not obj.is_child

    @action(description=gettext_lazy("View in the shop"), url_path="in-shop", icon="storefront")
    def in_shop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        product = self.wanted(request, object_id)
        return HttpResponseRedirect((product.parent or product).get_absolute_url())

    @action(description=gettext_lazy("Copy"), url_path="copy", icon="content_copy", permissions=ADD)
    def copy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        product = self.wanted(request, object_id)
        if not self.offers("copy", product):
            raise Http404
        made: list[Product] = []

        def do(data: dict[str, Any]) -> str:
            try:
                made.append(copies.copy(product, sku=data["sku"], with_pictures=data["with_pictures"]))
            except IntegrityError:
                raise Refused(_("This SKU was taken a moment ago. Choose another one.")) from None
            return _("Copied. The copy is hidden until you make it public.")

        explain = [
            _("Texts, type, attributes, tax class, price and categories are copied; stock and bar code are not.")
        ]
        if product.is_parent:
            explain.append(_("Its variants are not copied: add them on the copy's page."))
        response = act(self, request, product, do, form=copy_form(product), title=_("Copy"), button=_("Copy"),
                       explain=explain)  # fmt: skip
        return HttpResponseRedirect(self.address(made[0])) if made else response


def stock_link(record: StockRecord, units: int) -> str:
    """Units, leading to their page on the stock board."""
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:stock_pool_change", args=[quote(record.partner_sku)]), units
    )


def _structure(request: HttpRequest, product: Product | None) -> str:
    """What the page is about; for a new one what was chosen for it."""
    if product is not None:
        return product.structure
    said = request.POST.get("structure") or request.GET.get("structure")
    return Product.PARENT if said == Product.PARENT else Product.STANDALONE


def _kind(request: HttpRequest, product: Product | None) -> ProductClass | None:
    """The type whose attributes are asked for."""
    if product is not None:
        return product.get_product_class()
    key = request.POST.get("product_class") or request.GET.get("product_class") or ""
    return ProductClass.objects.filter(pk=key).first() if key.isdecimal() else None


def _asked(request: HttpRequest, product: Product | None) -> list[ProductAttribute]:
    """Looked up once per request: Django asks for fields and fieldsets several times."""
    kept = request.__dict__.setdefault("_weft_attributes", {})
    key = product.pk if product else None
    if key not in kept:
        apart = _of_variants(product)
        kept[key] = [attribute for attribute in attributes.of(_kind(request, product)) if attribute.pk not in apart]
    return kept[key]


def _of_variants(product: Product | None) -> set[int]:
    """What a product's variants are told apart by is not asked of itself, unless it has such a value already."""
    if product is None or not product.is_parent:
        return set()
    apart = {attribute.pk for attribute in combinations.told_apart_by(product)}
    return apart - set(attributes.values(product))


def _about(structure: str) -> list[Any]:
    """The first fieldset, by what it is sold as."""
    if structure == Product.CHILD:
        return ["shown_parent", ("is_public", "tax_class"), ("upc", "weight_g")]
    identity = "code" if structure == Product.PARENT else "upc"
    return [
        ("product_class", "structure"),
        ("is_public", "is_featured", "is_discountable"),
        ("tax_class", "weight_g"),
        (identity, "slug"),
    ]


def _attributes(asked: list[ProductAttribute], edits: bool) -> list[Any]:
    if not edits:
        return [(gettext_lazy("Attributes"), {"fields": ["shown_values"]})]
    rows = [tuple(PREFIX + attribute.code for attribute in row) for row in attributes.rows(asked)]
    singles = [row[0] for row in rows if len(row) == 1]
    rows = [row for row in rows if len(row) > 1] + [tuple(singles[i : i + 2]) for i in range(0, len(singles), 2)]
    return [(gettext_lazy("Attributes"), {"fields": rows})] if rows else []


def _categories(structure: str, edits: bool) -> list[Any]:
    if structure == Product.CHILD:
        return []
    fields = ["categories"] if edits else ["shown_categories"]
    return [(gettext_lazy("Categories"), {"fields": fields, "classes": ["weft-categories"]})]
