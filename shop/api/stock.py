"""Stock: how many of each SKU may be sold now, of all warehouses together. Nothing about where, why or for whom."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import generics, serializers

from shop.api.lists import Filters, LongPages, Row, Words
from shop.api.models import Scope
from shop.api.products import on_offer
from shop.stock.offered import Offered


class State(models.TextChoices):
    """The states a customer is told, as schema.org calls them."""

    IN_STOCK = "in_stock", _("in stock")
    PRESALE = "presale", _("sold ahead, for the first time")
    BACKORDER = "backorder", _("sold ahead, out of stock until then")
    SOLD_OUT = "sold_out", _("sold out")


IN_STOCK = {
    "sku": "RUG-WOOL-160", "available": 12, "state": "in_stock", "ahead": 0, "ships_on": None, "expected_on": None,
}  # fmt: skip
AHEAD = {
    "sku": "RUG-WOOL-200", "available": 0, "state": "presale", "ahead": 40, "ships_on": "2026-12-12",
    "expected_on": None,
}  # fmt: skip


@extend_schema_serializer(
    examples=[OpenApiExample("In stock", value=IN_STOCK), OpenApiExample("Sold ahead", value=AHEAD)]
)
class StockRow(Row):
    sku = serializers.CharField()
    available = serializers.IntegerField(
        min_value=0, help_text=_("Units that may be sold now; of a kit, as many as its parts make.")
    )
    state = serializers.ChoiceField(State.choices)
    ahead = serializers.IntegerField(
        min_value=0,
        help_text=_("Units that may be ordered before they are here. A line fits this or `available`, not their sum."),
    )
    ships_on = serializers.DateField(allow_null=True, help_text=_("By when what is ordered ahead leaves."))
    expected_on = serializers.DateField(allow_null=True, help_text=_("Sold out: when more is expected."))

    def row(self, instance: dict[str, Any]) -> dict[str, Any]:
        offer = Offered(free=instance["available"], ahead=instance["ahead"])
        return {
            "sku": instance["partner_sku"],
            "available": offer.free,
            "state": str(_state(offer)),
            "ahead": offer.room,
            "ships_on": _day(offer.ships_on),
            "expected_on": _day(offer.expected_on),
        }


def _state(offer: Offered) -> State:
    if offer.free > 0:
        return State.IN_STOCK
    return State(offer.kind) if offer.room else State.SOLD_OUT


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def rows() -> QuerySet[Any]:
    """One row for each SKU; what was never in stock has 0."""
    offered = Offered.objects.filter(record=OuterRef("pk"))
    figures = {"available": Subquery(offered.values("free")), "ahead": Subquery(offered.values("ahead"))}
    return on_offer().annotate(**figures).values("id", "partner_sku", *figures)


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
