"""What machines are told: search engines, social networks, caches between us and the browser."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse

from shop.catalogue.models import Product
from shop.stock.models import Pool
from tests.shop.conftest import Shop
from tests.shop.steps import buy, text

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
HOST = "https://127.0.0.1"


def structured(page: str) -> dict[str, Any]:
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return {part["@type"]: part for part in json.loads(found)}


def test_a_product_is_described_as_the_page_shows_it(shop: Shop, en: Client) -> None:
    url = shop.cushion.get_absolute_url()
    product = structured(text(en.get(url)))["Product"]
    assert (product["name"], product["sku"], product["url"]) == ("Linen jacquard cushion cover", "TX-1", HOST + url)
    assert product["offers"] == {
        "@type": "Offer", "url": HOST + url, "price": "199.00", "priceCurrency": "CNY",
        "availability": "https://schema.org/InStock",
    }  # fmt: skip
    assert product["image"] and all(address.startswith(HOST) for address in product["image"])
    Pool.objects.filter(sku="TX-1").update(on_hand=0)
    assert structured(text(en.get(url)))["Product"]["offers"]["availability"] == "https://schema.org/OutOfStock"


def test_breadcrumbs_are_described(shop: Shop, en: Client) -> None:
    steps = structured(text(en.get(shop.throw.get_absolute_url())))["BreadcrumbList"]["itemListElement"]
    assert [step["name"] for step in steps] == ["Home", "Textiles", "Throws", "Checked wool throw"]


def test_no_text_ends_the_description(shop: Shop, en: Client) -> None:
    evil = "</script><script>alert(1)</script>"
    Product.objects.filter(pk=shop.cushion.pk).update(title_en=evil, description_en=evil)
    page = text(en.get(shop.cushion.get_absolute_url()))
    assert "<script>alert" not in page
    assert structured(page)["Product"]["name"] == evil


def test_a_product_can_be_shared(shop: Shop, en: Client) -> None:
    page = text(en.get(shop.cushion.get_absolute_url()))
    for name, content in (
        ("og:title", "Linen jacquard cushion cover"),
        ("og:url", HOST + shop.cushion.get_absolute_url()),
        ("product:price:amount", "199.00"),
    ):
        assert f'<meta property="{name}" content="{content}">' in page
    assert f'<link rel="canonical" href="{HOST}{shop.cushion.get_absolute_url()}">' in page


def test_the_site_map_leads_to_everything_public(shop: Shop, en: Client) -> None:
    Product.objects.filter(pk=shop.rug.pk).update(is_public=False)
    assert f"Sitemap: {HOST}/sitemap.xml" in text(en.get("/robots.txt"))
    sections = [found.text for found in ElementTree.fromstring(en.get("/sitemap.xml").content).iter(MAP)]
    assert len(sections) == 3
    found = set()
    for section in sections:
        answer = en.get(section.removeprefix(HOST))
        found |= {address.text for address in ElementTree.fromstring(answer.content).iter(MAP)}
    expected = [product.get_absolute_url() for product in (shop.cushion, shop.throw, shop.lamp)]
    expected += ["/", "/products/", reverse("catalogue:category", args=["textiles", shop.textiles.pk])]
    assert {HOST + path for path in expected} <= found
    assert not any(str(shop.rug.pk) in address for address in found if "/products/" in address)
    assert all(en.get(address.removeprefix(HOST)).status_code == 200 for address in found)


@pytest.mark.parametrize("path", ["/", "/products/", "/search/?q=wool", "/nothing/"])
def test_pages_are_nobody_elses(shop: Shop, en: Client, path: str) -> None:
    assert en.get(path)["Cache-Control"] == "private, no-cache"


def test_a_persons_pages_are_not_kept_at_all(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    for path in ("/basket/", reverse("customer:guest-order", args=[order.verification_hash()])):
        assert "no-store" in en.get(path)["Cache-Control"]


def test_pages_are_compressed_for_who_asks(shop: Shop, en: Client) -> None:
    plain = en.get("/products/")
    packed = en.get("/products/", headers={"accept-encoding": "gzip"})
    assert not plain.has_header("Content-Encoding") and packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    lengths = {len(en.get("/products/", headers={"accept-encoding": "gzip"}).content) for _ in range(8)}
    assert len(lengths) > 1, "lengths tell nothing: random bytes are added"
    assert len(packed.content) < len(plain.content) / 2
    assert "Linen jacquard cushion cover" in gzip.decompress(packed.content).decode()
