"""The pages of imports: a file is brought, shown, decided about, and closed; exports of the list."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from shop.catalogue.files import plan, runs
from shop.catalogue.models import ImportRun, ImportState
from shop.partner.models import StockRecord
from tests import factories
from tests.admin import goods
from tests.admin.conftest import Login
from tests.admin.pages import action, said
from tests.catalogue_files.sheets import as_csv

pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD = "admin:catalogue_importrun_upload"


@pytest.fixture(autouse=True)
def _shelf(db: None) -> None:
    factories.product("CHAIR-1", title_en="Chair", price="113.00")
    factories.product("DESK-1", title_en="Desk", price="113.00")


def upload(client: Client, *rows: list[str], name: str = "prices.csv") -> HttpResponse:
    file = SimpleUploadedFile(name, as_csv(*rows, encoding="gb18030"), "text/csv")
    return client.post(reverse(UPLOAD), {"file": file}, follow=True)


def price(sku: str = "CHAIR-1") -> Any:
    return StockRecord.objects.get(partner_sku=sku).price


def test_a_file_is_checked_shown_and_imported(login: Login) -> None:
    client = login("catalogue")
    assert client.get(reverse(UPLOAD)).status_code == 200
    page = upload(client, ["sku", "price", "stock"], ["CHAIR-1", "99", "5"], ["DESK-1", "113", "5"])
    text = page.content.decode()
    for words in ("Nothing is written yet", "113.00", "99.00", "CHAIR-1", "figures of stock are not imported"):
        assert words in text, words
    assert price() == 113
    run = ImportRun.objects.get()
    assert (run.changed, run.unchanged) == (1, 1)
    take = action("catalogue_importrun", "take_all", run.pk)
    assert "1 are changed" in client.get(take).content.decode()
    assert "Imported: 0 new, 1 changed" in said(client.post(take, {}))
    assert price() == 99
    assert "What it changed" in client.get(reverse("admin:catalogue_importrun_change", args=[run.pk])).content.decode()
    assert "cannot be done in its present state" in said(client.post(take, {}))


def test_refused_rows_are_shown_with_row_column_and_what_to_do(login: Login) -> None:
    client = login("catalogue")
    page = upload(client, ["sku", "price"], ["CHAIR-1", "99"], ["DESK-1", "¥5"]).content.decode()
    assert "Write the amount only" in page
    assert "¥5" in page
    run = ImportRun.objects.get()
    assert action("catalogue_importrun", "take_all", run.pk) not in page
    assert "cannot be done" in said(client.post(action("catalogue_importrun", "take_all", run.pk), {}))
    assert price() == 113
    assert "0 new, 1 changed" in said(client.post(action("catalogue_importrun", "take_right", run.pk), {}))
    assert (price(), price("DESK-1")) == (99, 113)


def test_the_list_of_refused_ones_and_closing(login: Login) -> None:
    client = login("catalogue")
    upload(client, ["sku", "price"], ["CHAIR-1", "98"])
    upload(client, ["sku", "price"], ["DESK-1", "free"], name="autumn.csv")
    run = ImportRun.objects.get(file_name="autumn.csv")
    where = reverse("admin:catalogue_importrun_changelist")
    assert [one.pk for one in client.get(where, {"refused": "open"}).context["cl"].result_list] == [run.pk]
    client.post(action("catalogue_importrun", "discard", run.pk), {})
    assert not runs.refused_imports().exists()
    upload(client, ["price"], ["5"], name="wrong.csv")
    wrong = ImportRun.objects.get(file_name="wrong.csv")
    assert wrong.state == ImportState.UNREADABLE
    close = action("catalogue_importrun", "close_run", wrong.pk)
    assert "This field is required" in client.post(close, {"note": ""}).content.decode()
    assert "Closed: sent back to the supplier" in said(client.post(close, {"note": "sent back to the supplier"}))
    assert not runs.refused_imports().exists()
    closed = client.get(reverse("admin:catalogue_importrun_change", args=[wrong.pk])).content.decode()
    assert "sent back to the supplier" in closed


def test_an_unreadable_file_says_what_to_do(login: Login) -> None:
    client = login("catalogue")
    page = upload(client, ["sku", "prise"], ["CHAIR-1", "5"]).content.decode()
    assert "perhaps “price” is meant" in page
    assert "required" in client.post(reverse(UPLOAD), {}).content.decode()
    large = SimpleUploadedFile("large.csv", b"x" * (10 * 1024 * 1024 + 1), "text/csv")
    assert "larger than 10 MB" in client.post(reverse(UPLOAD), {"file": large}).content.decode()


def test_what_changed_meanwhile_is_shown_before_anything_is_written(login: Login) -> None:
    client = login("catalogue")
    upload(client, ["sku", "price"], ["CHAIR-1", "99"])
    StockRecord.objects.update(price="120.00")
    run = ImportRun.objects.get()
    answer = client.post(action("catalogue_importrun", "take_all", run.pk), {}, follow=True)
    assert "would do something else than you were shown" in said(answer)
    assert "120.00" in answer.content.decode()
    assert price() == 120


def test_who_only_looks_brings_and_decides_nothing(login: Login) -> None:
    upload(login("catalogue"), ["sku", "price"], ["CHAIR-1", "99"])
    run, auditor = ImportRun.objects.get(), login("auditor")
    page = auditor.get(reverse("admin:catalogue_importrun_change", args=[run.pk]))
    assert page.status_code == 200
    assert not page.context["actions_detail"]
    assert auditor.get(reverse(UPLOAD)).status_code == 403
    assert auditor.get(reverse("admin:catalogue_importrun_template")).status_code == 403
    assert login("sales").get(reverse("admin:catalogue_importrun_changelist")).status_code == 403


def test_a_page_of_a_run_in_chinese_too(login: Login) -> None:
    client = login("catalogue")
    upload(client, ["sku", "price"], ["CHAIR-1", "free"])
    address = reverse("admin:catalogue_importrun_change", args=[ImportRun.objects.get().pk])
    assert client.get(address, headers={"accept-language": "zh-hans"}).status_code == 200


# --- out ---


def body(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


OUT = "admin:catalogue_product_export"


def test_the_list_goes_out_as_it_is_narrowed_with_the_variants(login: Login) -> None:
    goods.shirt(("Indigo", "S"))
    client = login("sales")
    form = {"format": "csv"}
    rows = list(csv.reader(io.StringIO(body(client.post(reverse(OUT), form)).decode("utf-8-sig"))))
    assert {row[0] for row in rows} == {"sku", "CHAIR-1", "DESK-1", "TEE", "TEE-INDIGO-S"}
    assert "Exported 4 rows" in LogEntry.objects.latest("pk").change_message
    rows = list(csv.reader(io.StringIO(body(client.post(f"{reverse(OUT)}?q=desk", form)).decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["sku", "DESK-1"]
    assert "Exported 1 rows" in LogEntry.objects.latest("pk").change_message


def test_a_workbook_goes_out_and_comes_back_unchanged(login: Login) -> None:
    client = login("catalogue")
    content = body(client.post(reverse(OUT), {"format": "xlsx"}))
    assert load_workbook(io.BytesIO(content)).sheetnames == ["products"]
    found = plan.make(plan.read("products.xlsx", content))
    assert (found.rows, found.unchanged) == (2, 2)
    assert body(client.get(reverse("admin:catalogue_importrun_template"))).startswith(b"PK")
