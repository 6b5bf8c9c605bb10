"""A product in variants: chosen by what tells them apart, and told apart wherever they are named afterwards."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client

from shop.catalogue.models import Product, ProductAttribute, ProductAttributeValue, ProductClass
from shop.mail.letters import Event, compose
from shop.order.models import Order
from shop.partner.models import StockRecord
from shop.stock.models import Pool
from tests import crowds, factories
from tests.shop.conftest import Shop
from tests.shop.steps import add, give_details, press, text, token


def sku(product: Product) -> str:
    return product.stockrecords.get().partner_sku


def tell(product: Product, **values: str) -> None:
    kind = ProductClass.objects.get(name="Goods")
    for code, value in values.items():
        attribute, _ = ProductAttribute.objects.get_or_create(
            product_class=kind, code=code, defaults={"name_zh_hans": code, "name_en": code.capitalize()}
        )
        ProductAttributeValue.objects.create(product=product, attribute=attribute, value_text=value)


@pytest.fixture
def shirts(shop: Shop) -> list[Product]:
    """Red in S and M, blue in S; the red one in M is sold out, of the blue one two are left. They differ in nothing
    else: all are of linen."""
    parent = factories.product("SH-1", title="衬衫", title_en="Shirt")
    parent.categories.set([shop.textiles])
    made = crowds.variants(parent, 3)
    for product, colour, size in zip(made, ("Red", "Red", "Blue"), ("S", "M", "S"), strict=True):
        tell(product, colour=colour, size=size, stuff="Linen")
    Pool.objects.filter(sku=sku(made[1])).update(on_hand=0)
    Pool.objects.filter(sku=sku(made[2])).update(on_hand=2)
    return made


def labels(page: str) -> list[str]:
    found = re.findall(r'<label class="variant">(.*?)</label>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", label).split()) for label in found]


def test_groups_by_one_attribute_and_names_by_the_others(shirts: list[Product], en: Client) -> None:
    page = text(en.get(shirts[0].parent.get_absolute_url()))
    assert labels(page) == ["S", "M Sold out", "S Only 2 left"]
    assert re.findall(r'<p class="small" id="variants-\d">([^<]+)</p>', page) == ["Colour: Red", "Colour: Blue"]
    assert "<legend>Colour · Size</legend>" in page
    choices = re.findall(r'name="variant" value="\d+" required( disabled| checked)?>', page)
    assert choices == ["", " disabled", ""]
    assert "<div><dt>Stuff</dt><dd>Linen</dd></div>" in page, "what all have in common is a fact of the product"
    assert "<dt>Colour</dt>" not in page


def test_prices_are_told_where_they_differ(shirts: list[Product], en: Client) -> None:
    StockRecord.objects.filter(product=shirts[2]).update(price=Decimal("12.00"))
    page = text(en.get(shirts[0].parent.get_absolute_url()))
    assert labels(page) == ["S ¥10.00", "M ¥10.00 Sold out", "S ¥12.00 Only 2 left"]
    assert "from ¥10.00" in page


def test_the_only_one_there_is_chosen_already(shirts: list[Product], en: Client) -> None:
    Pool.objects.filter(sku=sku(shirts[2])).update(on_hand=0)
    page = text(en.get(shirts[0].parent.get_absolute_url()))
    assert f'value="{shirts[0].pk}" required checked' in page


def test_the_one_whose_address_was_followed_is_chosen(shirts: list[Product], en: Client) -> None:
    """From an order, a letter or a search; one that is sold out is not, nor is anything else an address may say."""
    for wanted, expected in ((shirts[2], [shirts[2]]), (shirts[1], [])):
        page = text(en.get(wanted.get_absolute_url(), follow=True))
        assert re.findall(r'value="(\d+)" required checked', page) == [str(one.pk) for one in expected]
    odd = text(en.get(shirts[0].parent.get_absolute_url(), {"variant": "9' OR 1"}))
    assert "checked" not in odd


def test_basket_checkout_order_and_letters_name_the_variant(shirts: list[Product], en: Client) -> None:
    answer = add(en, shirts[0].parent, variant=shirts[0].pk)
    name = "Shirt (Red · S · Linen)"
    assert f"“{name}” is in your basket." in text(answer)
    assert text(answer).count(name) >= 2, "the line as well"
    give_details(en)
    shown = token(en)
    assert name in text(en.get("/checkout/review/"))
    page = text(en.get(press(en, shown).url))
    order = Order.objects.get()
    assert order.number in page
    assert [line.title for line in order.lines.all()] == [name]
    letter = compose(order, Event.PLACED, f"{order.number}:placed")
    assert name in letter.text and name in letter.html
    assert f"“{name}” was removed." in text(en.post(f"/basket/remove/{add_again(en, shirts[0])}/", follow=True))


def add_again(client: Client, product: Product) -> int:
    """Put it into a new basket; returns the line's key."""
    answer = add(client, product.parent, variant=product.pk)
    return answer.context["quote"].lines[0].line.pk
