"""What search engines are told: robots.txt, and the site map of what can be bought."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps import views as sitemaps
from django.contrib.sitemaps.views import SitemapIndexItem
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from shop.catalogue import tree
from shop.catalogue.models import Product
from shop.catalogue.tree import Node

HOUR = 60 * 60
# Pages of one person, and the endless ways to narrow and order a list.
CLOSED = (
    "/admin/", "/account/", "/basket/", "/checkout/", "/order/", "/search/",
    "/*?*f-", "/*?*price=", "/*?*lowest=", "/*?*highest=", "/*?*in_stock=", "/*?*sort=",
)  # fmt: skip


@require_safe
@cache_control(public=True, max_age=24 * HOUR)
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED), f"Sitemap: {_address(reverse('sitemap'))}", ""]
    return HttpResponse("\n".join(lines), "text/plain")


def _address(path: str) -> str:
    return f"{settings.WEFT_SHOP_URL}{path}"


class _Map(Sitemap):
    """Addresses begin with the shop's own, whatever host was asked."""

    limit = 10_000

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.WEFT_SHOP_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        return urlsplit(settings.WEFT_SHOP_URL).netloc


class Entrances(_Map):
    def items(self) -> list[str]:
        return ["catalogue:home", "catalogue:browse"]

    def location(self, item: str) -> str:
        return reverse(item)


class Categories(_Map):
    def items(self) -> list[Node]:
        return list(tree.walk())

    def location(self, item: Node) -> str:
        return item.url


class Products(_Map):
    def items(self) -> QuerySet[Product]:
        return Product.objects.browsable().only("slug", "date_updated").order_by("pk")

    def lastmod(self, item: Product) -> datetime:
        return item.date_updated


MAPS: dict[str, type[_Map]] = {"entrances": Entrances, "categories": Categories, "products": Products}


@require_safe
@cache_control(public=True, max_age=HOUR)
def sitemap(request: HttpRequest) -> HttpResponse:
    """The index of the maps, each in pages of `limit` addresses."""
    items = [
        SitemapIndexItem(_address(reverse("sitemap-section", args=[section])) + (f"?p={page}" if page > 1 else ""))
        for section, kind in MAPS.items()
        for page in kind().paginator.page_range
    ]
    return render(request, "sitemap_index.xml", {"sitemaps": items}, content_type="application/xml")


@require_safe
@cache_control(public=True, max_age=HOUR)
def sitemap_section(request: HttpRequest, section: str) -> HttpResponse:
    return sitemaps.sitemap(request, MAPS, section)
