"""What a call left behind: every log line, of every logger, and whether a secret stands in any of it."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

_AS_LINES = logging.Formatter("%(levelname)s %(name)s %(message)s")


class Watcher(logging.Handler):
    """Keeps every line, formatted, with its trace and whatever else was given to it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{_AS_LINES.format(record)} {record.__dict__!r}")


@contextmanager
def logs() -> Iterator[Watcher]:
    """Everything that is logged meanwhile, from DEBUG on; loggers with a level of their own keep it."""
    watcher, root = Watcher(), logging.getLogger()
    former = root.level
    root.addHandler(watcher)
    root.setLevel(logging.DEBUG)
    try:
        yield watcher
    finally:
        root.setLevel(former)
        root.removeHandler(watcher)


def shown(error: BaseException) -> str:
    """All that anybody may come to see of an error: trace, message, and what it carries."""
    return "".join([*traceback.format_exception(error), repr(error), repr(vars(error))])


def leaked(secrets: Iterable[str], *texts: str) -> list[str]:
    """Those secrets that stand in any of the texts, plainly, quoted for an address, or in base64."""
    return [
        secret
        for secret in secrets
        if any(form in text for text in texts for form in {secret, quote(secret, safe=""), _in_base64(secret)})
    ]


def _in_base64(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode().rstrip("=")
