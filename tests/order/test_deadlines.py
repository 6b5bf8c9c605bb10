"""Holds are extended while a payment is under way: never shorter, never too long, and never against the sweep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from shop import invariants
from shop.fulfilment import filling
from shop.order import lifecycle
from shop.order.lifecycle import IllegalMove, TimeIsOver, TooFar
from shop.order.models import Order, OrderStatusChange, PaymentMethod, Status
from shop.stock import holds, supply
from shop.stock.models import Hold, Pool, Presale, Waiting
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def placed() -> Order:
    factories.stock("CHAIR-1", SZ=10)
    return factories.order({"CHAIR-1": 2})


def now(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def deadline(order: Order) -> datetime:
    """That of the order, which is that of all it holds and waits for."""
    found = now(order).payment_deadline
    assert found is not None
    promised = [
        *Hold.objects.filter(line__order=order, open__gt=0).values_list("deadline", flat=True),
        *Waiting.objects.filter(line__order=order, open__gt=0).values_list("deadline", flat=True),
    ]
    assert promised and set(promised) == {found}
    return found


def notes(order: Order) -> list[tuple[str, str]]:
    rows = OrderStatusChange.objects.filter(order=order, old_status=Status.PENDING_PAYMENT).order_by("pk")
    assert {row.new_status for row in rows} <= {Status.PENDING_PAYMENT}
    return [(row.actor, row.reason) for row in rows]


def wait_until(order: Order, until: datetime) -> None:
    """Move the deadline anywhere, as time itself does."""
    Order.objects.filter(pk=order.pk).update(payment_deadline=until)
    Hold.objects.filter(line__order=order, open__gt=0).update(deadline=until)
    Waiting.objects.filter(line__order=order, open__gt=0).update(deadline=until)


def broken() -> list[invariants.Broken]:
    return [row for one in (invariants.I1, invariants.I2, invariants.I17) for row in invariants.broken(one)]


def extend(order: Order, until: datetime) -> Order:
    return lifecycle.extend_deadline(order.number, until, actor="staff:li@weft.test", reason="bank says tomorrow")


# --- moving it -------------------------------------------------------------------------------------------------------


def test_it_moves_the_order_and_its_holds_and_is_noted(placed: Order) -> None:
    other = factories.order()
    until = placed.date_placed + 100 * HOUR
    extend(placed, until)
    assert deadline(placed) == until
    assert deadline(other) < until
    at = timezone.localtime(until).strftime("%Y-%m-%d %H:%M")
    assert notes(placed) == [("staff:li@weft.test", f"held until {at}+08:00: bank says tomorrow")]
    assert Pool.objects.get().reserved == 3
    assert broken() == []


def test_again_or_earlier_changes_nothing(placed: Order) -> None:
    until = placed.date_placed + 100 * HOUR
    extend(placed, until)
    for moment in (until, until - HOUR, timezone.now() - HOUR):
        extend(placed, moment)
    assert deadline(placed) == until
    assert len(notes(placed)) == 1


def test_there_is_a_last_moment(placed: Order, settings) -> None:  # type: ignore[no-untyped-def]
    last = placed.date_placed + timedelta(days=7)
    with pytest.raises(TooFar) as refusal:
        extend(placed, last + timedelta(seconds=1))
    assert refusal.value.last == last
    assert (deadline(placed), notes(placed)) == (placed.payment_deadline, [])
    extend(placed, last)
    assert deadline(placed) == last
    settings.WEFT_PAYMENT_LATEST_HOURS = 100
    with pytest.raises(TooFar):
        extend(placed, last)


def test_what_is_over_is_over(placed: Order) -> None:
    """Also before the sweep has come by: the customer was told this moment."""
    wait_until(placed, timezone.now() - timedelta(seconds=1))
    for call in (lambda: extend(placed, timezone.now() + HOUR), lambda: lifecycle.say_paid(placed.number, actor="web")):
        with pytest.raises(TimeIsOver):
            call()
    assert (now(placed).payment_said_at, notes(placed)) == (None, [])
    assert lifecycle.expire_overdue() == 1
    with pytest.raises(IllegalMove):
        extend(placed, timezone.now() + HOUR)


@pytest.mark.parametrize("status", [status for status in Status if status != Status.PENDING_PAYMENT])
def test_only_while_a_payment_is_awaited(placed: Order, status: Status) -> None:
    Order.objects.filter(pk=placed.pk).update(status=status)
    before = OrderStatusChange.objects.count(), Hold.objects.get().deadline
    for call in (lambda: extend(placed, timezone.now() + 100 * HOUR),
                 lambda: lifecycle.say_paid(placed.number, actor="web")):  # fmt: skip
        with pytest.raises(IllegalMove):
            call()
    assert (OrderStatusChange.objects.count(), Hold.objects.get().deadline) == before
    assert (now(placed).payment_deadline, now(placed).payment_said_at) == (placed.payment_deadline, None)


def test_the_sweep_waits_for_the_new_deadline(placed: Order) -> None:
    until = placed.date_placed + 100 * HOUR
    extend(placed, until)
    assert lifecycle.expire_overdue(placed.date_placed + 99 * HOUR) == 0
    assert lifecycle.expire_overdue(until) == 1
    assert (now(placed).status, Pool.objects.get().reserved, broken()) == (Status.EXPIRED, 0, [])


def test_paid_the_deadline_is_gone(placed: Order) -> None:
    extend(placed, placed.date_placed + 100 * HOUR)
    lifecycle.confirm_payment(placed.number, actor="li")
    assert (now(placed).payment_deadline, Hold.objects.get().deadline) == (None, None)


# --- the customer says that the transfer is made ---------------------------------------------------------------------


def test_said_once_it_is_held_longer_once(placed: Order) -> None:
    lifecycle.say_paid(placed.number, actor="web")
    first = now(placed)
    assert first.payment_said_at is not None
    assert deadline(placed) == placed.date_placed + 120 * HOUR
    ((actor, reason),) = notes(placed)
    assert (actor, reason.partition(" 2")[0]) == ("web", "said to be paid; held until")
    lifecycle.say_paid(placed.number, actor="web")
    assert now(placed).payment_said_at == first.payment_said_at
    assert deadline(placed) == first.payment_deadline
    assert len(notes(placed)) == 1
    assert broken() == []


@pytest.mark.parametrize(("already", "then"), [(119, 167), (130, 168), (168, 168)])
def test_said_it_is_held_no_longer_than_ever(placed: Order, already: int, then: int) -> None:
    extend(placed, placed.date_placed + already * HOUR)
    assert lifecycle.deadline_once_said(now(placed)) == placed.date_placed + then * HOUR
    lifecycle.say_paid(placed.number, actor="web")
    assert deadline(placed) == placed.date_placed + then * HOUR
    assert now(placed).payment_said_at is not None


def test_a_last_moment_before_the_first_deadline_shortens_nothing(placed: Order, settings) -> None:  # type: ignore[no-untyped-def]
    settings.WEFT_PAYMENT_LATEST_HOURS = 24
    lifecycle.say_paid(placed.number, actor="web")
    assert deadline(placed) == placed.payment_deadline


def test_only_transfers_are_said_to_be_made(placed: Order) -> None:
    Order.objects.filter(pk=placed.pk).update(payment_method=PaymentMethod.ELSEWHERE)
    with pytest.raises(IllegalMove):
        lifecycle.say_paid(placed.number, actor="web")


# --- what is not here yet --------------------------------------------------------------------------------------------


def test_what_it_waits_for_is_kept_as_long() -> None:
    """One line is held, one waits, of one a part has arrived."""
    factories.stock("CHAIR-1", SZ=10)
    sales = [factories.presale(sku, cap=5) for sku in ("DESK-1", "LAMP-1")]
    placed = factories.order({"CHAIR-1": 1, "DESK-1": 4, "LAMP-1": 3})
    supply.receive(sales[0].supply_id, 2, seen=0, actor="test")
    assert filling.fill_waiting() == 2
    assert (Hold.objects.count(), Waiting.objects.filter(open__gt=0).count()) == (2, 2)
    until = placed.date_placed + 100 * HOUR
    extend(placed, until)
    assert deadline(placed) == until
    supply.receive(sales[1].supply_id, 3, seen=0, actor="test")
    filling.fill_waiting()
    assert deadline(placed) == until, "what is filled later has it too"
    assert broken() == []
    assert lifecycle.expire_overdue(until - HOUR) == 0
    assert lifecycle.expire_overdue(until) == 1
    assert [sale.promised for sale in Presale.objects.all()] == [0, 0]
    assert broken() == []


@pytest.mark.parametrize("table", ["stock_hold", "stock_waiting"])
def test_a_promise_that_does_not_follow_is_seen(table: str) -> None:
    factories.stock("CHAIR-1", SZ=1)
    factories.presale("DESK-1", cap=5)
    placed = factories.order({"CHAIR-1": 1, "DESK-1": 4})
    assert broken() == []
    rows = Hold.objects if table == "stock_hold" else Waiting.objects
    rows.update(deadline=timezone.now())
    (row,) = broken()
    assert row.subject == f"{placed.number} {'CHAIR-1' if table == 'stock_hold' else 'DESK-1'}"
    assert "until another moment" in row.problem


# --- at the same moment ----------------------------------------------------------------------------------------------


def one_after_the_other(
    patch: pytest.MonkeyPatch, first: Callable[[], object], second: Callable[[], object]
) -> list[object]:
    """`second` starts while `first` has locked the order and has still to move its holds."""
    has_it, moved = threading.Event(), {"keep": holds.keep, "release": holds.release}

    def held_up(name: str) -> Callable[..., int]:
        def late(*args: Any, **more: Any) -> int:
            has_it.set()
            time.sleep(0.3)  # the other one waits for the order by now
            return moved[name](*args, **more)

        return late

    for name in moved:
        patch.setattr(holds, name, held_up(name))
    calls = [first, lambda: has_it.wait(10) and second()]
    return at_once(lambda number: calls[number](), 2)


@pytest.mark.django_db(transaction=True)
def test_extended_first_the_sweep_finds_it_extended(placed: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    old = placed.date_placed + 72 * HOUR
    results = one_after_the_other(
        monkeypatch, lambda: extend(placed, old + 24 * HOUR), lambda: lifecycle.expire_overdue(old + HOUR)
    )
    assert isinstance(results[0], Order) and results[1] == 0
    assert now(placed).status == Status.PENDING_PAYMENT
    assert deadline(placed) == old + 24 * HOUR
    assert broken() == []


@pytest.mark.django_db(transaction=True)
def test_expired_first_nothing_is_extended(placed: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    old = placed.date_placed + 72 * HOUR
    results = one_after_the_other(
        monkeypatch, lambda: lifecycle.expire_overdue(old + HOUR), lambda: extend(placed, old + 24 * HOUR)
    )
    assert results[0] == 1 and isinstance(results[1], IllegalMove)
    assert (now(placed).status, now(placed).payment_deadline) == (Status.EXPIRED, old)
    assert (Pool.objects.get().reserved, broken()) == (0, [])


@pytest.mark.django_db(transaction=True)
def test_everything_at_once_leaves_one_truth() -> None:
    """Extended, said, expired, paid and filled together, again and again: no deadlock, and it adds up."""
    factories.stock("CHAIR-1", SZ=100)
    ended = set()
    for turn in range(12):
        sale = factories.presale("DESK-1", cap=3, days=9)
        placed = factories.order({"CHAIR-1": 1, "DESK-1": 3})
        supply.receive(sale.supply_id, 3, seen=0, actor="test")
        old = placed.date_placed + 72 * HOUR
        calls: list[Callable[[], object]] = [
            lambda number=placed.number: lifecycle.say_paid(number, actor="web"),
            lambda number=placed.number: lifecycle.say_paid(number, actor="web"),
            lambda order=placed, until=old + 10 * HOUR: extend(order, until),
            lambda at=old + HOUR: lifecycle.expire_overdue(at),
            filling.fill_waiting,
            *([lambda number=placed.number: lifecycle.confirm_payment(number, actor="li")] if turn % 3 == 0 else []),
        ]
        calls = calls[turn % len(calls) :] + calls[: turn % len(calls)]
        results = at_once(lambda number, calls=calls: calls[number](), len(calls))  # type: ignore[misc]
        assert [r for r in results if isinstance(r, Exception) and not isinstance(r, IllegalMove)] == []
        after = now(placed)
        ended.add(after.status)
        if after.status == Status.PENDING_PAYMENT:
            assert deadline(placed) >= old + 10 * HOUR
        assert len([reason for _, reason in _all_notes(placed) if reason.startswith("said to be paid")]) <= 1
        assert broken() == []
        for open_ in Presale.objects.filter(closed_at=None):
            Presale.objects.filter(pk=open_.pk).update(closed_at=timezone.now(), cap=open_.promised)
    print(f"\nended as {sorted(map(str, ended))}")
    assert len(ended) > 1


def _all_notes(order: Order) -> list[tuple[str, str]]:
    rows = OrderStatusChange.objects.filter(order=order)
    return [(row.actor, row.reason) for row in rows]
