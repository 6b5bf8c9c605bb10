"""Files with mistakes in them: each bad row is refused with a reason, the others are taken, the money adds up."""

from __future__ import annotations

import gzip
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop import invariants
from shop.order.models import Line, Order
from shop.replay import control, transactions
from tests.replay.conftest import LONDON, Run, replay, write
from tests.replay.test_rules import AT, UK, OfRows, row

GOOD = row("9", "A1000", 1, "5")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row("1", "A1000", "six", "5"), "Quantity is not a number"),
        (row("1", "A1000", "1.5", "5"), "Quantity is not a whole number"),
        (row("1", "A1000", "", "5"), "Quantity is not a number"),
        (row("1", "A1000", 0, "5"), "the quantity is 0"),
        (row("1", "A1000", 10**12, "5"), "the quantity is too large"),
        (row("1", "A1000", 1, "NaN"), "UnitPrice is not a number"),
        (row("1", "A1000", 1, "1,50"), "UnitPrice is not a number"),
        (row("1", "A1000", 1, "£5"), "UnitPrice is not a number"),
        (row("1", "A1000", 1, "1e3"), "UnitPrice is not a number"),
        (row("1", "A1000", 1, "99999999999999.99"), "the amount is too large"),
        (row("1", "A1000", 2 * 10**9, "99999.99"), "the amount is too large"),
        (row("1", "", 1, "5"), "StockCode is empty"),
        (row("1", "A" * 65, 1, "5"), "StockCode is longer than 64 characters"),
        (row("", "A1000", 1, "5"), "InvoiceNo is empty"),
        (row("1", "A1000", 1, "5", at="12/1/2010 8:26"), "InvoiceDate is not an ISO 8601 date and time"),
        (row("1", "A1000", 1, "5", at="2010-02-30 08:26:00"), "InvoiceDate is not an ISO 8601 date and time"),
        (row("1", "A1000", 1, "5", at="0001-01-01 00:00:00"), "InvoiceDate is out of range"),
        (row("C1", "A1000", 1, "5"), "a cancellation that takes nothing back (its quantity is above 0)"),
        (row("9", "A1000", 1, "5", buyer="12345"), "another CustomerID than the invoice's rows before it"),
        (row("1", "A1000", 1, "5", title="x\0y"), "a cell holds a NUL character"),
        (("1", "A1000", "LANTERN", 1), "not as many cells as the header has"),
        ((*row("1", "A1000", 1, "5"), "more"), "not as many cells as the header has"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_alone(of_rows: OfRows, bad: tuple[object, ...], reason: str) -> None:
    made = of_rows([GOOD, bad])
    assert made.reasons == {2: reason}
    assert made.refused[0][:3] == ["2", reason, str(bad[0])]
    assert Line.objects.count() == 1


@pytest.mark.parametrize("quantity", [" 6 ", "6.0", "+6"])
def test_numbers_as_other_programs_write_them(of_rows: OfRows, quantity: str) -> None:
    of_rows([row("1", "A1000", quantity, " 5.50 ", buyer="17850.0")])
    assert (Line.objects.get().quantity, Order.objects.get().buyer_reference) == (6, "17850")


def test_columns_in_another_order_and_one_more(tmp_path: Path, transactional_db: None) -> None:
    columns = ("Till", "Country", "CustomerID", "UnitPrice", "InvoiceDate", "Quantity", "Description", "stockcode",
               "InvoiceNo")  # fmt: skip
    file = write(tmp_path / "f.csv", [("7", UK, "17850", "5.00", AT, 3, "LANTERN", "A1000", "1")], columns)
    made = replay(file)
    assert (made.wrong, made.figures["in_total"], Line.objects.get().quantity) == ([], Decimal(15), 3)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
@pytest.mark.parametrize("packed", [True, False])
def test_encodings_and_gzip(tmp_path: Path, transactional_db: None, encoding: str, packed: bool) -> None:
    text = f"{','.join(transactions.COLUMNS)}\r\n1,A1000,Café £20,2,{AT},5.25,,France\r\n\r\n"
    file = tmp_path / "f.csv"
    content = text.encode(encoding)
    file.write_bytes(gzip.compress(content) if packed else content)
    made = replay(file)
    assert (made.wrong, made.figures["rows_read"], made.figures["out_total"]) == ([], 1, Decimal("10.5"))
    assert Line.objects.get().title == "Café £20"


def test_no_rows_at_all(of_rows: OfRows) -> None:
    made = of_rows([])
    assert (made.figures["rows_read"], made.figures["out_total"]) == (0, 0)


def test_a_file_of_another_shape_is_told_so(tmp_path: Path, db: None) -> None:
    file = write(tmp_path / "f.csv", [], ("Invoice", "Price"))
    with pytest.raises(CommandError, match="no column InvoiceNo, StockCode"):
        call_command("replay", file, out=tmp_path)


def test_a_torn_gzip_is_told_so(tmp_path: Path, db: None) -> None:
    file = tmp_path / "f.csv.gz"
    file.write_bytes(gzip.compress(b"InvoiceNo,StockCode\n" * 999)[:60])
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("replay", file, out=tmp_path)


def test_another_replay_s_database_is_refused(tmp_path: Path, transactional_db: None) -> None:
    file = write(tmp_path / "f.csv", [GOOD])
    call_command("replay", file, out=tmp_path, mark="one", stdout=io.StringIO())
    with pytest.raises(CommandError, match="holds other data"):
        call_command("replay", file, out=tmp_path, mark="two", stdout=io.StringIO())


def test_the_first_pass_adds_exactly(tmp_path: Path) -> None:
    rows = [row("1", "A", 3, "0.1"), row("1", "A", 7, "0.001"), row("1", "A", "x", "5"), row("1", "A", 10**30, "1e-9")]
    total = control.total(write(tmp_path / "f.csv", rows))
    assert (total.rows, total.unreadable) == (4, 1)
    assert total.amount == Decimal("0.307") + Decimal(10) ** 21


def test_limit_is_in_rows_for_both_passes(tmp_path: Path) -> None:
    file = write(tmp_path / "f.csv", [row(str(n), "A1000", 1, "5") for n in range(9)])
    assert control.total(file, 4).rows == transactions.read(file, LONDON, 4).rows == 4


# --- anything at all --------------------------------------------------------------------------------------------------

codes = st.sampled_from(["A1000", "a1000", "B2000", "POST", "M", "PADS", "", "ß1", "SS1", "编号7"]) | st.text(
    max_size=8
)
numbers = st.sampled_from(["1", "2", "-1", "-3", "0", "6.0", "12", "x", "", "1.5", "9" * 12])
prices = st.sampled_from(["1.00", "2.5", "0", "0.00", "-4.20", "0.001", "1e3", "NaN", "", "10"])
anything = st.tuples(
    st.sampled_from(["1", "2", "3", "C4", "C5", "c6", "A7", ""]) | st.text(max_size=4),
    codes,
    st.sampled_from(["LANTERN", "", "Manual", "damaged"]) | st.text(max_size=12),
    numbers,
    st.sampled_from([AT, "2011-06-01 10:00:00", "2011-03-27 01:30:00", "yesterday", ""]),
    prices,
    st.sampled_from(["", "17850", "12346", "12346.0"]),
    st.sampled_from([UK, "Ruritania", "", "USA"]) | st.text(max_size=6),
)


@pytest.mark.parametrize("stock", [None, 3])
def test_whatever_is_in_a_file_every_row_is_in_one_class(
    tmp_path: Path, transactional_db: None, django_db_blocker: Any, stock: int | None
) -> None:
    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(anything | st.lists(st.text(max_size=6), max_size=9).map(tuple), max_size=25))
    def check(rows: list[tuple[str, ...]]) -> None:
        call_command("flush", verbosity=0, interactive=False)
        encodable = [[cell.encode("utf-8", "replace").decode() for cell in cells] for cells in rows]
        file = write(tmp_path / "any.csv", encodable)
        first: Run = replay(file, stock=stock)
        assert first.wrong == []
        again = replay(file, stock=stock)
        assert (again.figures, again.reasons, again.progress.documents) == (first.figures, first.reasons, 0)
        assert [broken for one in invariants.registered() for broken in invariants.broken(one)] == []

    check()
