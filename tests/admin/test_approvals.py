"""Pages of what waits for a second person, and of count sheets: said, entered by form and by file, decided."""

from __future__ import annotations

import html
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from openpyxl import load_workbook

from shop.customer.models import User
from shop.stock import count_decisions
from shop.stock.count_models import SheetState
from shop.stock.models import CountEntry, CountSheet, Level, Movement, Proposal
from shop.stock.proposal_models import Decision
from tests import factories
from tests.admin import stock
from tests.admin.conftest import Login
from tests.admin.pages import action, filled, said

pytestmark = pytest.mark.django_db
SKU = "CHAIR-1"


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def on_hand(sku: str = SKU) -> int:
    return Level.objects.get(pool=sku, warehouse__code="SZ").on_hand


# --- adjustments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "units"),
    [
        ("count", {"quantity": 50}, -150),
        ("count", {"quantity": 350}, 150),
        ("correct", {"quantity": 101, "what": "found"}, 101),
        ("write_off", {"quantity": 101}, -101),
        ("set_aside", {"quantity": 101}, -101),
    ],
)
def test_large_changes_wait_and_say_so(login: Login, name: str, data: dict[str, Any], units: int) -> None:
    pool = factories.stock(SKU, SZ=200)
    client = login("warehouse")
    form = {"warehouse": factories.warehouse("SZ").pk, "note": "flood", **data}
    answer = client.post(action("stock_pool", name, pool.sku), form)
    made = Proposal.objects.get()
    assert f"it waits as #{made.pk}" in said(answer)
    assert (made.quantity, made.proposed_by, on_hand()) == (units, "staff:warehouse@weft.test", 200)
    page = text(client.get(reverse("admin:stock_pool_change", args=[SKU])))
    assert f"#{made.pk} waits for approval" in page


def test_pages_say_from_when_on_a_second_person_is_needed(login: Login) -> None:
    pool = factories.stock(SKU, SZ=200)
    client = login("warehouse")
    address = action("stock_pool", "correct", pool.sku)
    assert "More than 100 units, or goods worth more than ¥5,000.00, wait" in text(client.get(address))
    with override_settings(WEFT_APPROVE_VALUE=0):
        assert "More than 100 units wait" in text(client.get(address))
    with override_settings(WEFT_APPROVE_UNITS=0):
        assert "Goods worth more than ¥5,000.00 wait" in text(client.get(address))
    with override_settings(WEFT_APPROVE_UNITS=0, WEFT_APPROVE_VALUE=0):
        assert "second person" not in text(client.get(address))


def test_the_page_says_what_waits_and_who_may_decide(login: Login) -> None:
    made = stock.proposal()
    page = reverse("admin:stock_proposal_change", args=[made.pk])
    assert "Nobody else may approve changes of stock" in text(login("warehouse").get(page))
    finance = login("finance")
    shown = text(finance.get(page))
    assert "May decide: finance@weft.test" in " ".join(shown.split())
    assert action("stock_proposal", "approve", made.pk) in shown
    assert action("stock_proposal", "approve", made.pk) not in text(login("auditor").get(page))


def test_approving_and_refusing(login: Login) -> None:
    first, client = stock.proposal(), login("finance")
    assert "Approved and written" in said(client.post(action("stock_proposal", "approve", first.pk), {"answer": ""}))
    assert on_hand() == 50
    page = text(client.get(reverse("admin:stock_proposal_change", args=[first.pk])))
    assert f"q=proposal%3A{first.pk}" in page
    movement = Movement.objects.get(document=first.document)
    shown = text(client.get(reverse("admin:stock_movement_changelist"), {"q": first.document}))
    assert reverse("admin:stock_proposal_change", args=[first.pk]) in shown
    assert movement.note in shown
    second = stock.proposal()
    answer = client.post(action("stock_proposal", "refuse", second.pk), {"answer": ""})
    assert "This field is required" in text(answer), "a refusal says why"
    assert "look again" in said(client.post(action("stock_proposal", "refuse", second.pk), {"answer": "look again"}))
    answer = client.post(action("stock_proposal", "approve", second.pk), {"answer": ""})
    assert "cannot be done in its present state" in said(answer)
    assert on_hand() == 250


def test_nobody_decides_about_their_own_not_even_a_superuser(login: Login) -> None:
    pool, client = factories.stock(SKU, SZ=200), login("superuser")
    form = {"warehouse": factories.warehouse("SZ").pk, "note": "flood", "quantity": 150}
    client.post(action("stock_pool", "write_off", pool.sku), form)
    made = Proposal.objects.get()
    assert "You proposed it: somebody else decides." in text(
        client.get(reverse("admin:stock_proposal_change", args=[made.pk]))
    )
    for name in ("approve", "refuse"):
        answer = client.post(action("stock_proposal", name, made.pk), {"answer": "fine"})
        assert "You proposed it yourself" in said(answer)
    made.refresh_from_db()
    assert (made.state, on_hand()) == (Decision.WAITING, 200)


