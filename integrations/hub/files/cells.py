"""Cells of files for spreadsheet programs, which run a text that looks like a formula.

What begins as one gets an apostrophe in front (OWASP, "CSV injection"), and loses it when the file comes back.
"""

from __future__ import annotations

from typing import Any

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe(value: Any) -> Any:
    """A cell's value as it may be written. Numbers and times stay what they are; None becomes an empty cell."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith((*STARTS, "'")):
        return f"'{value}"
    return value


def plain(value: Any) -> Any:
    """The value that `safe` was given, from the cell it made. A lone apostrophe somebody typed stays."""
    if isinstance(value, str) and value.startswith("'") and value[1:].startswith((*STARTS, "'")):
        return value[1:]
    return value
