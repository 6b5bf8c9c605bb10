"""The mistake *refund without lock*, put back: two people give the same money back at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.models import Account
from shop import invariants
from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import flow, numbers, refunds, tasks, watching
from shop.payments.models import Attempt, RefundPart
from shop.stock.models import Pool
from tests import factories
from tests.hub.conftest import send_due
from tests.payments.conftest import again, attempt_of, book, order, till
from tests.payments.till import Book
from tests.threads import at_once

__all__ = ["book", "order", "till"]
pytestmark = pytest.mark.django_db(transaction=True)
CHECK = "captured >= refunded + refund_pending"


@pytest.fixture
def _without_check() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_attempt DROP CONSTRAINT refunds_within_captured")
        yield
        cursor.execute("UPDATE payments_attempt SET refunded = 0, refund_pending = 0")
        cursor.execute(f"ALTER TABLE payments_attempt ADD CONSTRAINT refunds_within_captured CHECK ({CHECK})")


def refund_without_lock(patch: pytest.MonkeyPatch) -> None:
    """What is left is read without a lock, and reserved without a condition."""

    def reserve(refund: Any, attempt: Attempt, amount: Decimal) -> None:
        Attempt.objects.filter(pk=attempt.pk).update(refund_pending=F("refund_pending") + amount)
        RefundPart.objects.create(refund=refund, attempt=attempt, key=numbers.new_number(), amount=amount)

    patch.setattr(QuerySet, "select_for_update", lambda self, **_: self._chain())
    patch.setattr(refunds, "_reserve", reserve)


@pytest.mark.parametrize("is_planted", [False, True], ids=["right", "planted"])
@pytest.mark.usefixtures("_without_check")
def test_refund_without_lock(
    order: Order, till: Account, book: Book, monkeypatch: pytest.MonkeyPatch, is_planted: bool
) -> None:
    """Each reads what is left, and goes on once the other has read it too, or cannot."""
    attempt = attempt_of(order, till)
    book.pay(attempt.number)
    assert watching.look(attempt.pk)
    meet, split = threading.Barrier(2), refunds._split

    def slow(*given: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            meet.wait(2)
        return split(*given)

    def give_back(number: int) -> None:
        with outgoing.recording():
            wanted = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
            refunds.request(wanted, Decimal("100.00"), actor=f"staff:{number}", reason="scratched")

    with monkeypatch.context() as patch:
        patch.setattr(refunds, "_split", slow)
        if is_planted:
            refund_without_lock(patch)
        results = at_once(give_back, 2)
    assert [isinstance(each, refunds.CannotRefund) for each in results].count(True) == (0 if is_planted else 1), results
    send_due(till)
    given_back = sum((one.amount.amount for one in book.refunds.values()), Decimal(0))
    assert given_back == (200 if is_planted else 100), "the provider's own book"
    money = next(one for one in invariants.registered() if one.id == "I3")
    assert bool(invariants.broken(money)) is is_planted


def test_a_payment_races_with_the_end_of_its_time(order: Order, till: Account, book: Book) -> None:
    """D20: paid and held, or given back; never both, never neither."""
    races = 500 if settings.WEFT_DEEP else 50
    for _ in range(races):
        factories.stock(SZ=1)
        raced = factories.order(payment_method=order.payment_method)
        attempt = attempt_of(raced, till)
        book.pay(attempt.number)
        Order.objects.filter(pk=raced.pk).update(payment_deadline=timezone.now() - timedelta(minutes=6))
        works = (lambda pk=attempt.pk: watching.look(pk), lifecycle.expire_overdue, tasks.close_overdue)
        at_once(lambda number, works=works: works[number](), 3)  # type: ignore[misc]
        again(attempt)  # the look may have come a moment before it was due
        watching.look(attempt.pk)
        flow.advance_due()
        raced.refresh_from_db()
        one = Attempt.objects.get(pk=attempt.pk)
        held = sum(line.holds.filter(open__gt=0).count() for line in raced.lines.all())
        assert (raced.status, one.refundable > 0, held) == ("paid", True, 1) or one.refundable == 0
    assert Pool.objects.get().reserved == races + 1  # all of them paid: the goods were there
    assert {each.id: found for each in invariants.registered() if (found := invariants.broken(each))} == {}
