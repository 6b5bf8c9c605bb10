"""An account of a provider in memory, an order that waits for money, and its payment."""

from __future__ import annotations

import pytest
from django.utils import timezone

from integrations.hub import registry
from integrations.hub.models import Account
from shop.order.models import Order, PaymentMethod
from shop.payments import numbers, schedule
from shop.payments.models import Attempt, AttemptStatus
from tests import factories
from tests.payments.till import Book, Till


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch, settings: object) -> Book:
    monkeypatch.setitem(registry.connectors(), (Till.kind, Till.name), Till)
    monkeypatch.setattr(Till, "book", Book())
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True  # type: ignore[attr-defined]  # the test itself is one
    return Till.book


@pytest.fixture
def till(book: Book) -> Account:
    return factories.account("payments", "till", name="till")


@pytest.fixture
def order(till: Account) -> Order:
    factories.product()
    factories.stock(SZ=3)
    return factories.order(payment_method=PaymentMethod.ONLINE)


def attempt_of(order: Order, account: Account, status: AttemptStatus = AttemptStatus.OPEN) -> Attempt:
    assert order.payment_deadline
    expires_at = order.payment_deadline
    return Attempt.objects.create(
        order=order, account=account, number=numbers.new_number(), method="page", currency=order.currency,
        total=order.total_incl_tax, payee="us", status=status, expires_at=expires_at,
        watched_until=expires_at + schedule.WATCH, look_at=timezone.now(),
    )  # fmt: skip


@pytest.fixture
def attempt(order: Order, till: Account) -> Attempt:
    return attempt_of(order, till)


def again(attempt: Attempt) -> None:
    """It may be asked about now."""
    Attempt.objects.filter(pk=attempt.pk).update(look_at=timezone.now(), looked_at=None)
