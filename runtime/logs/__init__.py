"""What web and workers log: one line each, by allow-list. `configuration` is Django's LOGGING.

Keys that are not on a list are dropped (`allowed.py`), texts are masked by pattern (`masks.py`), an exception is its
type and where it came from, never its words: they are mostly other people's.
"""

from __future__ import annotations

import logging
from typing import Any

from runtime.logs.lines import formatter


def configuration(level: str, *, as_json: bool) -> dict[str, Any]:
    """For `logging.config.dictConfig`: lines to standard error, as JSON or for people. Python's warnings, too."""
    logging.captureWarnings(True)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter, "as_json": as_json}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"django.server": {"propagate": True}, "jieba": {"level": "WARNING"}},
    }
