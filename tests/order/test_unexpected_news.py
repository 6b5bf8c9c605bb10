"""News that should not happen: written down and made a task, never lost and never in the way of what follows."""

from __future__ import annotations

import pytest
from django.utils import timezone

from erp import documents
from erp.base import Target
from shop.fulfilment import shipping
from shop.fulfilment.shipping import Left
from shop.order import lifecycle
from shop.order.models import PaymentMethod, Status
from shop.stock.models import Pool
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_erp_that_ships_an_unpaid_order_leaves_a_task_and_the_stock_right() -> None:
    factories.stock("CHAIR-1", SZ=10)
    order = factories.order({"CHAIR-1": 2})
    account = factories.account("erp", "tryton")
    left = [Left("CHAIR-1", "SZ", 2)]
    assert shipping.learn(account, key="1", number="1", order_number=order.number, at=timezone.now(), left=left)
    order.refresh_from_db()
    assert (order.status, order.needs_return) == (Status.PENDING_PAYMENT, True)
    assert "never released" in order.status_changes.latest("pk").reason
    pool = Pool.objects.get(sku="CHAIR-1")
    assert (pool.on_hand, pool.reserved) == (8, 0)


def test_the_rest_of_a_partly_shipped_and_cancelled_order_is_never_confirmed_again() -> None:
    factories.stock("CHAIR-1", SZ=10)
    order = factories.order({"CHAIR-1": 2})
    order.status = Status.PARTLY_SHIPPED
    assert documents.target(order) is Target.CONFIRMED
    order.needs_return = True
    assert documents.target(order) is Target.CANCELLED


def test_money_for_a_cancelled_order_on_account_is_to_be_given_back() -> None:
    factories.stock("CHAIR-1", SZ=10)
    order = factories.order({"CHAIR-1": 1}, payment_method=PaymentMethod.ON_ACCOUNT)
    assert lifecycle.cancel(order.number, actor="test").status == Status.CANCELLED
    assert lifecycle.note_account_payment(order.number, actor="test").needs_refund
    assert not lifecycle.note_refund(order.number, actor="test", reference="back").needs_refund
