"""The basket of a request: found by owner or signed cookie, loaded only where a page looks into it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from oscar.apps.basket.middleware import BasketMiddleware as OscarBasketMiddleware

from shop.basket import load
from shop.basket.load import Whose
from shop.basket.models import Basket
from shop.basket.offers import Applicator


class BasketMiddleware(OscarBasketMiddleware):
    """Oscar's, with everything about the lines read in one statement, and offers worked out only where some may apply.

    `request.basket` has its offers applied; `request.plain_basket()` has not, for what only changes it.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.units_in_basket = partial(self.units, request)
        request.plain_basket = partial(self.plain, request)
        return super().__call__(request)

    def get_basket(self, request: HttpRequest) -> Basket:
        if request._basket_cache is None:
            request._basket_cache = self._load(request)
        return super().get_basket(request)

    def _load(self, request: HttpRequest) -> Basket | None:
        """The one basket there is. None: there is none yet, or several are to be merged, which Oscar does."""
        whose = self._whose(request)
        baskets = load.baskets(whose) if whose else []
        if len(baskets) != 1:
            return None
        if request.user.is_authenticated:
            baskets[0].owner = request.user
        return baskets[0]

    def _whose(self, request: HttpRequest) -> Whose | None:
        """None: nobody's yet, or that of the cookie is to be merged into the user's."""
        cookie = request.COOKIES.get(self.get_cookie_key(request))
        if request.user.is_authenticated:
            return None if cookie else load.owners(request.user.pk)
        pk = _unsigned(cookie)
        return None if pk is None else load.guests(pk)

    def plain(self, request: HttpRequest) -> Basket:
        basket = self.get_basket(request)
        basket.strategy = request.strategy
        request.basket = basket
        return basket

    def apply_offers_to_basket(self, request: HttpRequest, basket: Basket) -> None:
        if not basket.is_empty and (basket.has_site_offers or basket.has_vouchers):
            Applicator().apply(basket, request.user, request)

    def units(self, request: HttpRequest) -> int:
        """How many units are in the basket, for the page header; no more than one small query."""
        if request._basket_cache is not None:
            return request._basket_cache.num_items
        if whose := self._whose(request):
            return load.units(whose)
        return request.basket.num_items if request.user.is_authenticated else 0

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        if (key := self.get_cookie_key(request)) in response.cookies:
            response.cookies[key]["samesite"] = "Lax"
        return response


def _unsigned(cookie: str | None) -> Any:
    try:
        return int(Signer().unsign(cookie)) if cookie else None
    except (BadSignature, ValueError):
        return None
