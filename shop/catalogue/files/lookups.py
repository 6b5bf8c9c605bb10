"""What cells may name: types, tax classes, suppliers, categories, attributes, options. Looked up once for a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from shop.catalogue import attributes
from shop.catalogue.models import AttributeOption, Category, ProductAttribute, ProductClass
from shop.catalogue.records import usual_partner
from shop.partner.models import Partner
from shop.pricing.models import TaxClass


def fold(word: str) -> str:
    """Words are compared without their capitals."""
    return word.strip().casefold()


@dataclass(slots=True)
class Names:
    """Things of one kind: a word finds its key, a key is written as one word. Words that name two things name none."""

    words: dict[int, str] = field(default_factory=dict)
    keys: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, key: int, word: str, *others: str | None) -> None:
        self.words[key] = word
        for name in (word, *others):
            if name:
                self.keys[fold(name)].add(key)

    def find(self, word: str) -> set[int]:
        return self.keys.get(fold(word), set())


@dataclass(frozen=True, slots=True)
class Lookups:
    """`attributes` by type and code; `options` by the key of their list."""

    kinds: Names
    taxes: Names
    suppliers: Names
    categories: Names
    attributes: dict[tuple[int, str], ProductAttribute]
    options: dict[int, Names]
    usual_supplier: int | None

    @property
    def codes(self) -> list[str]:
        """Of all attributes, in order."""
        return sorted({code for _kind, code in self.attributes})


def load() -> Lookups:
    partner = usual_partner()
    return Lookups(
        kinds=_names((k.pk, k.slug, k.name_zh_hans, k.name_en) for k in ProductClass.objects.all()),
        taxes=_names((tax.pk, tax.code) for tax in TaxClass.objects.all()),
        suppliers=_names((one.pk, one.code, one.name) for one in Partner.objects.all()),
        categories=_categories(),
        attributes={
            (attribute.product_class_id, attribute.code): attribute
            for attribute in ProductAttribute.objects.filter(type__in=attributes.KINDS, product_class__isnull=False)
        },
        options=_options(),
        usual_supplier=partner.pk if partner else None,
    )


def _names(things: Iterable[tuple[int, *tuple[str | None, ...]]]) -> Names:
    names = Names()
    for key, word, *others in things:
        names.add(key, str(word), *others)
    return names


def _categories() -> Names:
    """By the slugs on the way to it, `home/lamps`; by its own where it is the only one; by `#12` in any case."""
    names = Names()
    ways: dict[str, str] = {}
    for category in Category.objects.order_by("path"):
        above = ways.get(category.path[: -category.steplen], "")
        ways[category.path] = way = f"{above}/{category.slug}".lstrip("/")
        twice = bool(names.find(way))
        names.add(category.pk, f"#{category.pk}" if twice else way, way, category.slug, f"#{category.pk}")
    return names


def _options() -> dict[int, Names]:
    found: dict[int, Names] = defaultdict(Names)
    for option in AttributeOption.objects.order_by("pk"):
        word = option.code or option.option_zh_hans or option.option
        found[option.group_id].add(option.pk, word, option.option_zh_hans, option.option_en)
    return found
