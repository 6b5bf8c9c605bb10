"""A type of products that come in colours and sizes, for tests of variants and files."""

from __future__ import annotations

from typing import Any

from oscar.apps.partner.models import Partner

from shop.catalogue import combinations
from shop.catalogue.models import AttributeOption, AttributeOptionGroup, Product, ProductAttribute, ProductClass
from tests import factories

COLOURS = {"靛蓝": "Indigo", "赭黄": "Ochre", "本白": "Off-white"}
SIZES = ("S", "M", "L")


def shirts(*, required: bool = True) -> ProductClass:
    """The type: a colour and a size chosen from lists, and a few more attributes."""
    made, is_new = ProductClass.objects.get_or_create(slug="shirt", defaults={"name_zh_hans": "衫", "name_en": "Shirt"})
    if not is_new:
        return made
    colours = AttributeOptionGroup.objects.create(name_zh_hans="颜色", name_en="Colours")
    for chinese, english in COLOURS.items():
        AttributeOption.objects.create(group=colours, option_zh_hans=chinese, option_en=english)
    sizes = AttributeOptionGroup.objects.create(name_zh_hans="尺码", name_en="Sizes")
    for word in SIZES:
        AttributeOption.objects.create(group=sizes, option_zh_hans=word, option_en=word, code=word.lower())
    of = {"product_class": made, "required": required}
    ask = ProductAttribute.objects.create
    ask(code="colour", name_zh_hans="颜色", name_en="Colour", type="option", option_group=colours, **of)
    ask(code="size", name_zh_hans="尺码", name_en="Size", type="option", option_group=sizes, **of)
    rest = {"product_class": made}
    ask(code="gsm", name_zh_hans="克重", name_en="Weight of cloth", type="integer", **rest)
    ask(code="organic", name_zh_hans="有机", name_en="Organic", type="boolean", **rest)
    ask(code="since", name_zh_hans="上市", name_en="Since", type="date", **rest)
    ask(code="fits", name_zh_hans="适合", name_en="Fits", type="multi_option", option_group=sizes, **rest)
    return made


def attribute(code: str) -> ProductAttribute:
    return ProductAttribute.objects.get(code=code, product_class__slug="shirt")


def option(english: str) -> AttributeOption:
    return AttributeOption.objects.get(option_en=english)


def shirt(*pairs: tuple[str, str], code: str | None = "TEE", price: str = "99.00", **fields: Any) -> Product:
    """A product with a variant for each pair of colour and size, `TEE-INDIGO-S` and so on."""
    parent = Product.objects.create(
        structure=Product.PARENT, product_class=shirts(), title_zh_hans="圆领衫", title_en="Crew neck", slug="crew",
        code=code, tax_class=factories.tax_class(), **fields,
    )  # fmt: skip
    partner = Partner.objects.get_or_create(code="weft", defaults={"name": "Weft"})[0]
    wanted = [
        combinations._make(
            parent,
            combinations.Wanted(
                f"{code or 'TEE'}-{colour.upper()}-{size}", factories.Decimal(price), "CNY",
                {attribute("colour"): option(colour), attribute("size"): option(size)},
            ),
            partner,
        )
        for colour, size in pairs
    ]  # fmt: skip
    assert len(wanted) == len(pairs)
    return parent
