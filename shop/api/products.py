"""Products: everything that has a SKU and is public, one row each. Prices include tax."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.aggregates import StringAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.core.files.storage import default_storage
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce, Greatest, JSONObject, NullIf
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import generics, serializers

from shop.api.lists import Filters, Pages, Row, Words
from shop.api.models import Scope
from shop.catalogue import tree
from shop.catalogue.models import Product, ProductAttributeValue, ProductCategory, ProductImage
from shop.partner.models import StockRecord
from shop.pricing.money import TooFine, exact
from shop.stock.models import KitPart

EXAMPLE = {
    "sku": "RUG-WOOL-160",
    "group": "412",
    "title": {"zh-hans": "手织羊毛地毯 160 × 230 厘米", "en": "Hand-woven wool rug, 160 × 230 cm"},
    "summary": {"zh-hans": "新西兰羊毛，双面可用。", "en": "New Zealand wool, both sides usable."},
    "price": "1299.00",
    "currency": "CNY",
    "tax_code": "VAT13",
    "tax_rate": "0.13000",
    "categories": ["textiles/rugs"],
    "attributes": {"size": "160 × 230"},
    "pictures": ["https://shop.example/media/products/rug-wool.webp"],
    "parts": [],
    "upc": "6901234567892",
    "weight_g": 5200,
    "updated_at": "2026-11-20T08:15:00Z",
}
LANGUAGES = [(code, code.replace("-", "_")) for code, _name in settings.LANGUAGES]
TEXTS = [f"{name}_{column}" for name in ("title", "summary") for _code, column in LANGUAGES]


Texts = type(  # a class statement has no names with a hyphen
    "Texts",
    (serializers.Serializer,),
    {code: serializers.CharField(allow_blank=True) for code, _column in LANGUAGES},
)


class ProductPart(serializers.Serializer):
    sku = serializers.CharField()
    quantity = serializers.IntegerField(help_text=_("Units in each kit."))


@extend_schema_serializer(examples=[OpenApiExample("A variant", value=EXAMPLE)])
class ProductRow(Row):
    sku = serializers.CharField(help_text=_("The key of everything: stock, orders, files."))
    group = serializers.CharField(
        allow_null=True, help_text=_("The same for all variants of one product; null where there are no variants.")
    )
    title = Texts()
    summary = Texts()
    price = serializers.DecimalField(19, 4, allow_null=True, help_text=_("Tax included. null: not for sale now."))
    currency = serializers.CharField(help_text=_("ISO 4217"))
    tax_code = serializers.CharField(allow_null=True)
    tax_rate = serializers.DecimalField(6, 5, allow_null=True, help_text=_("A fraction: 0.13 is 13 %."))
    categories = serializers.ListField(
        child=serializers.CharField(), help_text=_("Paths, the most general part first.")
    )
    attributes = serializers.DictField(child=serializers.CharField(allow_blank=True), help_text=_("By code."))
    pictures = serializers.ListField(child=serializers.URLField(), help_text=_("The first is the main one."))
    parts = ProductPart(many=True, help_text=_("Of a kit: what is in it. Empty where it is none."))
    upc = serializers.CharField(allow_null=True, help_text=_("The number under the barcode."))
    weight_g = serializers.IntegerField(allow_null=True, help_text=_("Grams"))
    updated_at = serializers.DateTimeField(help_text=_("Of texts, price or state; not of stock."))

    def row(self, instance: dict[str, Any]) -> dict[str, Any]:
        parent = instance["product__parent"]
        return {
            "sku": instance["partner_sku"],
            "group": str(parent) if parent else None,
            "title": {code: instance[f"title_{column}"] or "" for code, column in LANGUAGES},
            "summary": {code: instance[f"summary_{column}"] or "" for code, column in LANGUAGES},
            "price": _price(instance),
            "currency": instance["price_currency"],
            "tax_code": instance["tax_code"],
            "tax_rate": _text(instance["tax_rate"]),
            "categories": self._paths(instance["categories"]),
            "attributes": {pair["code"]: pair["value"] for pair in instance["attributes"] if pair["value"] is not None},
            "pictures": [self._url(name) for name in instance["pictures"]],
            "parts": instance["parts"],
            "upc": instance["product__upc"],
            "weight_g": instance["weight"],
            "updated_at": instance["updated_at"],
        }

    def _paths(self, keys: list[int]) -> list[str]:
        known = self.context.setdefault("categories", {})
        if not known:
            known.update({node.pk: node.full_slug for node in tree.walk()})
        return [known[key] for key in keys if key in known]

    def _url(self, name: str) -> str:
        url = default_storage.url(name)
        if "://" in url:
            return url
        if "origin" not in self.context:
            self.context["origin"] = self.context["request"].build_absolute_uri("/").rstrip("/")
        return self.context["origin"] + url


def _text(number: Any) -> str | None:
    return None if number is None else str(number)


def _price(row: dict[str, Any]) -> str | None:
    """What the storefront asks; None where it does not sell (no price, no tax class, finer than the currency)."""
    if row["price"] is None or row["tax_code"] is None:
        return None
    try:
        return str(exact(row["price"], row["price_currency"]))
    except TooFine:
        return None


def on_offer() -> QuerySet[StockRecord]:
    """What the shop shows: the records of products without variants and of variants, all public."""
    return StockRecord.objects.filter(product__is_public=True).filter(
        Q(product__structure=Product.STANDALONE) | Q(product__structure=Product.CHILD, product__parent__is_public=True)
    )


def rows() -> QuerySet[StockRecord, dict[str, Any]]:
    """One row for each SKU, in one statement, whatever hangs on it."""
    return (
        on_offer()
        .annotate(
            **{column: _inherited(column) for column in TEXTS},
            tax_code=Coalesce("product__tax_class__code", "product__parent__tax_class__code"),
            tax_rate=Coalesce("product__tax_class__rate", "product__parent__tax_class__rate"),
            weight=Coalesce("product__weight_g", "product__parent__weight_g"),
            categories=_categories(),
            attributes=_attributes(),
            pictures=_pictures(),
            parts=_parts(),
            updated_at=Greatest("date_updated", "product__date_updated", "product__parent__date_updated"),
        )
        .values(
            "id", "partner_sku", "product__parent", "product__upc", "price", "price_currency", "tax_code", "tax_rate",
            "weight", "categories", "attributes", "pictures", "parts", "updated_at",
            *TEXTS,
        )
    )  # fmt: skip


def _inherited(column: str) -> Coalesce:
    """A variant without a text of its own has its parent's."""
    return Coalesce(NullIf(f"product__{column}", Value("")), f"product__parent__{column}")


