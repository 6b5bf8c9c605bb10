"""Reading what a remote answered, for connectors: each value of the type it must be, or the right error.

    with understood("read orders", writes=False):
        number, sold_at = text(told, "number"), moment(told, "sold_at")

Inside, whatever does not fit (missing, of another type, no number) becomes TryAgain of a call that reads and
OutcomeUnknown of one that writes: perhaps it was done, the answer does not say.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.hub.errors import OutcomeUnknown, TryAgain

log = logging.getLogger("weft.hub")

ILL = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


class Unfit(ValueError):
    """A value that is missing or of another type; the message names it, never what it is."""


@contextmanager
def understood(operation: str, *, writes: bool) -> Iterator[None]:
    """Around the reading of an answer: a mistake of the connector's own looks like the remote's; the log says where."""
    try:
        yield
    except ILL as error:
        what = error if isinstance(error, Unfit) else type(error).__name__
        log.warning("%s: the answer is not as agreed: %s, %s", operation, what, _place(error))
        message = f"{operation}: the answer is not as agreed ({what})."
        raise (OutcomeUnknown(message) if writes else TryAgain(message)) from None


def _place(error: BaseException) -> str:
    """Where in the code it was noticed: what was read there stays out of logs."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno} in {last.name}"


def _of(told: Any, name: str, wanted: type[Any]) -> Any:
    if not isinstance(told, Mapping) or name not in told:
        raise Unfit(f"{name} is missing")
    value = told[name]
    if not isinstance(value, wanted) or isinstance(value, bool) and wanted is not bool:
        raise Unfit(f"{name} is of type {type(value).__name__}")
    return value


def text(told: Any, name: str) -> str:
    """A text that is there; it may be empty."""
    found: str = _of(told, name, str)
    return found


def whole(told: Any, name: str) -> int:
    """A whole number, as a number."""
    found: int = _of(told, name, int)
    return found


def flag(told: Any, name: str) -> bool:
    """True or false."""
    found: bool = _of(told, name, bool)
    return found


def amount(told: Any, name: str) -> Decimal:
    """A finite decimal, written as a text: a JSON number may have lost cents on its way."""
    try:
        found = Decimal(text(told, name))
    except InvalidOperation:
        raise Unfit(f"{name} is no number") from None
    if not found.is_finite():
        raise Unfit(f"{name} is no number")
    return found


def moment(told: Any, name: str) -> datetime:
    """A time with its zone, ISO 8601."""
    try:
        found = datetime.fromisoformat(text(told, name))
    except ValueError as error:
        raise error if isinstance(error, Unfit) else Unfit(f"{name} is no time") from None
    if found.tzinfo is None:
        raise Unfit(f"{name} has no time zone")
    return found


def inside(told: Any, name: str) -> Mapping[str, Any]:
    """An object in it."""
    found: Mapping[str, Any] = _of(told, name, Mapping)
    return found


def listed(told: Any, name: str) -> Sequence[Any]:
    """A list in it."""
    found: list[Any] = _of(told, name, list)
    return found
