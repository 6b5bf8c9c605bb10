"""Count sheets as files: out with empty cells, back with what was found. The same columns both ways, in both languages.

A file is checked first; what it would enter is shown, and carried to the second step as it was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.hub.files import exports
from integrations.hub.files.sheets import Bad, Cell, Line, Sheet, Unreadable, described
from integrations.hub.files.workbooks import read
from shop.stock import counting, finding
from shop.stock.counting import Count
from shop.stock.models import CountRow, CountSheet, Level

MOST = 1_000_000  # units of one row; more is a typing error
LONGEST = 12  # digits
SHEET, ROW, SKU, TITLE, FIGURE, FOUND = "sheet", "row", "sku", "title", "figure", "found"
HEADINGS = {
    SHEET: gettext_lazy("count sheet"),
    ROW: gettext_lazy("row"),
    SKU: gettext_lazy("SKU"),
    TITLE: gettext_lazy("title"),
    FIGURE: gettext_lazy("on hand"),
    FOUND: gettext_lazy("units found"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of a file that is not entered, and why."""

    row: int
    sku: str
    value: str
    words: str


@dataclass(slots=True)
class Checked:
    """What a file would enter: (row of the sheet, its count); rows that say what stands already, and empty cells."""

    counts: list[tuple[CountRow, Count]] = field(default_factory=list)
    unchanged: int = 0
    empty: int = 0
    refusals: list[Refusal] = field(default_factory=list)


# --- out -------------------------------------------------------------------------------------------------------------


def rows(sheet: CountSheet) -> list[Any]:
    """The rows to be counted now, with `title`; with `now`, the figure, where the sheet is not blind."""
    found: list[Any] = list(counting.countable(sheet).annotate(title=finding.titles("pool_id")).order_by("position"))
    figures: Mapping[str, int] = {}
    if not sheet.blind:
        levels = Level.objects.filter(warehouse=sheet.warehouse_id, pool__in=[row.pool_id for row in found])
        figures = dict(levels.values_list("pool_id", "on_hand"))
    for row in found:
        row.now = None if sheet.blind else figures.get(row.pool_id, 0)
    return found


def columns(sheet: CountSheet) -> list[exports.Column]:
    """In the reader's language."""
    return [
        exports.text(HEADINGS[SHEET], lambda row: row.sheet_id),
        exports.text(HEADINGS[ROW], lambda row: row.position),
        exports.text(HEADINGS[SKU], lambda row: row.pool_id),
        exports.text(HEADINGS[TITLE], lambda row: row.title),
        *([] if sheet.blind else [exports.text(HEADINGS[FIGURE], lambda row: row.now)]),
        exports.text(HEADINGS[FOUND], lambda row: row.found),
    ]


def write(sheet: CountSheet, kind: str, file: IO[bytes]) -> int:
    """Write the sheet as `csv` or `xlsx`; returns how many rows."""
    return exports.FORMATS[kind](file, columns(sheet), rows(sheet))


# --- back ------------------------------------------------------------------------------------------------------------


def check(sheet: CountSheet, name: str, content: bytes) -> Checked:
    """What this file would enter on the sheet. Nothing is written. Raises Unreadable."""
    read_sheet = read(content)
    place = _places(read_sheet)
    known = {row.pool_id.lower(): row for row in counting.countable(sheet)}
    elsewhere = set(sheet.rows.values_list("pool_id", flat=True)) - {row.pool_id for row in known.values()}
    checking = _Checking(sheet, known, {sku.lower() for sku in elsewhere}, place)
    for line in read_sheet.lines:
        checking.take(line)
    return checking.found


def _places(read_sheet: Sheet) -> dict[str, int]:
    """Column -> where it stands in the file. Raises Unreadable where SKU or what was found is missing."""
    names = {heading: column for heading, column in _headings()}
    place = {names[name]: number for number, name in enumerate(read_sheet.columns) if name in names}
    for needed in (SKU, FOUND):
        if needed not in place:
            words = _("The column “%(name)s” is missing. Use the sheet's own file, and leave its headings as they are.")
            raise Unreadable(words % {"name": HEADINGS[needed]})
    return place


def _headings() -> Iterator[tuple[str, str]]:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            yield from ((str(heading).lower(), column) for column, heading in HEADINGS.items())


class _Checking:
    """Goes through a file's rows; each SKU counts once."""

    def __init__(
        self, sheet: CountSheet, known: Mapping[str, CountRow], others: Iterable[str], place: Mapping[str, int]
    ) -> None:
        self.sheet, self.known, self.others, self.place = sheet, known, set(others), place
        self.seen: dict[str, int] = {}
        self.found = Checked()

    def take(self, line: Line) -> None:
        sku, value = described(self._cell(line, SKU)), self._cell(line, FOUND)
        if value == "":
            self.found.empty += 1
            return
        problem = self._problem(line, sku) or wrong(value)
        if problem:
            self.found.refusals.append(Refusal(line.number, sku, described(value), problem))
            return
        self.seen[sku.lower()] = line.number
        row, units = self.known[sku.lower()], whole(value)
        if row.found == units:
            self.found.unchanged += 1
        else:
            self.found.counts.append((row, Count(units, row.entries)))

    def _cell(self, line: Line, column: str) -> Cell:
        return line.cells[self.place[column]] if column in self.place else ""

    def _problem(self, line: Line, sku: str) -> str:
        """What is wrong with the row, whatever was found; empty when nothing is."""
        number = described(self._cell(line, SHEET)).removesuffix(".0")
        key = sku.lower()
        if number and number != str(self.sheet.pk):
            return _("This row is of count sheet #%(number)s.") % {"number": number}
        if not sku:
            return _("There is no SKU.")
        if key in self.others:
            return _("Its first count agreed: it is not counted again.")
        if key not in self.known:
            return _("This SKU is not on the sheet. Add it there first, if it lies at this place.")
        if key in self.seen:
            return _("The SKU stands in row %(row)d already.") % {"row": self.seen[key]}
        return ""


def whole(value: Cell) -> int | None:
    """A cell as a number of units; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) <= LONGEST else None
    return int(value) if float(value).is_integer() else None


def wrong(value: Cell) -> str:
    """Why this is no count; empty when it is one."""
    if isinstance(value, Bad):
        return value.words
    units = whole(value)
    if units is None or units < 0:
        return _("This is not a whole number of units.")
    return _("More than %(most)d units. Is that right?") % {"most": MOST} if units > MOST else ""


# --- what was checked, on its way to the second step -----------------------------------------------------------------


def carried(checked: Checked) -> list[list[int]]:
    """The counts of a checked file as they are carried to the page's second step (signed there)."""
    return [[row.pk, count.found or 0, count.seen] for row, count in checked.counts]


def counts(carried_: Iterable[Iterable[int]]) -> dict[int, Count]:
    """Back again."""
    return {row: Count(found, seen) for row, found, seen in carried_}
