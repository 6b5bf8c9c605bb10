"""Lists as files for spreadsheet programs. Written row by row into a file on the disk, whatever their length.

CSV begins with a byte order mark, without which Excel in China reads UTF-8 as GBK. Texts that look like formulas are
written as texts (`cells.py`); amounts are numbers; times stand in the person's zone, which the column's title names.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from integrations.hub.files import cells

LONGEST = 32_767  # characters in a cell of Excel
TIME_FORMAT = "yyyy-mm-dd hh:mm:ss"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title, and what stands in it for a row: text, number, Decimal, time, yes or no, or None."""

    title: Any
    value: Callable[[Any], Any]
    is_time: bool = False

    @property
    def heading(self) -> str:
        return f"{self.title} ({timezone.get_current_timezone_name()})" if self.is_time else str(self.title)


def text(title: Any, value: Callable[[Any], Any]) -> Column:
    """A column of anything but times."""
    return Column(title, value)


def time(title: Any, value: Callable[[Any], datetime | None]) -> Column:
    """A column of times, stored in UTC."""
    return Column(title, value, is_time=True)


def write_csv(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Any]) -> int:
    """Returns how many rows were written."""
    words = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(words)
    writer.writerow([cells.safe(column.heading) for column in columns])
    count = 0
    for row in rows:
        writer.writerow([_as_text(column.value(row)) for column in columns])
        count += 1
    words.flush()
    words.detach()
    return count


def write_xlsx(file: IO[bytes], columns: Sequence[Column], rows: Iterable[Any]) -> int:
    """Returns how many rows were written."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_as_cell(sheet, column.heading) for column in columns])
    count = 0
    for row in rows:
        sheet.append([_as_cell(sheet, column.value(row)) for column in columns])
        count += 1
    book.save(file)
    return count


FORMATS: dict[str, Callable[[IO[bytes], Sequence[Column], Iterable[Any]], int]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
}
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _plain(value: Any) -> Any:
    """What a cell can hold."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return timezone.make_naive(value) if timezone.is_aware(value) else value
    if value is None or isinstance(value, (int, float, date)) or hasattr(value, "quantize"):
        return value
    return cells.safe(ILLEGAL_CHARACTERS_RE.sub("", str(value))[:LONGEST])


def _as_text(value: Any) -> Any:
    plain = _plain(value)
    if isinstance(plain, datetime):
        return plain.isoformat(sep=" ", timespec="seconds")
    return "" if plain is None else plain


def _as_cell(sheet: Any, value: Any) -> Any:
    plain = _plain(value)
    cell = WriteOnlyCell(sheet, value=plain)
    if isinstance(plain, datetime):
        cell.number_format = TIME_FORMAT
    elif isinstance(plain, str):
        cell.data_type = "s"  # never a formula, whatever it begins with
    return cell
