"""Disputes: a payer or their bank wants money back from us. Entered and closed by staff, as the provider told them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import flow
from shop.payments.models import Attempt, Dispute, DisputeStatus, Entry, EntryKind
from shop.pricing.money import exact, quantise

NEAR = timedelta(days=3)  # before the day on which evidence is due somebody has to hurry


class CannotDispute(Exception):
    """It cannot be entered as it was said; the message says why. Nothing was written."""


class Closed(Exception):
    """It was closed already. Nothing was changed."""


def opened() -> QuerySet[Dispute]:
    """Those that are not decided yet."""
    return Dispute.objects.filter(status=DisputeStatus.OPEN)


def urgent() -> QuerySet[Dispute]:
    """Of these the ones whose evidence is due within three days, or was."""
    return opened().filter(evidence_due_on__lte=timezone.localdate() + NEAR)


def enter(
    attempt_id: int, amount: Decimal, *, opened_on: date, evidence_due_on: date | None, reason: str, actor: str
) -> Dispute:
    """A dispute about `amount` of a payment was opened. Raises CannotDispute, TooFine."""
    with flow.locked(attempt_id) as (order, attempt):
        exact(amount, attempt.currency)
        if not 0 < amount <= (most := attempt.captured - attempt.disputed):
            raise CannotDispute(f"At most {quantise(most, attempt.currency)} {attempt.currency} can be disputed.")
        if attempt.disputes.filter(status=DisputeStatus.OPEN).exists():
            raise CannotDispute("A dispute about this payment is open already.")
        dispute = Dispute.objects.create(
            attempt=attempt, amount=amount, opened_on=opened_on, evidence_due_on=evidence_due_on, reason=reason[:255],
            actor=actor,
        )  # fmt: skip
        lifecycle.note(order, actor, f"dispute of {dispute} opened: {reason}")
    return dispute


def move_evidence(dispute_id: int, due_on: date, *, actor: str) -> None:
    """The provider gave another day for the evidence. Raises Closed."""
    with _open(dispute_id) as (order, _attempt, dispute):
        dispute.evidence_due_on = due_on
        dispute.save(update_fields=["evidence_due_on"])
        lifecycle.note(order, actor, f"dispute of {dispute}: evidence due on {due_on.isoformat()}")


def close(dispute_id: int, status: DisputeStatus, note: str, *, actor: str) -> None:
    """It is won, lost or withdrawn. Lost: the money is gone, and is booked. Raises Closed."""
    with _open(dispute_id) as (order, attempt, dispute):
        dispute.status, dispute.note = status, note[:255]
        dispute.closed_by, dispute.closed_at = actor, timezone.now()
        dispute.save()
        if status is DisputeStatus.LOST:
            _book_loss(attempt, dispute, actor)
        lifecycle.note(order, actor, f"dispute of {dispute} {status.value}: {note}")


@contextmanager
def _open(dispute_id: int) -> Iterator[tuple[Order, Attempt, Dispute]]:
    """A dispute that is not decided, locked after its order and its payment. Raises Closed."""
    attempt_id = Dispute.objects.values_list("attempt", flat=True).get(pk=dispute_id)
    with flow.locked(attempt_id) as (order, attempt):
        dispute = Dispute.objects.select_for_update(of=("self",)).select_related("attempt").get(pk=dispute_id)
        if dispute.status != DisputeStatus.OPEN:
            raise Closed
        yield order, attempt, dispute


def _book_loss(attempt: Attempt, dispute: Dispute, actor: str) -> None:
    attempt.disputed += dispute.amount
    attempt.save(update_fields=["disputed"])
    Entry.objects.create(
        attempt=attempt, kind=EntryKind.DISPUTED, amount=dispute.amount, currency=attempt.currency,
        at=dispute.closed_at, source=f"{actor[:50]}: by hand",
    )  # fmt: skip
