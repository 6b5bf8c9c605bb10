"""D3: the web process is killed while a payment starts, and the buyer tries again: paid once, and nothing hangs."""

from __future__ import annotations

import pytest

from integrations.hub import registry
from integrations.payments.base import Payments
from shop.order.models import Order, PaymentMethod, Status
from shop.payments import starting
from shop.payments.models import Attempt, AttemptStatus, RefundPart
from tests import factories
from tests.faults.payments.test_kills import METHODS, Point, comes_right, gateways, killed
from tests.payments.practice import account, status_there
from tests.sandbox.payments.conftest import Gateways, keys

__all__ = ["gateways", "keys"]
pytestmark = pytest.mark.django_db(transaction=True)

# where it is killed · tries that are on disk by then
POINTS = {
    "before the try is on disk": ("write", 0),
    "before the provider hears": ("start", 1),
    "after the provider heard": ("started", 1),
    "before it answers": ("answer", 1),
}


def point(name: str, remote: type[Payments]) -> Point:
    return {
        "write": (starting, "_write", False),
        "start": (remote, "start", False),
        "started": (remote, "start", True),
        "answer": (starting, "_started", True),
    }[name]


@pytest.mark.parametrize("where", POINTS)
@pytest.mark.parametrize("provider", METHODS)
def test_killed_while_it_starts(gateways: Gateways, provider: str, where: str) -> None:
    factories.china()
    factories.product()
    factories.stock(SZ=3)
    order = factories.order(payment_method=PaymentMethod.ONLINE)
    made, name, on_disk = account(gateways, provider), *POINTS[where]

    def begin(lane: int) -> int:
        starting.begin(order, made, METHODS[provider])
        return 1

    killed(point(name, type(registry.connect(made))), begin)
    assert Attempt.objects.count() == on_disk
    again = starting.begin(order, made, METHODS[provider])
    gateways.pay(provider, again.number)
    comes_right(gateways, Attempt.objects.select_related("account", "order").get(pk=again.pk))
    assert not RefundPart.objects.exists() and Order.objects.get().status == Status.PAID
    for lost in Attempt.objects.exclude(pk=again.pk):  # nobody saw its page, and nobody can pay it any more
        assert status_there(gateways, lost) in (AttemptStatus.ABSENT, AttemptStatus.CLOSED)
        assert lost.close_at and lost.captured == 0
