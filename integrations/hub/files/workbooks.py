"""Workbooks: read row by row, so that a small file does not unfold into a large one; formulas are refused."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from integrations.hub.files import sheets
from integrations.hub.files.sheets import COLUMNS, Bad, Sheet, Unreadable, sheet

UNFOLDED = 150 * 1024 * 1024  # bytes of a workbook's parts together
PARTS = 500
OLD = b"\xd0\xcf\x11\xe0"  # .xls, and every workbook with a password
log = logging.getLogger(__name__)


def read(content: bytes, name: str = "") -> Sheet:
    """The sheet in a file, of a workbook the one called `name`, else its first. Raises Unreadable."""
    if len(content) > sheets.BYTES:
        raise Unreadable(_("The file is larger than %(n)d MB. Divide it.") % {"n": sheets.BYTES // 1024 // 1024})
    if not content.strip():
        raise Unreadable(_("The file is empty."))
    if content.startswith(OLD):
        raise Unreadable(
            _("This is a workbook of the old kind (.xls), or one with a password. Save it as .xlsx without a password.")
        )
    return from_xlsx(content, name) if content.startswith(b"PK\x03\x04") else sheets.from_csv(content)


def from_xlsx(content: bytes, name: str = "") -> Sheet:
    """The sheet called `name`, else the first one. Raises Unreadable."""
    _check_size(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        found = [ws for ws in book.worksheets if ws.title.strip().lower() == name] or book.worksheets
        if not found:
            raise Unreadable(_("The workbook has no sheet."))
        found[0].reset_dimensions()  # what a file says of its own size may be wrong
        return sheet(_rows(found[0]))
    except Unreadable:
        raise
    except Exception as error:  # a damaged file makes openpyxl raise anything at all
        log.info("a workbook that cannot be read: %r", error)
        raise Unreadable(_("The workbook is damaged, or not one. Open it, save it as .xlsx, and try again.")) from None


def _check_size(content: bytes) -> None:
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError):
        raise Unreadable(_("The workbook is damaged, or not one. Open it, save it as .xlsx, and try again.")) from None
    if len(parts) > PARTS or sum(part.file_size for part in parts) > UNFOLDED:
        raise Unreadable(_("Unpacked, the workbook is far too large. Delete pictures and sheets that are not needed."))


def _rows(worksheet: Any) -> Iterator[list[Any]]:
    for row in worksheet.iter_rows(max_col=COLUMNS + 1):
        yield [_value(cell) for cell in row]


def _value(cell: Any) -> Any:
    if cell.data_type == "f":
        return Bad(_("This is a formula. Copy the column and paste it as values only."))
    if cell.data_type == "e":
        return Bad(_("This is an error of the spreadsheet program (%(value)s).") % {"value": cell.value})
    return cell.value
