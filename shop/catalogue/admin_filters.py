"""How the list of products is narrowed. Variants come with their product; they are listed by themselves on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shop.catalogue.models import Category, Product, ProductCategory, ProductClass, ProductImage
from shop.partner.models import StockRecord
from shop.stock.offered import Offered

Products = QuerySet[Product]


class StructureFilter(admin.SimpleListFilter):
    """Without a choice: products, not their variants."""

    title = gettext_lazy("sold as")
    parameter_name = "sold_as"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (Product.STANDALONE, _("single products")),
            (Product.PARENT, _("products with variants")),
            (Product.CHILD, _("variants")),
        ]

    def queryset(self, request: HttpRequest, queryset: Products) -> Products:
        if self.value():
            return queryset.filter(structure=self.value())
        return queryset.exclude(structure=Product.CHILD)


class KindFilter(admin.SimpleListFilter):
    title = gettext_lazy("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(kind.pk), kind.name) for kind in ProductClass.objects.order_by("name")]

    def queryset(self, request: HttpRequest, queryset: Products) -> Products:
        if not _is_key(self.value()):
            return queryset
        return queryset.filter(Q(product_class=self.value()) | Q(parent__product_class=self.value()))


class CategoryFilter(admin.SimpleListFilter):
    """In it or below it. A variant hangs where its product hangs."""

    title = gettext_lazy("category")
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = Category.objects.order_by("path")
        return [(str(category.pk), "\u2003" * (category.depth - 1) + category.name) for category in found]

    def queryset(self, request: HttpRequest, queryset: Products) -> Products:
        if not _is_key(self.value()):
            return queryset
        path = Category.objects.filter(pk=self.value()).values_list("path", flat=True).first()
        members = ProductCategory.objects.filter(category__path__startswith=path or "none").values("product")
        return queryset.filter(Q(pk__in=members) | Q(parent__in=members))


class StockFilter(admin.SimpleListFilter):
    title = gettext_lazy("in stock")
    parameter_name = "in_stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("something is free")), ("no", _("nothing is free"))]

    def queryset(self, request: HttpRequest, queryset: Products) -> Products:
        there = _sold(Exists(Offered.objects.filter(record=OuterRef("pk"), free__gt=0)))
        return _either(queryset, self.value(), there)


class MissingFilter(admin.SimpleListFilter):
    """What still has to be done before a product can be sold, or found."""

    title = gettext_lazy("without")
    parameter_name = "without"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, words) for name, (words, _which) in _MISSING.items()]

    def queryset(self, request: HttpRequest, queryset: Products) -> Products:
        found = _MISSING.get(self.value() or "")
        return queryset.filter(found[1]()) if found else queryset


def _either(queryset: Products, value: str | None, there: Q) -> Products:
    match value:
        case "yes":
            return queryset.filter(there)
        case "no":
            return queryset.exclude(there)
    return queryset


def _sold(which: Any) -> Q:
    """Products of which they, or one of their variants, have such a stock record."""
    records = StockRecord.objects.filter(which)
    variants = records.filter(product__parent__isnull=False)
    return Q(pk__in=records.values("product")) | Q(pk__in=variants.values("product__parent"))


def _has(model: Any) -> Exists:
    """Rows of a model that hang on the product, or on the product it is a variant of."""
    return Exists(model.objects.filter(Q(product=OuterRef("pk")) | Q(product=OuterRef("parent"))))


_MISSING: dict[str, tuple[Any, Callable[[], Any]]] = {
    "picture": (gettext_lazy("a picture"), lambda: ~_has(ProductImage)),
    "price": (gettext_lazy("a price"), lambda: ~_sold(Q(price__isnull=False))),
    "category": (gettext_lazy("a category"), lambda: ~_has(ProductCategory)),
    "tax_class": (
        gettext_lazy("a tax class"),
        lambda: Q(tax_class=None) & (Q(parent=None) | Q(parent__tax_class=None)),
    ),
    "english": (gettext_lazy("an English title"), lambda: Q(parent=None) & (Q(title_en=None) | Q(title_en=""))),
}


def _is_key(value: str | None) -> bool:
    return bool(value) and str(value).isdecimal() and len(str(value)) < 19
