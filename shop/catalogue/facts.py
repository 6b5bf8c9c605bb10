"""What is said of a product in its attributes, in the page's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects
from django.utils.translation import get_language

from shop.catalogue.models import AttributeOption, Product, ProductAttributeValue

Facts = list[tuple[str, str]]  # names and values
SEPARATOR = " · "


def values() -> Prefetch:
    """All that `facts` needs of products, in a fixed number of queries."""
    options = Prefetch("value_multi_option", AttributeOption.objects.order_by("pk"))
    found = ProductAttributeValue.objects.select_related("attribute", "value_option").order_by("attribute__code")
    return Prefetch("attribute_values", found.prefetch_related(options))


def facts(product: Product) -> Facts:
    """Names and values of the product's attributes. One whose code ends in a language is shown in that language only:
    Oscar keeps one value per attribute, so texts have one attribute for each language. Where there is such a text,
    the attribute of the same code without an ending only puts products together in lists."""
    endings = tuple("_" + code.replace("-", "_") for code, _ in settings.LANGUAGES)
    mine = "_" + (get_language() or settings.LANGUAGE_CODE).replace("-", "_")
    found = {value.attribute.code: value for value in product.attribute_values.all()}
    shown = [
        value
        for code, value in found.items()
        if code.endswith(mine) or not (code.endswith(endings) or code + mine in found)
    ]
    return [(value.attribute.name, value.value_as_text) for value in shown]


def in_common(variants: Sequence[Product]) -> Facts:
    """What is said of all these variants alike; nothing where one has a title of its own, which says it all."""
    if not variants or any(variant.title for variant in variants):
        return []
    first, *others = (facts(variant) for variant in variants)
    return [fact for fact in first if all(fact in other for other in others)]


def name_variants(products: Iterable[Product]) -> None:
    """Have variants without a title of their own told apart by their attributes, in two queries for all; in none where
    there are no such variants."""
    nameless = [product for product in products if product.parent_id and not product.title]
    prefetch_related_objects(nameless, values())
    for product in nameless:
        product.told_apart_by = SEPARATOR.join(value for _, value in facts(product))
