"""What the cells of a file say, before anybody asks what they mean. Nothing is believed: sizes are limited, formulas
are not worked out, and what cannot be read is said in words that tell what to do."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from integrations.hub.files.cells import plain

BYTES = 10 * 1024 * 1024  # of a file
ROWS = 5_000  # of a sheet, below its header
COLUMNS = 300
CELL = 100_000  # characters of one


class Unreadable(Exception):
    """The whole file; the message is for the person who brought it."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A cell that has no value anybody could use, and why."""

    words: str


Cell = str | int | float | bool | datetime.datetime | datetime.date | datetime.time | Bad


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number as spreadsheet programs show it, and its cells, as many as there are columns."""

    number: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Names of columns in lower case, and the rows that are not empty."""

    columns: list[str]
    lines: list[Line]


def sheet(rows: Iterable[Sequence[Any]]) -> Sheet:
    """The first row that is not empty names the columns. Raises Unreadable."""
    columns: list[str] | None = None
    lines: list[Line] = []
    for number, cells in _filled(rows):
        if columns is None:
            columns = _names(cells)
            continue
        lines.append(Line(number, _fitted(cells, columns, number)))
        if len(lines) > ROWS:
            raise Unreadable(_("More than %(n)d rows. Divide it into several files.") % {"n": ROWS})
    if columns is None:
        raise Unreadable(_("There is nothing in it. Begin with the template."))
    if not lines:
        raise Unreadable(_("It has a header but no rows."))
    return Sheet(columns, lines)


def _filled(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, list[Cell]]]:
    for number, row in enumerate(rows, start=1):
        if number > 10 * ROWS:  # a stray cell far below makes every row above it count
            raise Unreadable(_("Something stands far below the last row. Delete the empty rows and save it again."))
        cells = [_tidy(cell) for cell in row]
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            yield number, cells


def _tidy(cell: Any) -> Cell:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return str(plain(cell.replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n").strip()))
    return cell


def _names(cells: list[Cell]) -> list[str]:
    if len(cells) > COLUMNS:
        raise Unreadable(_("More than %(n)d columns.") % {"n": COLUMNS})
    names = [str(cell).strip().lower() for cell in cells]
    for place, name in enumerate(names):
        if not name:
            words = _(
                "Column %(column)s has no heading. The first row names the columns, one name in each cell; cells that "
                "were merged have to be separated."
            )
            raise Unreadable(words % {"column": letters(place)})
        if name in names[:place]:
            raise Unreadable(_("Two columns are called “%(name)s”. Delete one.") % {"name": name})
    return names


def _fitted(cells: list[Cell], columns: list[str], number: int) -> list[Cell]:
    if len(cells) > len(columns):
        words = _("Row %(row)d has more cells than the header: column %(column)s has no name.")
        raise Unreadable(words % {"row": number, "column": letters(len(cells) - 1)})
    return [*cells, *[""] * (len(columns) - len(cells))]


def letters(place: int) -> str:
    """A column as spreadsheet programs call it: 0 is A, 26 is AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


# --- CSV ---


def from_csv(content: bytes) -> Sheet:
    """Comma, semicolon or tab; UTF-8 with or without a mark, UTF-16 with one, or GB18030. Raises Unreadable."""
    text = _decoded(content)
    csv.field_size_limit(CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        return sheet(reader)
    except csv.Error as error:
        words = _("Line %(line)d is not CSV: a quotation mark is missing or too many, or a cell too long. (%(why)s)")
        raise Unreadable(words % {"line": reader.line_num, "why": error}) from None


def _decoded(content: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return _as_text(content, [encoding])
    return _as_text(content, ["utf-8", "gb18030"])


def _as_text(content: bytes, encodings: list[str]) -> str:
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable(
        _("Its letters cannot be read: it is neither UTF-8 nor GB18030. Save it as “CSV UTF-8”, or better as .xlsx.")
    )


def _delimiter(text: str) -> str:
    header = text.lstrip().split("\n", 1)[0]
    return max((",", ";", "\t"), key=header.count)


def described(cell: Cell) -> str:
    """A cell as a message shows it."""
    return "" if isinstance(cell, Bad) else str(cell)[:80]