def _own_and_inherited(name: str = "product") -> Q:
    return Q(**{name: OuterRef("product")}) | Q(**{name: OuterRef("product__parent")})


def _categories() -> ArraySubquery:
    mine = ProductCategory.objects.filter(_own_and_inherited()).order_by("pk")
    return ArraySubquery(mine.values("category"))


def _parts() -> ArraySubquery:
    mine = KitPart.objects.filter(kit=OuterRef("product")).order_by("pk")
    return ArraySubquery(mine.values(pair=JSONObject(sku=F("part__partner_sku"), quantity=F("quantity"))))


def _pictures() -> ArraySubquery:
    """A variant's own come before its parent's."""
    mine = ProductImage.objects.filter(_own_and_inherited())
    return ArraySubquery(
        mine.order_by(F("product__parent").asc(nulls_last=True), "display_order", "pk").values("original")
    )


def _attributes() -> ArraySubquery:
    """A variant's own come after its parent's, so that they stand where both have one."""
    options = (
        ProductAttributeValue.objects.filter(pk=OuterRef("pk"), value_multi_option__isnull=False)
        .order_by()
        .values("pk")
        .annotate(all=StringAgg("value_multi_option__option", delimiter=", ", order_by="value_multi_option__pk"))
        .values("all")
    )
    value = Coalesce(
        "value_text",
        "value_option__option",
        *(Cast(f"value_{kind}", TextField()) for kind in ("integer", "boolean", "float", "date", "datetime")),
        "value_richtext",
        Subquery(options),
        output_field=TextField(),
    )
    mine = ProductAttributeValue.objects.filter(_own_and_inherited())
    ordered = mine.order_by(F("product__parent").asc(nulls_first=True), "pk")
    return ArraySubquery(ordered.values(pair=JSONObject(code=F("attribute__code"), value=value)))


class ProductFilters(Filters):
    sku = Words(field_name="partner_sku", lookup_expr="in", help_text=_("One SKU, or several with commas."))
    group = filters.NumberFilter(
        "product__parent", help_text=_("All variants of one product."), min_value=1, max_value=2**63 - 1
    )
    category = filters.CharFilter(
        method="in_category", help_text=_("A category's path: its products and those of the categories below it.")
    )
    updated_since = filters.IsoDateTimeFilter("updated_at", "gte", help_text=_("Texts, price or state; not stock."))

    def in_category(self, queryset: QuerySet[Any], name: str, path: str) -> QuerySet[Any]:
        node = next((node for node in tree.walk() if node.full_slug == path.strip("/")), None)
        if node is None:
            return queryset.none()
        within = ProductCategory.objects.filter(category__path__startswith=node.path).values("product")
        return queryset.filter(Q(product__in=within) | Q(product__parent__in=within))


class Products:
    serializer_class = ProductRow
    scopes = {"GET": Scope.PRODUCTS_READ}

    def get_queryset(self) -> QuerySet[Any]:
        return rows()


class ProductList(Products, generics.ListAPIView):
    pagination_class = Pages
    filterset_class = ProductFilters

    @extend_schema(operation_id="listProducts", tags=["products"], summary=_("All products"))
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class ProductDetail(Products, generics.RetrieveAPIView):
    lookup_field = "partner_sku"
    lookup_url_kwarg = "sku"
    filter_backends = ()

    @extend_schema(operation_id="readProduct", tags=["products"], summary=_("One product"))
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)
