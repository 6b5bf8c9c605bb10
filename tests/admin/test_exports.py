"""Every staff list as a file: what is in it, who may have it, and what it costs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from integrations.hub.desk import list_exports
from integrations.hub.files import exports
from shop.customer.models import User
from shop.order.models import Order
from shop.returns.models import Adjustment, CreditNote
from shop.stock.models import Movement
from tests import crowds, factories
from tests.admin.conftest import Login
from tests.admin.pages import said
from tests.statements import counted, same

PERSONAL = {"order_order", "customer_user", "admin_logentry"}  # the log names whom something was done to
LISTS = sorted(
    f"{model._meta.app_label}_{model._meta.model_name}"
    for model, page in admin.site._registry.items()
    if isinstance(page, list_exports.ExportAdmin)
)


def address(name: str, query: str = "") -> str:
    return f"{reverse(f'admin:{name}_export')}?{query}"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def rows(client: Client, name: str, query: str = "", kind: str = "csv") -> list[list[Any]]:
    answer = client.post(address(name, query), {"format": kind})
    assert answer.status_code == 200, answer
    if kind == "xlsx":
        return [list(row) for row in load_workbook(io.BytesIO(body(answer))).active.iter_rows(values_only=True)]
    return list(csv.reader(io.StringIO(body(answer).decode("utf-8-sig"))))


@pytest.fixture
def order() -> Order:
    factories.stock("CHAIR-1", SZ=10)
    made = factories.order({"CHAIR-1": 2}, note="=1+1")
    Order.objects.filter(pk=made.pk).update(date_placed=datetime(2026, 11, 22, 18, 30, tzinfo=UTC))
    return made


def test_our_lists_all_have_the_button() -> None:
    assert len(LISTS) > 20
    without = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry} - set(LISTS)
    assert without <= {"catalogue_category"}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", exports.FORMATS)
@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_exported_by_whom_sees_it(login: Login, order: Order, name: str, kind: str) -> None:
    """The auditor sees everything, and gets all of it but people's addresses."""
    answer = login("auditor").post(address(name), {"format": kind})
    assert answer.status_code == (403 if name in PERSONAL else 200)
    shown = login("auditor").get(reverse(f"admin:{name}_changelist"))
    assert shown.context["can_export"] == (name not in PERSONAL)
    assert login("superuser").post(address(name), {"format": kind}).status_code == 200
    nobody = 200 if name == "desk_savedlist" else 403  # everybody's own
    assert login("").post(address(name), {"format": kind}).status_code == nobody
    assert Client().post(address(name), {"format": kind}).status_code == 302


@pytest.mark.django_db
def test_who_may_take_addresses_out_of_the_house(login: Login, order: Order) -> None:
    for group in ("sales", "finance"):
        assert rows(login(group), "order_order")[1][0] == order.number
    for group in ("warehouse", "integrations"):
        assert login(group).post(address("order_order"), {"format": "csv"}).status_code == 403


@pytest.mark.django_db
def test_a_file_is_asked_for_with_post_in_a_known_form(login: Login) -> None:
    client = login("superuser")
    assert client.get(address("stock_pool")).status_code == 405
    assert client.post(address("stock_pool"), {"format": "pdf"}).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(email="superuser@weft.test"))
    assert strict.post(address("stock_pool"), {"format": "csv"}).status_code == 403


@pytest.mark.django_db
def test_amounts_are_numbers_times_are_of_the_persons_zone_texts_are_no_formulas(login: Login, order: Order) -> None:
    client = login("superuser")
    for kind in exports.FORMATS:
        head, row = rows(client, "order_order", kind=kind)
        cells = dict(zip(head, row, strict=True))
        assert cells["note" if "note" in cells else "customer's note"] == "'=1+1"
        assert cells["phone"] == "'+8613800138000"
        assert "placed at (Asia/Shanghai)" in head
        if kind == "xlsx":
            assert cells["gross"] == Decimal("226")
            assert not isinstance(cells["gross"], str)
            assert cells["placed at (Asia/Shanghai)"] == datetime(2026, 11, 23, 2, 30)
        else:
            assert Decimal(cells["gross"]) == Decimal("226")
            assert cells["placed at (Asia/Shanghai)"] == "2026-11-23 02:30:00"
    User.objects.filter(email="superuser@weft.test").update(time_zone="Europe/Berlin")
    head, row = rows(client, "order_order")
    assert dict(zip(head, row, strict=True))["placed at (Europe/Berlin)"] == "2026-11-22 19:30:00"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["order_order", "order_line", "returns_creditnote", "returns_adjustment"])
def test_no_amount_is_a_text(login: Login, order: Order, name: str) -> None:
    """In no list of money: a program adds them up."""
    at = datetime(2026, 11, 22, tzinfo=UTC)
    CreditNote.objects.create(number="CN-1", source_account="web", issued_at=at, currency="CNY",
                              total_incl_tax=Decimal("226"), total_excl_tax=Decimal("200"))  # fmt: skip
    Adjustment.objects.create(number="A-1", source_account="web", position=1, sku="X", at=at, currency="CNY",
                              amount=Decimal("-226"))  # fmt: skip
    head, row = rows(login("superuser"), name, kind="xlsx")
    assert Decimal("226") in [abs(Decimal(str(cell))) for cell in row if isinstance(cell, (int, float))]
    assert not [cell for cell in row if isinstance(cell, str) and "¥" in cell]
    assert "currency" in head


