"""Imports of which rows were refused: found, told in words, closed once, with a note."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop import intake
from shop.intake import Document, Entry
from shop.order.models import Intake, Order
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, said

pytestmark = pytest.mark.django_db
LIST = "admin:order_intake_changelist"


def take(number: str, *entries: tuple[int, str]) -> Intake:
    """A file's document: (quantity, price) of each row."""
    rows = [
        Entry(place, "DESK-1" if quantity > 10 else "CHAIR-1", "Thing", quantity, Decimal(price))
        for place, (quantity, price) in enumerate(entries, 1)
    ]
    where = factories.warehouse("SZ").pk
    intake.take(Document("file", number, timezone.now(), "CNY", "", factories.ADDRESS, False, rows, where))
    return Intake.objects.get(external_number=number)


@pytest.fixture
def refused() -> Intake:
    factories.china()
    factories.stock("CHAIR-1", SZ=10)
    factories.stock("DESK-1", SZ=8)
    take("WHOLE", (1, "10.00"))
    return take("F-1", (2, "10.00"), (0, "10.00"), (1, "9.999"), (50, "10.00"))


def close(client: Client, row: Intake, **data: Any) -> Any:
    return client.post(action("order_intake", "close", row.pk), {"note": "asked the source", **data})


def test_the_list_shows_what_was_refused_and_why(login: Login, refused: Intake) -> None:
    page = login("sales").get(reverse(LIST), {"state": "open"})
    assert [row.external_number for row in page.context["cl"].result_list] == ["F-1"]
    text = page.content.decode()
    assert "the quantity is 0" in text
    assert "WHOLE" in login("sales").get(reverse(LIST), {"state": "whole"}).content.decode()
    assert "F-1" in login("sales").get(reverse(LIST), {"q": "F-"}).content.decode()


def test_the_page_tells_each_row_and_leads_to_the_order(login: Login, refused: Intake) -> None:
    page = login("sales").get(reverse("admin:order_intake_change", args=[refused.pk])).content.decode()
    for words in ("the quantity is 0", "out of stock: 8 free", "the price is finer than CNY can be paid in"):
        assert words in page, words
    assert reverse("admin:order_order_change", args=[Order.objects.get(external_number="F-1").pk]) in page
    zh = login("sales").get(
        reverse("admin:order_intake_change", args=[refused.pk]), headers={"accept-language": "zh-hans"}
    )
    assert "库存不足：可用 8 件" in zh.content.decode()


def test_closing_needs_a_note_and_happens_once(login: Login, refused: Intake) -> None:
    client = login("integrations")
    assert close(client, refused, note="").status_code == 200
    assert close(client, refused).status_code == 302
    refused.refresh_from_db()
    assert (refused.closed_by, refused.closing_note) == ("staff:integrations@weft.test", "asked the source")
    assert refused.refused, "what was refused stays written"
    assert "present state" in said(close(login("sales"), refused, note="again"))
    refused.refresh_from_db()
    assert refused.closing_note == "asked the source"
    assert not login("sales").get(reverse(LIST), {"state": "open"}).context["cl"].result_list
    page = login("sales").get(reverse("admin:order_intake_change", args=[refused.pk])).content.decode()
    assert "asked the source" in page
    assert "integrations@weft.test" in page


def test_two_close_at_once_the_second_is_told(login: Login, refused: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the click somebody else did it."""
    from shop.order import admin_intake

    monkeypatch.setattr(admin_intake, "is_open", lambda row: True)
    Intake.objects.filter(pk=refused.pk).update(closed_at=timezone.now(), closing_note="first")
    assert "Somebody else has closed it" in said(close(login("sales"), refused))
    refused.refresh_from_db()
    assert refused.closing_note == "first"


def test_what_was_taken_in_whole_has_nothing_to_close(login: Login, refused: Intake) -> None:
    whole = Intake.objects.get(external_number="WHOLE")
    assert "present state" in said(close(login("sales"), whole))
    assert not login("sales").get(reverse("admin:order_intake_change", args=[whole.pk])).context["actions_detail"]
