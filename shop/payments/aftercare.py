"""What people do about payments and refunds that went wrong. Each in a transaction of its own, noted with the order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone

from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import flow, refunds
from shop.payments.models import Attempt, PartStatus, Refund, RefundPart, Stray
from shop.pricing.money import quantise


class Settled(Exception):
    """Somebody has done something about it already. Nothing was changed."""


# --- a payment that needs review -------------------------------------------------------------------------------------


def review(attempt_id: int, note: str, *, actor: str) -> None:
    """Somebody looked at it, and `note` says what was done. Raises Settled."""
    with flow.locked(attempt_id) as (order, attempt):
        _reviewed(order, attempt, note, actor)


def give_all_back(attempt_id: int, reason: str, *, actor: str) -> Refund:
    """What is left of a payment that needs review goes back, and with that it is reviewed.

    Raises Settled, CannotRefund.
    """
    with flow.locked(attempt_id) as (order, attempt):
        refund = refunds.request(order, attempt.refundable, actor=actor, reason=reason, only=attempt)
        attempt.refresh_from_db()
        _reviewed(order, attempt, reason, actor)
    return refund


def _reviewed(order: Order, attempt: Attempt, note: str, actor: str) -> None:
    if not attempt.needs_review:
        raise Settled
    attempt.review_note, attempt.reviewed_at = note[:255], timezone.now()
    attempt.save(update_fields=["review_note", "reviewed_at"])
    lifecycle.note(order, actor, f"payment reviewed: {note}")


# --- a part of a refund that failed, or is stuck ---------------------------------------------------------------------


def try_again(part_id: int, *, actor: str) -> RefundPart:
    """Send what failed once more, as a part of its own. Raises Settled, CannotRefund."""
    with _failed(part_id) as (order, attempt, part):
        if part.status != PartStatus.FAILED:
            raise Settled  # what is stuck is the provider's: sent again, it might go back twice
        again = refunds.try_again(part, attempt)
        _close(part, f"tried again as {again.key}")
        lifecycle.note(order, actor, f"refund of {_words(part)} tried again")
    return again


def settle_by_hand(part_id: int, note: str, *, actor: str) -> None:
    """The money went back in another way, and is booked as given back. Raises Settled, CannotRefund."""
    with _failed(part_id) as (order, attempt, part):
        refunds.settle_by_hand(part, order, attempt, actor=actor)
        _close(part, note)
        lifecycle.note(order, actor, f"refund of {_words(part)} settled by hand: {note}")


def leave(part_id: int, note: str, *, actor: str) -> None:
    """What failed is not given back after all. Raises Settled."""
    with _failed(part_id) as (order, attempt, part):
        if part.status != PartStatus.FAILED:
            raise Settled
        _close(part, note)
        lifecycle.note(order, actor, f"refund of {_words(part)} not tried again: {note}")


@contextmanager
def _failed(part_id: int) -> Iterator[tuple[Order, Attempt, RefundPart]]:
    attempt_id = RefundPart.objects.values_list("attempt", flat=True).get(pk=part_id)
    with flow.locked(attempt_id) as (order, attempt):
        part = RefundPart.objects.select_for_update(of=("self",)).select_related("refund").get(pk=part_id)
        if not part.needs_somebody:
            raise Settled
        yield order, attempt, part


def _words(part: RefundPart) -> str:
    return f"{quantise(part.amount, part.refund.currency)} {part.refund.currency}"


def _close(part: RefundPart, note: str) -> None:
    part.closed_note, part.closed_at = note[:255], timezone.now()
    part.save()


# --- money without an order ------------------------------------------------------------------------------------------


def close_stray(stray_id: int, note: str) -> None:
    """Somebody looked after money without an order. Raises Settled."""
    with transaction.atomic(durable=True):
        stray = Stray.objects.select_for_update().get(pk=stray_id)
        if stray.closed_at:
            raise Settled
        stray.closed_at, stray.closed_note = timezone.now(), note[:255]
        stray.save(update_fields=["closed_at", "closed_note"])
