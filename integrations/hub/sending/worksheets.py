"""Worksheets as files: out with what is to be done, back with what was. The same columns both ways, in both languages.

Each row carries a signature over its worksheet, row, account, key and revision: only rows of this file, as they were
taken, come back. A file is checked first; what it would do is shown, and carried to the second step as it was read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import IO, Any

from django.conf import settings
from django.core.signing import Signer
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from integrations.hub import topics
from integrations.hub.files import exports, workbooks
from integrations.hub.files.sheets import Bad, Cell, Line, Sheet, Unreadable, described
from integrations.hub.models import Outgoing, Taken
from integrations.hub.sending import manual
from integrations.hub.sending.manual import Entered
from integrations.hub.values import Absent

ROW, TOPIC, ABOUT, KEY, WHAT = "row", "topic", "about", "key", "what"
STATE, NUMBER, AMOUNT, NOTE, MARK = "state", "number", "amount", "note", "mark"
HEADINGS = {
    ROW: gettext_lazy("row"),
    TOPIC: gettext_lazy("topic"),
    ABOUT: gettext_lazy("about"),
    KEY: gettext_lazy("enter it there as"),
    WHAT: gettext_lazy("what is to be done"),
    STATE: gettext_lazy("done? (yes, no)"),
    NUMBER: gettext_lazy("its number there"),
    AMOUNT: pgettext_lazy("worksheet", "amount"),
    NOTE: gettext_lazy("note"),
    MARK: gettext_lazy("do not change"),
}
YES, NO = {"yes", "y", "是", "1", "√"}, {"no", "n", "否", "0", "×"}
LONGEST = 160  # characters of what is entered
_signer = Signer(salt="weft.worksheet")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of a file that is not taken, and why."""

    row: int
    about: str
    value: str
    words: str


@dataclass(slots=True)
class Checked:
    """What a file would do: rows to tick off, rows to give back, rows that say nothing, and what is refused."""

    done: dict[int, Entered] = field(default_factory=dict)
    not_done: list[int] = field(default_factory=list)
    empty: int = 0
    refusals: list[Refusal] = field(default_factory=list)


# --- out -------------------------------------------------------------------------------------------------------------


def write(sheet: Taken, kind: str, file: IO[bytes]) -> int:
    """Write the worksheet as `csv` or `xlsx`, in the reader's language; returns how many rows."""
    rows: list[Any] = list(manual.open_rows(sheet))
    docs = manual.documents(rows)
    for row in rows:
        row.what = in_words(docs.get(row.pk))
    return exports.FORMATS[kind](file, _columns(), rows)


def _columns() -> list[exports.Column]:
    empty = ("", "", "")
    return [
        exports.text(HEADINGS[ROW], lambda row: str(row.pk)),
        exports.text(HEADINGS[TOPIC], lambda row: topics.label(row.topic)),
        exports.text(HEADINGS[ABOUT], lambda row: topics.subject_words(row.subject)),
        exports.text(HEADINGS[KEY], lambda row: row.key),
        exports.text(HEADINGS[WHAT], lambda row: row.what),
        *(exports.text(HEADINGS[name], lambda _row, value=value: value)  # type: ignore[misc]
          for name, value in zip((STATE, NUMBER, AMOUNT), empty, strict=True)),
        exports.text(HEADINGS[NOTE], lambda _row: ""),
        exports.text(HEADINGS[MARK], mark),
    ]  # fmt: skip


def mark(row: Outgoing) -> str:
    """The signature of a row as it was taken."""
    return _signer.signature(f"{row.taken_id}:{row.pk}:{row.account_id}:{row.topic}:{row.key}:{row.taken_revision}")


def in_words(doc: Any) -> str:
    """A document as lines of `name: value`; what stands empty is left out."""
    if isinstance(doc, Absent):
        return _("It is gone here: remove it there, if it is there.")
    if not manual.is_work(doc):
        return _("Nothing to be done just now.")
    return "\n".join(f"{name}: {value}" for name, value in _lines("", _plain(doc)))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(one) for name, one in asdict(value).items()}
    if isinstance(value, Enum):
        return value.name.lower()
    return value


