"""What a file would do: which products it would make and change, and which of its rows are refused, and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from import_export.results import Result

from integrations.hub.files import workbooks
from integrations.hub.files.sheets import Sheet, described
from shop.catalogue import touch
from shop.catalogue.files import entries, lookups
from shop.catalogue.files.columns import Column
from shop.catalogue.files.entries import PARENT, VARIANT, Entry
from shop.catalogue.files.lookups import Lookups
from shop.catalogue.files.resource import ProductFile, check_header, text

SHEET = "products"  # of a workbook, what its sheet is called
SHOWN = 300  # rows a report names
LONGEST = 160  # characters of a value in a report


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong with a row. `column` is empty where it concerns the whole row."""

    row: int
    sku: str
    column: str
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`accepted` are the entries to be written, parents before variants. `digest` says whether another plan is the
    same; `notices` are for the person who brought the file."""

    rows: int
    accepted: list[Entry]
    unchanged: int
    refusals: list[Refusal]
    notices: list[str]
    lookups: Lookups
    columns: dict[str, Column]

    @property
    def created(self) -> list[Entry]:
        return [entry for entry in self.accepted if entry.before is None]

    @property
    def changed(self) -> list[Entry]:
        return [entry for entry in self.accepted if entry.before is not None]

    @property
    def refused_rows(self) -> int:
        return len({refusal.row for refusal in self.refusals})

    @property
    def digest(self) -> str:
        said = [[entry.row, entry.key, _said(entry.changes)] for entry in self.accepted]
        refused = [[refusal.row, refusal.column] for refusal in self.refusals]
        return hashlib.sha256(json.dumps([said, refused], default=str).encode()).hexdigest()

    def report(self) -> dict[str, Any]:
        """For people: the first rows that would change, with what was and what comes; all refusals; the notices."""
        return {
            "changes": [
                {"row": entry.row, "sku": entry.key, "new": entry.before is None, "values": list(self._shown(entry))}
                for entry in self.accepted[:SHOWN]
            ],
            "refusals": [
                {"row": one.row, "sku": one.sku, "column": one.column, "value": one.value, "words": one.words}
                for one in self.refusals[:SHOWN]
            ],
            "more_refusals": max(0, len(self.refusals) - SHOWN),
            "notices": self.notices,
        }

    def _shown(self, entry: Entry) -> Iterator[list[str]]:
        for name, (old, new) in entry.changes.items():
            column = self.columns[name]
            shown = [str(_rendered(column, entry, value))[:LONGEST] for value in (old, new)]
            if any(shown):
                yield [name, *shown]


def _rendered(column: Column, entry: Entry, value: Any) -> Any:
    if value is None or value == "":
        return ""
    return column.export(Entry(entry.key, entry.pk, entry.structure, entry.kind, {column.attribute: value}))


def _said(changes: dict[str, tuple[Any, Any]]) -> list[list[str]]:
    return [[name, str(old), str(new)] for name, (old, new) in sorted(changes.items())]


def read(name: str, content: bytes) -> Sheet:
    """The sheet of products in a file, whatever it is called. Raises Unreadable."""
    return workbooks.read(content, SHEET)


def make(sheet: Sheet, *, lock: bool = False) -> Plan:
    """What this sheet would do now. `lock`: hold the products it is about until the transaction ends."""
    found = lookups.load()
    ignored = check_header(sheet, found)
    known = entries.known(_keys(sheet))
    if lock:
        touch.lock(list(known.values()))
    existing = {entry.pk: entry for entry in entries.read(entries.with_parents(known.values())) if entry.pk}
    resource = ProductFile(sheet, found, known, existing)
    result = resource.check()
    refusals = list(_refusals(sheet, result))
    accepted, orphans = _with_parents(resource.accepted, {refusal.row for refusal in refusals}, resource)
    refusals = sorted([*refusals, *orphans], key=lambda refusal: refusal.row)
    unchanged = len(sheet.lines) - len(accepted) - len({refusal.row for refusal in refusals})
    return Plan(
        len(sheet.lines), accepted, unchanged, refusals, _notices(ignored), found, dict(resource.fields)
    )  # fmt: skip


def _keys(sheet: Sheet) -> set[str]:
    """Everything named as a SKU or as somebody's product."""
    places = [sheet.columns.index(name) for name in ("sku", "parent") if name in sheet.columns]
    return {word for line in sheet.lines for place in places if (word := text(line.cells[place]))}


def _refusals(sheet: Sheet, result: Result) -> Iterator[Refusal]:
    for invalid in result.invalid_rows:
        line = sheet.lines[invalid.number - 1]
        cells = dict(zip(sheet.columns, line.cells, strict=True))
        for column, messages in invalid.field_specific_errors.items():
            value = described(cells.get(column, ""))
            yield Refusal(line.number, text(cells.get("sku")), column, value, " ".join(messages))


def _with_parents(accepted: list[Entry], refused: set[int], resource: ProductFile) -> tuple[list[Entry], list[Refusal]]:
    """Parents first. A new variant goes with its product: where that row is refused, so is the variant's."""
    parents = {entry.key.upper(): entry for entry in accepted if entry.structure == PARENT}
    first = [entry for entry in accepted if entry.structure != VARIANT]
    then: list[Entry] = []
    orphans: list[Refusal] = []
    for entry in accepted:
        if entry.structure != VARIANT:
            continue
        key = str(entry.values["parent"]).upper()
        if entry.before is not None or key in resource.known or key in parents:
            then.append(entry)
        else:
            orphans.append(_orphan(entry, resource.rows_of[key], refused))
    return [*first, *then], orphans


def _orphan(entry: Entry, rows: list[int], refused: set[int]) -> Refusal:
    if rows and rows[0] in refused:
        words = _("The row of its product, %(row)d, is refused.") % {"row": rows[0]}
    else:
        words = _("Row %(row)d is no product with variants.") % {"row": rows[0]}
    return Refusal(entry.row, entry.key, "parent", str(entry.values["parent"]), words)


def _notices(ignored: list[str]) -> list[str]:
    if not ignored:
        return []
    words = ngettext(
        "The column %(names)s is left alone: figures of stock are not imported. Receive or count goods on the stock "
        "board; what an ERP counts comes from there.",
        "The columns %(names)s are left alone: figures of stock are not imported. Receive or count goods on the stock "
        "board; what an ERP counts comes from there.",
        len(ignored),
    )
    return [words % {"names": ", ".join(ignored)}]
