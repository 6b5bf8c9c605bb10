"""Fixtures: plain JSON files of what a connector asks and what the remote answers, and what the call then returns.

    {"exchanges": [{"request": {"method": "GET", "url": "https://...", "writes": false, "headers": {...}},
                    "reply": {"status": 200, "headers": {...}, "json": ...}}],
     "returns": ...}

A body is `json` where it is JSON, `text` where it is not. Headers that every HTTP client adds are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

OF_THE_CLIENT = frozenset({"host", "user-agent", "accept", "accept-encoding", "connection", "content-length"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply, as they stand in the file."""

    request: dict[str, Any]
    reply: dict[str, Any]

    @property
    def writes(self) -> bool:
        return bool(self.request["writes"])


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one call says to the remote and hears from it, and what it makes of that."""

    exchanges: tuple[Exchange, ...]
    returns: Any


def load(file: Path) -> Conversation:
    """Raises FileNotFoundError, KeyError, ValueError for what is no fixture."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    return Conversation(tuple(Exchange(**each) for each in kept["exchanges"]), kept["returns"])


def save(file: Path, conversation: Conversation) -> None:
    """As people read it."""
    kept = {
        "exchanges": [{"request": e.request, "reply": e.reply} for e in conversation.exchanges],
        "returns": conversation.returns,
    }
    file.write_text(json.dumps(kept, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def request_as_kept(method: str, url: str, writes: bool, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """A request in the form of the files."""
    own = {name.lower(): value for name, value in headers.items() if name.lower() not in OF_THE_CLIENT}
    kept = {"method": method, "url": url, "writes": writes, "headers": dict(sorted(own.items()))}
    return kept | body_as_kept(body)


def body_as_kept(body: bytes) -> dict[str, Any]:
    """{"json": ...}, {"text": ...}, or nothing for nothing."""
    if not body:
        return {}
    try:
        return {"json": json.loads(body)}
    except ValueError:
        return {"text": body.decode("utf-8", "backslashreplace")}


def body_of(kept: Mapping[str, Any]) -> bytes:
    """The body of a request or reply in the files."""
    if "json" in kept:
        return json.dumps(kept["json"], ensure_ascii=False).encode()
    return str(kept.get("text", "")).encode()


def plain(value: Any) -> Any:
    """What a call returned, as JSON can hold it: dataclasses as objects, amounts and times as texts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Exception):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return value
    if isinstance(value, (set, frozenset)):
        return sorted(plain(each) for each in value)
    return [plain(each) for each in value]
