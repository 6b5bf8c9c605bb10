"""What the demo's goods are put together by in lists: colour and material in a few words, found in their texts.

The exact words ("Natural with indigo") stay what the product page shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from shop.catalogue.models import (
    AttributeOption,
    AttributeOptionGroup,
    Product,
    ProductAttribute,
    ProductAttributeValue,
    ProductClass,
)

# attribute -> option -> (Chinese, English, words that say so in the English text)
GROUPS: dict[str, dict[str, tuple[str, str, str]]] = {
    "color": {
        "red": ("红色系", "Red", "madder|terracotta"),
        "pink": ("粉色系", "Pink", "clay pink"),
        "yellow": ("黄色系", "Yellow", "ochre"),
        "green": ("绿色系", "Green", "sage|moss"),
        "blue": ("蓝色系", "Blue", "indigo|ink|mist blue"),
        "natural": ("米白原色", "Natural, white", r"natural(?: linen| with|$)|off-white|oat|oatmeal|undyed|sand|white"),
        "wood": ("木色", "Wood", "oak|beech|walnut|bamboo|acacia"),
        "black": ("黑色", "Black", "black"),
        "clear": ("透明", "Clear", "clear"),
        "several": ("多色", "Several colours", "three|four|six"),
    },
    "material": {
        "cotton": ("棉", "Cotton", "cotton|canvas|corduroy"),
        "linen": ("麻", "Linen and ramie", "linen|ramie"),
        "wool": ("羊毛羊绒", "Wool and cashmere", "wool|cashmere|felt"),
        "wood": ("木竹", "Wood and bamboo", "oak|beech|walnut|bamboo|acacia|linden"),
        "plants": ("草藤", "Seagrass and rattan", "seagrass|rattan"),
        "ceramic": ("陶瓷", "Ceramic", "stoneware|porcelain|earthenware|ceramic"),
        "glass": ("玻璃", "Glass", "glass"),
        "metal": ("金属", "Metal", "steel|iron|brass|aluminium"),
        "paper": ("纸", "Paper", "paper|hardback|board"),
        "leather": ("皮革", "Leather", "leather"),
    },
}  # fmt: skip
NAMES = {"color": ("颜色", "Colour"), "material": ("材质", "Material")}


def options_of(entry: dict[str, Any], attribute: str) -> list[str]:
    """The options that a product of catalogue.json belongs to."""
    text = entry["attributes"].get(attribute, {}).get("en", "").lower()
    return [
        code for code, (_, _, words) in GROUPS[attribute].items() if re.search(rf"(?<![a-z])(?:{words})(?![a-z])", text)
    ]


def put_together(entries: Iterable[dict[str, Any]], products: dict[str, Product], goods: ProductClass) -> None:
    """Give every product of catalogue.json its groups; `products` by SKU. Doing it again is harmless."""
    for code in GROUPS:
        attribute, options = _attribute(code, goods)
        belongs = {products[entry["sku"]].pk: options_of(entry, code) for entry in entries}
        kept = {product: found for product, found in belongs.items() if found}
        ProductAttributeValue.objects.bulk_create(
            [ProductAttributeValue(product_id=product, attribute=attribute) for product in kept], ignore_conflicts=True
        )
        values = ProductAttributeValue.objects.filter(attribute=attribute, product__in=kept)
        through = ProductAttributeValue.value_multi_option.through
        through.objects.bulk_create(
            [
                through(productattributevalue_id=value.pk, attributeoption=options[option])
                for value in values
                for option in kept[value.product_id]
            ],
            ignore_conflicts=True,
        )


def _attribute(code: str, goods: ProductClass) -> tuple[ProductAttribute, dict[str, AttributeOption]]:
    zh, en = NAMES[code]
    group, _ = AttributeOptionGroup.objects.get_or_create(code=code, defaults={"name": zh})
    attribute, _ = ProductAttribute.objects.get_or_create(
        product_class=goods,
        code=code,
        defaults={"name_zh_hans": zh, "name_en": en, "type": ProductAttribute.MULTI_OPTION, "option_group": group},
    )
    options = {}
    for option, (in_chinese, in_english, _) in GROUPS[code].items():
        names = {"group": group, "option_zh_hans": in_chinese, "option_en": in_english}
        options[option], _ = AttributeOption.objects.get_or_create(code=f"{code}-{option}", defaults=names)
    return attribute, options
