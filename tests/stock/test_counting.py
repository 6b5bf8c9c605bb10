"""Count sheets: chosen, entered by several people at once, counted again, decided at once, and exact whatever moved."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test.utils import override_settings
from django.utils import timezone, translation
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from integrations.hub.files.sheets import Unreadable
from shop import invariants
from shop.customer.models import User
from shop.stock import approvals, count_decisions, count_files, counting, movements
from shop.stock.approvals import OwnWork, Person
from shop.stock.count_decisions import NeedsAnother
from shop.stock.count_models import Choice, SheetState
from shop.stock.counting import Chosen, Count, Entered, NothingToCount, OnTheSheet, WrongState
from shop.stock.models import CountEntry, CountRow, CountSheet, Level, Movement, Pool, Reason, Shortage, Warehouse
from shop.stock.movements import Move, NotOurs, NotThere
from shop.stock.pending import CountWaits
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _balanced() -> object:
    yield
    assert [row for one in (invariants.I1, invariants.I2, invariants.I16) for row in invariants.broken(one)] == []


def somebody(name: str) -> Person:
    user = User.objects.filter(email=f"{name}@weft.test").first() or User.objects.create_user(
        f"{name}@weft.test", is_staff=True
    )
    return Person(user.pk, f"staff:{user.email}")


@pytest.fixture
def li(db: None) -> Person:
    return somebody("li")


@pytest.fixture
def boss(db: None) -> Person:
    return somebody("boss")


@pytest.fixture
def here(db: None) -> int:
    for sku, units in (("A-1", 10), ("A-2", 20), ("B-1", 30), ("B-2", 0)):
        factories.stock(sku, SZ=units)
    factories.stock("C-1", HZ=5)
    return Warehouse.objects.get(code="SZ").pk


def skus(sheet: CountSheet) -> list[str]:
    return list(sheet.rows.order_by("position").values_list("pool_id", flat=True))


def enter(sheet: CountSheet, person: Person, **found: int | None) -> Entered:
    """As somebody who sees the rows as they are now; A_1 is A-1."""
    rows = {row.pool_id: row for row in sheet.rows.all()}
    counts = {
        rows[sku.replace("_", "-")].pk: Count(units, rows[sku.replace("_", "-")].entries)
        for sku, units in found.items()
    }
    return counting.enter(sheet.pk, counts, person)


def row(sheet: CountSheet, sku: str) -> CountRow:
    return sheet.rows.get(pool=sku)


def on_hand(sku: str, code: str = "SZ") -> int:
    return Level.objects.get(pool=sku, warehouse__code=code).on_hand


def approve(sheet: CountSheet, person: Person, may: bool = False) -> CountSheet:
    return count_decisions.approve(sheet.pk, person, may_approve=may)


# --- choosing --------------------------------------------------------------------------------------------------------


def test_all_in_the_order_of_the_skus_as_many_as_wanted(here: int, li: Person) -> None:
    assert skus(counting.make(Chosen(here, rows=3), li)) == ["A-1", "A-2", "B-1"]
    assert skus(counting.make(Chosen(here), li)) == ["B-2"], "what stands on an open sheet is left out"
    with pytest.raises(NothingToCount) as nothing:
        counting.make(Chosen(here), li)
    assert nothing.value.elsewhere == 4


def test_by_the_beginning_of_the_sku_in_any_case(here: int, li: Person) -> None:
    assert skus(counting.make(Chosen(here, prefix="b-"), li)) == ["B-1", "B-2"]


def test_never_counted_and_longest_ago(here: int, li: Person) -> None:
    for sku, days in (("A-1", 30), ("A-2", 90), ("B-1", 10)):
        Level.objects.filter(pool=sku).update(counted_at=timezone.now() - timedelta(days=days))
    first = counting.make(Chosen(here, Choice.NEVER), li)
    assert skus(first) == ["B-2"]
    count_decisions.discard(first.pk, li, "later")
    assert skus(counting.make(Chosen(here, Choice.LONGEST, rows=3), li)) == ["A-1", "A-2", "B-2"]


def test_what_moved_most_often_lately_comes_first(here: int, li: Person) -> None:
    for sku, times in (("A-2", 1), ("B-1", 3), ("A-1", 2)):
        for _time in range(times):
            with transaction.atomic():
                movements.record([Move(sku, here, 1, Reason.RECEIPT)])
    with transaction.atomic():
        movements.record(
            [Move("B-2", here, 1, Reason.RECEIPT, at=timezone.now() - timedelta(days=99))] * 5
            + [Move("B-2", here, 1, Reason.COUNT)] * 9
        )
    assert skus(counting.make(Chosen(here, Choice.MOVED, rows=2), li)) == ["A-1", "B-1"]
    assert skus(counting.make(Chosen(here, Choice.MOVED), li)) == ["A-2"], "old moves and counts are none"


def test_an_erp_counts_its_own(here: int, li: Person) -> None:
    Warehouse.objects.filter(pk=here).update(erp_account=factories.account("erp"))
    with pytest.raises(NotOurs):
        counting.make(Chosen(here), li)


def test_a_sku_that_is_found_there_is_added(here: int, li: Person) -> None:
    sheet, other = counting.make(Chosen(here, prefix="A"), li), counting.make(Chosen(here, prefix="B"), li)
    assert counting.add(sheet.pk, "c-1").pool_id == "C-1"
    enter(sheet, li, C_1=4)
    assert (row(sheet, "C-1").figure, row(sheet, "C-1").difference) == (0, 4)
    with pytest.raises(OnTheSheet):
        counting.add(sheet.pk, "A-1")
    with pytest.raises(CountWaits) as waits:
        counting.add(sheet.pk, "B-1")
    assert waits.value.document == other.document
    with pytest.raises(Pool.DoesNotExist):
        counting.add(sheet.pk, "NOBODY")


# --- entering --------------------------------------------------------------------------------------------------------


def test_each_row_notes_the_figure_of_its_moment(here: int, li: Person, boss: Person) -> None:
    factories.product("A-1", price="50.00")
    sheet = counting.make(Chosen(here), li)
    assert enter(sheet, li, A_1=9).rows == 1
    factories.stock("A-1", SZ=-4)
    factories.stock("A-2", SZ=5)
    assert enter(sheet, boss, A_2=25, B_2=0).rows == 2
    first = row(sheet, "A-1")
    assert (first.found, first.figure, first.difference, first.counted_by) == (9, 10, -1, "staff:li@weft.test")
    assert (first.price, first.currency) == (Decimal("50.0000"), "CNY")
    assert (row(sheet, "A-2").difference, row(sheet, "B-2").difference) == (0, 0)
    assert row(sheet, "B-1").found is None
    counting.finish(sheet.pk, li)
    approve(sheet, li)
    assert (on_hand("A-1"), on_hand("A-2"), on_hand("B-1")) == (5, 25, 30), "6 were left, one less than thought"


def test_nobodys_count_replaces_one_they_have_not_seen(here: int, li: Person, boss: Person) -> None:
    sheet = counting.make(Chosen(here), li)
    key = row(sheet, "A-1").pk
    counting.enter(sheet.pk, {key: Count(9, seen=0)}, li)
    entered = counting.enter(sheet.pk, {key: Count(8, seen=0), row(sheet, "A-2").pk: Count(20, seen=0)}, boss)
    assert (entered.rows, list(entered.meanwhile)) == (1, [key])
    assert entered.meanwhile[key].found == 9
    assert row(sheet, "A-1").found == 9
    assert counting.enter(sheet.pk, {key: Count(9, seen=0)}, boss).meanwhile == {}, "they agree"
    assert counting.enter(sheet.pk, {key: Count(8, seen=1)}, boss).rows == 1
    assert list(CountEntry.objects.filter(row=key).values_list("found", "counted_by")) == [
        (9, "staff:li@weft.test"), (8, "staff:boss@weft.test"),
    ]  # fmt: skip


def test_a_count_can_be_taken_back_and_history_stays(here: int, li: Person) -> None:
    sheet = counting.make(Chosen(here), li)
    enter(sheet, li, A_1=9)
    enter(sheet, li, A_1=None)
    taken = row(sheet, "A-1")
    assert (taken.found, taken.figure, taken.counted_by, taken.entries) == (None, None, "", 2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CountEntry.objects.update(found=1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CountEntry.objects.all().delete()


def test_a_sku_whose_single_count_waits_is_not_entered_and_the_other_way_round(
    here: int, li: Person, boss: Person
) -> None:
    sheet = counting.make(Chosen(here), li)
    with override_settings(WEFT_APPROVE_UNITS=1), transaction.atomic():
        single = approvals.count("A-1", here, 1, li, "x").proposal
    assert single
    assert list(enter(sheet, li, A_1=5, A_2=19).waits.values()) == [single.document]
    with pytest.raises(CountWaits) as waits, transaction.atomic():
        approvals.count("A-2", here, 19, boss, "x")
    assert waits.value.document == sheet.document
    with transaction.atomic():
        assert approvals.count("B-1", here, 29, boss, "x").difference == -1, "on the sheet, but not counted yet"
    approvals.refuse(single.pk, boss, "")
    assert enter(sheet, li, A_1=5).rows == 1


def test_only_while_it_is_being_counted(here: int, li: Person) -> None:
    sheet = counting.make(Chosen(here), li)
    with pytest.raises(NothingToCount):
        counting.finish(sheet.pk, li)
    enter(sheet, li, A_1=9)
    for decide in (lambda: approve(sheet, li), lambda: count_decisions.ask_again(sheet.pk)):
        with pytest.raises(WrongState):
            decide()
    counting.finish(sheet.pk, li)
    for call in (
        lambda: enter(sheet, li, A_1=8),
        lambda: counting.add(sheet.pk, "C-1"),
        lambda: counting.finish(sheet.pk, li),
    ):
        with pytest.raises(WrongState):
            call()


# --- deciding --------------------------------------------------------------------------------------------------------


def counted(here: int, person: Person, **found: int) -> CountSheet:
    sheet = counting.make(Chosen(here), person)
    enter(sheet, person, **found)
    return counting.finish(sheet.pk, person)


def test_what_it_came_to(here: int, li: Person) -> None:
    factories.product("A-1", price="50.00")
    factories.product("A-2", price="10.00")
    result = count_decisions.result(counted(here, li, A_1=8, A_2=25, B_1=30))
    assert (result.rows, result.counted, result.right, result.share_right) == (4, 3, 1, 33)
    assert (result.more, result.fewer) == (5, 2)
    assert (result.net_values, result.gross_values) == ({"CNY": Decimal(-50)}, {"CNY": Decimal(150)})
    assert not result.needs_another


def test_small_differences_are_approved_by_who_counted_as_one_record(here: int, li: Person) -> None:
    sheet = counted(here, li, A_1=8, A_2=25, B_1=30)
    approve(sheet, li)
    moves = Movement.objects.filter(document=sheet.document).order_by("pool")
    assert [(m.pool_id, m.quantity, m.reason, m.actor, m.note) for m in moves] == [
        ("A-1", -2, Reason.COUNT, "staff:li@weft.test", "li@weft.test"),
        ("A-2", 5, Reason.COUNT, "staff:li@weft.test", "li@weft.test"),
    ]
    assert len({move.at for move in moves}) == 1
    assert set(Level.objects.exclude(counted_at=None).values_list("pool_id", flat=True)) == {"A-1", "A-2", "B-1"}
    sheet.refresh_from_db()
    assert (sheet.state, sheet.decided_by) == (SheetState.APPROVED, "staff:li@weft.test")
    with pytest.raises(WrongState):
        approve(sheet, li)


@override_settings(WEFT_APPROVE_UNITS=6)
def test_large_ones_by_somebody_with_the_right_who_did_not_count(here: int, li: Person, boss: Person) -> None:
    """7 units in all, though no row has more than 5."""
    sheet = counted(here, li, A_1=8, A_2=25)
    assert count_decisions.result(sheet).needs_another
    with pytest.raises(NeedsAnother):
        approve(sheet, boss)
    with pytest.raises(OwnWork):
        approve(sheet, li, may=True)
    assert (on_hand("A-1"), CountSheet.objects.get().state) == (10, SheetState.COUNTED)
    approve(sheet, boss, may=True)
    assert (on_hand("A-1"), on_hand("A-2")) == (8, 25)
    move = Movement.objects.get(document=sheet.document, pool="A-1")
    assert (move.actor, move.note) == ("staff:boss@weft.test", "li@weft.test")


@override_settings(WEFT_APPROVE_UNITS=6)
def test_who_took_a_count_back_or_ended_the_counting_counted_too(here: int, li: Person, boss: Person) -> None:
    sheet = counting.make(Chosen(here), li)
    enter(sheet, boss, B_1=1)
    enter(sheet, boss, B_1=None)
    enter(sheet, li, A_1=1)
    counting.finish(sheet.pk, somebody("wang"))
    for person in (boss, li, somebody("wang")):
        with pytest.raises(OwnWork):
            approve(sheet, person, may=True)
    approve(sheet, somebody("zhao"), may=True)


def test_below_zero_by_now_all_of_it_waits(here: int, li: Person) -> None:
    sheet = counted(here, li, A_1=2, A_2=19)
    factories.stock("A-1", SZ=-5)
    with pytest.raises(NotThere) as below:
        approve(sheet, li)
    assert below.value.skus == ("A-1",)
    assert (on_hand("A-2"), CountSheet.objects.get().state) == (20, SheetState.COUNTED)


def test_promised_goods_that_were_not_found_are_short(here: int, li: Person) -> None:
    order = factories.order({"A-1": 9})
    approve(counted(here, li, A_1=7), li)
    assert (Shortage.objects.get().quantity, Shortage.objects.get().orders) == (2, [order.number])


def test_rows_that_differ_are_counted_again(here: int, li: Person, boss: Person) -> None:
    sheet = counted(here, li, A_1=8, A_2=20, B_1=29)
    assert count_decisions.ask_again(sheet.pk) == 2
    sheet.refresh_from_db()
    assert (sheet.state, sheet.round) == (SheetState.COUNTING, 2)
    assert [r.pool_id for r in counting.countable(sheet)] == ["A-1", "B-1"]
    first = row(sheet, "A-1")
    assert (first.found, first.again) == (None, True)
    entered = counting.enter(sheet.pk, {row(sheet, "A-2").pk: Count(1, 1)}, boss)
    assert (entered.rows, entered.closed) == (0, [row(sheet, "A-2").pk])
    assert counting.enter(sheet.pk, {first.pk: Count(8, seen=1)}, li).meanwhile, "a page of the first round"
    factories.stock("A-1", SZ=-1)
    enter(sheet, boss, A_1=9)
    counting.finish(sheet.pk, boss)
    approve(sheet, li)
    assert (on_hand("A-1"), on_hand("A-2"), on_hand("B-1")) == (9, 20, 30), "what was not counted again stays"
    assert list(CountEntry.objects.filter(row=first.pk).values_list("round", "found", "figure")) == [
        (1, 8, 10), (2, 9, 9),
    ]  # fmt: skip


def test_there_is_nothing_to_count_again_where_all_agree(here: int, li: Person) -> None:
    sheet = counted(here, li, A_1=10)
    with pytest.raises(WrongState):
        count_decisions.ask_again(sheet.pk)


def test_discarded_writes_nothing_and_frees_its_skus(here: int, li: Person) -> None:
    sheet = counted(here, li, A_1=8)
    count_decisions.discard(sheet.pk, li, "wrong warehouse")
    sheet.refresh_from_db()
    assert (sheet.state, sheet.note, on_hand("A-1")) == (SheetState.DISCARDED, "wrong warehouse", 10)
    with pytest.raises(WrongState):
        approve(sheet, li)
    assert len(skus(counting.make(Chosen(here), li))) == 4


STEPS = st.lists(st.tuples(st.sampled_from(["move", "count"]), st.integers(0, 2), st.integers(0, 12)), max_size=14)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_the_difference_is_exact_whatever_moves(steps: list[tuple[str, int, int]]) -> None:
    """A shelf in truth, and a figure that is off: whatever is counted last, the figure is off no more."""
    person = somebody("li")
    names = [f"S{Pool.objects.count()}-{number}" for number in range(3)]
    place = Warehouse.objects.create(code=names[0], name=names[0])
    truth = dict.fromkeys(names, 10)
    for number, sku in enumerate(names):
        factories.stock(sku, **{place.code: 8 + 2 * number})
    sheet = counting.make(Chosen(place.pk), person)
    seen: set[str] = set()
    for step, which, units in steps:
        sku = names[which]
        if step == "move":
            move = min(units, truth[sku], on_hand(sku, place.code)) * (-1 if units % 2 else 1)
            factories.stock(sku, **{place.code: move})
            truth[sku] += move
        elif counting.enter(sheet.pk, {row(sheet, sku).pk: Count(truth[sku], row(sheet, sku).entries)}, person).rows:
            seen.add(sku)
    if not seen:
        return
    counting.finish(sheet.pk, person)
    approve(sheet, person, may=True)
    assert {sku: on_hand(sku, place.code) for sku in seen} == {sku: truth[sku] for sku in seen}


# --- files -----------------------------------------------------------------------------------------------------------


def written(sheet: CountSheet, kind: str, language: str = "en") -> bytes:
    file = io.BytesIO()
    with translation.override(language):
        count_files.write(sheet, kind, file)
    return file.getvalue()


def filled(content: bytes, **found: Any) -> bytes:
    """The sheet's own workbook with these cells filled in."""
    book = load_workbook(io.BytesIO(content))
    table = book.worksheets[0]
    for cells in table.iter_rows(min_row=2):
        sku = next(str(cell.value) for cell in cells if str(cell.value).replace("-", "_") in found or cell.column == 3)
        cells[-1].value = found.get(sku.replace("-", "_"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_out_and_back_in_either_language(here: int, li: Person, language: str) -> None:
    factories.product("A-1", title="椅", title_en="Chair")
    sheet = counting.make(Chosen(here), li)
    content = written(sheet, "xlsx", language)
    table = [[cell.value for cell in cells] for cells in load_workbook(io.BytesIO(content)).worksheets[0].iter_rows()]
    assert [cells[2] for cells in table[1:]] == ["A-1", "A-2", "B-1", "B-2"]
    assert {cells[-1] for cells in table[1:]} == {None}
    assert not any(30 in cells for cells in table), "blind: no figure stands anywhere"
    assert table[1][3] == ("Chair" if language == "en" else "椅")
    checked = count_files.check(sheet, "x.xlsx", filled(content, A_1=9, B_2=0.0))
    assert [(r.pool_id, count.found) for r, count in checked.counts] == [("A-1", 9), ("B-2", 0)]
    assert (checked.empty, checked.refusals) == (2, [])
    assert not CountEntry.objects.exists(), "only checked"
    counting.enter(sheet.pk, count_files.counts(count_files.carried(checked)), li, source="x.xlsx")
    assert (row(sheet, "A-1").difference, CountEntry.objects.first().source) == (-1, "x.xlsx")  # type: ignore[union-attr]
    again = count_files.check(sheet, "x.xlsx", filled(content, A_1=9, A_2=20))
    assert (again.unchanged, len(again.counts)) == (1, 1)


def test_csv_out_and_back_with_the_figures_where_it_is_not_blind(here: int, li: Person) -> None:
    sheet = counting.make(Chosen(here, prefix="A", blind=False), li)
    text = written(sheet, "csv").decode("utf-8-sig")
    assert text.splitlines() == [
        "count sheet,row,SKU,title,on hand,units found", f"{sheet.pk},1,A-1,,10,", f"{sheet.pk},2,A-2,,20,",
    ]  # fmt: skip
    back = text.replace("A-2,,20,", "A-2,,20,18")
    assert [(r.pool_id, c.found) for r, c in count_files.check(sheet, "a.csv", back.encode()).counts] == [("A-2", 18)]


def test_each_wrong_row_is_named_and_the_right_ones_are_taken(here: int, li: Person) -> None:
    sheet = counting.make(Chosen(here), li)
    lines = [
        "count sheet,SKU,units found", f"{sheet.pk},A-1,9", f"{sheet.pk},a-1,9", f"{sheet.pk},A-2,many",
        f"{sheet.pk},B-1,-1", f"{sheet.pk},B-1,1.5", f"{sheet.pk},NOBODY,1", f"{sheet.pk},C-1,5", "999,B-1,30",
        f"{sheet.pk},,4", f"{sheet.pk},B-1,9999999", f"{sheet.pk},NOBODY,", f"{sheet.pk},B-1,{'9' * 60}", ",B-2,１２",
    ]  # fmt: skip
    with translation.override("en"):
        checked = count_files.check(sheet, "a.csv", "\n".join(lines).encode())
    assert [(r.pool_id, c.found) for r, c in checked.counts] == [("A-1", 9), ("B-2", 12)]
    assert [(refusal.row, refusal.words.split(".")[0]) for refusal in checked.refusals] == [
        (3, "The SKU stands in row 2 already"),
        (4, "This is not a whole number of units"),
        (5, "This is not a whole number of units"),
        (6, "This is not a whole number of units"),
        (7, "This SKU is not on the sheet"),
        (8, "This SKU is not on the sheet"),
        (9, "This row is of count sheet #999"),
        (10, "There is no SKU"),
        (11, "More than 1000000 units"),
        (13, "This is not a whole number of units"),
    ]
    assert checked.empty == 1


def test_formulas_and_truth_values_are_no_counts(here: int, li: Person) -> None:
    sheet = counting.make(Chosen(here), li)
    content = filled(written(sheet, "xlsx"), A_1="=1+1", A_2=True, B_1=7.5, B_2="'12")
    checked = count_files.check(sheet, "x.xlsx", content)
    assert [refusal.sku for refusal in checked.refusals] == ["A-1", "A-2", "B-1", "B-2"]


@pytest.mark.parametrize("header", ["SKU,title", "units found,title", "a,b"])
def test_a_file_without_its_columns_is_refused_whole(here: int, li: Person, header: str) -> None:
    sheet = counting.make(Chosen(here), li)
    with pytest.raises(Unreadable), translation.override("en"):
        count_files.check(sheet, "a.csv", f"{header}\nA-1,1".encode())


def test_what_is_no_file_of_counts_at_all(here: int, li: Person) -> None:
    sheet = counting.make(Chosen(here), li)
    damaged = b"PK\x03\x04nothing"
    empty = io.BytesIO()
    Workbook().save(empty)
    for content in (b"", damaged, empty.getvalue(), b"\xd0\xcf\x11\xe0old"):
        with pytest.raises(Unreadable):
            count_files.check(sheet, "x.xlsx", content)


def test_in_the_second_round_only_what_differed_goes_out_and_comes_back(here: int, li: Person) -> None:
    sheet = counted(here, li, A_1=8, A_2=20)
    count_decisions.ask_again(sheet.pk)
    sheet.refresh_from_db()
    assert [r.pool_id for r in count_files.rows(sheet)] == ["A-1"]
    with translation.override("en"):
        checked = count_files.check(sheet, "a.csv", b"SKU,units found\nA-1,9\nA-2,9")
    assert [r.pool_id for r, _count in checked.counts] == ["A-1"]
    assert "not counted again" in checked.refusals[0].words


# --- at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_people_entering_at_once_lose_nothing(li: Person, boss: Person) -> None:
    for number in range(24):
        factories.stock(f"A-{number:02}", SZ=10)
    sheet = counting.make(Chosen(Warehouse.objects.get().pk), li)
    rows = list(sheet.rows.order_by("position"))
    people = [li, boss, somebody("wang"), somebody("zhao")]

    def work(number: int) -> int:
        done = 0
        for start in range(0, 24, 4):
            mine = rows[start + number : start + number + 1] + rows[start : start + 1]
            counts = {row.pk: Count(10 + number, seen=0) for row in mine}
            done += counting.enter(sheet.pk, counts, people[number]).rows
        return done

    assert sum(int(str(done)) for done in at_once(work, 4)) == 24
    assert sheet.rows.filter(found=None).count() == 0
    assert CountEntry.objects.count() == 24
    assert not sheet.rows.exclude(entries=1).exists(), "of a row that several entered the first stands"


@pytest.mark.django_db(transaction=True)
def test_approved_twice_discarded_and_counted_again_at_once(li: Person) -> None:
    decides: list[Callable[[CountSheet, Person], object]] = [
        lambda sheet, person: approve(sheet, person),
        lambda sheet, person: count_decisions.discard(sheet.pk, person, "no"),
        lambda sheet, person: approve(sheet, person),
        lambda sheet, person: count_decisions.ask_again(sheet.pk),
    ]
    people = [somebody(name) for name in ("a", "b", "c", "d")]
    for number in range(4):
        factories.stock(f"A-{number}", SZ=10)
        sheet = counting.make(Chosen(Warehouse.objects.get(code="SZ").pk, prefix=f"A-{number}"), li)
        enter(sheet, li, **{f"A_{number}": 8})
        counting.finish(sheet.pk, li)

        def work(which: int, sheet: CountSheet = sheet) -> object:
            return decides[which](sheet, people[which])

        results = at_once(work, 4)
        assert {type(error) for error in results if isinstance(error, Exception)} <= {WrongState}
        sheet.refresh_from_db()
        if sheet.state == SheetState.APPROVED:
            assert sum(isinstance(result, CountSheet) for result in results) == 1
        assert on_hand(f"A-{number}") == (8 if sheet.state == SheetState.APPROVED else 10)
        if sheet.state != SheetState.DISCARDED and sheet.state != SheetState.APPROVED:
            count_decisions.discard(sheet.pk, li, "over")


@pytest.mark.django_db(transaction=True)
def test_two_sheets_made_at_once_share_no_sku(li: Person) -> None:
    for number in range(12):
        factories.stock(f"A-{number:02}", SZ=10)
    place = Warehouse.objects.get().pk
    made = at_once(lambda _number: counting.make(Chosen(place, rows=4), li), 4)
    assert sorted(type(result).__name__ for result in made) == ["CountSheet"] * 3 + ["NothingToCount"]
    assert CountRow.objects.values("pool").distinct().count() == 12
