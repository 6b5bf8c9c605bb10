"""What never stands in a log: the token in an address that a remote sends to."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(/hooks/[^/\s]+/[^/\s]+/)[^/\s?]+")


class WithoutTokens(logging.Filter):
    """Django's own lines about a request name its path."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_token(one) if isinstance(one, str) else one for one in record.args)
        return True


def without_token(text: str) -> str:
    """The same text, with … for each token."""
    return _TOKEN.sub(r"\1…", text)
