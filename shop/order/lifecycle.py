"""Moving orders: the only door, along one table, each move with its audit row and its news in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.utils import timezone

from integrations.hub import outgoing, topics
from shop import wiring
from shop.order.models import LineKind, Order, OrderStatusChange, PaymentMethod, Status
from shop.payments import pending
from shop.stock import holds, promises
from shop.stock.holds import OutOfStock

S = Status
MOVES: dict[Status, frozenset[Status]] = {
    S.PENDING_PAYMENT: frozenset({S.PAID, S.CANCELLED, S.EXPIRED}),
    S.EXPIRED: frozenset({S.PAID}),
    S.PAID: frozenset({S.PARTLY_SHIPPED, S.SHIPPED, S.CANCELLING}),
    S.ON_ACCOUNT: frozenset({S.PARTLY_SHIPPED, S.SHIPPED, S.CANCELLING}),
    S.PARTLY_SHIPPED: frozenset({S.PARTLY_SHIPPED, S.SHIPPED, S.CANCELLING}),
    S.CANCELLING: frozenset({S.CANCELLED, S.PARTLY_SHIPPED, S.SHIPPED}),
    S.CANCELLED: frozenset({S.PARTLY_SHIPPED, S.SHIPPED}),
    S.SHIPPED: frozenset(),
}


class IllegalMove(Exception):
    """The order is not in a state from which this can be done."""

    def __init__(self, order: Order, wanted: str) -> None:
        super().__init__(
            f"Order {order.number} is {order.get_status_display()}; it cannot become {Status(wanted).label}."
        )
        self.order = order


class TimeIsOver(Exception):
    """The deadline has passed: the order is expired, or the sweep is about to expire it."""


class TooFar(Exception):
    """The deadline cannot be moved beyond `last`."""

    def __init__(self, last: datetime) -> None:
        super().__init__(f"at most until {_at(last)}")
        self.last = last


def _move(order: Order, status: Status, *, actor: str, reason: str = "") -> None:
    """Move a locked order, with its audit row."""
    if status not in MOVES[Status(order.status)]:
        raise IllegalMove(order, status)
    OrderStatusChange.objects.create(
        order=order, old_status=order.status, new_status=status, actor=actor, reason=reason
    )
    order.status = status


@contextmanager
def locked(number: str) -> Iterator[Order]:
    """One business transaction on one order, its row locked first."""
    with outgoing.recording():
        yield Order.objects.select_for_update(of=("self",), no_key=True).get(number=number)


def confirm_payment(number: str, *, actor: str, reference: str = "") -> Order:
    """The money has arrived: pending or expired becomes paid.

    After expiry the goods are promised anew. Where they are gone the order stays expired, and the money becomes a
    task for staff (`needs_refund`): never a paid order without stock or task. Again on a paid order: IllegalMove.
    """
    try:
        return _pay(number, actor, reference)
    except OutOfStock as gone:
        return _note_late_money(number, actor, reference, gone)


def _note_late_money(number: str, actor: str, reference: str, gone: OutOfStock) -> Order:
    with locked(number) as order:
        if order.status != S.EXPIRED:
            raise IllegalMove(order, S.PAID) from None
        order.paid_at = timezone.now()
        order.needs_refund = True
        order.save(update_fields=["paid_at", "needs_refund"])
        note(order, actor, f"paid late ({reference}), goods are gone: {gone}")
    return order


def note_refund(number: str, *, actor: str, reference: str = "") -> Order:
    """Staff have given the money back by hand. The order's state does not change."""
    with locked(number) as order:
        if not order.needs_refund:
            raise IllegalMove(order, Status(order.status))
        order.needs_refund = False
        order.save(update_fields=["needs_refund"])
        note(order, actor, f"money given back: {reference}")
    return order


def money_is_back(order: Order) -> None:
    """All that was paid for this locked order was given back: nobody has to do it any more."""
    if order.needs_refund:
        order.needs_refund = False
        order.save(update_fields=["needs_refund"])


def close_return(number: str, *, actor: str, reference: str = "") -> Order:
    """What left although the order was cancelled is back, or was given up. The order's state does not change."""
    with locked(number) as order:
        if not order.needs_return or order.return_closed_at:
            raise IllegalMove(order, Status(order.status))
        order.return_closed_at = timezone.now()
        order.save(update_fields=["return_closed_at"])
        note(order, actor, f"return closed: {reference}")
    return order


def _need_return(order: Order) -> None:
    """Goods left that should not have: a task for staff, again if an earlier one was closed. Not saved."""
    order.needs_return = True
    order.return_closed_at = None


def note(order: Order, actor: str, reason: str) -> None:
    """A fact in the audit trail that moves nothing."""
    OrderStatusChange.objects.create(
        order=order, old_status=order.status, new_status=order.status, actor=actor, reason=reason[:255]
    )


def _pay(number: str, actor: str, reference: str) -> Order:
    with locked(number) as order:
        pay(order, actor=actor, reference=reference)
    return order


