"""What a visitor narrows a list by. It stands in the address alone, so that it can be passed on, kept and gone back to.

    ?f-color=green&f-color=blue&f-material=linen&price=100-200&in_stock=on&lowest=50&highest=400

Several values of one facet widen (OR), several facets narrow (AND).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.http import QueryDict

PREFIX = "f-"  # before an attribute's code: no code can then be taken for another field of the address
PRICE, STOCK = "=price", "=stock"  # facets that are no attributes: no code has an equals sign
IN_STOCK = "1"
STEPS = tuple(digit * 10**power for power in range(1, 6) for digit in (1, 2, 5))  # 10, 20, 50 ... 500,000
MOST, LONGEST = 30, 200  # values that are looked at, and their length: what comes with the address has no bound

Pair = tuple[str, str]  # facet, value


@dataclass(frozen=True)
class Choice:
    """What was chosen: (facet, value) pairs without repetition, and a price range of the visitor's own, gross."""

    pairs: tuple[Pair, ...] = ()
    lowest: Decimal | None = None
    highest: Decimal | None = None

    def __bool__(self) -> bool:
        return bool(self.pairs) or self.lowest is not None or self.highest is not None

    @cached_property
    def facets(self) -> list[str]:
        """Those of which something is chosen."""
        return list(dict.fromkeys(facet for facet, _ in self.pairs))


def read(address: QueryDict, checked: dict[str, Any]) -> Choice:
    """The choice in an address; `checked` are the cleaned fields of `ListForm`. What makes no sense is left out."""
    pairs = dict.fromkeys([*_attributes(address), *_prices(address)])
    if checked.get("in_stock"):
        pairs[STOCK, IN_STOCK] = None
    return Choice(tuple(pairs), checked.get("lowest"), checked.get("highest"))


def _attributes(address: QueryDict) -> list[Pair]:
    given = ((key, value) for key in address if key.startswith(PREFIX) for value in address.getlist(key))
    pairs = [(key.removeprefix(PREFIX), value) for key, value in given if _is_usable(key) and _is_usable(value)]
    return pairs[:MOST]


def _is_usable(text: str) -> bool:
    return 0 < len(text) <= LONGEST and "\0" not in text and "=" not in text[:3]


def _prices(address: QueryDict) -> list[Pair]:
    return [(PRICE, str(step)) for text in address.getlist("price")[:MOST] if (step := _step(text)) is not None]


def _step(text: str) -> int | None:
    """The number of a price range as PostgreSQL's width_bucket counts them: 0 is below the first of STEPS."""
    return next((number for number in range(len(STEPS) + 1) if range_name(number) == text), None)


def bounds(number: int) -> tuple[int | None, int | None]:
    """From (included) and to (excluded) of a price range; None is open."""
    return (STEPS[number - 1] if number else None, STEPS[number] if number < len(STEPS) else None)


def range_name(number: int) -> str:
    """How a price range is called in the address: 100-200, -10, 500000-."""
    return "-".join("" if bound is None else str(bound) for bound in bounds(number))


def parameter(pair: Pair) -> Pair:
    """Name and value of a pair in the address."""
    facet, value = pair
    if facet == PRICE:
        return "price", range_name(int(value))
    return ("in_stock", "on") if facet == STOCK else (PREFIX + facet, value)


def without(address: QueryDict, parameters: Iterable[Pair]) -> str:
    """The address's query without these and from its first page on; "" when nothing is left of it."""
    gone = set(parameters)
    kept = QueryDict(mutable=True)
    for name, values in address.lists():
        if name != "page":
            kept.setlist(name, [value for value in values if value and (name, value) not in gone])
    return kept.urlencode()
