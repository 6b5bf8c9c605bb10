"""Stock: how many of each SKU may be sold now, of all warehouses together. Nothing about where, why or for whom."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import generics, serializers

from shop.api.lists import Filters, LongPages, Row, Words
from shop.api.models import Scope
from shop.api.products import on_offer
from shop.stock.offered import Offered


@extend_schema_serializer(examples=[OpenApiExample("In stock", value={"sku": "RUG-WOOL-160", "available": 12})])
class StockRow(Row):
    sku = serializers.CharField()
    available = serializers.IntegerField(min_value=0, help_text=_("Units that may be sold now."))

    def row(self, instance: dict[str, Any]) -> dict[str, Any]:
        return {"sku": instance["partner_sku"], "available": instance["available"]}


def rows() -> QuerySet[Any]:
    """One row for each SKU; what was never in stock has 0."""
    offered = Offered.objects.filter(record=OuterRef("pk"))
    return on_offer().annotate(available=Subquery(offered.values("free"))).values("id", "partner_sku", "available")


class StockFilters(Filters):
    sku = Words(field_name="partner_sku", lookup_expr="in", help_text=_("One SKU, or several with commas."))


class Stock:
    serializer_class = StockRow
    scopes = {"GET": Scope.STOCK_READ}

    def get_queryset(self) -> QuerySet[Any]:
        return rows()


class StockList(Stock, generics.ListAPIView):
    pagination_class = LongPages
    filterset_class = StockFilters

    @extend_schema(operation_id="listStock", tags=["stock"], summary=_("What may be sold now"))
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class StockDetail(Stock, generics.RetrieveAPIView):
    lookup_field = "partner_sku"
    lookup_url_kwarg = "sku"
    filter_backends = ()

    @extend_schema(operation_id="readStock", tags=["stock"], summary=_("What may be sold now, of one SKU"))
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)
