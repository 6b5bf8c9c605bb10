"""The first pass: rows and money of a file, counted by itself. Shares no code with intake, so that it can prove it.

Everything is read as Latin-1: numbers, commas and quotes are the same bytes in every encoding such files come in.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from itertools import islice
from pathlib import Path

WIDE = Context(prec=200)  # no sum of real amounts is rounded in it
LONGEST = 40  # digits before or after the point beyond which a cell is no amount


@dataclass(frozen=True, slots=True)
class Total:
    """`rows` read, `amount` = exact sum of Quantity x UnitPrice; `unreadable` rows have no such product."""

    rows: int
    unreadable: int
    amount: Decimal


def total(path: Path, limit: int | None = None) -> Total:
    """Add up the first `limit` rows of a file (all when None)."""
    count = unreadable = 0
    amount = Decimal(0)
    for cells, quantity, price in islice(_rows(path), limit):
        count += 1
        value = _product(cells, quantity, price)
        if value is None:
            unreadable += 1
        else:
            amount = WIDE.add(amount, value)
    return Total(count, unreadable, amount)


def _rows(path: Path) -> Iterator[tuple[list[str], int, int]]:
    csv.field_size_limit(2**31 - 1)
    with path.open("rb") as raw:
        opened = gzip.GzipFile(fileobj=raw) if raw.read(2) == b"\x1f\x8b" else raw
        raw.seek(0)
        reader = csv.reader(io.TextIOWrapper(opened, encoding="latin-1", newline=""))
        heads = [head.removeprefix("\xef\xbb\xbf").strip().lower() for head in next(reader, [])]
        quantity, price = heads.index("quantity"), heads.index("unitprice")
        for cells in reader:
            if cells:
                yield cells, quantity, price


def _product(cells: list[str], quantity: int, price: int) -> Decimal | None:
    if len(cells) <= max(quantity, price):
        return None
    try:
        factors = [Decimal(cells[place].strip(" \t\r\n")) for place in (quantity, price)]
    except InvalidOperation:
        return None
    if any(not factor.is_finite() or _too_long(factor) for factor in factors):
        return None
    return WIDE.multiply(*factors)


def _too_long(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return abs(number.adjusted()) > LONGEST or not isinstance(exponent, int) or abs(exponent) > LONGEST
