"""The variants of a product as customers choose among them: by what tells them apart, with price and stock of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from shop.catalogue.facts import SEPARATOR, Facts
from shop.catalogue.models import Product

CHOSEN = "variant"  # in the address of a product: the key of the variant that was asked for


@dataclass(frozen=True, slots=True)
class Variant:
    """`name` is what tells it apart within its group."""

    product: Product
    name: str
    price: Any
    availability: Any


@dataclass(frozen=True, slots=True)
class Group:
    """Variants that have `name` in common, e.g. "Colour: Sage"; the only group has none."""

    name: str
    variants: list[Variant]


@dataclass(frozen=True, slots=True)
class Choice:
    """`legend` says what is chosen; `chosen` already is: the only one on sale, else whose address was followed."""

    legend: str
    groups: list[Group]
    has_one_price: bool
    chosen: Product | None


def choice(
    children: Sequence[Product], facts: Callable[[Product], Facts], fetch: Callable[[Product], Any], key: str = ""
) -> Choice:
    """What there is to choose; `key` is of the variant that was asked for.

    With several attributes that differ, the one with the fewest values makes the groups."""
    written = {} if all(child.title for child in children) else {child.pk: dict(facts(child)) for child in children}
    telling = _telling(list(written.values()))
    variants: dict[str, list[Variant]] = {}
    for child in children:
        info, mine = fetch(child), written.get(child.pk, {})
        head = _fact(telling[0], mine) if len(telling) > 1 else ""
        name = _name(child, mine, telling[1:] if head else telling)
        variants.setdefault(head, []).append(Variant(child, name, info.price, info.availability))
    offered = [variant for group in variants.values() for variant in group]
    buyable = [variant.product for variant in offered if variant.availability.is_available_to_buy]
    return Choice(
        legend=SEPARATOR.join(telling) or _("Variant"),
        groups=[Group(head, group) for head, group in variants.items()],
        has_one_price=len({variant.price.incl_tax for variant in offered}) < 2,
        chosen=buyable[0] if len(buyable) == 1 else next((one for one in buyable if str(one.pk) == key), None),
    )


def _telling(facts: list[dict[str, str]]) -> list[str]:
    """Names of the attributes in which the variants differ, the one with the fewest values first."""
    names = dict.fromkeys(name for mine in facts for name in mine)
    values = {name: {mine.get(name) for mine in facts} for name in names}
    return sorted((name for name in names if len(values[name]) > 1), key=lambda name: len(values[name]))


def _name(child: Product, facts: dict[str, str], telling: list[str]) -> str:
    if child.title:
        return child.title
    told = SEPARATOR.join(facts[name] for name in telling if name in facts)
    return told or SEPARATOR.join(_fact(name, facts) for name in facts) or child.get_title()


def _fact(name: str, facts: dict[str, str]) -> str:
    return _("%(name)s: %(value)s") % {"name": name, "value": facts.get(name, "–")}
