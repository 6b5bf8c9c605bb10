"""Staff and promises that were not kept: what the figures lead to, what a row says, its cost, how a shortage ended."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.stock.models import BrokenPromise, Reason, Shortage
from shop.stock.movements import Move, record
from tests import factories
from tests.admin import stock
from tests.admin.conftest import Login
from tests.admin.pages import action, filled, said

pytestmark = pytest.mark.django_db
LIST = "admin:stock_brokenpromise_changelist"


@pytest.fixture
def boss(login: Login) -> Client:
    factories.china()
    return login("superuser")


def page(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, address
    return answer.content.decode()


def listed(client: Client, query: str) -> list[int]:
    return [row.pk for row in client.get(reverse(LIST) + f"?{query}").context["cl"].result_list]


def test_the_list_its_figures_and_where_they_lead(boss: Client) -> None:
    row = stock.broken_promise()
    old = BrokenPromise.objects.create(
        line=row.line, pool_id=row.pool_id, ending="late", cause="supply", units=1, value=113,
        at=timezone.now() - timedelta(days=50),
    )  # fmt: skip
    shown = page(boss, reverse(LIST))
    assert "last 30 days" in shown and "last 90 days" in shown and "5000.0" in shown and "10000.0" in shown
    assert "1 late" in shown and "¥113.00" in shown and "1 not entered" in shown
    assert listed(boss, "") == [old.pk, row.pk]
    for query in re.findall(r"brokenpromise/\?(days=[^\"]+)", shown):
        assert len(listed(boss, query.replace("&amp;", "&"))) == (2 if query == "days=90" else 1), query
    assert listed(boss, "days=30") == [row.pk] and listed(boss, "days=bogus") == [old.pk, row.pk]
    assert listed(boss, "q=chair-1") == [old.pk, row.pk]
    assert listed(boss, f"q={row.line.order.number}&ending__exact=late") == [old.pk]
    assert listed(boss, "sku=CHAIR-1&cause__exact=damage") == [row.pk] and listed(boss, "sku=LAMP") == []
    assert listed(boss, f"shortage__id__exact={row.shortage_id}") == [row.pk]


def test_a_file_of_them(boss: Client) -> None:
    row = stock.broken_promise()
    answer = boss.post(reverse("admin:stock_brokenpromise_export"), {"format": "csv"})
    heading, line = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert heading.split(",")[1:4] == ["order", "SKU", "units"]
    assert row.line.order.number in line and "113.0000" in line and "CNY" in line


def test_what_it_cost(boss: Client) -> None:
    row = stock.broken_promise()
    address = action("stock_brokenpromise", "enter_cost", row.pk)
    form = {**filled(boss.get(address), ""), "cost": "30.50", "note": "voucher"}
    assert "cost in all (CNY)" in page(boss, address)
    assert "¥30.50: voucher" in said(boss.post(address, {**form, "seen": ""}))
    assert "entered a cost meanwhile" in said(boss.post(address, {**form, "seen": ""})), "the second click"
    row.refresh_from_db()
    assert (row.cost, row.cost_by) == (Decimal("30.50"), "staff:superuser@weft.test")
    assert row.cost_at
    again = page(boss, address)
    assert "¥30.50 until now, by superuser@weft.test" in again and 'value="30.50' in again
    form = {"note": "and freight", "seen": row.cost_at.isoformat()}
    for wrong in ("-1", "1.005", "x", "99999999999999999"):
        assert boss.post(address, {**form, "cost": wrong}).status_code == 200, wrong
    assert BrokenPromise.objects.get().cost == Decimal("30.50")
    assert boss.post(address, {**form, "cost": "0"}).status_code == 302
    assert listed(boss, "cost=known") == [row.pk] and listed(boss, "cost=unknown") == []
    shown = page(boss, reverse("admin:stock_brokenpromise_change", args=[row.pk]))
    assert "¥0.00" in shown and "and freight" in shown and f"/stock/shortage/{row.shortage_id}/" in shown


def test_in_a_currency_without_decimals(boss: Client) -> None:
    row = stock.broken_promise()
    type(row.line.order).objects.update(currency="JPY")
    address = action("stock_brokenpromise", "enter_cost", row.pk)
    assert boss.post(address, {"cost": "0.5", "note": "x", "seen": ""}).status_code == 200
    assert boss.post(address, {"cost": "5", "note": "x", "seen": ""}).status_code == 302


def test_the_shortage_tells_its_story(boss: Client) -> None:
    row = stock.broken_promise()
    shown = page(boss, reverse("admin:stock_shortage_change", args=[row.shortage_id]))
    story = dict(re.findall(r"<div>([\w ]+): <strong>(?:<a[^>]+>)?(\d+)", shown))
    assert story == {
        "units short in all": "1", "covered by goods": "0", "cancelled for want of goods": "1",
        "promises that ended otherwise": "0", "still short": "0",
    }  # fmt: skip
    assert f"/stock/brokenpromise/?shortage__id__exact={row.shortage_id}" in shown
    Shortage.objects.update(given_back=None)
    before = page(boss, reverse("admin:stock_shortage_change", args=[row.shortage_id]))
    assert "covered by goods" not in before and "ended otherwise" not in before
    assert "of 10,000 promised" in page(boss, reverse("admin:stock_shortage_changelist"))
    assert "promises not kept" in page(boss, reverse("admin:stock_pool_change", args=["CHAIR-1"]))


def test_the_button_that_cancels_writes_it(boss: Client) -> None:
    factories.stock("CHAIR-1", SZ=2)
    placed = factories.order({"CHAIR-1": 2})
    with transaction.atomic():
        record([Move("CHAIR-1", factories.warehouse("SZ").pk, -2, Reason.DAMAGE)])
    boss.post(action("order_order", "cancel_order", placed.pk), {"reason": "broken"})
    assert (BrokenPromise.objects.get().units, BrokenPromise.objects.get().value) == (2, 226)
