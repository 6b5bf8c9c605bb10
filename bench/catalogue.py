"""The goods both shops sell while they are measured: 2,000 products in 8 categories of 5 each. Data only, no models.

Always the same: made by counting, without chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

PRODUCTS = 2000
PER_PAGE = 24
CURRENCY = "CNY"
STOCK = 100_000  # of every product: nothing sells out unless it is meant to
PICTURE = "images/products/shared.webp"  # one for all: whatever finds thumbnails finds them at once
ATTRIBUTES = ("colour", "material", "size")
SEARCHED = "linen"

_ROOTS = ("Bedding", "Furniture", "Lighting", "Kitchen", "Storage", "Paper", "Apparel", "Outdoor")
_LEAVES = ("Classics", "Small Batch", "Workshop", "Seasonal", "Basics")
_THINGS = ("cushion", "blanket", "lamp", "bowl", "basket", "notebook", "scarf", "lantern", "tray", "stool")
_MATERIALS = ("linen", "oak", "cotton", "stoneware", "wool", "rattan", "brass", "paper")
_COLOURS = ("sand", "indigo", "madder", "sage", "ochre")
_SIZES = ("small", "medium", "large")


@dataclass(frozen=True, slots=True)
class Item:
    """One product. `leaf` counts the small categories from 0, as `leaves()` gives them; `price` includes tax."""

    sku: str
    title: str
    slug: str
    summary: str
    description: str
    price: Decimal
    leaf: int
    attributes: dict[str, str]


def roots() -> tuple[str, ...]:
    """Names of the top categories; each holds an eighth of all products, through its small ones."""
    return _ROOTS


def leaves() -> list[tuple[str, str]]:
    """(top category, name) of the small categories."""
    return [(root, f"{root} {leaf}") for root in _ROOTS for leaf in _LEAVES]


def slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def items() -> list[Item]:
    return list(_items())


def _items() -> Iterator[Item]:
    count = len(leaves())
    for number in range(PRODUCTS):
        turn = number // count  # the how-manieth of its small category: what a category sells differs
        material = _MATERIALS[turn % len(_MATERIALS)]
        colour, size = _COLOURS[turn % len(_COLOURS)], _SIZES[number % len(_SIZES)]
        title = f"{colour.capitalize()} {material} {_THINGS[number % len(_THINGS)]} no. {number + 1}"
        yield Item(
            sku=f"BENCH-{number + 1:04d}",
            title=title,
            slug=slug(title.replace(".", "")),
            summary=f"Made of {material} in small batches, {size}.",
            description=f"{title}: a {size} piece of {material}, dyed {colour}, finished by hand and checked twice. "
            * 3,
            price=Decimal(1900 + (number * 37) % 18000) / 100,
            leaf=number % count,
            attributes={"colour": colour, "material": material, "size": size},
        )