def test_below_zero_by_now_says_how_many_are_there(login: Login) -> None:
    made = stock.proposal()
    factories.stock(SKU, SZ=-100)
    answer = login("finance").post(action("stock_proposal", "approve", made.pk), {"answer": ""})
    assert "fewer than 0 would be on hand at SZ: 100 are there. It still waits" in text(answer)
    made.refresh_from_db()
    assert made.state == Decision.WAITING


def test_a_second_count_is_refused_in_words(login: Login) -> None:
    pool, client = factories.stock(SKU, SZ=200), login("warehouse")
    form = {"warehouse": factories.warehouse("SZ").pk, "note": "x", "quantity": 10}
    client.post(action("stock_pool", "count", pool.sku), form)
    answer = client.post(action("stock_pool", "count", pool.sku), form)
    assert f"A count of it waits for a decision already: approval #{Proposal.objects.get().pk}." in text(answer)


# --- count sheets ----------------------------------------------------------------------------------------------------


def make(client: Client, **data: Any) -> Any:
    form = {"warehouse": factories.warehouse("SZ").pk, "choice": "all", "rows": 50, "blind": "on", **data}
    return client.post(reverse("admin:stock_countsheet_new_sheet"), form)


def page_of(client: Client, sheet: CountSheet) -> str:
    return text(client.get(reverse("admin:stock_countsheet_change", args=[sheet.pk])))


def test_a_new_sheet_leads_to_its_page(login: Login) -> None:
    factories.stock(SKU, SZ=1234)
    client = login("warehouse")
    answer = make(client)
    sheet = CountSheet.objects.get()
    assert answer.headers["location"] == reverse("admin:stock_countsheet_change", args=[sheet.pk])
    assert "On other open sheets of it: 1" in text(make(client))
    erp = factories.warehouse("ERP", erp_account=factories.account(name="Tryton"))
    assert "not one of the available choices" in text(make(client, warehouse=erp.pk))


def test_a_blind_sheet_shows_no_figure_before_the_counting_has_ended(login: Login) -> None:
    factories.stock(SKU, SZ=1234)
    client = login("warehouse")
    make(client)
    sheet = CountSheet.objects.get()
    addresses = [action("stock_countsheet", name, sheet.pk) for name in ("enter", "print_sheet")]
    addresses += [reverse("admin:stock_countsheet_change", args=[sheet.pk])]
    for address in addresses:
        assert "1234" not in text(client.get(address)), address
    csv = client.get(reverse("admin:stock_countsheet_file", args=[sheet.pk, "csv"]))
    assert b"1234" not in b"".join(csv.streaming_content)  # type: ignore[attr-defined]
    client.post(action("stock_countsheet", "enter", sheet.pk), stock.typed(sheet, CHAIR_1=1230))
    client.post(action("stock_countsheet", "finish", sheet.pk))
    shown = page_of(client, sheet)
    for words in ("1234", "-4", "waits for a decision", "Small enough for one person"):
        assert words in shown, words


def test_a_sheet_that_is_not_blind_shows_them_everywhere(login: Login) -> None:
    factories.stock(SKU, SZ=1234)
    client = login("warehouse")
    make(client, blind="")
    sheet = CountSheet.objects.get()
    for name in ("enter", "print_sheet"):
        assert "1234" in text(client.get(action("stock_countsheet", name, sheet.pk))), name


def test_entering_by_form_keeps_what_is_wrong_on_the_page(login: Login) -> None:
    sheet, client = stock.sheet(), login("warehouse")
    address = action("stock_countsheet", "enter", sheet.pk)
    answer = client.post(address, stock.typed(sheet, CHAIR_1="9", DESK_1="five"))
    assert answer.status_code == 200
    shown = text(answer)
    assert "This is not a whole number of units." in shown
    assert 'value="five"' in shown
    assert (stock.row(sheet).found, stock.row(sheet, "DESK-1").found) == (9, None)
    form = filled(answer, "counts")
    form[f"found-{stock.row(sheet, 'DESK-1').pk}"] = "5"
    form["row"] = [row.pk for row in sheet.rows.all()]
    assert client.post(address, form).status_code == 302
    assert (stock.row(sheet, "DESK-1").found, stock.row(sheet).entries) == (5, 1), (
        "what stood there is not entered anew"
    )


