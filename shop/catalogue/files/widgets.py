"""Kinds of cells: what each accepts, as which value, and how that value is written again. What does not fit raises
ValueError with words for the person who wrote it. Values are plain and comparable; things are named by their keys."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from babel.numbers import list_currencies
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from import_export.widgets import Widget

from shop.catalogue.admin_types import SEPARATOR
from shop.catalogue.files.lookups import Names, fold
from shop.pricing.fields import MONEY_DECIMALS, MONEY_DIGITS

YES = {"yes", "y", "true", "1", "是"}
NO = {"no", "n", "false", "0", "否"}
DIGITS = 15  # of a number that spreadsheet programs keep whole
NAMED = 12  # names said in a message
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
_PRICE = re.compile(r"\d+(\.\d+)?")


class Words(Widget):
    """A text of at most `longest` characters; `lines`: it may have several."""

    def __init__(self, longest: int, *, lines: bool = False) -> None:
        super().__init__()
        self.longest, self.lines = longest, lines

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = as_text(value)
        if not self.lines and "\n" in text:
            raise ValueError(_("This has several lines; one is allowed."))
        if len(text) > self.longest:
            raise ValueError(_("Longer than %(n)d characters.") % {"n": self.longest})
        return text

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value or ""


class Code(Words):
    """A text of one line whose digits all matter: a SKU, a bar code."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = super().clean(value)
        if _SCIENTIFIC.fullmatch(text):
            raise ValueError(
                _("The spreadsheet program has shortened this number. Format the column as text and write it again.")
            )
        return text


def as_text(value: Any) -> str:
    """A cell as text; numbers only where nothing of them was lost."""
    if isinstance(value, str):
        return value
    if isinstance(value, (datetime.date, datetime.time)):
        raise ValueError(
            _("The spreadsheet program made a date of this. Format the column as text and write it again.")
        )
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    if abs(value) >= 10**DIGITS:
        raise ValueError(
            _("The spreadsheet program has shortened this number. Format the column as text and write it again.")
        )
    return str(int(value))


class Flag(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = fold(as_text(value))
        if word not in YES | NO:
            raise ValueError(_("Write yes or no."))
        return word in YES

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else "yes" if value else "no"


class Whole(Widget):
    """A whole number in a range."""

    def __init__(self, lowest: int, highest: int) -> None:
        super().__init__()
        self.lowest, self.highest = lowest, highest

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        text = as_text(value)
        if not re.fullmatch(r"-?\d{1,18}", text) or not self.lowest <= int(text) <= self.highest:
            words = _("Write a whole number from %(lowest)d to %(highest)d, digits only.")
            raise ValueError(words % {"lowest": self.lowest, "highest": self.highest})
        return int(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else value


class Measure(Widget):
    """A number that need not be whole."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> float:
        try:
            number = float(as_text(value))
        except ValueError:
            raise ValueError(_("Write a number, with a point before the decimals.")) from None
        if not math.isfinite(number):
            raise ValueError(_("Write a number, with a point before the decimals."))
        return number

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else value


class Price(Widget):
    """An amount, not negative. Whether its currency can be paid in it is checked with the whole row."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Decimal:
        text = as_text(value)
        if not _PRICE.fullmatch(text):
            raise ValueError(_("Write the amount only, such as 1299.00: no sign of a currency, no commas."))
        whole, _point, decimals = text.partition(".")
        if len(whole) > MONEY_DIGITS - MONEY_DECIMALS or len(decimals.rstrip("0")) > MONEY_DECIMALS:
            raise ValueError(_("This has more digits than a price can have."))
        return Decimal(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else value


class Currency(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        word = as_text(value).upper()
        if word not in list_currencies():
            raise ValueError(_("There is no such currency. Write its three letters, such as CNY."))
        return word


class Day(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> datetime.date:
        if isinstance(value, datetime.datetime):
            value = value.date()
        if isinstance(value, datetime.date):
            return value
        found = _parsed(parse_date, value)
        if found is None:
            raise ValueError(_("Write the day as 2026-11-23. A plain number is not a date."))
        return found

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value.isoformat() if value else ""


class Moment(Widget):
    """A time of the shop's time zone."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> datetime.datetime:
        found = value if isinstance(value, datetime.datetime) else _parsed(parse_datetime, value)
        if found is None:
            raise ValueError(_("Write the time as 2026-11-23 09:30. A plain number is not a date."))
        return found if timezone.is_aware(found) else timezone.make_aware(found, timezone.get_default_timezone())

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        if not value:
            return ""
        return value.astimezone(timezone.get_default_timezone()).replace(tzinfo=None).isoformat(" ")


def _parsed(parse: Any, value: Any) -> Any:
    try:
        return parse(value) if isinstance(value, str) else None
    except ValueError:  # looks like one, but there is no such day
        return None


class One(Widget):
    """One of several things, by a word."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        return self.key(as_text(value))

    def key(self, word: str) -> int:
        found = self.names.find(word)
        if len(found) == 1:
            return next(iter(found))
        if found:
            there = ", ".join(sorted(self.names.words[key] for key in found))
            raise ValueError(_("“%(word)s” can be several: %(there)s.") % {"word": word, "there": there})
        raise ValueError(
            _("There is no “%(word)s”. There is: %(there)s.") % {"word": word, "there": some(self.names.words.values())}
        )

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else self.names.words[value]


class Several(One):
    """Several things, with | between their words; their order does not matter."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> tuple[int, ...]:  # type: ignore[override]
        words = [word.strip() for word in as_text(value).replace("\uff5c", SEPARATOR).split(SEPARATOR)]
        return tuple(sorted({self.key(word) for word in words if word}))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return SEPARATOR.join(self.names.words[key] for key in value or ())


def some(names: Iterable[str]) -> str:
    """The first few of them, for a message."""
    known = list(names)
    more = [_("and %(n)d more") % {"n": len(known) - NAMED}] if len(known) > NAMED else []
    return ", ".join([*known[:NAMED], *more]) or "–"
