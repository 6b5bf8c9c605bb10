"""What facts about payments mean: the only place that decides. Two transactions: the money, then the order.

The first writes what the provider said: amounts, movements of money, and that the order has to hear of it. The second
moves the order, and is tried again alone: money is never forgotten because an order could not be moved.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.clock import now as database_now
from integrations.hub.models import Account
from integrations.hub.values import Money
from integrations.payments.base import Observed, RefundSeen, RefundStatus, TradeStatus
from shop.order import lifecycle
from shop.order.models import Order, Status
from shop.payments import refunds, schedule
from shop.payments.models import Attempt, AttemptStatus, Entry, EntryKind
from shop.pricing.money import ZERO, exact
from shop.stock import holds
from shop.stock.holds import OutOfStock

log = logging.getLogger("weft.payments")

ADVANCE_TRIES = 10
UNPAID = (Status.PENDING_PAYMENT, Status.EXPIRED)


@contextmanager
def locked(attempt_id: int) -> Iterator[tuple[Order, Attempt]]:
    """One business transaction on a payment: its order's row is locked first."""
    with outgoing.recording():
        yield lock(attempt_id)


def lock(attempt_id: int) -> tuple[Order, Attempt]:
    """The order and the payment, locked in this order, inside the caller's transaction. One statement: rows are locked
    in the order in which `of` names them."""
    attempt = _lockable().get(pk=attempt_id)
    return attempt.order, attempt


def lock_numbered(account: Account, number: str) -> tuple[Order, Attempt] | None:
    """The same by our number at a provider; None where it is none of ours."""
    attempt = _lockable().filter(account=account, number=number).first()
    return (attempt.order, attempt) if attempt else None


def _lockable() -> QuerySet[Attempt]:
    return Attempt.objects.select_for_update(of=("order", "self"), no_key=True).select_related("order", "account")


# --- the money -------------------------------------------------------------------------------------------------------


def settle(order: Order, attempt: Attempt, seen: Observed, *, began: datetime, source: str) -> bool:
    """Write what the provider says of a locked payment; False where a later answer was written already.

    `began`: when the request began, by the database's clock. Again with the same facts it changes nothing.
    """
    if attempt.observed_from is not None and began <= attempt.observed_from:
        return False
    attempt.observed_from, refunded = began, attempt.refunded
    _note_status(attempt, seen)
    _note_captured(attempt, seen, source)
    _note_refunded(order, attempt, seen, source)
    if attempt.status == AttemptStatus.CAPTURED and not attempt.advanced_at and not attempt.advance_at:
        _judge(order, attempt, seen)
    attempt.look_at = schedule.next_look(attempt)
    attempt.save()
    if attempt.refunded > refunded:
        refunds.note_all_back(order)
    return True


def _note_status(attempt: Attempt, seen: Observed) -> None:
    """Money that was here does not leave by a later word of the provider: what was paid stays paid."""
    if attempt.was_paid and seen.status is not TradeStatus.CAPTURED:
        if seen.status in (TradeStatus.ABSENT, TradeStatus.OPEN, TradeStatus.CLOSED):
            _review(attempt, f"it was paid, and now the provider says {seen.status}")
        return
    attempt.status = AttemptStatus(seen.status.value)
    attempt.remote = seen.remote or attempt.remote
    attempt.facts = {**attempt.facts, **seen.facts}


def _note_captured(attempt: Attempt, seen: Observed, source: str) -> None:
    if seen.captured and seen.captured.currency != attempt.currency:
        _note_foreign(attempt, seen.captured, source)
        return
    if seen.captured is None or seen.captured.amount <= attempt.captured:
        return
    attempt.paid_at = attempt.paid_at or seen.paid_at or timezone.now()
    _book(attempt, EntryKind.CAPTURED, seen.captured.amount - attempt.captured, seen.captured.currency, source)
    attempt.captured = seen.captured.amount


def _note_foreign(attempt: Attempt, captured: Money, source: str) -> None:
    """Money in another currency than asked for: on the ledger, never in the payment's amounts."""
    noted = attempt.entries.filter(kind=EntryKind.CAPTURED, currency=captured.currency).aggregate(sum=Sum("amount"))
    if (more := captured.amount - (noted["sum"] or ZERO)) > 0:
        _book(attempt, EntryKind.CAPTURED, more, captured.currency, source)