def test_a_page_that_nobody_touched_enters_nothing(login: Login) -> None:
    sheet, client = stock.sheet(counted=True), login("warehouse")
    address = action("stock_countsheet", "enter", sheet.pk)
    form = filled(client.get(address), "counts")
    assert client.post(address, {**form, "row": [row.pk for row in sheet.rows.all()]}).status_code == 302
    assert CountEntry.objects.count() == 2


def test_what_somebody_else_entered_meanwhile_is_shown_and_can_be_replaced(login: Login) -> None:
    sheet, client = stock.sheet(), login("warehouse")
    address = action("stock_countsheet", "enter", sheet.pk)
    early = stock.typed(sheet, CHAIR_1="8", DESK_1="5")
    login("superuser").post(address, stock.typed(sheet, CHAIR_1="9"))
    answer = client.post(address, early)
    assert "Meanwhile superuser@weft.test entered 9. Save again to replace it by yours." in text(answer)
    assert (stock.row(sheet).found, stock.row(sheet, "DESK-1").found) == (9, 5)
    form = {**filled(answer, "counts"), "row": [row.pk for row in sheet.rows.all()]}
    assert client.post(address, form).status_code == 302
    assert stock.row(sheet).found == 8
    assert CountEntry.objects.filter(row=stock.row(sheet)).count() == 2


def test_a_field_that_is_emptied_takes_the_count_back(login: Login) -> None:
    sheet, client = stock.sheet(counted=True), login("warehouse")
    client.post(action("stock_countsheet", "enter", sheet.pk), stock.typed(sheet, CHAIR_1=""))
    assert stock.row(sheet).found is None


def test_rows_are_found_by_their_sku_and_by_what_is_left(login: Login) -> None:
    sheet, client = stock.sheet(), login("warehouse")
    client.post(action("stock_countsheet", "enter", sheet.pk), stock.typed(sheet, CHAIR_1="9"))
    address = action("stock_countsheet", "enter", sheet.pk)
    for query in ({"q": "desk"}, {"left": "1"}):
        assert [row.pool_id for row in client.get(address, query).context["page"]] == ["DESK-1"]


def test_many_rows_come_page_by_page(login: Login) -> None:
    for number in range(60):
        factories.stock(f"S-{number:02}", SZ=1)
    client = login("warehouse")
    make(client, rows=100)
    sheet = CountSheet.objects.get()
    address = action("stock_countsheet", "enter", sheet.pk)
    first = client.get(address)
    assert len(first.context["page"].object_list) == 50
    form = {**filled(first, "counts"), "row": [row.pk for row in first.context["page"]], "next": ""}
    answer = client.post(address, form)
    assert answer.headers["location"] == f"{address}?page=2"
    assert len(client.get(answer.headers["location"]).context["page"].object_list) == 10
    shown = client.get(reverse("admin:stock_countsheet_change", args=[sheet.pk]), {"show": "left", "page": "1"})
    assert "S-00" in text(shown)


def bring(client: Client, sheet: CountSheet, content: bytes, name: str = "counts.csv") -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(action("stock_countsheet", "bring_counts", sheet.pk), {"file": file})


def test_a_file_is_checked_first_and_entered_when_somebody_says_so(login: Login) -> None:
    sheet, client = stock.sheet(), login("warehouse")
    answer = client.get(reverse("admin:stock_countsheet_file", args=[sheet.pk, "xlsx"]))
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    table = book.worksheets[0]
    table.cell(2, table.max_column).value = 9
    table.cell(3, table.max_column).value = "many"
    out = io.BytesIO()
    book.save(out)
    answer = bring(client, sheet, out.getvalue(), "counts.xlsx")
    shown = text(answer)
    assert "This is not a whole number of units." in shown
    assert not CountEntry.objects.exists()
    taken = client.post(
        action("stock_countsheet", "bring_counts", sheet.pk), {"checked": stock.carried(answer.content.decode())}
    )
    assert "Entered: 1" in said(taken)
    assert (stock.row(sheet).found, CountEntry.objects.get().source) == (9, "counts.xlsx")


def test_what_was_entered_between_the_two_steps_is_named(login: Login) -> None:
    sheet, client = stock.sheet(), login("warehouse")
    answer = bring(client, sheet, b"SKU,units found\nCHAIR-1,8\nDESK-1,5\n")
    login("superuser").post(action("stock_countsheet", "enter", sheet.pk), stock.typed(sheet, CHAIR_1="9"))
    taken = client.post(
        action("stock_countsheet", "bring_counts", sheet.pk), {"checked": stock.carried(answer.content.decode())}
    )
    assert "Entered: 1 Not entered: 1. CHAIR-1: Meanwhile superuser@weft.test entered 9." in said(taken)
    assert (stock.row(sheet).found, stock.row(sheet, "DESK-1").found) == (9, 5)
    again = text(bring(client, sheet, b"SKU,units found\nCHAIR-1,8\n"))
    assert "Counts that would be replaced" in again


