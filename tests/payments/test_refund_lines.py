"""What a refund is for: units at what was paid for them, the last takes the rest; what is back goes into stock."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from integrations.hub.models import Account, Outgoing
from integrations.payments.base import RefundStatus
from shop.fulfilment.shipping import ship
from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import refund_lines, refunds, watching
from shop.payments.models import Attempt, Refund, RefundLine
from shop.payments.refund_lines import CannotRefund, Wanted
from shop.pricing.money import TooFine
from shop.returns.models import ReturnLine
from shop.stock.models import Level, Movement, Reason
from tests import factories
from tests.hub.conftest import send_due
from tests.payments.conftest import again, attempt_of
from tests.payments.till import Book

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought(till: Account, book: Book) -> Order:
    """Three chairs for 100.00 after a discount, and 12.00 shipping: paid and shipped."""
    factories.product()
    factories.stock(SZ=5)
    one = factories.order(
        {"CHAIR-1": 3}, unit="40.00", order_discount=Decimal("20.00"), shipping_gross=Decimal("12.00"),
        payment_method="online",
    )  # fmt: skip
    attempt = attempt_of(one, till)
    book.pay(attempt.number, str(one.total_incl_tax))
    again(attempt)
    assert watching.look(attempt.pk)
    ship(one.number, warehouse=factories.warehouse("SZ"), actor="test")
    return Order.objects.get(pk=one.pk)


def ask(order: Order, amount: str, *lines: Wanted, shipping: str = "0") -> Refund:
    with lifecycle.locked(order.number) as locked:
        return refunds.request(
            locked, Decimal(amount), actor="staff:a", reason="", lines=lines, shipping=Decimal(shipping)
        )


def line_of(order: Order) -> int:
    return order.lines.get().pk


def test_units_at_their_share_and_the_last_takes_what_rounding_left(bought: Order) -> None:
    (left,) = refund_lines.proposal(bought)
    assert (left.quantity, left.amount, left.returnable) == (3, Decimal("100.00"), 3)
    assert [left.amount_of(n) for n in (0, 1, 2, 3)] == [Decimal(x) for x in ("0", "33.33", "66.67", "100.00")]
    for rest in (2, 1):
        ask(bought, "33.33", Wanted(line_of(bought), 1, Decimal("33.33")))
        (left,) = refund_lines.proposal(bought)
        assert left.quantity == rest
    assert left.amount_of(1) == Decimal("33.34")


def test_shipping_is_given_back_once(bought: Order) -> None:
    assert refund_lines.shipping_left(bought) == Decimal("12.00")
    ask(bought, "12.00", shipping="12.00")
    assert refund_lines.shipping_left(bought) == 0
    with pytest.raises(CannotRefund, match="shipping"):
        ask(bought, "12.00", shipping="0.01")


@pytest.mark.parametrize(
    "amount, quantity, line, restock, why",
    [
        ("100.00", 4, "100.00", False, "at most 3 are left"),
        ("100.00", 3, "100.01", False, "at most 100.00"),
        ("50.00", 1, "50.01", False, "more than 50.00"),
        ("50.00", -1, "50.00", False, "at most 3"),
        ("50.00", 1, "-1", False, "at most 100"),
    ],
)
def test_never_more_of_a_line_than_is_left(
    bought: Order, amount: str, quantity: int, line: str, restock: bool, why: str
) -> None:
    with pytest.raises(CannotRefund, match=why):
        ask(bought, amount, Wanted(line_of(bought), quantity, Decimal(line)))
    assert not Refund.objects.exists() and Attempt.objects.get().refund_pending == 0


def test_nothing_finer_than_the_currency(bought: Order) -> None:
    with pytest.raises(TooFine):
        ask(bought, "50.00", Wanted(line_of(bought), 1, Decimal("33.333")))


def test_a_line_of_another_order(bought: Order) -> None:
    other = factories.order()
    with pytest.raises(CannotRefund, match="another order"):
        ask(bought, "50.00", Wanted(line_of(other), 1, Decimal("1.00")))


def test_what_is_back_goes_into_stock_once(bought: Order) -> None:
    place = factories.warehouse("HZ")
    refund = ask(bought, "66.67", Wanted(line_of(bought), 2, Decimal("66.67"), place.pk))
    assert Level.objects.get(pool="CHAIR-1", warehouse=place).on_hand == 2
    move = Movement.objects.get(reason=Reason.RETURNED)
    back = ReturnLine.objects.get()
    assert (move.quantity, move.document, move.actor) == (2, f"return:{back.returned_id}", "staff:a")
    assert (back.quantity, back.returned.number) == (2, f"{bought.number}-{refund.pk}")
    assert RefundLine.objects.get().restock == place
    (left,) = refund_lines.proposal(bought)
    assert (left.quantity, left.returnable) == (1, 1)


def test_what_never_left_cannot_be_back(till: Account, book: Book) -> None:
    factories.product()
    factories.stock(SZ=5)
    one = factories.order(payment_method="online")
    attempt = attempt_of(one, till)
    book.pay(attempt.number)
    again(attempt)
    assert watching.look(attempt.pk)
    with pytest.raises(CannotRefund, match="only 0 have left"):
        ask(one, "113.00", Wanted(line_of(one), 1, Decimal("113.00"), factories.warehouse("SZ").pk))


def test_goods_of_a_warehouse_that_an_erp_owns_are_taken_back_there(bought: Order) -> None:
    place = factories.warehouse("ERP", erp_account=factories.account("erp", "odoo"))
    with pytest.raises(CannotRefund, match="ERP"):
        ask(bought, "33.33", Wanted(line_of(bought), 1, Decimal("33.33"), place.pk))
    assert not Refund.objects.exists()


def test_the_buyer_hears_of_it_once_all_of_it_is_back(bought: Order, till: Account, book: Book) -> None:
    factories.account("messages", "file", name="mail")
    book.refund_to = RefundStatus.PENDING
    refund = ask(bought, "20.00")
    send_due(till)
    assert not Outgoing.objects.filter(topic="mail", key__contains="refunded").exists()
    (key,) = book.refunds
    book.refunds[key] = replace(book.refunds[key], status=RefundStatus.DONE)
    attempt = Attempt.objects.get()
    again(attempt)
    assert watching.look(attempt.pk)
    assert Outgoing.objects.get(topic="mail", key__contains="refunded").key == f"{bought.number}:refunded:{refund.pk}"
    assert bought.status_changes.filter(reason="given back: 20.00 CNY").exists()


def test_money_to_give_back_is_no_task_any_more_once_all_of_it_is(bought: Order, till: Account) -> None:
    Order.objects.filter(pk=bought.pk).update(needs_refund=True)
    ask(bought, "12.00")
    send_due(till)
    assert Order.objects.get(pk=bought.pk).needs_refund
    ask(bought, "100.00")
    send_due(till)
    assert not Order.objects.get(pk=bought.pk).needs_refund
