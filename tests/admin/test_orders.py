from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import Attempt, Outgoing
from integrations.hub.values import Lane
from shop.customer.models import User
from shop.fulfilment import shipping
from shop.fulfilment.shipping import Left
from shop.order import lifecycle
from shop.order.admin_actions import OrderActions
from shop.order.models import Order, PaymentMethod, Status
from shop.payments.models import Attempt as Payment
from shop.payments.numbers import new_number
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


PAY, EXTEND, NOTE, SHIP, PACK, RETURN, REFUND, CANCEL, GIVE_BACK = (
    "confirm_payment", "extend_deadline", "note_account_payment", "ship", "packing_list", "close_return",
    "note_refund", "cancel_order", "refund",
)  # fmt: skip
FORMS: dict[str, dict[str, Any]] = {
    PAY: {"reference": "ICBC 1"}, NOTE: {}, RETURN: {"reference": "SF 1"}, REFUND: {"reference": "ICBC 2"},
    CANCEL: {"reason": "test"}, PACK: {},
    GIVE_BACK: {"other": "10.00", "reason": "test", "seen": "0", "checked": "10.00"},
    EXTEND: {"until": f"{timezone.localtime() + timedelta(hours=100):%Y-%m-%dT%H:%M}", "reason": "test"},
}  # fmt: skip
# Every state an order can be in, with what may be done then. The flags are states of their own.
OFFERED: dict[str, set[str]] = {
    "pending_payment": {PAY, EXTEND, CANCEL},
    "pending_payment held as long as may be": {PAY, CANCEL},
    "pending_payment overdue": {PAY, CANCEL},
    "expired": {PAY},
    "paid": {SHIP, PACK, CANCEL},
    "paid online": {SHIP, PACK, CANCEL, GIVE_BACK},
    "on_account": {NOTE, SHIP, PACK, CANCEL},
    "partly_shipped": {SHIP, PACK, CANCEL},
    "shipped": set(),
    "shipped on account": {NOTE},
    "cancelling": set(),
    "cancelled": set(),
    "cancelled after payment": {REFUND},
    "cancelled after it left": {RETURN, REFUND},
}


def made(state: str) -> Order:
    """An order in that state, brought there by the services wherever they can."""
    factories.stock("CHAIR-1", SZ=10)
    on_account = state in ("on_account", "shipped on account")
    order = factories.order(
        {"CHAIR-1": 2},
        payment_method=PaymentMethod.ON_ACCOUNT if on_account else PaymentMethod.BANK_TRANSFER,
    )
    if state == "expired":
        expire(order)
    elif state == "pending_payment held as long as may be":
        lifecycle.extend_deadline(order.number, lifecycle.last_deadline(order), actor="test", reason="test")
    elif state == "pending_payment overdue":
        Order.objects.filter(pk=order.pk).update(payment_deadline=timezone.now())
    elif state == "cancelled":
        lifecycle.cancel(order.number, actor="test")
    elif state not in ("pending_payment", "on_account"):
        _release(order, state, on_account)
    order.refresh_from_db()
    return order


def _release(order: Order, state: str, on_account: bool) -> None:
    if not on_account:
        lifecycle.confirm_payment(order.number, actor="test", reference="x")
    if state == "paid online":
        Payment.objects.create(
            order=order, account=factories.account("payments", "gone"), number=new_number(), method="page",
            status="captured", currency="CNY", total=order.total_incl_tax, captured=order.total_incl_tax,
            expires_at=timezone.now(), watched_until=timezone.now(),
        )  # fmt: skip
    elif state == "cancelled after payment":
        lifecycle.cancel(order.number, actor="test")
    elif state == "cancelling":
        told(order)
        lifecycle.cancel(order.number, actor="test")
    elif state == "cancelled after it left":
        told(order)
        lifecycle.cancel(order.number, actor="test")
        with lifecycle.locked(order.number) as row:
            lifecycle.refuse_cancellation(row, actor="Tryton", reason="the ERP had shipped it already")
            lifecycle.acknowledge_cancellation(row, actor="Tryton")
    elif state.startswith("shipped"):
        shipping.ship(order.number, warehouse=factories.warehouse("SZ"), actor="staff:test")
    elif state == "partly_shipped":
        shipping.learn(factories.account(name="3PL"), key="k", number="P-1", order_number=order.number,
                       at=timezone.now(), left=[Left("CHAIR-1", "SZ", 1)])  # fmt: skip


def told(order: Order) -> None:
    """Sending it to the ERP was begun: perhaps it arrived."""
    row = Outgoing.objects.create(
        account=factories.account("erp", "test"), topic="erp.order", key=order.number, subject=order.subject,
        lane=Lane.ORDERS,
    )  # fmt: skip
    Attempt.objects.create(outgoing=row, lease_token="0" * 32, revision=1)


def test_the_states_below_are_all_there_are() -> None:
    assert {state.split(" ")[0] for state in OFFERED} == set(Status.values)
    assert set().union(*OFFERED.values()) == set(OrderActions.actions_detail)


