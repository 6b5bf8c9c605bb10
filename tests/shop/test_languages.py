"""Each key page in each language, without a word of the other one; and amounts as people write them."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from shop.customer.models import User
from shop.templatetags.storefront import money, percent, phone
from tests.shop.conftest import Shop
from tests.shop.steps import add, buy, give_details, text

HAN = re.compile(r"[\u4e00-\u9fff]+")
WORD = re.compile(r"[A-Za-z]{3,}")
# Names, numbers, addresses that are the same in every language.
SAME = re.compile(r"Weft|English|TX-\d|LT-\d|W\d{8}-\w+|\S+@\S+|\b[A-Z][a-z]+/[A-Z]\w+")
GIVEN = re.compile(r"简体中文|中(?=\s|$)|王小明|广东省|深圳市|南山区|科技园南路 1 号 3 栋|林晓")


def seen(answer) -> str:
    """What people read, titles and placeholders included."""
    page = re.sub(r"<(script|style|option)\b.*?</\1>", " ", text(answer), flags=re.S)
    shown = re.findall(r'(?:placeholder|aria-label|alt)="([^"]*)"', page)
    return unescape(re.sub(r"<[^>]+>", " ", page) + " ".join(["", *shown]))


def key_pages(client: Client, shop: Shop, buyer: User) -> list[Any]:
    """Answers of every page a customer meets, empty and filled."""
    urls = [
        "/", "/products/", "/products/?lowest=5&highest=1&in_stock=on", f"/categories/textiles_{shop.textiles.pk}/",
        "/search/", "/search/?q=TX-1", "/search/?q=zzz", shop.cushion.get_absolute_url(), shop.lamp.get_absolute_url(),
        shop.rug.get_absolute_url(), "/basket/", "/account/login/", "/account/register/",
        "/account/password/forgotten/", "/account/password/sent/", "/account/password/x/y/", "/nothing",
    ]  # fmt: skip
    pages = [client.get(url) for url in urls]
    pages += [add(client, shop.cushion), add(client, shop.lamp, 9), add(client, shop.lamp, "x")]
    pages += [client.get("/checkout/"), client.post("/checkout/", {}), give_details(client, phone="1", postcode="1")]
    give_details(client)
    pages.append(client.get("/checkout/review/"))
    order = buy(client, shop.throw)
    signed = order.verification_hash()
    pages += [client.get(f"/checkout/pay/{signed}/"), client.get(f"/order/{signed}/")]
    return pages + account_pages(client, shop, buyer)


def account_pages(client: Client, shop: Shop, buyer: User) -> list[Any]:
    client.force_login(buyer)
    pages = [client.get(f"/account/{p}/") for p in ("orders", "addresses", "addresses/new", "profile", "password")]
    mine = buy(client, shop.cushion, remember="on")
    add(client, shop.cushion)
    pages += [client.get(f"/account/{p}/") for p in ("orders", "addresses", f"orders/{mine.number}")]
    pages += [client.get("/checkout/"), client.post(f"/account/orders/{mine.number}/cancel/", follow=True)]
    give_details(client)
    return [*pages, client.get("/checkout/review/")]


def test_chinese_pages_are_chinese(shop: Shop, buyer: User, zh: Client) -> None:
    User.objects.update(may_buy_on_account=True)
    for answer in key_pages(zh, shop, buyer):
        words = WORD.findall(SAME.sub(" ", seen(answer)))
        assert not set(words) - {"zzz"}, answer.request["PATH_INFO"]
        assert 'lang="zh-Hans"' in text(answer)


def test_english_pages_are_english(shop: Shop, buyer: User, en: Client) -> None:
    User.objects.update(may_buy_on_account=True)
    for answer in key_pages(en, shop, buyer):
        words = HAN.findall(GIVEN.sub(" ", seen(answer)))
        assert not words, answer.request["PATH_INFO"]
        assert 'lang="en"' in text(answer)
        assert "cart" not in seen(answer).lower(), "our words, not those of the framework's catalogue"


def test_chinese_is_the_default_and_the_switch_works(shop: Shop) -> None:
    client = Client()
    page = text(client.get("/"))
    assert 'lang="zh-Hans"' in page and "全部商品" in page
    answer = client.post("/language/", {"language": "en", "next": "/products/?sort=new"})
    assert answer.url == "/products/?sort=new"
    assert "All products" in text(client.get("/products/"))
    client.post("/language/", {"language": "xx", "next": "/"})
    assert "All products" in text(client.get("/products/"))
    assert client.get("/language/").status_code == 405


def test_an_order_keeps_the_language_it_was_placed_in(shop: Shop, zh: Client) -> None:
    order = buy(zh, shop.cushion)
    assert order.language == "zh-hans"
    assert order.lines.get().title == "亚麻提花靠垫套"


@pytest.mark.parametrize(
    ("language", "amount", "currency", "written"),
    [
        ("zh-hans", "1299.00", "CNY", "¥1,299.00"),
        ("en", "1299.00", "CNY", "¥1,299.00"),
        ("en", "0.5", "CNY", "¥0.50"),
        ("en", "1500", "JPY", "¥1,500"),
        ("zh-hans", "1500", "JPY", "JP¥1,500"),
        ("en", "12.5", "USD", "$12.50"),
        ("en", "1.2345", "BHD", "BHD1.234"),
    ],
)
def test_money(language: str, amount: str, currency: str, written: str) -> None:
    with translation.override(language):
        assert money(Decimal(amount), currency) == written
        assert money(None, currency) == ""


def test_rates_and_phone_numbers() -> None:
    with translation.override("en"):
        assert [percent(Decimal(rate)) for rate in ("0.13", "0.09", "0.055", "0")] == ["13%", "9%", "5.5%", "0%"]
    assert phone("+8613800138000") == "+86 138 0013 8000"
    assert phone("") == "" and phone("12") == "12"
