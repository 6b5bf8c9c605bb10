"""One id from the customer's click to the last line that any process writes because of it.

It is bound to the context of whoever works (a request, a task, a row on its way) and stands in each line meanwhile.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars, reset_contextvars

TRACE = re.compile(r"[A-Za-z0-9_-]{8,64}")  # as it may come from a proxy; ours are 32 hexadecimal digits
LONGEST = 64


def new() -> str:
    """An id that nobody had before."""
    return uuid.uuid4().hex


def is_trace(text: str) -> bool:
    """Could this be one?"""
    return TRACE.fullmatch(text) is not None


def current() -> str:
    """The id of what is being worked on; '' where nothing is."""
    return str(get_contextvars().get("trace", ""))


def begin(trace: str, **facts: Any) -> None:
    """From here on, until `end`: for work that ends in another place than it begins."""
    clear_contextvars()
    bind_contextvars(trace=trace, **facts)


def end() -> None:
    """Nothing is worked on any more."""
    clear_contextvars()


@contextmanager
def bound(trace: str, **facts: Any) -> Iterator[None]:
    """Everything logged inside bears this trace and these facts (of which only those on the list are written)."""
    former = bind_contextvars(trace=trace or current() or new(), **facts)
    try:
        yield
    finally:
        reset_contextvars(**former)
