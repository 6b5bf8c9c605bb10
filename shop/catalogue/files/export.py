"""Products out to a file: row by row, so that ten thousand of them take no more memory than two hundred."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import IO, Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from integrations.hub.files.cells import safe
from shop.catalogue.files import entries, lookups
from shop.catalogue.files.columns import STRUCTURES, Column, columns
from shop.catalogue.files.entries import Entry
from shop.catalogue.files.plan import SHEET
from shop.catalogue.models import Product

CHUNK = 200
LONGEST = 32_767  # characters that fit into one cell of a workbook
IN_MEMORY = 1024 * 1024
DIGITS = ("sku", "parent", "upc")  # columns whose new cells are texts too, or their zeros would be lost


def rows(products: QuerySet[Product]) -> Iterator[list[Any]]:
    """The header, then a row for each product and, below it, each of its variants. What no SKU names is left out."""
    found = lookups.load()
    wanted = columns(found)
    yield list(wanted)
    for entry in _entries(products):
        yield _row(entry, wanted)


def _row(entry: Entry, wanted: dict[str, Column]) -> list[Any]:
    return [entry.key, *(column.export(entry) for name, column in wanted.items() if name != "sku")]


def _entries(products: QuerySet[Product]) -> Iterator[Entry]:
    """In the order of the list; variants below their product, unless they stand in the list themselves."""
    keys = list(products.values_list("pk", flat=True))
    listed = set(keys)
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        below: dict[int, list[int]] = defaultdict(list)
        variants = Product.objects.filter(parent__in=chunk).order_by("pk").values_list("parent", "pk")
        for parent, variant in variants:
            if variant not in listed:
                below[parent].append(variant)
        ordered = [key for product in chunk for key in (product, *below[product])]
        found = {entry.pk: entry for entry in entries.read(ordered)}
        yield from (found[key] for key in ordered if key in found)


def write_csv(file: IO[bytes], table: Iterable[list[Any]]) -> int:
    """Returns how many rows were written, the header not counted."""
    words = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")  # the mark tells spreadsheet programs the encoding
    writer, count = csv.writer(words), -1
    for row in table:
        writer.writerow([safe(_plain(cell)) for cell in row])
        count += 1
    words.flush()
    words.detach()
    return count


def _plain(cell: Any) -> Any:
    return str(cell) if isinstance(cell, (float, Decimal)) else cell


def write_xlsx(file: IO[bytes], table: Iterable[list[Any]], *, others: Iterable[tuple[str, Any]] = ()) -> int:
    """A workbook with these rows, and perhaps other sheets (title, rows); returns the number of these rows."""
    book = Workbook(write_only=True)
    counts = [_fill(book.create_sheet(title), content) for title, content in ((SHEET, table), *others)]
    book.save(file)
    return counts[0]


FORMATS: dict[str, Callable[[IO[bytes], Iterable[list[Any]]], int]] = {"csv": write_csv, "xlsx": write_xlsx}


def _fill(worksheet: Any, table: Iterable[list[Any]]) -> int:
    """Returns the number of rows below the header."""
    worksheet.freeze_panes = "B2"
    names: list[str] = []
    count = -1
    for count, row in enumerate(table):  # noqa: B007
        if not names:
            names = [str(name) for name in row]
            _shape(worksheet, names)
            worksheet.append([_cell(worksheet, name, name, bold=True) for name in names])
        else:
            worksheet.append([_cell(worksheet, name, cell, bold=False) for name, cell in zip(names, row, strict=False)])
    return count


def _shape(worksheet: Any, names: list[str]) -> None:
    """Columns wide enough to read, and texts where digits matter."""
    for place, name in enumerate(names, start=1):
        dimension = worksheet.column_dimensions[get_column_letter(place)]
        dimension.width = 24
        if name in DIGITS:
            dimension.number_format = "@"


def _cell(worksheet: Any, name: str, value: Any, *, bold: bool) -> Any:
    """Texts stay texts, whatever they look like. One that does not fit into a cell is left out, which an import takes
    as: leave it as it is."""
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", str(safe(value)))
        value = value if len(value) <= LONGEST else ""
    if isinstance(value, (float, Decimal)) and type(value)(f"{value:.16g}") != value:
        value = str(value)  # a workbook's numbers have fewer digits
    if value in ("", None):
        return None
    if not bold and name not in DIGITS:
        return value
    cell = WriteOnlyCell(worksheet, value=value)
    cell.number_format = "@"
    cell.font = Font(bold=bold)
    return cell


def template() -> IO[bytes]:
    """A workbook to begin with: the columns, one row as an example, and a sheet that says what each is for."""
    wanted = columns(lookups.load())
    example = [column.kind.example for column in wanted.values()]
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (who sends it closes it)
    write_xlsx(file, [list(wanted), example], others=[("help", _help(wanted))])
    file.seek(0)
    return file


def _help(wanted: dict[str, Column]) -> Iterator[list[Any]]:
    yield [_("Column"), _("What it is for"), _("Which rows have it")]
    for name, column in wanted.items():
        rows_ = [STRUCTURES[structure][0] for structure in STRUCTURES if structure in column.kind.fits]
        yield [name, str(column.kind.words), ", ".join(rows_)]
    yield []
    for words in (
        _("Columns that are not needed may be deleted, all but sku. An empty cell leaves things as they are."),
        _("[empty] in a cell empties it. Nothing is ever deleted by an import."),
        _("Figures of stock are not imported: receive or count goods on the stock board."),
        _("Pictures are not imported: add them on the product's page."),
    ):
        yield ["", words]
