"""A file of transactions as documents: rows read, judged one by one, gathered by invoice in file order.

What cannot even be read is refused here, with its reason; what it means is decided by `shop.intake`.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from shop.order.models import LineKind
from shop.replay.codes import kind_of

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})", re.ASCII)
YEARS = range(1900, 2101)
LONGEST_SKU, LONGEST_NUMBER, LONGEST_TITLE = 64, 120, 255


class NotThisShape(Exception):
    """The file has not the columns of a file of transactions."""


class Refused(Exception):
    """A row that cannot be read; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, read. `position` counts rows from 1, the header not counted."""

    position: int
    invoice: str
    sku: str
    kind: LineKind
    title: str
    quantity: int
    at: datetime
    price: Decimal
    buyer: str
    country: str


@dataclass
class Invoice:
    """The rows of one invoice, in file order, wherever in the file they stand."""

    number: str
    rows: list[Row] = field(default_factory=list)

    @property
    def is_cancellation(self) -> bool:
        return self.number[:1] in "Cc"

    @property
    def buyer(self) -> str:
        return next((row.buyer for row in self.rows if row.buyer), "")


@dataclass
class Transactions:
    """A file, read: invoices in the order of their first rows, refused rows by position, notes for people."""

    invoices: dict[str, Invoice] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rows: int = 0


def cells(path: Path, limit: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """(position, cells) of each row. Raises NotThisShape."""
    csv.field_size_limit(2**31 - 1)
    with _opened(path, _encoding(path)) as stream:
        reader = csv.reader(stream)
        next(reader, None)
        yield from enumerate(islice(filter(None, reader), limit), start=1)


def header(path: Path) -> list[str]:
    """The file's column names. Raises NotThisShape where one is missing."""
    with _opened(path, _encoding(path)) as stream:
        heads = [head.strip() for head in next(csv.reader(stream), [])]
    known = {head.lower() for head in heads}
    if missing := [column for column in COLUMNS if column.lower() not in known]:
        raise NotThisShape(
            f"{path}: no column {', '.join(missing)} in its first line. Needed are: {', '.join(COLUMNS)}."
        )
    return heads


def _encoding(path: Path) -> str:
    """UTF-8 where the whole file is, else Latin-1 (spreadsheets of old)."""
    try:
        with _opened(path, "utf-8-sig") as stream:
            while stream.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _opened(path: Path, encoding: str) -> io.TextIOBase:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    open_it = gzip.open if packed else open
    return open_it(path, "rt", encoding=encoding, newline="")  # type: ignore[return-value]


def read(path: Path, zone: ZoneInfo, limit: int | None = None) -> Transactions:
    """The first `limit` rows of the file (all when None). Raises NotThisShape."""
    reading = _Reading([head.lower() for head in header(path)], zone)
    for position, row in cells(path, limit):
        reading.take(position, row)
    return reading.finish()


class _Reading:
    """One pass over the rows."""

    def __init__(self, heads: list[str], zone: ZoneInfo) -> None:
        self.places = [heads.index(column.lower()) for column in COLUMNS]
        self.width = len(heads)
        self.zone = zone
        self.found = Transactions()
        self.spelling: dict[str, str] = {}
        self.respelled: dict[str, int] = {}

    def take(self, position: int, cells: list[str]) -> None:
        """Read one row into its invoice, or refuse it."""
        self.found.rows += 1
        try:
            row = self._row(position, cells)
            invoice = self.found.invoices.get(row.invoice) or Invoice(row.invoice)
            if row.buyer and invoice.buyer and row.buyer != invoice.buyer:
                raise Refused("another CustomerID than the invoice's rows before it")
        except Refused as why:
            self.found.refused[position] = str(why)
            return
        self.found.invoices[row.invoice] = invoice
        invoice.rows.append(row)

    def _row(self, position: int, cells: list[str]) -> Row:
        if len(cells) != self.width:
            raise Refused("not as many cells as the header has")
        if any("\0" in cell for cell in cells):
            raise Refused("a cell holds a NUL character")
        invoice, code, title, quantity, at, price, buyer, country = (cells[place].strip() for place in self.places)
        if not invoice:
            raise Refused("InvoiceNo is empty")
        return Row(
            position=position,
            invoice=_short(invoice, LONGEST_NUMBER, "InvoiceNo"),
            sku=self._sku(code),
            kind=kind_of(code, title),
            title=(title or code)[:LONGEST_TITLE],
            quantity=_whole(quantity),
            at=self._moment(at),
            price=_number(price, "UnitPrice"),
            buyer=_short(buyer.removesuffix(".0"), LONGEST_NUMBER, "CustomerID"),
            country=country,
        )

    def _sku(self, code: str) -> str:
        """Codes that differ only in case are one SKU, spelled as at first."""
        if not code:
            raise Refused("StockCode is empty")
        _short(code, LONGEST_SKU, "StockCode")
        sku = self.spelling.setdefault(code.upper(), code)
        if sku != code:
            self.respelled[code] = self.respelled.get(code, 0) + 1
        return sku

    def _moment(self, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise Refused("InvoiceDate is not an ISO 8601 date and time") from None
        if at.year not in YEARS:
            raise Refused("InvoiceDate is out of range")
        return at if at.tzinfo else at.replace(tzinfo=self.zone)

    def finish(self) -> Transactions:
        """With notes on what was read otherwise than it stands there."""
        for code, count in sorted(self.respelled.items()):
            self.found.notes.append(f"{code} is the same SKU as {self.spelling[code.upper()]} ({count} rows)")
        abroad = sum(row.country != one.rows[0].country for one in self.found.invoices.values() for row in one.rows)
        if abroad:
            self.found.notes.append(f"{abroad} rows name another country than their invoice; its first row's counts")
        return self.found


def _short(text: str, longest: int, column: str) -> str:
    if len(text) > longest:
        raise Refused(f"{column} is longer than {longest} characters")
    return text


def _number(text: str, column: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise Refused(f"{column} is not a number")
    return Decimal(text)


def _whole(text: str) -> int:
    number = _number(text, "Quantity")
    if number != number.to_integral_value():
        raise Refused("Quantity is not a whole number")
    return int(number)
