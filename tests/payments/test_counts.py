"""How many statements a payment costs, noise-free: its money transaction, and the one that moves the order."""

from __future__ import annotations

import pytest
from django.utils import timezone

from integrations.hub.models import Account
from integrations.hub.values import Money
from integrations.payments.base import Observed, TradeStatus
from shop.order.models import Order, PaymentMethod, Status
from shop.payments import flow
from tests import factories
from tests.payments.conftest import attempt_of
from tests.statements import Statements, budget, counted, same

pytestmark = pytest.mark.django_db(transaction=True)

MONEY, ADVANCE = 8, 12


@pytest.fixture(autouse=True)
def others(till: Account) -> None:
    """Who hears of paid orders."""
    factories.account("erp", "tryton", name="erp")
    factories.account("messages", "file", name="mail")


def paying(till: Account, lines: int) -> tuple[Statements, Statements]:
    """The two transactions of paying an order of so many lines."""
    wanted = {f"S{lines}-{number}": 2 for number in range(lines)}
    for sku in wanted:
        factories.product(sku)
        factories.stock(sku, SZ=3)
    order = factories.order(wanted, unit="1.00", payment_method=PaymentMethod.ONLINE, email="a@example.test")
    attempt = attempt_of(order, till)
    money = Money(attempt.total, attempt.currency)
    seen = Observed(attempt.number, TradeStatus.CAPTURED, "T", money, captured=money, paid_at=timezone.now())
    with budget(MONEY, "the money") as first, flow.locked(attempt.pk) as (locked, one):
        flow.settle(locked, one, seen, began=timezone.now(), source="test")
    with counted("the order") as second:
        assert flow.advance(attempt.pk)
    second.sql = second.sql[: second.sql.index("COMMIT") + 1]  # workers are woken after it
    assert len(second) <= ADVANCE, str(second)
    assert Order.objects.get(pk=order.pk).status == Status.PAID
    return first, second


def test_paying_costs_the_same_whatever_the_order_has(till: Account) -> None:
    one = paying(till, 1)
    for lines in (10, 50):
        for mine, other in zip(one, paying(till, lines), strict=True):
            same(mine, other)


def test_order_and_payment_are_locked_in_this_order_by_one_statement(till: Account) -> None:
    factories.product()
    factories.stock(SZ=3)
    attempt = attempt_of(factories.order(payment_method=PaymentMethod.ONLINE), till)
    with budget(3, "lock") as found, flow.locked(attempt.pk):
        pass
    assert found.naming("FOR NO KEY UPDATE")[0].endswith('OF "order_order", "payments_attempt"')
