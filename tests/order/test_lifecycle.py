"""Moving orders: along the table and no other way, each move with its audit row."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from erp import orders
from integrations.hub import registry
from integrations.hub.models import Attempt, Outgoing
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from shop import invariants
from shop.fulfilment import shipping
from shop.order import lifecycle
from shop.order.lifecycle import IllegalMove
from shop.order.models import Order, OrderStatusChange, PaymentMethod, Status
from shop.stock.models import Hold, Pool, Warehouse
from tests import factories
from tests.stock.twin import Twin, World
from tests.threads import at_once

pytestmark = pytest.mark.django_db

S = Status
ALLOWED = {
    (S.PENDING_PAYMENT, S.PAID),
    (S.PENDING_PAYMENT, S.CANCELLED),
    (S.PENDING_PAYMENT, S.EXPIRED),
    (S.EXPIRED, S.PAID),
    (S.PAID, S.PARTLY_SHIPPED),
    (S.PAID, S.SHIPPED),
    (S.PAID, S.CANCELLING),
    (S.ON_ACCOUNT, S.PARTLY_SHIPPED),
    (S.ON_ACCOUNT, S.SHIPPED),
    (S.ON_ACCOUNT, S.CANCELLING),
    (S.PARTLY_SHIPPED, S.PARTLY_SHIPPED),
    (S.PARTLY_SHIPPED, S.SHIPPED),
    (S.PARTLY_SHIPPED, S.CANCELLING),
    (S.CANCELLING, S.CANCELLED),
    (S.CANCELLING, S.PARTLY_SHIPPED),
    (S.CANCELLING, S.SHIPPED),
    (S.CANCELLED, S.PARTLY_SHIPPED),
    (S.CANCELLED, S.SHIPPED),
}


@pytest.fixture
def placed() -> Order:
    factories.stock("CHAIR-1", SZ=10)
    return factories.order({"CHAIR-1": 2})


def audit(order: Order) -> list[tuple[str, str, str, str]]:
    rows = OrderStatusChange.objects.filter(order=order).order_by("pk")
    return list(rows.values_list("old_status", "new_status", "actor", "reason"))


def reserved() -> int:
    return Pool.objects.get().reserved


def now(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), itertools.product(Status, Status))
def test_every_pair_of_states_is_allowed_or_refused(placed: Order, old: Status, new: Status) -> None:
    placed.status = old
    before = len(audit(placed))
    if (old, new) in ALLOWED:
        lifecycle._move(placed, new, actor="li", reason="why")
        assert audit(placed)[before:] == [(old, new, "li", "why")]
        assert placed.status == new
    else:
        with pytest.raises(IllegalMove, match=placed.number):
            lifecycle._move(placed, new, actor="li")
        assert len(audit(placed)) == before
        assert placed.status == old


def ship(number: str) -> None:
    shipping.ship(number, warehouse=Warehouse.objects.get(), actor="li")


DOORS: dict[str, tuple[Callable[[str], object], set[Status]]] = {
    "confirm": (lambda number: lifecycle.confirm_payment(number, actor="li"), {S.PENDING_PAYMENT, S.EXPIRED}),
    "cancel": (
        lambda number: lifecycle.cancel(number, actor="li"),
        {S.PENDING_PAYMENT, S.PAID, S.ON_ACCOUNT, S.PARTLY_SHIPPED},
    ),
    "ship": (ship, {S.PAID, S.ON_ACCOUNT, S.PARTLY_SHIPPED}),
}


@pytest.mark.parametrize(("door", "status"), itertools.product(DOORS, Status))
def test_each_door_opens_in_its_states_only(placed: Order, door: str, status: Status) -> None:
    lifecycle.confirm_payment(placed.number, actor="li")  # sourced, so that there is something to ship
    Order.objects.filter(pk=placed.pk).update(status=status)
    before = (audit(placed), reserved())
    act, states = DOORS[door]
    if status in states:
        act(placed.number)
        assert now(placed).status != status
    else:
        with pytest.raises(IllegalMove):
            act(placed.number)
        assert (audit(placed), reserved()) == before
        assert now(placed).status == status


# --- paying ----------------------------------------------------------------------------------------------------------


def test_paid_takes_the_deadline_off(placed: Order) -> None:
    lifecycle.confirm_payment(placed.number, actor="li", reference="bank 42")
    order = now(placed)
    assert (order.status, order.payment_deadline, order.paid_at is not None) == (S.PAID, None, True)
    assert (Hold.objects.get().deadline, Hold.objects.get().open) == (None, 2)
    assert audit(order)[-1] == (S.PENDING_PAYMENT, S.PAID, "li", "bank 42")


def test_money_for_an_order_on_account_is_a_fact_not_a_move() -> None:
    factories.stock("CHAIR-1")
    order = factories.order(payment_method=PaymentMethod.ON_ACCOUNT)
    lifecycle.note_account_payment(order.number, actor="li")
    assert (now(order).status, now(order).paid_at is not None) == (S.ON_ACCOUNT, True)
    assert audit(order)[-1] == (S.ON_ACCOUNT, S.ON_ACCOUNT, "li", "paid")
    with pytest.raises(IllegalMove):
        lifecycle.note_account_payment(order.number, actor="li")


def test_money_for_an_order_by_transfer_is_confirmed_not_noted(placed: Order) -> None:
    with pytest.raises(IllegalMove):
        lifecycle.note_account_payment(placed.number, actor="li")


# --- expiring --------------------------------------------------------------------------------------------------------


def test_expiry_takes_the_overdue_ones_only(placed: Order) -> None:
    in_time = factories.order()
    on_account = factories.order(payment_method=PaymentMethod.ON_ACCOUNT)
    later = timezone.now() + timedelta(hours=71)
    assert lifecycle.expire_overdue(later) == 0
    lifecycle.extend_deadline(in_time.number, timezone.now() + timedelta(hours=100), actor="li", reason="bank")
    assert lifecycle.expire_overdue(timezone.now() + timedelta(hours=73)) == 1
    assert lifecycle.expire_overdue(timezone.now() + timedelta(hours=73)) == 0
    assert [now(o).status for o in (placed, in_time, on_account)] == [S.EXPIRED, S.PENDING_PAYMENT, S.ON_ACCOUNT]
    assert audit(placed)[-1] == (S.PENDING_PAYMENT, S.EXPIRED, "weft", "payment deadline")
    assert reserved() == 2
    assert invariants.broken(invariants.I2) == []


# --- cancelling ------------------------------------------------------------------------------------------------------


def test_unpaid_is_cancelled_at_once(placed: Order) -> None:
    lifecycle.cancel(placed.number, actor="li", reason="changed my mind")
    assert (now(placed).status, now(placed).payment_deadline, reserved()) == (S.CANCELLED, None, 0)
    assert audit(placed)[-1] == (S.PENDING_PAYMENT, S.CANCELLED, "li", "changed my mind")


def test_released_and_never_sent_is_cancelled_at_once(placed: Order) -> None:
    factories.account("erp")
    lifecycle.confirm_payment(placed.number, actor="li")
    lifecycle.cancel(placed.number, actor="li", reason="why")
    assert (now(placed).status, reserved()) == (S.CANCELLED, 0)
    assert [row[1:3] for row in audit(placed)[-2:]] == [(S.CANCELLING, "li"), (S.CANCELLED, "weft")]


def sent(order: Order) -> None:
    """As after a first try of sending it, however that ended."""
    row = Outgoing.objects.get(topic=orders.ORDER, key=order.number)
    Attempt.objects.create(outgoing=row, lease_token="00000000-0000-0000-0000-000000000000", revision=1)


def test_what_was_perhaps_sent_keeps_its_goods_until_the_erp_agrees(placed: Order) -> None:
    factories.account("erp")
    lifecycle.confirm_payment(placed.number, actor="li")
    sent(placed)
    lifecycle.cancel(placed.number, actor="li")
    assert (now(placed).status, reserved()) == (S.CANCELLING, 2)
    assert lifecycle.finish_cancellations() == 0
    with lifecycle.locked(placed.number) as order:
        lifecycle.acknowledge_cancellation(order, actor="erp")
    assert (now(placed).status, now(placed).needs_return, reserved()) == (S.CANCELLED, False, 0)
    with lifecycle.locked(placed.number) as order:
        lifecycle.acknowledge_cancellation(order, actor="erp")
    assert len(audit(placed)) == 4, "said again, it changes nothing"


def test_what_had_left_already_needs_a_return(placed: Order) -> None:
    factories.account("erp")
    lifecycle.confirm_payment(placed.number, actor="li")
    sent(placed)
    lifecycle.cancel(placed.number, actor="li")
    for _ in range(2):
        with lifecycle.locked(placed.number) as order:
            lifecycle.refuse_cancellation(order, actor="erp", reason="gone")
    assert (now(placed).status, now(placed).needs_return, reserved()) == (S.CANCELLING, True, 2)
    assert audit(placed)[-1] == (S.CANCELLING, S.CANCELLING, "erp", "gone")
    Order.objects.filter(pk=placed.pk).update(status=S.PAID)
    ship(placed.number)
    assert (now(placed).status, reserved()) == (S.SHIPPED, 0)


def test_a_crash_between_the_two_halves_of_a_cancellation_is_made_good(placed: Order, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    lifecycle.confirm_payment(placed.number, actor="li")
    with monkeypatch.context() as crash:
        crash.setattr(lifecycle, "finish_cancelling", lambda number: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            lifecycle.cancel(placed.number, actor="li")
    assert (now(placed).status, reserved()) == (S.CANCELLING, 2)
    assert lifecycle.finish_cancellations() == 1
    assert (now(placed).status, reserved()) == (S.CANCELLED, 0)


@pytest.mark.django_db(transaction=True)
def test_cancelling_against_sending_never_leaves_an_order_open_there(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Whichever is first: in the end it is cancelled here and there, and its goods are free."""
    monkeypatch.setitem(registry.connectors(), (Twin.kind, Twin.name), Twin)
    account = factories.account("erp", "twin")
    factories.stock("CHAIR-1", SZ=50)
    Twin.world = World("CHAIR-1", "SZ", 50)
    told = 0
    for _ in range(10):
        number = factories.order(payment_method=PaymentMethod.ON_ACCOUNT).number
        drains.drain(Lane.ORDERS) if _ % 3 == 2 else None
        calls = [lambda: lifecycle.cancel(number, actor="li"), lambda: drains.drain(Lane.ORDERS)]  # noqa: B023
        results = at_once(lambda i, calls=calls: calls[i](), 2)  # type: ignore[misc]
        assert [r for r in results if isinstance(r, Exception)] == []
        for _ in range(3):
            Outgoing.objects.update(next_at=timezone.now() - timedelta(seconds=1))
            drains.drain(Lane.ORDERS)
        assert Order.objects.get(number=number).status == S.CANCELLED
        assert Twin.world.orders.get(number) in (None, "cancelled")
        told += number in Twin.world.orders
        assert reserved() == 0
    print(f"\n{told} of 10 had reached the ERP first")
    assert not Outgoing.objects.filter(account=account, topic=orders.ORDER, parked_at__isnull=False).exists()
