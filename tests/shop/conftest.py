"""A small shop: two categories, a handful of products in two languages, stock, taxes. And people to look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.sites.models import Site
from django.test import Client
from PIL import Image

from shop.catalogue import pictures
from shop.catalogue.models import Category, Product
from shop.customer.models import User
from tests import factories

PASSWORD = "a-long-enough-pass"


@dataclass
class Shop:
    """`textiles` holds `cushion`, its child category `throws` holds `throw`; `lamp` has 3 pieces, `rug` none."""

    textiles: Category
    throws: Category
    cushion: Product
    throw: Product
    lamp: Product
    rug: Product


def category(slug: str, zh: str, en: str, parent: Category | None = None) -> Category:
    add = parent.add_child if parent else Category.add_root
    return add(slug=slug, name_zh_hans=zh, name_en=en, description_zh_hans=f"{zh}。", description_en=f"{en}.")


def product(sku: str, zh: str, en: str, price: str, units: int, *categories: Category, **fields: Any) -> Product:
    made = factories.product(sku, price=price, title=zh, title_en=en, **fields)
    made.categories.set(categories)
    factories.stock(sku, SZ=units)
    pictures.add(made, Image.new("RGB", (40, 30), "#c8452f"))
    return made


@pytest.fixture
def shop(db: None) -> Shop:
    Site.objects.clear_cache()
    factories.china()
    factories.tax_class("VAT9", "0.09")
    textiles = category("textiles", "床品布艺", "Textiles")
    throws = category("throws", "盖毯", "Throws", textiles)
    lamps = category("lamps", "灯具", "Lamps")
    return Shop(
        textiles,
        throws,
        product(
            "TX-1", "亚麻提花靠垫套", "Linen jacquard cushion cover", "199.00", 50, textiles, is_featured=True,
            summary_zh_hans="菱格提花，隐形拉链。", summary_en="With a woven diamond pattern.",
            description_zh_hans="洗不褪色。", description_en="It will not fade when washed.",
        ),
        product("TX-2", "羊毛格纹盖毯", "Checked wool throw", "529.00", 20, throws),
        product("LT-1", "陶瓷蘑菇台灯", "Ceramic mushroom lamp", "99.90", 3, lamps),
        product("RG-1", "手织羊毛地毯", "Hand-woven wool rug", "1299.00", 0, textiles),
    )  # fmt: skip


@pytest.fixture
def zh() -> Client:
    return Client(headers={"accept-language": "zh-CN"})


@pytest.fixture
def en() -> Client:
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def buyer(db: None) -> User:
    return User.objects.create_user("buyer@weft.test", PASSWORD, name="林晓")


@pytest.fixture
def member(buyer: User, en: Client) -> Client:
    """The buyer, logged in, in English."""
    en.force_login(buyer)
    return en
