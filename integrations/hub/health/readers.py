"""What is read from accounts again and again: named by the floors above beside the code that reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

PREFIX = "read:"  # of a reader's flow; topics have none


@dataclass(frozen=True, slots=True)
class Reader:
    """The cursor `name` of accounts of a kind. It should have been read to its end within `fresh_within`."""

    kind: str
    name: str
    label: Any
    fresh_within: timedelta

    @property
    def flow(self) -> str:
        return PREFIX + self.name


_readers: dict[tuple[str, str], Reader] = {}


def register(reader: Reader) -> None:
    """Watch this cursor wherever an account of its kind has it. The same again replaces it."""
    _readers[reader.kind, reader.flow] = reader


def find(kind: str, flow: str) -> Reader | None:
    """The reader behind an account's flow."""
    return _readers.get((kind, flow))


def registered() -> list[Reader]:
    """All of them."""
    return list(_readers.values())