@pytest.mark.parametrize("state", OFFERED)
def test_only_what_the_state_allows_is_offered(login: Login, state: str) -> None:
    order = made(state)
    assert state.startswith(order.status)
    page = login("superuser").get(detail(order))
    offered = {button["path"].rstrip("/").rpartition("/")[2] for button in page.context["actions_detail"]}
    wanted = {action("order_order", name, order.pk).rstrip("/").rpartition("/")[2] for name in OFFERED[state]}
    assert offered == wanted


def _facts(order: Order) -> tuple[Any, ...]:
    row = Order.objects.filter(pk=order.pk).values().get()
    return row, order.status_changes.count(), order.refunds.count()


@pytest.mark.parametrize("name", OrderActions.actions_detail)
@pytest.mark.parametrize("state", OFFERED)
def test_every_action_in_every_state(login: Login, state: str, name: str) -> None:
    """What the state allows is done (or shown); everything else is refused in words and changes nothing."""
    order = made(state)
    form = {"warehouse": factories.warehouse("SZ").pk} if name == SHIP else FORMS[name]
    before = _facts(order)
    answer = login("superuser").post(action("order_order", name, order.pk), form)
    after = _facts(order)
    if name == PACK and name in OFFERED[state]:
        assert (answer.status_code, before) == (200, after)
    elif name in OFFERED[state]:
        assert answer.status_code == 302
        assert before != after, said(answer)
    else:
        assert "present state" in said(answer)
        assert before == after


def test_the_packing_list_says_what_from_where_to_whom_and_no_price(login: Login) -> None:
    page = login("warehouse").get(action("order_order", PACK, made("partly_shipped").pk)).content.decode()
    for words in ("CHAIR-1", "张伟", "科技路", "From SZ"):
        assert words in page
    assert '<td class="units">1</td>' in page  # one of two has left
    assert "¥" not in page


def test_a_closed_return_is_no_task_any_more_and_opens_again_when_more_leaves(login: Login) -> None:
    order = made("cancelled after it left")
    client = login("warehouse")
    assert do(client, RETURN, order, reference="back on the shelf").status_code == 302
    order.refresh_from_db()
    assert order.needs_return, "what was sent to the ERP depends on it"
    assert order.return_closed_at
    assert order.number in client.get(f"{reverse(LIST)}?return=closed").content.decode()
    shipping.learn(factories.account(name="3PL"), key="k", number="P-1", order_number=order.number,
                   at=timezone.now(), left=[Left("CHAIR-1", "SZ", 1)])  # fmt: skip
    order.refresh_from_db()
    assert order.return_closed_at is None


def test_the_page_tells_each_systems_part(login: Login) -> None:
    order = made("partly_shipped")
    Outgoing.objects.create(
        account=factories.account("messages", "file", name="post"), topic="mail", key=f"{order.number}:placed",
        subject=order.subject, lane=Lane.ORDERS, is_command=True, delivered=1, delivered_at=timezone.now(),
    )  # fmt: skip
    client = login("superuser")
    page = client.get(detail(order))
    systems = {system["name"] for system in page.context["shown"]["systems"]}
    assert systems == {"Shop", "Stock", "Mail", "3PL", "test"}
    only = client.get(detail(order), {"system": "Stock"})
    assert {entry.system for entry, _linked in only.context["shown"]["timeline"]} == {"Stock"}
    assert "-1 CHAIR-1 · SZ" in only.content.decode()


def test_numbers_elsewhere_are_shown_and_lead_there(login: Login, order: Order) -> None:
    row = Outgoing.objects.create(
        account=factories.account(name="Tryton"), topic="erp.order", key=order.number, subject=order.subject,
        lane=Lane.ORDERS, refs=[{"id": "sale,1", "number": "SO-77", "url": "https://erp.example/1"},
                                {"id": "sale,2", "number": "SO-78", "url": "javascript:alert(1)"}],
    )  # fmt: skip
    page = login("sales").get(detail(order)).content.decode()
    assert reverse("admin:hub_outgoing_change", args=[row.pk]) in page
    assert 'href="https://erp.example/1"' in page
    assert "SO-78" in page
    assert "javascript:" not in page


def test_the_customers_other_orders_are_there(login: Login, order: Order) -> None:
    """Of a guest by the address they gave, of an account by the account."""
    guest = factories.order({"CHAIR-1": 1}, email="Buyer@Example.test")
    stranger = factories.order({"CHAIR-1": 1}, email="else@example.test")
    page = login("sales").get(detail(order)).content.decode()
    assert guest.number in page
    assert stranger.number not in page
    customer = User.objects.create_user("c@example.test")
    first, second = (factories.order({"CHAIR-1": 1}, user_id=customer.pk) for _ in range(2))
    assert first.number in login("sales").get(detail(second)).content.decode()


def test_lines_are_a_list_of_their_own(login: Login, order: Order) -> None:
    factories.stock("DESK-1", SZ=10)
    other = factories.order({"DESK-1": 1})
    lines = reverse("admin:order_line_changelist")
    for words in ("chair-1", order.number):
        page = login("sales").get(lines, {"q": words}).content.decode()
        assert order.number in page
        assert other.number not in page
