"""Products, categories and what they need, in both languages. Plain; figures of stock stand elsewhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy
from treebeard.forms import movenodeform_factory
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from integrations.hub.admin_pages import StaffAdmin
from shop.catalogue import pictures
from shop.catalogue.admin_forms import CategoryChoice, CategoryForm, ImageForm, ProductForm, StockRecordForm
from shop.catalogue.models import Category, Product, ProductCategory, ProductClass, ProductImage
from shop.partner.models import Partner, StockRecord
from shop.pricing.templatetags.prices import money


class StockRecordInline(TabularInline):
    model = StockRecord
    form = StockRecordForm
    fields = ("partner_sku", "price", "price_currency", "partner", "stock")
    readonly_fields = ("stock",)
    extra = 0
    min_num = 0
    max_num = 1
    can_delete = False
    verbose_name = gettext_lazy("SKU and price (tax included)")
    verbose_name_plural = verbose_name

    @display(description=gettext_lazy("stock"))
    def stock(self, record: StockRecord) -> str:
        if not record.pk:
            return "–"
        link = reverse("admin:stock_pool_change", args=[quote(record.partner_sku)])
        return format_html('<a href="{}">{}</a>', link, record.net_stock_level)


class ImageInline(TabularInline):
    model = ProductImage
    form = ImageForm
    fields = ("preview", "upload", "caption", "display_order")
    readonly_fields = ("preview",)
    extra = 0

    @display(description="")
    def preview(self, image: ProductImage) -> str:
        if not image.pk:
            return ""
        return format_html('<img class="weft-thumb" alt="" src="{}">', pictures.address(image.original.name, 400))


class CategoryInline(TabularInline):
    model = ProductCategory
    fields = ("category",)
    extra = 0
    verbose_name_plural = gettext_lazy("categories")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "category":
            kwargs |= {"form_class": CategoryChoice, "queryset": Category.objects.order_by("path")}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Product)
class ProductAdmin(StaffAdmin):
    """A product that is not sold any more is not deleted, it is not public: orders and stock know its SKU."""

    form = ProductForm
    list_display = ("shown_title", "skus", "prices", "tax_class", "structure", "is_public", "is_featured")
    list_filter = ("is_public", "is_featured", "structure", "tax_class", "product_class")
    list_select_related = ("parent", "tax_class")
    search_fields = ("title_zh_hans", "title_en", "upc", "stockrecords__partner_sku")
    search_help_text = gettext_lazy("Title, SKU or bar code")
    ordering = ("-date_created", "-pk")
    autocomplete_fields = ("parent",)
    inlines = (StockRecordInline, ImageInline, CategoryInline)
    fieldsets = (
        (
            gettext_lazy("Product"),
            {
                "fields": (
                    ("structure", "parent"), ("product_class", "tax_class"), ("is_public", "is_featured"),
                    ("upc", "weight_g"), ("slug", "is_discountable"),
                )
            },
        ),
        ("中文", {"fields": ("title_zh_hans", "summary_zh_hans", "description_zh_hans"), "classes": ("tab",)}),
        ("English", {"fields": ("title_en", "summary_en", "description_en"), "classes": ("tab",)}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).defer("search").prefetch_related("stockrecords")

    @display(description=gettext_lazy("title"), ordering="title")
    def shown_title(self, product: Any) -> str:
        return product.get_title()

    @display(description=gettext_lazy("SKU"))
    def skus(self, product: Any) -> str:
        return ", ".join(record.partner_sku for record in product.stockrecords.all())

    @display(description=gettext_lazy("price"))
    def prices(self, product: Any) -> str:
        records = product.stockrecords.all()
        return format_html_join(", ", "{}", ((money(record.price, record.price_currency),) for record in records))


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    """The list is the tree: in its order, indented. Moving is done in the form."""

    form = movenodeform_factory(Category, form=CategoryForm)
    list_display = ("shown_name", "slug", "is_public", "exclude_from_menu")
    list_per_page = 200
    ordering = ("path",)
    search_fields = ("name_zh_hans", "name_en", "slug")
    search_help_text = gettext_lazy("Name")
    actions = None
    fieldsets = (
        (
            gettext_lazy("Category"),
            {"fields": (("treebeard_position", "treebeard_ref_node"), ("is_public", "exclude_from_menu"), "slug")},
        ),
        ("中文", {"fields": ("name_zh_hans", "description_zh_hans"), "classes": ("tab",)}),
        ("English", {"fields": ("name_en", "description_en"), "classes": ("tab",)}),
    )

    @display(description=gettext_lazy("name"))
    def shown_name(self, category: Category) -> str:
        return format_html('<span class="weft-depth-{}">{}</span>', min(category.depth, 5), category.name)


@admin.register(ProductClass)
class ProductClassAdmin(StaffAdmin):
    list_display = ("name", "requires_shipping", "track_stock")
    fields = ("name", "slug", "requires_shipping", "track_stock")


@admin.register(Partner)
class PartnerAdmin(StaffAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")
    fields = ("name", "code")