def test_what_was_checked_is_for_one_person_and_one_sheet(login: Login) -> None:
    sheet, client = stock.sheet(), login("warehouse")
    checked = stock.carried(bring(client, sheet, b"SKU,units found\nCHAIR-1,8\n").content.decode())
    for who, said_ in ((login("superuser"), checked), (client, checked[:-3] + "abc"), (client, "")):
        answer = who.post(action("stock_countsheet", "bring_counts", sheet.pk), {"checked": said_})
        assert "The file has to be brought again. Nothing was entered." in said(answer)
    assert not CountEntry.objects.exists()


def test_a_file_that_cannot_be_read_says_what_to_do(login: Login) -> None:
    sheet, client = stock.sheet(), login("warehouse")
    assert "The column “units found” is missing." in text(bring(client, sheet, b"SKU\nCHAIR-1\n"))
    assert "This field is required" in text(client.post(action("stock_countsheet", "bring_counts", sheet.pk), {}))
    address = reverse("admin:stock_countsheet_file", args=[sheet.pk, "pdf"])
    assert client.get(address).status_code == 404


def test_counted_again_and_approved(login: Login) -> None:
    sheet, client = stock.sheet(finished=True), login("warehouse")
    assert "Rows to be counted again: 1" in said(client.post(action("stock_countsheet", "ask_again", sheet.pk)))
    sheet.refresh_from_db()
    rows = client.get(action("stock_countsheet", "enter", sheet.pk)).context["page"]
    assert [row.pool_id for row in rows] == [SKU]
    form = stock.typed(sheet, CHAIR_1="8")
    client.post(action("stock_countsheet", "enter", sheet.pk), form)
    client.post(action("stock_countsheet", "finish", sheet.pk))
    assert "earlier: 9 / 10" in page_of(client, sheet)
    assert "Approved" in said(client.post(action("stock_countsheet", "approve", sheet.pk), {"answer": "ok"}))
    assert (on_hand(), on_hand("DESK-1")) == (8, 5)
    shown = page_of(client, sheet)
    assert f"q=sheet%3A{sheet.pk}" in shown
    assert "approved" in shown


def test_a_large_difference_is_decided_by_somebody_who_did_not_count(login: Login) -> None:
    with override_settings(WEFT_APPROVE_UNITS=0, WEFT_APPROVE_VALUE=50):
        factories.product(SKU, price="100.00")
        sheet = stock.sheet(finished=True)
        client, finance = login("warehouse"), login("finance")
        shown = page_of(client, sheet)
        assert "Too large for one person" in shown
        assert "May decide: finance@weft.test" in shown
        answer = client.post(action("stock_countsheet", "approve", sheet.pk), {"answer": ""})
        assert "somebody with the right to approve" in said(answer)
        counter = User.objects.get(email="li@weft.test")
        User.objects.filter(pk=counter.pk).update(is_superuser=True)
        own = Client(headers={"accept-language": "en"})
        own.force_login(User.objects.get(pk=counter.pk))
        assert "You counted some of it" in said(own.post(action("stock_countsheet", "approve", sheet.pk)))
        assert on_hand() == 10
        assert finance.post(action("stock_countsheet", "approve", sheet.pk), {"answer": ""}).status_code == 302
        assert on_hand() == 9


def test_what_the_state_does_not_allow_is_a_message(login: Login) -> None:
    sheet, client = stock.sheet(finished=True), login("warehouse")
    count_decisions.discard(sheet.pk, stock.someone(), "no")
    for name in ("enter", "bring_counts", "print_sheet", "add_sku", "finish", "approve", "ask_again", "discard"):
        answer = client.post(action("stock_countsheet", name, sheet.pk), {"answer": "x"})
        assert "cannot be done in its present state" in said(answer), name
    assert client.get(reverse("admin:stock_countsheet_file", args=[sheet.pk, "csv"])).status_code == 302
    assert CountSheet.objects.get().state == SheetState.DISCARDED


def test_sheets_are_found_by_what_stands_on_them(login: Login) -> None:
    sheet, client = stock.sheet(), login("warehouse")
    for words, found in ((SKU, [sheet]), ("NOBODY", [])):
        page = client.get(reverse("admin:stock_countsheet_changelist"), {"q": words})
        assert list(page.context["cl"].result_list) == found