def _note_refunded(order: Order, attempt: Attempt, seen: Observed, source: str) -> None:
    """What was given back at the provider itself. Of our refunds its sum holds what went through it, and perhaps what
    was sent; not what we gave back in another way, nor what waits here."""
    if not seen.refunded or not seen.refunded.amount or seen.refunded.currency != attempt.currency:
        return
    theirs = seen.refunded.amount - refunds.known_at_provider(attempt)
    if theirs > 0:
        _take(order, attempt, theirs, source)


def settle_made_there(order: Order, attempt: Attempt, seen: RefundSeen) -> None:
    """Book a refund of a locked payment that was made at the provider itself, once by the number that it has there.

    Where the provider told a sum already it is in that: it tells one only once everything is back.
    """
    if seen.status is not RefundStatus.DONE or seen.amount.currency != attempt.currency:
        return
    known = attempt.entries.filter(kind=EntryKind.REFUNDED).exclude(source__endswith=refunds.BY_HAND)
    if known.filter(refund_key__in=["", seen.key]).exists():
        return
    _take(order, attempt, seen.amount.amount, f"{attempt.account.name}{refunds.MADE_THERE}", seen.done_at, seen.key)
    attempt.save()
    refunds.note_all_back(order)


def _take(
    order: Order, attempt: Attempt, theirs: Decimal, source: str, at: datetime | None = None, key: str = ""
) -> None:
    """It went back at the provider itself: booked as far as there is room; of the rest a person hears."""
    room = attempt.captured - attempt.refunded - attempt.refund_pending
    if booked := min(theirs, room):
        _book(attempt, EntryKind.REFUNDED, booked, attempt.currency, source, at, key)
        attempt.refunded += booked
        lifecycle.note(order, attempt.account.name, f"given back at the provider itself: {_amount(booked, attempt)}")
    if theirs > room:
        _review_anew(attempt, f"given back at the provider: {_amount(theirs - room, attempt)} more than was left")


def _amount(amount: Decimal, attempt: Attempt) -> str:
    return f"{exact(amount, attempt.currency)} {attempt.currency}"


def _book(
    attempt: Attempt, kind: EntryKind, amount: Decimal, currency: str, source: str, at: datetime | None = None,
    key: str = "",
) -> None:  # fmt: skip
    Entry.objects.create(
        attempt=attempt, kind=kind, amount=amount, currency=currency, source=source, refund_key=key,
        at=at or (attempt.paid_at if kind is EntryKind.CAPTURED else None) or timezone.now(),
    )  # fmt: skip


def _judge(order: Order, attempt: Attempt, seen: Observed) -> None:
    """Paid is paid only to the minor unit, in the order's currency, to us. Any difference is for a person."""
    if wrong := _difference(order, attempt, seen):
        _review(attempt, wrong)
        return
    if attempt.refundable <= 0:
        return  # all of it was given back before anybody heard of it
    attempt.advance_at = timezone.now()
    if order.status == Status.PENDING_PAYMENT:  # what is promised to it waits for the second transaction
        order.payment_deadline = None
        order.save(update_fields=["payment_deadline"])
        holds.keep(order.pk)


def _difference(order: Order, attempt: Attempt, seen: Observed) -> str:
    total, captured = seen.total or seen.captured, seen.captured
    if total is None or captured is None:
        return "the provider does not say how much was paid"
    if total.currency != attempt.currency:
        return f"paid in {total.currency} instead of {attempt.currency}"
    if (total.amount, captured.amount) != (attempt.total, attempt.total):
        paid, of, due = (exact(money, attempt.currency) for money in (captured.amount, total.amount, attempt.total))
        return f"paid {paid} of {of}, due were {due}"
    if attempt.total != order.total_incl_tax:
        due, paid = (exact(money, attempt.currency) for money in (order.total_incl_tax, attempt.total))
        return f"due are {due} by now, paid were {paid}"
    if attempt.payee and seen.payee and seen.payee != attempt.payee:
        return f"paid to {seen.payee} instead of {attempt.payee}"
    return ""