def _lines(name: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for inner, one in value.items():
                yield from _lines(f"{name}.{inner}" if name else str(inner), one)
        case list() | tuple():
            for place, one in enumerate(value, start=1):
                yield from _lines(f"{name}.{place}", one)
        case Enum():
            yield name, value.name.lower()
        case None | "":
            return
        case str() | int() | float() | Decimal() | date() | datetime():
            yield name, str(value)
        case _:
            yield name, json.dumps(value, default=str, ensure_ascii=False)


# --- back ------------------------------------------------------------------------------------------------------------


def check(sheet: Taken, content: bytes) -> Checked:
    """What this file would do. Nothing is written. Raises Unreadable."""
    read = workbooks.read(content)
    place = _places(read)
    rows = {str(row.pk): row for row in manual.open_rows(sheet)}
    checking = _Checking(rows, place)
    for line in read.lines:
        checking.take(line)
    return checking.found


def _places(read: Sheet) -> dict[str, int]:
    """Column -> where it stands in the file. Raises Unreadable where one is missing that is needed."""
    names = {heading: column for heading, column in _headings()}
    place = {names[name]: number for number, name in enumerate(read.columns) if name in names}
    for needed in (ROW, STATE, NUMBER, MARK):
        if needed not in place:
            words = _(
                "The column “%(name)s” is missing. Use the worksheet's own file, and leave its headings as they are."
            )
            raise Unreadable(words % {"name": HEADINGS[needed]})
    return place


def _headings() -> Iterator[tuple[str, str]]:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            yield from ((str(heading).lower(), column) for column, heading in HEADINGS.items())


class _Checking:
    """Goes through a file's rows; each counts once."""

    def __init__(self, rows: Mapping[str, Outgoing], place: Mapping[str, int]) -> None:
        self.rows, self.place = rows, place
        self.seen: dict[int, int] = {}
        self.found = Checked()

    def take(self, line: Line) -> None:
        state = described(self._cell(line, STATE)).strip().lower()
        if state in ("", "true", "false") and not isinstance(self._cell(line, STATE), bool):
            self.found.empty += 1
            return
        row, words = self._row(line)
        words = words or self._entry(line, row, state)
        if words:
            about = described(self._cell(line, ABOUT)) or described(self._cell(line, ROW))
            self.found.refusals.append(Refusal(line.number, about, state, words))

    def _row(self, line: Line) -> tuple[Outgoing | None, str]:
        """The row it speaks of, or what is wrong with it."""
        number, words = _whole(self._cell(line, ROW))
        if words:
            return None, words
        row = self.rows.get(number)
        if row is None:
            return None, _("It is not on this worksheet (any more).")
        if not constant_time_compare(described(self._cell(line, MARK)), mark(row)):
            return None, _("Its last column was changed, or it is of another file. Use the worksheet's own file.")
        if row.pk in self.seen:
            return None, _("It stands in row %(row)d already.") % {"row": self.seen[row.pk]}
        self.seen[row.pk] = line.number
        return row, ""

    def _entry(self, line: Line, row: Outgoing | None, state: str) -> str:
        """Note what is to be done with the row, or say what is wrong."""
        assert row is not None
        if state in NO:
            self.found.not_done.append(row.pk)
            return ""
        if state not in YES and self._cell(line, STATE) is not True:
            return _("Say yes (是) if it was done, no (否) to give it back, or leave the cell empty.")
        number, words = _text(self._cell(line, NUMBER))
        amount, wrong = _amount(self._cell(line, AMOUNT))
        note = described(self._cell(line, NOTE))
        entered = Entered(number, amount, note)
        words = words or wrong or manual.missing(row, entered)
        if not words:
            self.found.done[row.pk] = entered
        return words

    def _cell(self, line: Line, column: str) -> Cell:
        return line.cells[self.place[column]] if column in self.place else ""


def _is_scientific(text: str) -> bool:
    """1.23E+11: what spreadsheet programs make of long numbers; digits are lost."""
    mantissa, letter, exponent = text.upper().partition("E")
    return bool(letter) and exponent.lstrip("+-").isdecimal() and mantissa.replace(".", "", 1).lstrip("-").isdecimal()


def _text(cell: Cell) -> tuple[str, str]:
    """A number of a document as it was typed, or what is wrong with the cell."""
    if isinstance(cell, Bad):
        return "", cell.words
    if isinstance(cell, float):
        if not cell.is_integer() or abs(cell) >= 1e15:
            return "", _lost()
        cell = int(cell)
    text = str(cell).strip()
    if _is_scientific(text) or (isinstance(cell, int) and len(text) > 15):
        return "", _lost()
    if len(text) > LONGEST:
        return "", _("That is too long: at most %(most)d characters.") % {"most": LONGEST}
    return text, ""


def _lost() -> str:
    return _(
        "The spreadsheet program has made a number of it, and digits are lost. Format the cell as text, type it anew."
    )


def _whole(cell: Cell) -> tuple[str, str]:
    text, words = _text(cell)
    if not words and not text.isdecimal():
        words = _("This is no row of a worksheet.")
    return text, words


def _amount(cell: Cell) -> tuple[str, str]:
    if isinstance(cell, Bad):
        return "", cell.words
    text = (
        format(Decimal(str(cell)), "f") if isinstance(cell, int | float) and not isinstance(cell, bool) else str(cell)
    )
    text = text.strip()
    if not text:
        return "", ""
    whole, _point, cents = text.partition(".")
    if not whole.isdecimal() or not text.isascii() or (cents and not cents.isdecimal()) or len(text) > 20:
        return "", _("Write the amount like 1299.00: digits and a point.")
    return text, ""


# --- what was checked, on its way to the second step -----------------------------------------------------------------


def carried(checked: Checked) -> dict[str, Any]:
    """A checked file as it is carried to the page's second step (signed there)."""
    return {
        "done": {str(pk): [one.number, one.amount, one.note] for pk, one in checked.done.items()},
        "not_done": checked.not_done,
    }


def uncarried(said: Mapping[str, Any]) -> tuple[dict[int, Entered], Sequence[int]]:
    """Back again."""
    return {int(pk): Entered(*one) for pk, one in said["done"].items()}, said["not_done"]
