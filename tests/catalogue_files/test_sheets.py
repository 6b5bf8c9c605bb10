"""What cells say: encodings, delimiters, workbooks; and every way in which a file cannot be read, in words."""

from __future__ import annotations

import datetime
import io
import zipfile

import pytest
from django.utils import translation
from openpyxl import Workbook

from integrations.hub.files import sheets, workbooks
from integrations.hub.files.sheets import Bad, Unreadable
from shop.catalogue.files import plan
from tests.catalogue_files.sheets import as_csv, as_xlsx, saved

ROWS = (("sku", "title_zh_hans"), ("A-1", "橡木椅"), ("A-2", "可调光台灯"))


@pytest.fixture(autouse=True)
def _english() -> None:
    translation.activate("en")


def cells(content: bytes, name: str = "file") -> list[list[object]]:
    return [line.cells for line in plan.read(name, content).lines]


def refusal(content: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        plan.read("file", content)
    return str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_people_save_in(encoding: str, delimiter: str) -> None:
    found = plan.read("products.csv", as_csv(*ROWS, encoding=encoding, delimiter=delimiter))
    assert found.columns == ["sku", "title_zh_hans"]
    assert [(line.number, line.cells) for line in found.lines] == [(2, ["A-1", "橡木椅"]), (3, ["A-2", "可调光台灯"])]


def test_a_workbook_says_the_same() -> None:
    assert cells(as_xlsx(*ROWS)) == [["A-1", "橡木椅"], ["A-2", "可调光台灯"]]


def test_the_sheet_called_products_is_read_wherever_it_stands() -> None:
    book = Workbook()
    book.active.append(["help"])
    sheet = book.create_sheet("Products")
    for row in ROWS:
        sheet.append(row)
    assert cells(saved(book))[0] == ["A-1", "橡木椅"]


def test_kinds_of_cells_in_a_workbook() -> None:
    day = datetime.datetime(2026, 11, 23)
    row = ["A-1", 5, 1.5, True, day, None]
    content = as_xlsx(["sku", "a", "b", "c", "d", "e"], row)
    assert cells(content) == [["A-1", 5, 1.5, True, day, ""]]


def test_formulas_and_errors_are_no_values() -> None:
    book = Workbook()
    book.active.append(["sku", "price", "title_en"])
    book.active.append(["A-1", "=1+1", "#N/A"])
    book.active["C2"].data_type = "e"
    (row,) = cells(saved(book))
    assert isinstance(row[1], Bad)
    assert "paste it as values" in row[1].words
    assert isinstance(row[2], Bad)
    assert "#N/A" in row[2].words


def test_blank_rows_are_skipped_and_numbers_are_the_programs() -> None:
    content = as_csv([], ["sku"], [], ["A-1"], [""], ["A-2"])
    assert [(line.number, line.cells) for line in plan.read("x", content).lines] == [(4, ["A-1"]), (6, ["A-2"])]


def test_texts_that_looked_like_formulas_come_back_as_they_were() -> None:
    assert cells(as_csv(["sku", "title_en"], ["A-1", "'=1+1"], ["A-2", "'-5 %"], ["A-3", "it's"])) == [
        ["A-1", "=1+1"], ["A-2", "-5 %"], ["A-3", "it's"],
    ]  # fmt: skip


def test_ends_of_lines_are_alike() -> None:
    assert cells(as_csv(["sku", "description_en"], ["A-1", "one\r\ntwo\rthree"])) == [["A-1", "one\ntwo\nthree"]]
    assert cells(as_xlsx(["sku", "description_en"], ["A-1", "one_x000D_\ntwo"])) == [["A-1", "one\ntwo"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"sku,title_en\n", "a header but no rows"),
        (b",,\n,,\n", "nothing in it"),
        (as_csv(["sku", "", "price"], ["A-1", "x", "5"]), "Column B has no heading"),
        (as_csv(["sku", "price", "Price"], ["A-1", "5", "6"]), "Two columns are called “price”"),
        (as_csv(["sku"], ["A-1", "x"]), "Row 2 has more cells than the header: column B"),
        (b'sku,title_en\nA-1,"never closed\nA-2,x\n', "is not CSV: a quotation mark is missing"),
        (b"sku,title_en\nA-1,\xff\xff\xff\xe9 x\n", "neither UTF-8 nor GB18030"),
        (b"sku\0,title\nA-1,x\n", "neither UTF-8 nor GB18030"),
        (b"sku,title_en\nA-1," + b"x" * 100_001, "a cell too long"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "of the old kind (.xls), or one with a password"),
        (b"PK\x03\x04 not a zip at all", "damaged, or not one"),
        (b"x" * (sheets.BYTES + 1), "larger than 10 MB"),
        (as_csv(*[[f"c{n}" for n in range(301)]], ["A-1"]), "More than 300 columns"),
        (as_csv(["sku"], *[[f"A-{n}"] for n in range(sheets.ROWS + 1)]), "More than 5000 rows"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(content: bytes, words: str) -> None:
    assert words in refusal(content)


def test_merged_headings_are_named() -> None:
    book = Workbook()
    for row in (["sku", "title", None, "price"], ["A-1", "中", "en", 5]):
        book.active.append(row)
    book.active.merge_cells("B1:C1")
    assert "Column C has no heading" in refusal(saved(book))


def test_a_zip_that_is_no_workbook() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("picture.png", b"x")
    assert "damaged, or not one" in refusal(data.getvalue())


def replaced(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """The same workbook with something else in one of its parts."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            text = source.read(name)
            target.writestr(name, text.replace(old, new) if name == part else text)
    return data.getvalue()


def test_a_small_file_does_not_unfold_into_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "UNFOLDED", 1_000_000)
    bomb = replaced(as_xlsx(*ROWS), "docProps/core.xml", b"</cp:", b" " * 2_000_000 + b"</cp:")
    assert len(bomb) < 20_000
    assert "far too large" in refusal(bomb)


def test_entities_do_not_unfold_either() -> None:
    """A billion laughs inside the sheet: the parser stops, and nothing of the machine is used up."""
    levels = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    laugh = b'<!DOCTYPE worksheet [<!ENTITY a0 "ha">' + levels + b"]><worksheet "
    content = replaced(as_xlsx(*ROWS), "xl/worksheets/sheet1.xml", b"<worksheet ", laugh)
    content = replaced(content, "xl/worksheets/sheet1.xml", b"</sheetData>", b"<row r='9'><c r='A9' t='str'><v>&a9;</v>"
                       b"</c></row></sheetData>")  # fmt: skip
    assert "damaged, or not one" in refusal(content)


def test_a_cell_far_below_does_not_count_a_million_rows() -> None:
    content = replaced(as_xlsx(*ROWS), "xl/worksheets/sheet1.xml", b'<row r="3">', b'<row r="1048576">')
    assert "far below the last row" in refusal(content)


def test_what_the_file_says_of_its_own_size_is_not_believed() -> None:
    content = replaced(as_xlsx(*ROWS), "xl/worksheets/sheet1.xml", b'ref="A1:B3"', b'ref="A1:XFD1048576"')
    assert cells(content)[0] == ["A-1", "橡木椅"]


def test_columns_are_named_as_programs_name_them() -> None:
    assert [sheets.letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
