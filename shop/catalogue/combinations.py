"""Variants of a product: every combination of chosen values, without those there are; made several at once."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from shop.catalogue import attributes
from shop.catalogue.models import AttributeOption, Product, ProductAttribute
from shop.catalogue.touch import lock, touched
from shop.partner.models import Partner, StockRecord

MOST = 100  # combinations offered at once
KINDS = ("option", "text", "integer")  # kinds of attributes that variants can be told apart by


@dataclass(frozen=True, slots=True)
class Combination:
    """One value for each chosen attribute. `key` says the same combination again, in a form that comes back."""

    values: tuple[tuple[ProductAttribute, Any], ...]
    is_there: bool

    @property
    def key(self) -> str:
        return "\x1f".join(f"{attribute.pk}={_plain(value)}" for attribute, value in self.values)

    @property
    def words(self) -> str:
        return ", ".join(f"{attribute.name}: {value}" for attribute, value in self.values)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A variant to be made. `price` is gross, in `currency`, quantised."""

    sku: str
    price: Decimal | None
    currency: str
    values: Mapping[ProductAttribute, Any]
    is_public: bool = True


def offered(parent: Product) -> list[ProductAttribute]:
    """What new variants of this product can be told apart by. Texts of one language cannot: they come in pairs."""
    found = attributes.of(parent.product_class)
    return [attribute for attribute in found if attribute.type in KINDS and not attributes.ending(attribute)]


def told_apart_by(parent: Product) -> list[ProductAttribute]:
    """The attributes its variants have values of; for the first ones those of which a value can be chosen."""
    found = attributes.of(parent.product_class)
    own = set(Product.attributes.through.objects.filter(product__parent=parent).values_list("attribute", flat=True))
    return [attribute for attribute in found if attribute.pk in own] or [a for a in found if a.type == "option"]


def combinations(parent: Product, chosen: Mapping[ProductAttribute, Sequence[Any]]) -> list[Combination]:
    """Every combination, in the order of the values, each said to be there already or not."""
    children = parent.children.prefetch_related(attributes.stored())
    there = {tuple(_plain(attributes.values(child).get(attribute.pk)) for attribute in chosen) for child in children}
    return [
        Combination(tuple(zip(chosen, values, strict=True)), tuple(map(_plain, values)) in there)
        for values in itertools.product(*chosen.values())
    ]


def _plain(value: Any) -> str:
    return "" if value is None else str(value.pk if isinstance(value, AttributeOption) else value)


def suggestions(parent: Product, offers: Iterable[Combination], taken: Collection[str]) -> Iterator[str]:
    """A SKU for each combination: the product's code or address, then a short word for each value."""
    begin = parent.code or slugify(parent.slug).upper() or f"P{parent.pk}"
    used = {sku.upper() for sku in taken}
    for offer in offers:
        sku = "-".join([begin, *(_short(*pair) for pair in offer.values)])
        numbered = (f"{sku}-{number}" for number in itertools.count(2))
        sku = next(word for word in itertools.chain([sku], numbered) if word.upper() not in used)
        used.add(sku.upper())
        yield sku


def _short(attribute: ProductAttribute, value: Any) -> str:
    """A word for a value: an option's code, else what it is in Latin letters, else its number among the options."""
    if not isinstance(value, AttributeOption):
        return slugify(str(value)).upper() or "X"
    word = slugify(value.code or "") or slugify(value.option_en or value.option)
    return word.upper() or f"{attributes.options(attribute).index(value) + 1:02}"


def make(parent: Product, wanted: Iterable[Wanted], partner: Partner) -> list[Product]:
    """Make variants; all or none. Raises IntegrityError where a SKU was taken meanwhile."""
    with transaction.atomic(durable=True):
        lock([parent.pk])
        made = [_make(parent, each, partner) for each in wanted]
        touched([parent.pk])
    return made


def _make(parent: Product, wanted: Wanted, partner: Partner) -> Product:
    child = Product(structure=Product.CHILD, parent=parent, is_public=wanted.is_public, slug=slug(parent, wanted.sku))
    child.save()
    StockRecord.objects.create(
        product=child,
        partner=partner,
        partner_sku=wanted.sku,
        price=wanted.price,
        price_currency=wanted.currency,
    )
    attributes.write(child, wanted.values)
    return child


def slug(parent: Product, sku: str) -> str:
    """A variant's own; its pages are its parent's, its pictures' files are named by it."""
    return f"{parent.slug}-{slugify(sku)}"[:255].strip("-")
