"""The least that could answer the same: REST framework and the API's own authentication, one `values()` query for the
same rows, and the same JSON written out by hand. No filters, no pages, no limit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.api import products, stock
from shop.catalogue import tree

CENT = Decimal("0.01")


class BareProducts(APIView):
    scopes = {"GET": "products:read"}
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        paths = {node.pk: node.full_slug for node in tree.walk()}
        media = request.build_absolute_uri("/media/")
        return Response({"results": [_product(row, paths, media) for row in products.rows().order_by("id")[:100]]})


def _product(row: dict[str, Any], paths: dict[int, str], media: str) -> dict[str, Any]:
    return {
        "sku": row["partner_sku"],
        "group": row["product__parent"],
        "title": {"zh-hans": row["title_zh_hans"], "en": row["title_en"]},
        "summary": {"zh-hans": row["summary_zh_hans"], "en": row["summary_en"]},
        "price": str(row["price"].quantize(CENT)),
        "currency": row["price_currency"],
        "tax_code": row["tax_code"],
        "tax_rate": str(row["tax_rate"]),
        "categories": [paths[key] for key in row["categories"]],
        "attributes": {pair["code"]: pair["value"] for pair in row["attributes"]},
        "pictures": [media + name for name in row["pictures"]],
        "parts": row["parts"],
        "upc": row["product__upc"],
        "weight_g": row["weight"],
        "updated_at": row["updated_at"],
    }


class BareStock(APIView):
    scopes = {"GET": "stock:read"}
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        rows = stock.rows().order_by("id")[:1000]
        return Response({"results": [_stock(row) for row in rows]})


def _stock(row: dict[str, Any]) -> dict[str, Any]:
    ahead = row["ahead"] or {}
    free, room = row["available"] or 0, ahead.get("room") or 0
    return {
        "sku": row["partner_sku"],
        "available": free,
        "state": "in_stock" if free > 0 else ahead["kind"] if room else "sold_out",
        "ahead": room,
        "ships_on": ahead.get("ships_on") if room else None,
        "expected_on": ahead.get("expected_on"),
    }
