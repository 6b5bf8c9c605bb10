"""I3 and I8, broken on purpose, behind the back of constraints and triggers, must be seen."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from integrations.hub.models import Account
from integrations.payments.base import RefundStatus
from shop import invariants
from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import aftercare, refunds, watching
from shop.payments.models import Attempt, RefundPart
from tests import factories
from tests.hub.conftest import send_due
from tests.payments.conftest import attempt_of
from tests.payments.till import Book

pytestmark = pytest.mark.django_db


def a_busy_till(order: Order, till: Account, book: Book, settings: object) -> None:
    """Paid twice, given back in part, some on its way, some refused, some waiting for approval, one open."""
    settings.WEFT_REFUND_LIMIT = Decimal(50)  # type: ignore[attr-defined]
    for minutes in (5, 1):
        one = attempt_of(order, till)
        book.pay(one.number, at=timezone.now() - timedelta(minutes=minutes))
        assert watching.look(one.pk)
    send_due(till)
    for amount, status in (("3", RefundStatus.DONE), ("5", RefundStatus.FAILED), ("7", RefundStatus.PENDING)):
        book.refund_to = status
        _ask(order, amount)
        send_due(till)
    _ask(order, "60")
    attempt_of(factories.order(payment_method=order.payment_method), till)


def _ask(order: Order, amount: str) -> None:
    with lifecycle.locked(order.number) as locked:
        refunds.request(locked, Decimal(amount), actor="staff:li", reason="scratched")


def problems() -> dict[str, list[str]]:
    found = {one.id: [row.problem for row in invariants.broken(one)] for one in invariants.registered()}
    return {id: rows for id, rows in found.items() if rows}


def test_tried_again_a_refund_is_the_sum_of_its_parts(order: Order, till: Account, book: Book) -> None:
    """The part that failed stands beside the one that took its place."""
    one = attempt_of(order, till)
    book.pay(one.number)
    assert watching.look(one.pk)
    book.refund_to = RefundStatus.FAILED
    _ask(order, "50")
    send_due(till)
    book.refund_to = RefundStatus.DONE
    aftercare.try_again(RefundPart.objects.get().pk, actor="staff:li")
    assert problems() == {}
    send_due(till)
    assert problems() == {} and Attempt.objects.get().refunded == 50


def test_money_of_another_currency_is_on_the_ledger_and_in_no_sum(order: Order, till: Account, book: Book) -> None:
    one = attempt_of(order, till)
    book.pay(one.number, currency="USD")
    assert watching.look(one.pk)
    assert Attempt.objects.get().review and problems() == {}


FIRST = "(SELECT min(id) FROM payments_attempt)"
DONE = "(SELECT key FROM payments_refundpart WHERE status = 'done' AND amount = 3)"
BREAKS = [
    ("I3", f"UPDATE payments_attempt SET refunded = refunded + 200 WHERE id = {FIRST}", "more is given back than"),
    ("I3", f"UPDATE payments_attempt SET captured = captured + 1 WHERE id = {FIRST}", "paid is not the sum"),
    ("I3", f"UPDATE payments_attempt SET refunded = refunded + 1 WHERE id = {FIRST}", "given back is not the sum"),
    ("I3", "UPDATE payments_attempt SET refund_pending = 0", "on its way back is not the sum"),
    ("I3", f"UPDATE payments_attempt SET advanced_at = NULL WHERE id = {FIRST}", "of which nobody is told"),
    ("I3", f"UPDATE payments_attempt SET advanced_at = NULL WHERE id = {FIRST}", "and is not all there"),
    ("I3", "UPDATE order_order SET paid_at = NULL; DELETE FROM payments_refundpart WHERE status = 'failed'",
     "its order was told and is not paid"),
    ("I3", "DELETE FROM payments_refundpart WHERE status = 'failed'; UPDATE payments_attempt SET refunded = 0",
     "was paid twice"),
    ("I8", f"UPDATE payments_entry SET refund_key = '' WHERE refund_key = {DONE}", "is not booked once"),
    ("I8", "UPDATE payments_refundpart SET status = 'done' WHERE status = 'failed'", "is not booked once"),
    ("I8", f"UPDATE payments_entry SET refund_key = 'X' WHERE refund_key = {DONE}", "is no part of a refund"),
    ("I8", "UPDATE payments_refund SET needs_approval = true", "is sent before it was approved"),
    ("I8", "UPDATE payments_refund SET needs_approval = false", "and not sent"),
    ("I8", "UPDATE hub_outgoing SET topic = 'x' WHERE topic = 'payments.refund'", "and not sent"),
    ("I8", "UPDATE payments_refund SET order_id = (SELECT max(id) FROM order_order)", "what another order paid"),
    ("I8", "UPDATE payments_refund SET amount = amount + 1", "is not the sum of its parts"),
]  # fmt: skip


def test_a_busy_till_breaks_none(order: Order, till: Account, book: Book, settings: object) -> None:
    a_busy_till(order, till, book, settings)
    assert Attempt.objects.filter(refund_pending=67, refunded=3).exists()
    assert problems() == {}


@pytest.mark.parametrize(("invariant_id", "statements", "problem"), BREAKS)
def test_what_breaks_it_is_seen(
    order: Order, till: Account, book: Book, settings: object, invariant_id: str, statements: str, problem: str
) -> None:
    a_busy_till(order, till, book, settings)
    guards = (
        "SET CONSTRAINTS ALL IMMEDIATE",
        "ALTER TABLE payments_entry DISABLE TRIGGER USER",
        "ALTER TABLE payments_attempt DROP CONSTRAINT refunds_within_captured",
    )
    with connection.cursor() as cursor:
        for statement in (*guards, *statements.split("; ")):
            cursor.execute(statement)
    assert [words for words in problems().get(invariant_id, []) if problem in words], problems()
