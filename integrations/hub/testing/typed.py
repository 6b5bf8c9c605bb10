"""Is a value what its class says it is? Dataclasses of the contracts are checked field by field."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin


def ill_typed(value: Any, where: str = "") -> list[str]:
    """What is of another type than declared: `lines[0].quantity is str`. Follows lists, mappings and dataclasses."""
    if is_dataclass(value) and not isinstance(value, type):
        hints = typing.get_type_hints(type(value))
        found = []
        for field in fields(value):
            held, at = getattr(value, field.name), f"{where}.{field.name}"
            found += [] if _fits(held, hints[field.name]) else [f"{at} is {type(held).__name__}"]
            found += ill_typed(held, at)
        return found
    return [wrong for at, each in _parts(value) for wrong in ill_typed(each, f"{where}{at}")]


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"[{name!r}]", each) for name, each in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"[{number}]", each) for number, each in enumerate(value))


def _fits(value: Any, hint: Any) -> bool:
    origin, given = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return value in given
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in given)
    if origin is tuple:
        wanted_each = given[:1] * len(value) if given[1:] == (Ellipsis,) else given
        return isinstance(value, tuple) and len(value) == len(wanted_each) and all(map(_fits, value, wanted_each))
    wanted = origin or hint
    if not isinstance(wanted, type):
        return True
    if wanted is int and isinstance(value, bool):
        return False
    return isinstance(value, wanted) and (not isinstance(value, Enum) or issubclass(wanted, (Enum, str, int)))
