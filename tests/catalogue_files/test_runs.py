"""Imports that were brought: what is kept, who decides, once; and what comes in between."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from shop.catalogue.files import runs
from shop.catalogue.models import ImportRun, ImportState, Product
from shop.customer.models import User
from shop.partner.models import StockRecord
from tests import factories
from tests.catalogue_files.sheets import as_csv
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RIGHT = as_csv(["sku", "price"], ["CHAIR-1", "99"])
HALF = as_csv(["sku", "price"], ["CHAIR-1", "99"], ["DESK-1", "free"])


@pytest.fixture(autouse=True)
def _english() -> None:
    translation.activate("en")


@pytest.fixture(autouse=True)
def staff(db: None) -> User:
    factories.product("CHAIR-1", price="113.00")
    factories.product("DESK-1", price="113.00")
    return User.objects.create_user("catalogue@weft.test", is_staff=True)


def bring(content: bytes, name: str = "prices.csv", actor: str = "staff:a") -> ImportRun:
    return runs.bring(name, content, actor=actor)


def take(run: ImportRun, *, leave_out: bool = False) -> ImportRun:
    user = User.objects.get(email="catalogue@weft.test")
    return runs.take(run.pk, actor="staff:b", user=user.pk, leave_out=leave_out)


def price(sku: str = "CHAIR-1") -> Any:
    return StockRecord.objects.get(partner_sku=sku).price


def test_checking_writes_nothing_and_keeps_everything() -> None:
    run = ImportRun.objects.get(pk=bring(HALF).pk)
    assert (run.state, run.rows, run.changed, run.refused, run.unchanged) == (ImportState.CHECKED, 2, 1, 1, 0)
    assert (run.actor, run.file_name, run.sha256) == ("staff:a", "prices.csv", hashlib.sha256(HALF).hexdigest())
    assert run.report["changes"] == [
        {"row": 2, "sku": "CHAIR-1", "new": False, "values": [["price", "113.00", "99.00"]]}
    ]
    (refusal,) = run.report["refusals"]
    assert (refusal["row"], refusal["sku"], refusal["column"], refusal["value"]) == (3, "DESK-1", "price", "free")
    assert price() == 113


def test_a_file_that_cannot_be_read_is_kept_with_why() -> None:
    run = bring(b"title_en\nx\n")
    assert (run.state, run.content) == (ImportState.UNREADABLE, None)
    assert "There is no column “sku”" in run.problem
    assert list(runs.refused_imports()) == [run]


def test_a_whole_file_is_written_once() -> None:
    run = bring(RIGHT)
    assert take(run).state == ImportState.IMPORTED
    assert price() == 99
    run.refresh_from_db()
    assert (run.decided_by, run.content, run.closed_at) == ("staff:b", None, None)
    with pytest.raises(runs.Decided):
        take(run)
    with pytest.raises(runs.Decided):
        runs.discard(run.pk, actor="staff:b")
    assert not runs.refused_imports().exists()


def test_refused_rows_are_left_out_only_when_somebody_says_so() -> None:
    run = bring(HALF)
    with pytest.raises(runs.Refusing):
        take(run)
    assert price() == 113
    take(run, leave_out=True)
    assert (price(), price("DESK-1")) == (99, 113)
    assert list(runs.refused_imports()) == [run]


def test_a_refused_import_stays_until_it_is_closed() -> None:
    run = take(bring(HALF), leave_out=True)
    closed = runs.close(run.pk, actor="staff:c", note="the desk has no price yet")
    assert (closed.closed_by, closed.note) == ("staff:c", "the desk has no price yet")
    assert not runs.refused_imports().exists()
    with pytest.raises(runs.Decided):
        runs.close(run.pk, actor="staff:c", note="again")
    with pytest.raises(runs.Decided):
        runs.close(bring(HALF).pk, actor="staff:c", note="not decided yet")


def test_mended_and_brought_again_closes_what_was_refused() -> None:
    first, unread = bring(HALF), bring(b"oops\n1\n")
    others, elsewhere = bring(HALF, actor="staff:z"), bring(HALF, name="other.csv")
    take(bring(as_csv(["sku", "price"], ["CHAIR-1", "99"], ["DESK-1", "0"])))
    assert set(runs.refused_imports()) == {others, elsewhere}
    first.refresh_from_db()
    unread.refresh_from_db()
    assert (first.state, first.content) == (ImportState.DISCARDED, None)
    assert "Brought again and imported" in first.note
    assert "Brought again and imported" in unread.note


def test_a_discarded_file_is_gone_and_settled() -> None:
    run = runs.discard(bring(HALF).pk, actor="staff:c")
    assert (run.state, run.content) == (ImportState.DISCARDED, None)
    assert not runs.refused_imports().exists()
    with pytest.raises(runs.Decided):
        take(run, leave_out=True)


def test_a_catalogue_that_changed_meanwhile_is_shown_again_before_anything_is_written() -> None:
    run = bring(RIGHT)
    StockRecord.objects.filter(partner_sku="CHAIR-1").update(price="120.00")
    with pytest.raises(runs.Different):
        take(run)
    assert price() == 120
    run.refresh_from_db()
    assert run.report["changes"][0]["values"] == [["price", "120.00", "99.00"]]
    take(run)
    assert price() == 99


def test_a_sku_somebody_else_makes_meanwhile_is_no_error() -> None:
    new = as_csv(["sku", "type", "title_zh_hans"], ["LAMP-1", "goods", "灯"])
    run = bring(new)
    factories.product("LAMP-1", title="他的灯")
    with pytest.raises(runs.Different):
        take(run)
    run.refresh_from_db()
    assert (run.created, run.changed) == (0, 1)
    assert Product.objects.get(stockrecords__partner_sku="LAMP-1").title_zh_hans == "他的灯"


def test_two_clicks_write_it_once() -> None:
    run = bring(RIGHT)
    results = at_once(lambda _n: take(run), threads=6)
    assert sum(isinstance(result, ImportRun) for result in results) == 1
    assert sum(isinstance(result, runs.Decided) for result in results) == 5


def test_files_at_once_that_concern_the_same_products_come_one_after_the_other() -> None:
    """Each writes what it showed, or is told that the other one was first."""
    brought = [
        bring(as_csv(["sku", "price"], ["DESK-1", str(n)], ["CHAIR-1", str(n)]), name=f"{n}.csv") for n in range(1, 7)
    ]
    results = at_once(lambda n: take(brought[n]), threads=6)
    wrong = [result for result in results if not isinstance(result, (ImportRun, runs.Different))]
    assert wrong == []
    assert sum(isinstance(result, ImportRun) for result in results) == 1
    assert price() == price("DESK-1")


def test_new_products_of_two_files_at_once_are_made_once() -> None:
    rows = [["sku", "type", "title_zh_hans"], *([f"LAMP-{n}", "goods", "灯"] for n in range(20))]
    brought = [bring(as_csv(*rows), name=f"{n}.csv") for n in range(4)]
    results = at_once(lambda n: take(brought[n]), threads=4)
    assert sum(isinstance(result, ImportRun) for result in results) == 1, results
    assert Product.objects.count() == 22


def test_a_file_nobody_decides_about_is_forgotten_after_a_day() -> None:
    run = bring(RIGHT)
    ImportRun.objects.filter(pk=run.pk).update(at=timezone.now() - timedelta(hours=25))
    bring(RIGHT, name="another.csv")
    with pytest.raises(runs.Forgotten):
        take(run)
    run.refresh_from_db()
    assert run.report["changes"]


def test_long_names_keep_their_end() -> None:
    assert bring(RIGHT, name="很" * 300 + ".csv").file_name.endswith(".csv")
