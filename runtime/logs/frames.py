"""An exception as a log may hold it: its type, what caused it, and where. Its words stay out, and so do the values."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST = 30  # frames of one exception; the innermost are kept
# Python itself writes these, of names in the code.
OF_THE_CODE = (AttributeError, NameError, ImportError, NotImplementedError)
_FRAME = re.compile(r'^\s*File "([^"\n]+)", line (\d+), in (\S+)', re.M)
_ENDINGS = "Error|Exception|Warning|Exit|Interrupt|Unknown|Again|Rejected|Conflict|Misconfigured"
_TYPE = re.compile(rf"^([A-Za-z_][\w.]*(?:{_ENDINGS}))\b", re.M)
_NAME_IN_CODE = re.compile(
    r"(?:module )?'[\w.]{1,80}'(?: object)? has no attribute '\w{1,80}'|name '\w{1,80}' is not defined"
    r"|No module named '[\w.]{1,80}'|cannot import name '\w{1,80}' from '[\w.]{1,80}'.{0,0}"
)


def told(error: BaseException) -> list[str]:
    """The chain, outermost first: `ValueError`, then `shop/order/place.py:120 in place` for each frame."""
    lines: list[str] = []
    for each in _chain(error):
        lines.append(_named(each))
        frames = traceback.extract_tb(each.__traceback__)[-MOST:]
        lines += [f"{_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    return lines


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _named(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    words = str(error)
    return f"{name}: {words}" if isinstance(error, OF_THE_CODE) and _NAME_IN_CODE.fullmatch(words) else name


def in_text(text: str) -> list[str]:
    """The same, of a trace that somebody has written into a message."""
    if "Traceback (most recent call last)" not in text:
        return []
    types = dict.fromkeys(_TYPE.findall(text))
    return [*types, *(f"{_short(file)}:{line} in {name}" for file, line, name in _FRAME.findall(text)[-MOST:])]


def _short(file: str) -> str:
    """Without where it is installed."""
    path = file.partition("site-packages/")[2] or file
    return path.removeprefix(f"{ROOT}/")
