"""An order that a person enters into the ERP by hand counts as told: it is not cancelled behind the ERP's back."""

from __future__ import annotations

import pytest

from erp import orders
from integrations.hub.models import Attempt, Outgoing, Taken
from integrations.hub.sending import manual
from integrations.hub.sending.manual import Entered
from shop.order import lifecycle
from shop.order.models import Order, Status
from tests import factories

pytestmark = pytest.mark.django_db


def taken() -> tuple[Order, Taken]:
    factories.china()
    factories.product()
    factories.account("erp", "tryton", name="Tryton")
    factories.stock(SZ=5)
    order = factories.order()
    lifecycle.confirm_payment(order.number, actor="test")
    (sheet,), left = manual.take(Outgoing.objects.filter(topic__in=[orders.ORDER, orders.CUSTOMER]), "staff:li")
    assert not left
    return order, sheet


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def test_while_somebody_may_be_entering_it_a_cancellation_waits() -> None:
    order, sheet = taken()
    lifecycle.cancel(order.number, actor="test")
    lifecycle.finish_cancellations()
    assert status(order) == Status.CANCELLING
    manual.give_back(sheet.rows.all())
    lifecycle.finish_cancellations()
    assert status(order) == Status.CANCELLED, "nobody entered it"


def test_what_was_entered_has_to_be_cancelled_there() -> None:
    order, sheet = taken()
    result = manual.finish(sheet, {row.pk: Entered("SO-1") for row in sheet.rows.all()}, [], "staff:li")
    assert (result.ticked, result.refused) == (2, {})
    assert not Attempt.objects.exists()
    lifecycle.cancel(order.number, actor="test")
    lifecycle.finish_cancellations()
    assert status(order) == Status.CANCELLING
    assert Outgoing.objects.get(topic=orders.ORDER).is_open, "the ERP is told"
