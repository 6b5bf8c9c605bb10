"""Asking a connector: it may be anybody's code, so what it answers is checked, and it cannot end the worker."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Any

from integrations.hub.values import Done


def answered(ask: Callable[[], Any], wanted: type[Any] | UnionType) -> Any:
    """What `ask` answers, of the type it must be; raises whatever it raises, and TypeError for another answer."""
    try:
        answer = ask()
    except SystemExit as error:
        raise RuntimeError(f"the connector wanted to end the worker (SystemExit {error.code})") from None
    if not isinstance(answer, wanted):
        name = getattr(wanted, "__name__", str(wanted))
        raise TypeError(f"the connector's answer is of type {type(answer).__name__}, not {name}")
    return answer


def checked(answer: Any) -> Done | Exception:
    """One document's answer: Done, or what went wrong with it."""
    if isinstance(answer, Done | Exception):
        return answer
    return TypeError(f"the connector's answer is of type {type(answer).__name__}, not Done")