def pay(order: Order, *, actor: str, reference: str, paid_at: datetime | None = None) -> None:
    """A locked order is paid. Raises IllegalMove, or OutOfStock where it had expired and its goods are gone since."""
    expired, is_kept = order.status == S.EXPIRED, order.payment_deadline is None
    _move(order, S.PAID, actor=actor, reason=reference)
    order.paid_at = paid_at or timezone.now()
    order.payment_deadline = None
    order.needs_refund = False
    order.save(update_fields=["status", "paid_at", "payment_deadline", "needs_refund"])
    if expired:
        holds.promise(list(order.lines.filter(kind=LineKind.GOODS)), deadline=None)
    wiring.order_released(order)
    if not expired and not is_kept:  # what an order without a deadline holds has none
        holds.keep(order.pk)


def last_deadline(order: Order) -> datetime:
    """Goods are never held unpaid beyond this moment, whoever asks."""
    return order.date_placed + timedelta(hours=settings.WEFT_PAYMENT_LATEST_HOURS)


def deadline_once_said(order: Order) -> datetime | None:
    """Until when the goods are held once the customer says that the transfer is made; None: there is no deadline."""
    if order.payment_deadline is None or order.payment_said_at:
        return order.payment_deadline
    longer = order.payment_deadline + timedelta(hours=settings.WEFT_TRANSFER_HOURS)
    return max(order.payment_deadline, min(longer, last_deadline(order)))


def extend_deadline(number: str, until: datetime, *, actor: str, reason: str) -> Order:
    """A payment is under way: the order and what is promised to it wait until `until`, if that is later than now.

    Again, or with an earlier moment, it changes nothing. Raises IllegalMove where no payment is awaited, TimeIsOver
    once the deadline has passed, TooFar beyond `last_deadline`.
    """
    with locked(number) as order:
        _need_time_left(order)
        if until > last_deadline(order):
            raise TooFar(last_deadline(order))
        if _extend(order, until):
            note(order, actor, f"held until {_at(until)}: {reason}")
    return order


def say_paid(number: str, *, actor: str) -> Order:
    """The customer says that the transfer is made: noted once, and the goods are held longer, once.

    Raises IllegalMove where no transfer is awaited, TimeIsOver once the deadline has passed.
    """
    with locked(number) as order:
        if order.payment_method != PaymentMethod.BANK_TRANSFER:
            raise IllegalMove(order, S.PAID)
        _need_time_left(order)
        if order.payment_said_at is None:
            _extend(order, deadline_once_said(order))
            order.payment_said_at = timezone.now()
            order.save(update_fields=["payment_said_at"])
            note(order, actor, f"said to be paid; held until {_at(order.payment_deadline)}")
    return order


def _need_time_left(order: Order) -> None:
    if order.status != S.PENDING_PAYMENT:
        raise IllegalMove(order, S.PENDING_PAYMENT)
    if order.payment_deadline and order.payment_deadline <= timezone.now():
        raise TimeIsOver(order.number)


def _extend(order: Order, until: datetime | None) -> bool:
    """Move the deadline of a locked order, with those of its promises; False: it is no earlier already."""
    if until is None or order.payment_deadline is None or until <= order.payment_deadline:
        return False
    order.payment_deadline = until
    order.save(update_fields=["payment_deadline"])
    holds.keep(order.pk, until=until)
    return True


def _at(moment: datetime | None) -> str:
    """A moment as audit rows say it, the same for everybody who reads them."""
    if moment is None:
        return "-"
    return timezone.localtime(moment, timezone.get_default_timezone()).isoformat(sep=" ", timespec="minutes")


def note_account_payment(number: str, *, actor: str) -> Order:
    """Money for an order that was accepted on account: a fact, not a move."""
    with locked(number) as order:
        if order.payment_method != PaymentMethod.ON_ACCOUNT or order.paid_at:
            raise IllegalMove(order, S.PAID)
        order.paid_at = timezone.now()
        order.needs_refund = order.status == S.CANCELLED
        order.save(update_fields=["paid_at", "needs_refund"])
        note(order, actor, "paid")
    return order


def cancel(number: str, *, actor: str, reason: str = "") -> Order:
    """Cancel an order. Unpaid: at once, its goods free again.

    Released (paid or on account): *cancelling*; its goods stay held until the systems that were told of it say they
    will not ship. If none was ever told, it is cancelled at once.
    """
    with locked(number) as order:
        if order.status == S.PENDING_PAYMENT:
            _move(order, S.CANCELLED, actor=actor, reason=reason)
            order.payment_deadline = None
            order.save(update_fields=["status", "payment_deadline"])
            wiring.order_cancelled(order)
            promises.note_cancelled(order)
            holds.release(order.pk)
        else:
            _move(order, S.CANCELLING, actor=actor, reason=reason)
            order.save(update_fields=["status"])
            wiring.order_withdrawn(order)
    if order.status == S.CANCELLING:
        # A second transaction: what started sending before the first one's commit has its attempt on disk by now,
        # and what starts after it reads *cancelling* (docs/delivery.md, "cancelling against sending").
        finish_cancelling(number)
        order.refresh_from_db()
    return order