def _review(attempt: Attempt, why: str) -> None:
    if not attempt.review:
        attempt.review = why[:255]


def _review_anew(attempt: Attempt, why: str) -> None:
    """As well where something else was reviewed before."""
    if not attempt.needs_review and attempt.review != why[:255]:
        attempt.review, attempt.review_note, attempt.reviewed_at = why[:255], "", None


# --- the order -------------------------------------------------------------------------------------------------------


def due_to_advance() -> QuerySet[Attempt]:
    """Payments of which the order has yet to hear."""
    return Attempt.objects.filter(advance_at__lte=timezone.now())


def advance_due(limit: int = 200) -> int:
    """Tell orders of the money that is here; returns how many were told. What fails is tried again, alone."""
    return sum(advance(pk) for pk in due_to_advance().order_by("pk").values_list("pk", flat=True)[:limit])


def advance(attempt_id: int) -> bool:
    """Tell one order; False where it could not be told now, or was told already."""
    try:
        return _advance(attempt_id)
    except OutOfStock as gone:
        return _too_late(attempt_id, f"paid too late, the goods are gone: {gone}")
    except Exception:
        log.exception("payment %s: its order could not be moved", attempt_id)
        _count_failure(attempt_id)
        return False


def _advance(attempt_id: int) -> bool:
    with locked(attempt_id) as (order, attempt):
        if attempt.advance_at is None:
            return False
        if attempt.refundable <= 0:
            pass  # given back meanwhile
        elif order.status in UNPAID:
            lifecycle.pay(order, actor=attempt.account.name, reference=attempt.number, paid_at=attempt.paid_at)
        else:
            _paid_already(order, attempt)
        _told(attempt)
    return True


def _paid_already(order: Order, attempt: Attempt) -> None:
    """Money for an order that needs none: of two payments the earlier one counts, the other is given back."""
    if order.status == Status.CANCELLED and order.paid_at is None:
        refunds.give_back(attempt, attempt.refundable, "the order was cancelled before it was paid")
        return
    others = list(
        order.attempts.select_for_update(of=("self",), no_key=True)
        .select_related("account").filter(advanced_at__isnull=False).exclude(pk=attempt.pk).order_by("pk")
    )  # fmt: skip
    counted = next((other for other in others if other.refundable > 0), None)
    later = max((attempt, counted), key=_paid_at) if counted else attempt
    refunds.give_back(later, later.refundable, "paid twice")
    if later is not attempt:
        later.save()


def _paid_at(attempt: Attempt) -> tuple[datetime, int]:
    return attempt.paid_at or attempt.created_at, attempt.pk


def _too_late(attempt_id: int, reason: str) -> bool:
    with locked(attempt_id) as (order, attempt):
        if attempt.advance_at is None:
            return False
        lifecycle.note(order, attempt.account.name, reason)
        refunds.give_back(attempt, attempt.refundable, reason)
        _told(attempt)
    return True


def _told(attempt: Attempt) -> None:
    attempt.advance_at, attempt.advanced_at, attempt.look_at = None, timezone.now(), schedule.next_look(attempt)
    attempt.save()


def _count_failure(attempt_id: int) -> None:
    """Later again; after some tries a person looks. The money is written, and the goods stay held."""
    with locked(attempt_id) as (_order, attempt):
        attempt.advance_tries += 1
        attempt.advance_at = timezone.now() + timedelta(seconds=min(15 * 2**attempt.advance_tries, 3600))
        if attempt.advance_tries >= ADVANCE_TRIES:
            _review(attempt, "paid, and its order cannot be moved; the log says why")
        attempt.save()


# --- asking ----------------------------------------------------------------------------------------------------------


def moment() -> datetime:
    """When a request to a provider begins: by the database's clock, which all workers share."""
    return database_now()


def look_soon(attempt: Attempt) -> None:
    """Ask about a locked payment as soon as it may be asked."""
    attempt.look_at, attempt.looks = timezone.now(), 0
    attempt.save(update_fields=["look_at", "looks"])


def advance_soon(attempt: Attempt) -> None:
    """Once the transaction is in, tell the order. Lost it is harmless: a beat finds what is due."""
    if attempt.advance_at:
        transaction.on_commit(lambda: advance(attempt.pk), robust=True)
