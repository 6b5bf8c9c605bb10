"""What may stand in a line. Whatever is not on one of these lists is dropped: that is how a new field, a new library
or a new exception can say nothing about a person before somebody has looked at it."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from http import HTTPStatus
from typing import Any

from runtime.logs.masks import masked

# Keys of a line. Their values are masked all the same.
KEYS = (
    "timestamp", "level", "logger", "event", "trace", "task", "row", "rows", "topic", "account", "method", "status",
    "ms", "where", "exception",
)  # fmt: skip
# Our own: their templates are ours, and of their arguments what is a number, a thing with an id, or a short word.
OURS = ("weft", "shop", "erp", "integrations", "runtime")
# Ours whose texts are named by the code alone: operations, methods, bare addresses, clusters.
PLAIN = ("weft.http", "weft.supervisor")
# Others whose words are known: the templates, and texts in them of which each word is short and plain.
KNOWN = ("django", "django-q", "gunicorn", "py.warnings")
BY_PATH = ("django.request", "django.security", "gunicorn.access")  # what they are told is mostly an address
REASONS = frozenset(status.phrase for status in HTTPStatus)
WITHHELD = "…"
_WORD = re.compile(r"[A-Za-z0-9_.:/#%()\[\]'-]{1,64}")
_OWN_WORD = re.compile(r"[A-Za-z_]{1,40}[.:,]?")
_SEGMENT = re.compile(r"[A-Za-z0-9_.,:-]{0,64}")
_HOLDER = re.compile(r"%(?:\((\w+)\))?[-#0 +]*[\d.*]*[sdrfxegciua]")


def belongs(logger: str, names: tuple[str, ...]) -> bool:
    """Is it one of these loggers, or below one?"""
    return any(logger == name or logger.startswith(f"{name}.") for name in names)


def said(record: logging.LogRecord, args: Any) -> str:
    """What a record says, by the lists: the code's own words, and only such values as may be read by anybody."""
    template = record.msg if isinstance(record.msg, str) else ""
    if belongs(record.name, PLAIN):
        return masked(_filled(template, args, _plainly))
    if belongs(record.name, OURS):
        return masked(_filled(template, args, _value))
    if not belongs(record.name, KNOWN):
        return f"{WITHHELD} (a logger that is not on the list)"
    if belongs(record.name, BY_PATH) and args:
        return masked(_filled(template, args, _path))
    fits = _OWN_WORD if belongs(record.name, BY_PATH) else _WORD  # Django puts what was sent into quotes
    words = _head(record.name, template, args).split()
    return masked(" ".join(word if fits.fullmatch(word) else WITHHELD for word in words))


def _filled(template: str, args: Any, shown: Any) -> str:
    try:
        if isinstance(args, dict):
            return template % {name: shown(value) for name, value in args.items()}
        values = args if isinstance(args, tuple) else (args,) if args else ()
        if not values:
            return template
        return _as_texts(template) % tuple(shown(value) for value in values)
    except (TypeError, ValueError):
        return template


def _as_texts(template: str) -> str:
    """The values are texts by now: `%d` and `%.0f` would refuse them."""
    return _HOLDER.sub("%s", template.replace("%%", "\0")).replace("\0", "%%")


def _head(record_name: str, template: str, args: Any) -> str:
    """Without what a task returned or raised."""
    shown = str if record_name == "py.warnings" else _value  # its words are filtered one by one all the same
    return _filled(template, args, shown).partition(" - ")[0].partition("Traceback (most recent")[0]


def _plainly(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.0f}"
    return _path(value) if isinstance(value, str) and "/" in value else masked(str(value))


def _value(value: Any) -> str:
    if value is None or isinstance(value, (bool, int, Decimal, timedelta, Enum)):
        return str(value)
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else WITHHELD
    key = getattr(value, "pk", None)
    return f"{type(value).__name__} {key}" if isinstance(key, int) else type(value).__name__


def _path(value: Any) -> str:
    """Django's arguments: reasons, and paths that anybody may have typed."""
    if value in REASONS:
        return str(value)
    if not isinstance(value, str) or "/" not in value:
        return _value(value)
    return "/".join(part if _SEGMENT.fullmatch(part) else WITHHELD for part in masked(value).split("/"))
