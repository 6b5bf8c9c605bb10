"""The basket of a request: found by owner or signed cookie, loaded only where a page looks into it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from oscar.apps.basket.middleware import BasketMiddleware as OscarBasketMiddleware

from shop.basket.models import Basket, Line
from shop.partner.strategy import attach_pools


class BasketMiddleware(OscarBasketMiddleware):
    """Oscar's, with lines, products, pictures and stock fetched together instead of one by one."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.units_in_basket = partial(self.units, request)
        return super().__call__(request)

    def get_basket(self, request: HttpRequest) -> Basket:
        is_new = request._basket_cache is None
        basket = super().get_basket(request)
        if is_new and basket.pk:
            load_lines(basket)
        return basket

    def units(self, request: HttpRequest) -> int:
        """How many units are in the basket, for the page header; no more than one small query."""
        if request._basket_cache is not None:
            return request._basket_cache.num_items
        cookie = request.COOKIES.get(self.get_cookie_key(request))
        if request.user.is_authenticated:
            if cookie:  # filled before logging in: both baskets become one
                return request.basket.num_items
            mine = {"basket__owner": request.user}
        elif (pk := _unsigned(cookie)) is not None:
            mine = {"basket": pk, "basket__owner": None}
        else:
            return 0
        lines = Line.objects.filter(basket__status=Basket.OPEN, **mine)
        return lines.aggregate(units=Sum("quantity", default=0))["units"]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        if (key := self.get_cookie_key(request)) in response.cookies:
            response.cookies[key]["samesite"] = "Lax"
        return response


def load_lines(basket: Basket) -> None:
    """Fetch the lines with all that a page and the strategy want of them, in three queries for any number."""
    lines = (
        basket.lines.select_related(
            "product__tax_class",
            "product__product_class",
            "product__parent__tax_class",
            "product__parent__product_class",
            "stockrecord",
        )
        .defer("product__search", "product__description", "product__parent__search", "product__parent__description")
        .prefetch_related("attributes", "product__images")
        .order_by("pk")
    )
    attach_pools(line.stockrecord for line in lines)
    basket._lines = lines


def _unsigned(cookie: str | None) -> Any:
    try:
        return int(Signer().unsign(cookie)) if cookie else None
    except (BadSignature, ValueError):
        return None
