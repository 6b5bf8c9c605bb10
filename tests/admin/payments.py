"""Payments in every state in which staff do something about them, at a provider in memory."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.hub import registry
from integrations.hub.values import Money
from integrations.payments.base import RefundSeen, RefundStatus
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod
from shop.partner.models import StockRecord
from shop.payments import admin_refund_form, disputes, flow, refunds, watching
from shop.payments.models import Attempt, Dispute, Refund, RefundPart, Stray
from tests import factories
from tests.admin.pages import action
from tests.payments.conftest import again, attempt_of
from tests.payments.till import Book, Till

Form = tuple[str, dict[str, Any]]


def open_till(monkeypatch: pytest.MonkeyPatch) -> Book:
    """The provider, with an empty book."""
    monkeypatch.setitem(registry.connectors(), (Till.kind, Till.name), Till)
    monkeypatch.setattr(Till, "book", Book())
    return Till.book


def paid(amount: str = "113.00", units: int = 1, **order: Any) -> Attempt:
    """A payment of a new order that the provider says was made, of this amount."""
    if not StockRecord.objects.filter(partner_sku="CHAIR-1").exists():
        factories.product()
    factories.stock(SZ=10)
    till = factories.account("payments", "till")
    made = factories.order({"CHAIR-1": units}, payment_method=PaymentMethod.ONLINE, **order)
    attempt = attempt_of(made, till)
    Till.book.pay(attempt.number, amount)
    again(attempt)
    assert watching.look(attempt.pk)
    attempt.refresh_from_db()
    return attempt


def asked_for(attempt: Attempt, amount: str = "50.00", actor: str = "staff:li@weft.test") -> Refund:
    """A refund of the payment's order."""
    with lifecycle.locked(attempt.order.number) as order:
        return refunds.request(order, Decimal(amount), actor=actor, reason="scratched")


def failed(status: RefundStatus = RefundStatus.FAILED) -> RefundPart:
    """A part that the provider refused, or cannot pay out."""
    attempt = paid()
    part = asked_for(attempt).parts.get()
    with flow.locked(attempt.pk) as (order, locked):
        seen = RefundSeen(part.key, status, Money(part.amount, "CNY"), why="account closed")
        refunds.settle_part(part, order, locked, seen, source="till: refund")
    return part


def disputed() -> Dispute:
    attempt = paid()
    return disputes.enter(
        attempt.pk, attempt.captured, opened_on=timezone.localdate(), evidence_due_on=None, reason="not received",
        actor="staff:li@weft.test",
    )  # fmt: skip


# --- for the matrix: the address of an action, and its form ----------------------------------------------------------


def refund() -> Form:
    order: Order = paid().order
    form = {"other": "10.00", "reason": "goodwill", "seen": admin_refund_form.seen(order), "checked": "10.00"}
    return action("order_order", "refund", order.pk), form


def waiting(name: str) -> Callable[[], Form]:
    def prepare() -> Form:
        one = asked_for(paid())
        Refund.objects.filter(pk=one.pk).update(needs_approval=True)
        return action("payments_refund", name, one.pk), {"approval": one.approval, "note": "no"}

    return prepare


def of_review(name: str) -> Callable[[], Form]:
    return lambda: (action("payments_attempt", name, paid("112.00").pk), {"note": "asked them"})


def ask() -> Form:
    attempt = paid()
    Attempt.objects.filter(pk=attempt.pk).update(looked_at=None)
    return action("payments_attempt", "ask_now", attempt.pk), {}


def dispute() -> Form:
    form = {"amount": "113.00", "opened_on": "2026-11-20", "evidence_due_on": "", "reason": "not received"}
    return action("payments_attempt", "enter_dispute", paid().pk), form


def move_evidence() -> Form:
    return action("payments_dispute", "move_evidence", disputed().pk), {"due_on": "2026-12-20"}


def close_dispute() -> Form:
    return action("payments_dispute", "close", disputed().pk), {"status": "lost", "note": "case 7"}


def of_part(name: str) -> Callable[[], Form]:
    return lambda: (action("payments_refundpart", name, failed().pk), {"note": "transfer of today"})


def stray() -> Form:
    one = Stray.objects.create(account=factories.account("payments", "till"), number="X", currency="CNY", captured=9)
    return action("payments_stray", "close", one.pk), {"note": "given back there"}