@pytest.mark.django_db
def test_csv_begins_with_the_mark_excel_in_china_needs(login: Login, order: Order) -> None:
    client = login("superuser")
    answer = client.post(address("order_order"), {"format": "csv"}, headers={"accept-language": "zh-hans"})
    content = body(answer)
    assert content.startswith(b"\xef\xbb\xbf")
    assert "张伟" in content.decode("utf-8-sig")
    assert "下单时间 (Asia/Shanghai)" in content.decode("utf-8-sig")
    assert answer["Content-Disposition"].endswith('.csv"')


@pytest.mark.django_db
def test_what_is_exported_is_what_is_shown(login: Login, order: Order) -> None:
    factories.stock("DESK-1", SZ=10)
    other = factories.order({"DESK-1": 1}, email="else@example.test")
    client = login("superuser")
    for query in ("q=desk-1", f"q={other.number}", "older=24h&q=zzz", "status__exact=paid", "o=1"):
        listed = client.get(f"{reverse('admin:order_order_changelist')}?{query}").context["cl"]
        numbers = [row[0] for row in rows(client, "order_order", query)[1:]]
        assert numbers == [shown.number for shown in listed.queryset], query
    bad = client.post(address("order_order", "nonsense__exact=1"), {"format": "csv"})
    assert (bad.status_code, bad["location"]) == (302, reverse("admin:order_order_changelist") + "?e=1")


@pytest.mark.django_db
def test_columns_without_a_plan_of_their_own_are_as_shown_without_marks(login: Login, order: Order) -> None:
    head, row = rows(login("superuser"), "stock_reading")[0], Movement.objects.get()
    assert head == ["ID", "account", "started at (Asia/Shanghai)", "applied at (Asia/Shanghai)", "rows read",
                    "rows changed", "rows refused"]  # fmt: skip
    first = rows(login("superuser"), "stock_movement")[1]
    assert first[1:4] == ["CHAIR-1", "SZ", str(row.quantity)]
    assert "<" not in "".join(first)


@pytest.mark.django_db
def test_each_export_is_noted(login: Login, order: Order) -> None:
    client = login("finance")
    rows(client, "order_order", "status__exact=pending_payment")
    entry = LogEntry.objects.get()
    assert entry.user.email == "finance@weft.test"
    assert entry.get_change_message() == "Exported 1 rows as CSV. Filters: status__exact=pending_payment"
    log = login("auditor").get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert "Exported 1 rows as CSV" in log
    assert login("finance").get(reverse("admin:admin_logentry_changelist")).status_code == 403


@pytest.mark.django_db
def test_too_many_rows_are_refused_in_words(login: Login, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that looks whole and is not would be worse than none."""
    factories.order({"CHAIR-1": 1})
    monkeypatch.setattr(list_exports, "MOST_ROWS", 1)
    answer = login("superuser").post(address("order_order", "status__exact=pending_payment"), {"format": "csv"})
    assert answer["location"].endswith("?status__exact=pending_payment")
    assert "2 rows; a file takes 1" in said(answer)
    assert not LogEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["order_order", "order_line", "stock_movement", "stock_hold", "stock_pool"])
def test_as_many_statements_for_two_rows_as_for_a_thousand(login: Login, name: str) -> None:
    client = login("superuser")
    user = User.objects.create_user("c@example.test")
    for sku in ("A-1", "A-2"):
        factories.stock(sku, SZ=1, HZ=2)
        factories.order({sku: 1}, user_id=user.pk)
    client.post(address(name), {"format": "csv"})
    with counted(f"{name}, two rows") as few:
        body(client.post(address(name), {"format": "csv"}))
    crowds.orders(990, "A-1", user=user)
    for number in range(30):
        factories.stock(f"B-{number}", SZ=1, HZ=1)
    with counted(f"{name}, many rows") as many:
        body(client.post(address(name), {"format": "csv"}))
    same(few, many)


def test_what_excel_cannot_hold_is_left_out() -> None:
    file = io.BytesIO()
    exports.write_xlsx(file, [exports.text("a", lambda row: row)], ["ok\x00\x07", "x" * 40_000, None, True])
    values = [row[0] for row in load_workbook(file).active.iter_rows(values_only=True, min_row=2)]
    assert values[0] == "ok"
    assert len(values[1]) == exports.LONGEST
    assert values[2:] == [None, "yes"] or values[2:] == [None, "是"]


def test_memory_stays_bounded() -> None:
    """Rows are written as they come: a hundred thousand of them need no more room than a thousand."""
    import tracemalloc

    def peak(count: int) -> int:
        columns = [exports.text(str(place), lambda row: f"cell {row}") for place in range(10)]
        tracemalloc.start()
        try:
            with open("/dev/null", "wb") as nowhere:
                exports.write_csv(nowhere, columns, iter(range(count)))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(50_000) < 2 * peak(1000) + 200_000
