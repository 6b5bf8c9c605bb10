"""Polling by overlapping windows: what happened after `since - overlap` and up to `until`, page by page.

It finds what was never sent to us and what a feed of changes left out. Everything read is taken in, each thing once
whatever repeats, before the place is remembered. Where the remote's own words do not fit together (pages that end
early, another count, numbers that are missing, a time it no longer tells of) the hole is kept as a Gap and read again
with every poll; the reading itself goes on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

from integrations.hub.errors import TryAgain, Unsupported
from integrations.hub.models import Account, Cursor
from integrations.hub.reading import cursors, gaps
from integrations.hub.reading.models import GapKind

VERSION = 1
PAGES = 500  # of one window: a remote that turns in circles ends here


@dataclass(frozen=True, slots=True)
class Item:
    """One thing told. `at` by the remote's clock; `sequence` where its numbers run without holes."""

    key: str
    at: datetime
    value: Any
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`cursor` is where to go on, `more` whether there is more; `total`: how many the remote counts in the window."""

    items: Sequence[Item]
    cursor: str
    more: bool
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """How far windows reach. `overlap` is at least twice the time between polls; `retention` None: it tells all."""

    overlap: timedelta
    longest: timedelta = timedelta(days=1)
    first: timedelta = timedelta(days=1)  # the first poll begins so far back
    retention: timedelta | None = None


class Source(Protocol):
    """One account of a remote, open for reading."""

    def fetch(self, since: datetime, until: datetime, cursor: str) -> Page:
        """What happened after `since` and up to `until`. Raises a HubError."""

    def take(self, items: Sequence[Item]) -> int:
        """Have these in, each once; returns how many were new. Raises a HubError."""

    def known(self, items: Sequence[Item]) -> int:
        """How many of them are in already; changes nothing."""


class Polling:
    """Something read by windows: of accounts of a kind, under the name of a cursor."""

    kind: ClassVar[str]
    name: ClassVar[str]
    label: ClassVar[Any]
    span: ClassVar[Span]

    def open(self, account: Account) -> Source | None:
        """None where this account's remote cannot be read so. Raises a HubError."""
        raise NotImplementedError


_pollings: dict[tuple[str, str], Polling] = {}


def register(polling: Polling) -> None:
    """Make it known to `manage.py backfill` and to the accounts' pages."""
    _pollings[polling.kind, polling.name] = polling


def of_kind(kind: str) -> list[Polling]:
    """What is read by windows from accounts of this kind."""
    return [polling for (its, _name), polling in _pollings.items() if its == kind]


@dataclass(slots=True)
class Seen:
    """What one window brought. `broken` is '' or the kind of gap; `numbers` are running numbers with their times."""

    read: int = 0
    new: int = 0
    told: int | None = None
    broken: str = ""
    numbers: dict[int, datetime] = field(default_factory=dict)


def read(source: Source, since: datetime, until: datetime, *, dry: bool = False) -> Seen:
    """Read one window to its end, and have all of it in; `dry`: only count what is not."""
    seen, cursor = Seen(), ""
    keys: set[str] = set()
    for _ in range(PAGES):
        page = source.fetch(since, until, cursor)
        seen.new += len(page.items) - source.known(page.items) if dry else source.take(page.items)
        keys |= {item.key for item in page.items}
        seen.numbers |= {item.sequence: item.at for item in page.items if item.sequence is not None}
        seen.told = page.total if page.total is not None else seen.told
        if not page.more:
            break
        if not page.items or page.cursor == cursor:
            seen.broken = GapKind.EARLY
            break
        cursor = page.cursor
    else:
        seen.broken = GapKind.EARLY
    seen.read = len(keys)
    if not seen.broken and seen.told is not None and seen.read < seen.told:
        seen.broken = GapKind.COUNT
    return seen


@dataclass(frozen=True, slots=True)
class Place:
    """How far was read, and the highest of the remote's running numbers seen, with its time."""

    until: datetime
    number: int | None = None
    number_at: datetime | None = None

    @classmethod
    def of(cls, value: str) -> Place | None:
        if not value:
            return None
        kept = json.loads(value)
        at = kept.get("number_at")
        return cls(datetime.fromisoformat(kept["until"]), kept.get("number"), at and datetime.fromisoformat(at))

    def __str__(self) -> str:
        at = self.number_at.isoformat() if self.number_at else None
        return json.dumps({"until": self.until.isoformat(), "number": self.number, "number_at": at})


def poll(polling: Polling, account: Account, source: Source, now: datetime) -> int | None:
    """Read on from the cursor to `now`, then every gap again; returns how many things were new.

    None where another worker reads, or the account rests. Raises a HubError; what was read before it is in, and the
    place stands.
    """
    with cursors.reading(account, polling.name, version=VERSION) as cursor:
        if cursor is None:
            return None
        return _forward(polling, account, source, cursor, now) + gaps.again(polling, account, source)


def _forward(polling: Polling, account: Account, source: Source, cursor: Cursor, now: datetime) -> int:
    span, place, new = polling.span, Place.of(cursor.value) or Place(now - polling.span.first), 0
    if span.retention and place.until < now - span.retention:
        gaps.found(account, polling.name, GapKind.RETENTION, place.until, now - span.retention, {})
        place = Place(now - span.retention, place.number, place.number_at)
    low = place.until - span.overlap
    while place.until < now:
        high = min(place.until + span.longest, now)
        seen = read(source, low, high)
        gaps.keep(account, polling.name, seen, low, high)
        place = gaps.missing(account, polling.name, seen, place, high)
        new += seen.new
        if not cursors.advance(cursor, str(place)):
            break
        low = place.until
    return new


@dataclass(frozen=True, slots=True)
class Report:
    """What a backfill brought, and up to where it came."""

    read: int
    new: int
    until: datetime
    broken: int


def backfill(polling: Polling, account: Account, since: datetime, until: datetime, *, dry: bool = False) -> Report:
    """Read a stretch again, whatever the cursor says; nothing comes in twice. `dry`: only say what is not in.

    Raises a HubError; what was read before it is in. Raises Unsupported where the remote cannot be read so.
    """
    source = polling.open(account)
    if source is None:
        raise Unsupported("This account cannot be read by date.")
    with cursors.asking(account) as may:
        if not may:
            raise TryAgain("The remote asked to be left alone for a while. Read it again later.")
        return _again(polling, account, source, since, until, dry)


def _again(polling: Polling, account: Account, source: Source, since: datetime, until: datetime, dry: bool) -> Report:
    read_, new, broken, low = 0, 0, 0, since
    while low < until:
        high = min(low + polling.span.longest, until)
        seen = read(source, low, high, dry=dry)
        read_, new, broken = read_ + seen.read, new + seen.new, broken + bool(seen.broken)
        if not dry:
            gaps.keep(account, polling.name, seen, low, high)
        low = high
    if not dry:
        gaps.again(polling, account, source)
    return Report(read_, new, low, broken)
