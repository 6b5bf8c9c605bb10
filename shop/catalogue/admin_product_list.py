"""The list of products: what each is, costs, and how much of it is free, for all rows in a few queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects
from django.http import (
    HttpRequest,
)
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from unfold.decorators import display
from unfold.views import ChangeList

from integrations.hub.desk.admin_pages import badge
from shop.catalogue import admin_filters as filters
from shop.catalogue import pictures
from shop.catalogue.admin_bulk import BulkActions
from shop.catalogue.files import export
from shop.catalogue.models import Category, Product
from shop.partner.models import StockRecord
from shop.partner.strategy import attach_records, free_units
from shop.pricing.templatetags.prices import money

CATEGORIES_SHOWN = 3


class ProductChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = load(list(self.result_list))


def load(products: list[Product]) -> list[Product]:
    """With pictures, categories, variants, stock records and pools."""
    variants = Product.objects.only("pk", "parent", "is_public", "structure").order_by("pk")
    prefetch_related_objects(
        products,
        "images",
        "parent__images",
        Prefetch("categories", Category.objects.order_by("path")),
        Prefetch("children", variants),
    )
    attach_records([one for product in products for one in (product, *product.children.all())])
    return products


class ProductList(BulkActions):
    """The columns; what is done to several at once is in `admin_bulk`."""

    list_display = (
        "picture", "shown_title", "skus", "kind", "prices", "free", "in_categories", "state",
    )  # fmt: skip
    list_display_links = ("picture", "shown_title")
    list_filter = (
        filters.CategoryFilter,
        filters.KindFilter,
        filters.StructureFilter,
        "is_public",
        filters.StockFilter,
        filters.MissingFilter,
        "is_featured",
    )
    list_select_related = ("parent", "product_class", "parent__product_class")
    list_before_template = "admin/catalogue/product/files.html"
    search_fields = ("title_zh_hans", "title_en", "upc", "code", "stockrecords__partner_sku")
    search_help_text = gettext_lazy("Title, SKU or bar code")
    ordering = ("-date_created", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).defer("search")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ProductChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Product], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        """Every word, in a title of either language, a bar code, a SKU or a style code; a variant's finds its product
        too. No row comes twice, for nothing is joined."""
        for word in search_term.split():
            records = StockRecord.objects.filter(partner_sku__icontains=word)
            own = Q(title_zh_hans__icontains=word) | Q(title_en__icontains=word)
            codes = Q(upc__icontains=word) | Q(code__icontains=word)
            skus = Q(pk__in=records.values("product")) | Q(pk__in=records.values("product__parent"))
            family = Q(pk__in=Product.objects.filter(upc__icontains=word).values("parent"))
            queryset = queryset.filter(own | codes | skus | family)
        return queryset, False

    # --- out to a file ---

    def write_export(self, request: HttpRequest, kind: str, file: IO[bytes], rows: QuerySet[Product]) -> int:
        """With the variants, in the columns an import takes."""
        return export.FORMATS[kind](file, export.rows(rows.select_related(None)))

    # --- columns ---

    @display(description="")
    def picture(self, product: Product) -> str:
        own = list(product.images.all()) or (list(product.parent.images.all()) if product.parent else [])
        if not own:
            return format_html('<span class="weft-thumb weft-thumb-none" title="{}"></span>', _("no picture"))
        return format_html(
            '<img class="weft-thumb" loading="lazy" alt="" src="{}">', pictures.address(own[0].original.name, 400)
        )

    @display(description=gettext_lazy("title"), ordering="title")
    def shown_title(self, product: Any) -> str:
        other = product.title_zh_hans if get_language() == "en" else product.title_en
        shown = product.get_title()
        second = other if other and other != shown else ""
        return format_html('{}<span class="weft-second">{}</span>', shown, second)

    @display(description=gettext_lazy("SKU"))
    def skus(self, product: Any) -> str:
        if not product.is_parent:
            return product.record.partner_sku if product.record else "–"
        number = len(product.children.all())
        words = ngettext("%(n)d variant", "%(n)d variants", number) % {"n": number}
        return format_html('{}<span class="weft-second">{}</span>', product.code or "–", words)

    @display(description=gettext_lazy("type"))
    def kind(self, product: Product) -> str:
        found = product.get_product_class()
        return found.name if found else "–"

    @display(description=gettext_lazy("price"))
    def prices(self, product: Any) -> str:
        """That of the cheapest variant and of the dearest, each currency by itself."""
        found = [record for record in _records(product) if record.price is not None]
        if not found:
            return "–"
        spans = []
        for currency in dict.fromkeys(record.price_currency for record in found):
            amounts = sorted({record.price for record in found if record.price_currency == currency})
            spans.append(" – ".join(money(amount, currency) for amount in (amounts[0], amounts[-1])[: len(amounts)]))
        return ", ".join(spans)

    @display(description=gettext_lazy("free units"))
    def free(self, product: Any) -> str:
        units = sum(free_units(record) for record in _records(product))
        return format_html("<strong>{}</strong>", units) if units else "0"

    @display(description=gettext_lazy("categories"))
    def in_categories(self, product: Any) -> str:
        found = [category.name for category in product.categories.all()]
        more = [f"+{len(found) - CATEGORIES_SHOWN}"] if len(found) > CATEGORIES_SHOWN else []
        return format_html_join(", ", "{}", ((name,) for name in [*found[:CATEGORIES_SHOWN], *more]))

    @display(description=gettext_lazy("state"), ordering="is_public")
    def state(self, product: Product) -> str:
        shown = badge(_("public"), "success") if product.is_public else badge(_("hidden"), "warning")
        return format_html("{} {}", shown, badge(_("home page"), "info")) if product.is_featured else shown


def _records(product: Any) -> Sequence[StockRecord]:
    """Its own, or its variants'."""
    sold = product.children.all() if product.is_parent else [product]
    return [one.record for one in sold if one.record]
