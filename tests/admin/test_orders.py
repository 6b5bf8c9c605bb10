from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import Outgoing
from integrations.hub.values import Lane
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.stock.models import Pool
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, said

pytestmark = pytest.mark.django_db
LIST = "admin:order_order_changelist"


def detail(order: Order) -> str:
    return reverse("admin:order_order_change", args=[order.pk])


@pytest.fixture
def order() -> Order:
    factories.stock("CHAIR-1", SZ=10)
    return factories.order({"CHAIR-1": 2})


def do(client: Client, name: str, order: Order, **data: Any) -> Any:
    return client.post(action("order_order", name, order.pk), data)


def expire(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(payment_deadline=timezone.now() - timedelta(hours=1))
    assert lifecycle.expire_overdue() == 1


@pytest.mark.parametrize("words", ["number", "buyer@example", "张伟", "13800138000", "chair-1"])
def test_the_list_finds_by(login: Login, order: Order, words: str) -> None:
    factories.stock("DESK-1", SZ=10)
    other = factories.order({"DESK-1": 1}, email="else@other.test")
    Order.objects.filter(pk=other.pk).update(shipping_address=None)
    page = login("sales").get(reverse(LIST), {"q": order.number if words == "number" else words}).content.decode()
    assert order.number in page
    assert other.number not in page


def test_filters_narrow_the_list(login: Login, order: Order) -> None:
    client = login("sales")
    for query in ("status__exact=pending_payment", "payment_method__exact=bank_transfer", "needs_return__exact=0"):
        assert order.number in client.get(f"{reverse(LIST)}?{query}").content.decode()
    for query in ("status__exact=paid", "payment_method__exact=on_account", "needs_return__exact=1"):
        assert order.number not in client.get(f"{reverse(LIST)}?{query}").content.decode()


def test_the_page_tells_all(login: Login, order: Order) -> None:
    account = factories.account(name="Tryton")
    for key in range(4):
        Outgoing.objects.create(
            account=account, topic="erp.order", key=f"{order.number}:{key}", subject=order.subject, lane=Lane.ORDERS,
            refs=[{"id": "sale.sale,1", "number": "SO-77"}], last_error="no such party",
        )  # fmt: skip
    lifecycle.confirm_payment(order.number, actor="staff:test", reference="HSBC-1")
    client = login("superuser")
    page = client.get(detail(order)).content.decode()
    for words in ("CHAIR-1", "¥226.00", "¥200.00", "¥26.00", "科技路", "HSBC-1", "SO-77", "no such party", "SZ: 2"):
        assert words in page, words
    assert page.count("weft-entry-hub") == 4
    assert page.index("placed: awaiting payment") < page.index("awaiting payment → paid")


def test_nothing_on_the_page_can_be_edited(login: Login, order: Order) -> None:
    client = login("superuser")
    assert client.post(detail(order), {"status": "shipped", "total_incl_tax": "0"}).status_code == 403
    order.refresh_from_db()
    assert (order.status, order.total_incl_tax) == (Status.PENDING_PAYMENT, 226)


def test_by_number_leads_to_the_page(login: Login, order: Order) -> None:
    address = f"/admin/order/order/by-number/{order.number}/"
    assert login("sales").get(address).headers["location"] == detail(order)
    assert login("sales").get("/admin/order/order/by-number/W0-0/").status_code == 404
    assert login("").get(address).status_code == 403


def test_confirming_a_transfer(login: Login, order: Order) -> None:
    client = login("finance")
    asked = client.get(action("order_order", "confirm_payment", order.pk))
    order.refresh_from_db()
    assert (asked.status_code, order.status) == (200, Status.PENDING_PAYMENT)
    assert do(client, "confirm_payment", order).status_code == 200  # no reference: asked again
    answer = do(client, "confirm_payment", order, reference="ICBC 42")
    order.refresh_from_db()
    assert (answer.status_code, order.status) == (302, Status.PAID)
    change = order.status_changes.get(new_status=Status.PAID)
    assert (change.actor, change.reason) == ("staff:finance@weft.test", "ICBC 42")


def test_confirming_after_expiry_without_stock_becomes_a_refund_task(login: Login, order: Order) -> None:
    expire(order)
    factories.order({"CHAIR-1": 9})
    answer = do(login("finance"), "confirm_payment", order, reference="late")
    order.refresh_from_db()
    assert (order.status, order.needs_refund) == (Status.EXPIRED, True)
    assert "too little is free" in said(answer)
    assert "CHAIR-1: 1 left" in order.status_changes.latest("pk").reason
    assert Pool.objects.get(sku="CHAIR-1").reserved == 9
    assert do(login("finance"), "note_refund", order, reference="back").status_code == 302
    order.refresh_from_db()
    assert not order.needs_refund


def test_a_move_the_state_forbids_is_a_message(login: Login, order: Order) -> None:
    lifecycle.confirm_payment(order.number, actor="test")
    answer = do(login("finance"), "confirm_payment", order, reference="again")
    assert answer.status_code == 302
    assert "present state" in said(answer)


def test_a_move_lost_to_a_colleague_is_a_message(login: Login, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.order.admin_actions.offered", lambda name, order: True)
    lifecycle.confirm_payment(order.number, actor="test")
    answer = do(login("finance"), "confirm_payment", order, reference="again")
    assert answer.status_code == 302
    assert "meanwhile" in said(answer)


def test_cancelling(login: Login, order: Order) -> None:
    answer = do(login("sales"), "cancel_order", order, reason="changed their mind")
    order.refresh_from_db()
    assert (answer.status_code, order.status) == (302, Status.CANCELLED)
    assert Pool.objects.get(sku="CHAIR-1").reserved == 0
    assert order.status_changes.get(new_status=Status.CANCELLED).reason == "changed their mind"


def test_a_payment_on_account_is_noted(login: Login) -> None:
    factories.stock("CHAIR-1", SZ=10)
    order = factories.order({"CHAIR-1": 1}, payment_method=PaymentMethod.ON_ACCOUNT)
    assert do(login("finance"), "note_account_payment", order).status_code == 302
    order.refresh_from_db()
    assert order.paid_at is not None
    assert order.status == Status.ON_ACCOUNT
    assert "present state" in said(do(login("finance"), "note_account_payment", order))


def test_shipping_what_is_ours(login: Login) -> None:
    factories.stock("CHAIR-1", SZ=2)
    erp = factories.warehouse("HZ", priority=2, erp_account=factories.account(name="Tryton"))
    factories.stock("DESK-1", HZ=5)
    order = factories.order({"CHAIR-1": 1, "DESK-1": 1})
    lifecycle.confirm_payment(order.number, actor="test")
    client = login("warehouse")
    page = client.get(action("order_order", "ship", order.pk)).content.decode()
    assert "SZ: 1 × CHAIR-1" in page
    assert "DESK-1" not in page
    assert do(client, "ship", order, warehouse=erp.pk).status_code == 200
    assert not order.parcels.exists()
    assert do(client, "ship", order, warehouse=factories.warehouse("SZ").pk).status_code == 302
    order.refresh_from_db()
    assert order.status == Status.PARTLY_SHIPPED
    assert [(line.sku, line.quantity) for line in order.parcels.get().lines.all()] == [("CHAIR-1", 1)]
    assert "present state" in said(do(client, "ship", order, warehouse=factories.warehouse("SZ").pk))


OFFERED = {
    Status.PENDING_PAYMENT: {"Confirm bank transfer", "Cancel the order"},
    Status.EXPIRED: {"Confirm bank transfer"},
    Status.PAID: {"Ship", "Cancel the order"},
    Status.CANCELLED: set(),
}


@pytest.mark.parametrize("status", OFFERED)
def test_only_what_the_state_allows_is_offered(login: Login, order: Order, status: Status) -> None:
    match status:
        case Status.EXPIRED:
            expire(order)
        case Status.PAID:
            lifecycle.confirm_payment(order.number, actor="test")
        case Status.CANCELLED:
            lifecycle.cancel(order.number, actor="test")
    offered = {button["title"] for button in login("superuser").get(detail(order)).context["actions_detail"]}
    assert offered == OFFERED[status]
