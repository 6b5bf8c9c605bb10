"""What a list page shows to narrow it by: groups of values with counts, and what is chosen as chips to take off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, get_currency_symbol
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from shop.catalogue import choice as choices
from shop.catalogue.choice import IN_STOCK, PRICE, STOCK, Choice, Pair
from shop.catalogue.facets import Counts, Facet, Value

AT_ONCE = 8  # values of a group that show before "more" is opened
AT_MOST = 60


@dataclass(frozen=True, slots=True)
class Tick:
    """A box to tick: `name` and `value` go into the address."""

    name: str
    value: str
    label: str
    count: int
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    shown: list[Tick]
    more: list[Tick]


@dataclass(frozen=True, slots=True)
class Chip:
    """One chosen value; `query` is the address's without it."""

    label: str
    query: str


@dataclass(frozen=True, slots=True)
class Filters:
    """`in_stock` and `prices` stand for themselves, `groups` are of attributes; `clear` is the query of nothing
    chosen."""

    in_stock: Tick | None
    prices: list[Tick]
    groups: list[Group]
    chips: list[Chip]
    clear: str
    has_own_range: bool

    @property
    def asks_price(self) -> bool:
        return bool(self.prices) or self.has_own_range

    def __bool__(self) -> bool:
        """Whether there is anything to narrow by."""
        return bool(self.prices or self.groups or self.chips or self.has_own_range)


def build(address: QueryDict, choice: Choice, counts: Counts) -> Filters:
    """All of it, from what was counted."""
    listed = {code: facet for code, facet in counts.facets.items() if code not in (PRICE, STOCK)}
    names = _names(choice, counts)
    chips = [Chip(names[pair], choices.without(address, [choices.parameter(pair)])) for pair in choice.pairs]
    chips += _own_range(address, choice)
    parameters = [choices.parameter(pair) for pair in choice.pairs]
    return Filters(
        in_stock=_in_stock(choice, counts),
        prices=_prices(choice, counts),
        groups=list(_groups(choice, listed)),
        chips=chips,
        clear=choices.without(address, [*parameters, *_own_bounds(address)]),
        has_own_range=bool(_own_bounds(address)),
    )


def _groups(choice: Choice, facets: dict[str, Facet]) -> Iterator[Group]:
    """Lists of options first, then by name; a facet with something chosen always shows."""
    for code, facet in sorted(facets.items(), key=lambda item: (not item[1].has_options, item[1].name, item[0])):
        if facet.is_worthwhile or code in choice.facets:
            ticks = [_tick(choice, code, value) for value in _ordered(choice, code, facet)]
            yield Group(facet.name, ticks[:AT_ONCE], ticks[AT_ONCE:AT_MOST])


def _ordered(choice: Choice, code: str, facet: Facet) -> list[Value]:
    """What is chosen first, then what shows most; values that would show nothing are left out."""
    chosen = {value for facet, value in choice.pairs if facet == code}
    values = [value for value in facet.values if value.value in chosen or (value.is_read and value.fitting)]
    return sorted(values, key=lambda value: (value.value not in chosen, -value.fitting, value.label))


def _tick(choice: Choice, code: str, value: Value) -> Tick:
    pair = (code, value.value)
    return Tick(*choices.parameter(pair), value.label, value.fitting, pair in choice.pairs)


def _in_stock(choice: Choice, counts: Counts) -> Tick | None:
    """Offered where some are in stock and some are not."""
    chosen = (STOCK, IN_STOCK) in choice.pairs
    found = counts.facets.get(STOCK, Facet()).values
    if not chosen and (not found or found[0].there == counts.there):
        return None
    return Tick("in_stock", "on", _("In stock only"), found[0].fitting if found else 0, chosen)


def _prices(choice: Choice, counts: Counts) -> list[Tick]:
    """Ranges with something in them, from low to high; none where all would be one."""
    found = {int(value.value): value for value in counts.facets.get(PRICE, Facet()).values}
    chosen = {int(value) for facet, value in choice.pairs if facet == PRICE}
    if len(found) < 2 and not chosen:
        return []
    shown = sorted({number for number, value in found.items() if value.fitting} | chosen)
    return [
        Tick("price", choices.range_name(n), price_range(n), found[n].fitting if n in found else 0, n in chosen)
        for n in shown
    ]


def _names(choice: Choice, counts: Counts) -> dict[Pair, str]:
    """What the chips say. What nothing in the list has is called as the address calls it."""
    names = {pair: pair[1] for pair in choice.pairs}
    for code, facet in counts.facets.items():
        words = _("%(name)s: %(value)s")
        names |= {(code, value.value): words % {"name": facet.name, "value": value.label} for value in facet.values}
    names |= {(PRICE, value): price_range(int(value)) for facet, value in choice.pairs if facet == PRICE}
    names[STOCK, IN_STOCK] = _("In stock only")
    return names


def price_range(number: int) -> str:
    """A price range for people: ¥100 – ¥200."""
    lowest, highest = choices.bounds(number)
    if lowest is None:
        return _("under %(price)s") % {"price": _price(Decimal(highest or 0))}
    if highest is None:
        return _("%(price)s and more") % {"price": _price(Decimal(lowest))}
    return f"{_price(Decimal(lowest))} – {_price(Decimal(highest))}"


def _own_range(address: QueryDict, choice: Choice) -> list[Chip]:
    if choice.lowest is None and choice.highest is None:
        return []
    parts = ["…" if bound is None else _price(bound) for bound in (choice.lowest, choice.highest)]
    return [Chip(" – ".join(parts), choices.without(address, _own_bounds(address)))]


def _own_bounds(address: QueryDict) -> list[Pair]:
    return [(name, value) for name in ("lowest", "highest") for value in address.getlist(name) if value]


def _price(amount: Decimal) -> str:
    """A round amount without decimals, another one with them."""
    locale, currency = to_locale(get_language() or settings.LANGUAGE_CODE), settings.OSCAR_DEFAULT_CURRENCY
    if amount != amount.to_integral_value():
        return format_currency(amount, currency, locale=locale).replace("CN¥", "¥")
    sign = get_currency_symbol(currency, locale).replace("CN¥", "¥")
    return f"{sign}{amount:,.0f}"
