"""Worksheets as files: only rows of the file itself come back, and what a spreadsheet program does to them is said."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.utils import translation
from openpyxl import Workbook, load_workbook

from integrations.hub import outgoing
from integrations.hub.files.sheets import Unreadable
from integrations.hub.models import Account, Outgoing, Taken
from integrations.hub.sending import manual, worksheets
from integrations.hub.values import Absent, Money
from tests.hub.probe import Errand, Thing

pytestmark = pytest.mark.django_db

STATE, NUMBER, AMOUNT, NOTE, MARK = 5, 6, 7, 8, 9


@pytest.fixture
def sheet(account: Account, monkeypatch: pytest.MonkeyPatch) -> Taken:
    monkeypatch.setattr(Thing, "by_hand", True)
    monkeypatch.setattr(Errand, "by_hand", True)
    with outgoing.recording():
        outgoing.ensure("test.thing", ["=cmd()", "b", "c", "d"])
    (made,), _left = manual.take(Outgoing.objects.all(), "staff:wei")
    return made


def table(sheet: Taken, language: str = "zh-hans") -> list[list[str]]:
    file = io.BytesIO()
    with translation.override(language):
        worksheets.write(sheet, "csv", file)
    return list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"))))


def as_csv(rows: list[list[str]], encoding: str = "utf-8-sig") -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode(encoding)


def filled(sheet: Taken, *entries: tuple[str, str], language: str = "zh-hans") -> list[list[str]]:
    rows = table(sheet, language)
    for row, (state, number) in zip(rows[1:], entries, strict=False):
        row[STATE], row[NUMBER] = state, number
    return rows


def test_there_and_back(sheet: Taken) -> None:
    checked = worksheets.check(sheet, as_csv(filled(sheet, ("是", "SO-1"), ("否", ""), ("", ""), ("yes", "SO-4"))))
    rows = list(manual.open_rows(sheet))
    assert {pk: one.number for pk, one in checked.done.items()} == {rows[0].pk: "SO-1", rows[3].pk: "SO-4"}
    assert checked.not_done == [rows[1].pk]
    assert (checked.empty, checked.refusals) == (1, [])
    done, not_done = worksheets.uncarried(worksheets.carried(checked))
    result = manual.finish(sheet, done, not_done, "staff:wei")
    assert (result.ticked, result.given_back) == (2, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_whatever_saved_it(sheet: Taken, encoding: str) -> None:
    rows = filled(sheet, ("是", "单-1"))
    assert len(worksheets.check(sheet, as_csv(rows, encoding)).done) == 1


def test_one_language_out_and_another_back(sheet: Taken) -> None:
    rows = filled(sheet, ("yes", "1"), language="en")
    assert rows[0][STATE] == "done? (yes, no)"
    with translation.override("zh-hans"):
        assert len(worksheets.check(sheet, as_csv(rows)).done) == 1


def test_workbooks_hold_texts(sheet: Taken) -> None:
    file = io.BytesIO()
    worksheets.write(sheet, "xlsx", file)
    book = load_workbook(file)
    cells = list(book.active.iter_rows(min_row=2))
    assert {cell.data_type for row in cells for cell in row if cell.value is not None} == {"s"}
    cells[0][STATE].value, cells[0][NUMBER].value = "是", "SO-1"
    cells[1][STATE].value, cells[1][NUMBER].value = True, 4711
    again = io.BytesIO()
    book.save(again)
    checked = worksheets.check(sheet, again.getvalue())
    assert sorted(one.number for one in checked.done.values()) == ["4711", "SO-1"]


def test_cells_that_look_like_formulas_are_texts(sheet: Taken) -> None:
    keys = [row[3] for row in table(sheet)[1:]]
    assert "'=cmd()" in keys


def refused(sheet: Taken, rows: list[list[Any]]) -> list[str]:
    checked = worksheets.check(sheet, as_csv(rows))
    assert not checked.done
    assert not checked.not_done
    return [refusal.words for refusal in checked.refusals]


@pytest.mark.parametrize("number", ["1.23457E+12", "2E5", "1e10"])
def test_numbers_whose_digits_are_lost(sheet: Taken, number: str) -> None:
    with translation.override("en"):
        (words,) = refused(sheet, filled(sheet, ("yes", number)))
    assert "digits are lost" in words


def test_numbers_whose_digits_are_lost_in_a_workbook(sheet: Taken) -> None:
    rows = filled(sheet, ("是", ""))
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for number in (1.5, 1234567890123456, 2.0261123e17):
        book.active.cell(2, NUMBER + 1).value = number
        file = io.BytesIO()
        book.save(file)
        with translation.override("en"):
            (refusal,) = worksheets.check(sheet, file.getvalue()).refusals
        assert "digits are lost" in refusal.words


def test_ids_that_are_real_words_pass(sheet: Taken) -> None:
    checked = worksheets.check(sheet, as_csv(filled(sheet, ("yes", "SE-12E"), ("yes", "E12"))))
    assert len(checked.done) == 2


def test_only_rows_of_the_file_itself(sheet: Taken, account: Account) -> None:
    with outgoing.recording():
        outgoing.ensure("test.thing", ["other"])
    (second,), _left = manual.take(Outgoing.objects.filter(key="other"), "staff:li")
    theirs = filled(second, ("yes", "1"))
    rows = filled(sheet, ("yes", "1"), ("yes", "1"), ("maybe", "1"), ("yes", ""))
    rows[1][0] = theirs[1][0]  # another worksheet's row
    rows[2][MARK] = theirs[1][MARK]
    with translation.override("en"):
        words = refused(sheet, rows)
    assert [one.split(" ")[0] for one in words] == ["It", "Its", "Say", "Its"]
    assert len(refused(sheet, [rows[0], theirs[1]])) == 1


def test_a_row_that_was_taken_anew_is_another_row(sheet: Taken) -> None:
    rows = filled(sheet, ("yes", "1"), ("yes", "1"), ("yes", "1"), ("yes", "1"))
    manual.give_back(sheet.rows.all())
    with outgoing.recording():
        outgoing.ensure("test.thing", ["b"])
    (again,), _left = manual.take(Outgoing.objects.all(), "staff:wei")
    assert len(refused(again, rows)) == 4, "signed for the first worksheet"


def test_twice_in_a_file_counts_once(sheet: Taken) -> None:
    rows = filled(sheet, ("yes", "1"))
    checked = worksheets.check(sheet, as_csv([*rows, rows[1]]))
    assert (len(checked.done), len(checked.refusals)) == (1, 1)


@pytest.mark.parametrize("amount", ["-1", "1,299.00", "1.2.3", "NaN", "١٢", "1e3"])
def test_amounts_are_plain_numbers(sheet: Taken, amount: str) -> None:
    rows = filled(sheet, ("yes", "1"))
    rows[1][AMOUNT] = amount
    assert len(refused(sheet, rows)) == 1


@pytest.mark.parametrize("column", [0, STATE, NUMBER, MARK])
def test_without_a_column_it_is_no_worksheet(sheet: Taken, column: int) -> None:
    rows = [[cell for place, cell in enumerate(row) if place != column] for row in table(sheet)]
    with pytest.raises(Unreadable):
        worksheets.check(sheet, as_csv(rows))


def test_rubbish_is_refused_in_words(sheet: Taken) -> None:
    for content in (b"", b"\x00\x01\x02", b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0old"):
        with pytest.raises(Unreadable):
            worksheets.check(sheet, content)


def test_a_document_in_words() -> None:
    doc = {"name": "张伟", "money": Money("12.00", "CNY"), "lines": [{"sku": "A", "note": ""}], "none": None}  # type: ignore[arg-type]
    assert worksheets.in_words(doc).splitlines()[0] == "name: 张伟"
    assert "lines.1.sku: A" in worksheets.in_words(doc)
    assert "note" not in worksheets.in_words(doc)
    with translation.override("en"):
        assert "gone here" in worksheets.in_words(Absent())