def finish_cancelling(number: str) -> bool:
    """A cancelling order of which no remote was ever told, and of which nothing left, is cancelled; True if so."""
    with locked(number) as order:
        if order.status != S.CANCELLING or was_told(order):
            return False
        acknowledge_cancellation(order, actor="weft")
    return True


def was_told(order: Order) -> bool:
    """May a system that moves goods have this order? (A committed attempt, or a person who enters it by hand.)"""
    return outgoing.attempted(order.subject, _goods_topics())


def _goods_topics() -> list[str]:
    return [name for name, topic in topics.registered().items() if topic.acts_on_goods]


def acknowledge_cancellation(order: Order, *, actor: str) -> None:
    """Nobody will ship what is left of this locked order: its goods are free again.

    Where a part had left before, the order is shipped in part and needs a return.
    """
    if order.status != S.CANCELLING:
        return
    has_left = order.parcels.exists()
    if has_left:
        _need_return(order)
    _move(order, S.PARTLY_SHIPPED if has_left else S.CANCELLED, actor=actor)
    order.needs_refund = _is_money_here(order)
    order.save(update_fields=["status", "needs_return", "return_closed_at", "needs_refund"])
    if order.status == S.CANCELLED:
        wiring.order_cancelled(order)
    promises.note_cancelled(order)
    holds.release(order.pk)


def _is_money_here(order: Order) -> bool:
    """Did we get money for it that is not back yet?"""
    was_paid = order.paid_at is not None and order.total_incl_tax > 0
    return was_paid and order.payment_method != PaymentMethod.ELSEWHERE and not pending.is_all_back(order)


def refuse_cancellation(order: Order, *, actor: str, reason: str) -> None:
    """The goods had left already: the locked order waits for the news of its shipment, and needs a return."""
    if not order.needs_return:
        _need_return(order)
        order.save(update_fields=["needs_return", "return_closed_at"])
        note(order, actor, reason)


def cancelled_elsewhere(number: str, *, actor: str) -> None:
    """The channel that took the order cancelled it. What has left already has to come back; again changes nothing."""
    with locked(number) as order:
        if order.status == S.SHIPPED and not order.needs_return:
            refuse_cancellation(order, actor=actor, reason="cancelled there after it was shipped")
    if order.status in (S.PAID, S.PARTLY_SHIPPED):
        cancel(number, actor=actor, reason="cancelled there")


def note_shipped(order: Order, *, actor: str, reason: str) -> None:
    """A parcel of this locked order was written: partly or wholly shipped. After a cancellation: needs a return."""
    goods = order.lines.filter(kind=LineKind.GOODS)
    ordered = goods.aggregate(n=Sum("quantity"))["n"] or 0
    left = goods.aggregate(n=Sum("parcel_lines__quantity"))["n"] or 0
    status = S.SHIPPED if left >= ordered else S.PARTLY_SHIPPED
    if order.status in (S.CANCELLING, S.CANCELLED):
        _need_return(order)
        if order.status == S.CANCELLING and status is S.PARTLY_SHIPPED:
            order.save(update_fields=["needs_return", "return_closed_at"])
            return  # the rest is still being cancelled
    if order.status in (S.PENDING_PAYMENT, S.EXPIRED):
        _need_return(order)  # somebody shipped what nobody has paid: a task, not a move
        note(order, actor, f"shipped although never released: {reason}")
    elif order.status != status or status is S.PARTLY_SHIPPED:
        _move(order, status, actor=actor, reason=reason)
    order.save(update_fields=["status", "needs_return", "return_closed_at"])


def expire_overdue(now: datetime | None = None, limit: int = 500) -> int:
    """Expire unpaid orders whose deadline has passed, each in its own transaction; returns how many."""
    at = now or timezone.now()
    return sum(_expire(number, at) for number in overdue(at).values_list("number", flat=True)[:limit])


def overdue(now: datetime | None = None) -> QuerySet[Order]:
    """Unpaid orders whose deadline has passed."""
    return Order.objects.filter(status=S.PENDING_PAYMENT, payment_deadline__lte=now or timezone.now())


def _expire(number: str, at: datetime) -> bool:
    with locked(number) as order:
        if order.status != S.PENDING_PAYMENT or not order.payment_deadline or order.payment_deadline > at:
            return False  # paid, cancelled or extended meanwhile
        if pending.waits_for(order):
            return False  # its provider is asked; in the end the next sweep expires it
        _move(order, S.EXPIRED, actor="weft", reason="payment deadline")
        order.save(update_fields=["status"])
        wiring.order_cancelled(order)
        holds.release(order.pk)
    return True


def finish_cancellations() -> int:
    """What a crash between the two transactions of `cancel` left behind; returns how many were finished."""
    numbers: Sequence[str] = list(cancelling().values_list("number", flat=True)[:500])
    return sum(finish_cancelling(number) for number in numbers)


def cancelling() -> QuerySet[Order]:
    """Orders whose cancellation is not finished."""
    return Order.objects.filter(status=S.CANCELLING)
