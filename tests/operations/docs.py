"""The boxes of docs/operations.md: each one under the name that an HTML comment above it gives it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"<!-- run: (\S+) -->\n```\w*\n(.*?)^```$", re.S | re.M)
ANY = re.compile(r"^```\w*\n(.*?)^```$", re.S | re.M)


def text(name: str = "operations.md") -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def boxes(name: str = "operations.md") -> dict[str, str]:
    """Named boxes, in the page's order."""
    return dict(NAMED.findall(text(name)))


def all_boxes(name: str = "operations.md") -> list[str]:
    """Every box, named or not."""
    return ANY.findall(text(name))


def command_of(unit: str) -> list[str]:
    """What a systemd unit among the boxes starts."""
    (line,) = re.findall(r"^ExecStart=(.*)$", boxes()[unit], re.M)
    return line.split()
