"""Files as people make them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook

from shop.catalogue.files import plan
from shop.catalogue.files.plan import Plan


def as_csv(*rows: Sequence[Any], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(*rows: Sequence[Any], title: str = "products") -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def planned(*rows: Sequence[Any], name: str = "products.csv") -> Plan:
    """What these rows would do."""
    return plan.make(plan.read(name, as_csv(*rows)))


def refused(found: Plan) -> list[tuple[int, str, str]]:
    """Row, column and words of all that is refused."""
    return [(one.row, one.column, one.words) for one in found.refusals]
