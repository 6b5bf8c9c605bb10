"""Giving money back: split over the payments it came from, reserved before it is sent, booked when it is surely done.

A part is reserved on its payment (`refund_pending`) under a CHECK in the database, so that whatever happens at once,
never more than was paid is on its way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.models import Outgoing
from integrations.payments.base import RefundSeen, RefundStatus
from shop import wiring
from shop.order import lifecycle
from shop.order.models import Order
from shop.payments import numbers, pending, refund_lines
from shop.payments.models import (
    Attempt,
    Dispute,
    DisputeStatus,
    Entry,
    EntryKind,
    PartStatus,
    Refund,
    RefundPart,
)  # fmt: skip
from shop.payments.refund_lines import CannotRefund, Wanted
from shop.pricing.money import ZERO, exact

TOPIC = "payments.refund"
MADE_THERE = ": made there"  # ends the source of a refund that was made at the provider itself, and told by its number
BY_HAND = ": by hand"  # ends the source of what went back in another way than through the provider
AUTOMATIC = 0x72656675  # key of the advisory lock: automatic refunds are counted one at a time

DISPUTED = "Its payment is disputed: nothing of it can be given back before that is decided."


def refundable(order: Order) -> Decimal:
    """What may still be given back of all payments of an order."""
    return sum((attempt.refundable for attempt in givable(order.attempts.all())), Decimal(0))


def givable(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Those of which money may be given back: nobody disputes them."""
    disputed = Dispute.objects.filter(attempt=OuterRef("pk"), status=DisputeStatus.OPEN)
    return attempts.filter(~Exists(disputed))


def request(
    order: Order, amount: Decimal, *, actor: str, reason: str, lines: Sequence[Wanted] = (), shipping: Decimal = ZERO,
    only: Attempt | None = None,
) -> Refund:  # fmt: skip
    """Give back `amount` of a locked order, the newest payment first. Above the limit somebody else approves it first.

    `lines` and `shipping` say what of it is for what; the rest of `amount` is for nothing in particular. What is back
    goes into stock now, whoever approves the money. `only`: of this payment alone. Raises CannotRefund, TooFine.
    """
    exact(amount, order.currency)
    if amount <= 0:
        raise CannotRefund("Nothing is to be given back.")
    refund_lines.check(order, amount, shipping, lines)
    wanted = order.attempts.filter(pk=only.pk) if only else order.attempts.all()
    rows = givable(wanted).select_for_update(of=("self",), no_key=True)
    attempts = list(rows.select_related("account").order_by("pk"))
    if amount > (left := sum((one.refundable for one in attempts), Decimal(0))):
        raise CannotRefund(f"At most {exact(left, order.currency)} {order.currency} can still be given back.")
    refund = Refund(
        order=order, currency=order.currency, amount=amount, shipping=shipping, reason=reason[:255], actor=actor,
        needs_approval=amount > settings.WEFT_REFUND_LIMIT,
    )  # fmt: skip
    refund.save()
    refund.approval = _approval(refund, lines)
    refund.save(update_fields=["approval"])
    for attempt, share in _split(attempts, amount):
        _reserve(refund, attempt, share)
    refund_lines.write(refund, lines)
    if not refund.needs_approval:
        _send(refund)
    return refund


def approve(refund: Refund, approval: str, *, actor: str) -> None:
    """Somebody else agrees to exactly this (`approval` is the digest they were shown). In a transaction of its own.

    Raises CannotRefund.
    """
    with outgoing.recording():
        _order, refund = _lock_waiting(refund)
        if actor == refund.actor:
            raise CannotRefund("Somebody else has to approve it.")
        if approval != refund.approval:
            raise CannotRefund("It changed since it was shown. Look at it again.")
        if givable(Attempt.objects.filter(parts__refund=refund)).count() < refund.parts.count():
            raise CannotRefund(DISPUTED)
        for part in refund.parts.select_related("attempt"):  # a dispute may have been lost since it was reserved
            one = part.attempt
            if one.captured < one.refunded + one.refund_pending + one.disputed:
                raise CannotRefund(f"Of payment {one.number} less than {exact(part.amount, one.currency)} is left.")
        refund.approved_by, refund.approved_at = actor, timezone.now()
        refund.save(update_fields=["approved_by", "approved_at"])
        _send(refund)


def decline(refund: Refund, note: str, *, actor: str) -> None:
    """It is not given back: what it reserved is free again. In a transaction of its own. Raises CannotRefund."""
    with outgoing.recording():
        order, refund = _lock_waiting(refund)
        for part in refund.parts.order_by("attempt_id"):
            Attempt.objects.filter(pk=part.attempt_id).update(
                refund_pending=F("refund_pending") - part.amount, look_at=timezone.now(), looks=0
            )  # as where one failed: what went back at the provider itself was taken for it
        refund.parts.update(status=PartStatus.FAILED, why="declined", closed_at=timezone.now(), closed_note=note[:255])
        refund.declined_by, refund.declined_at, refund.declined_note = actor, timezone.now(), note[:255]
        refund.save(update_fields=["declined_by", "declined_at", "declined_note"])
        lifecycle.note(order, actor, f"refund of {refund} declined: {note}")


def _lock_waiting(refund: Refund) -> tuple[Order, Refund]:
    """The order and a refund that waits for approval, locked in this order. Raises CannotRefund."""
    order = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=refund.order_id)
    refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund.pk)
    if not refund.is_waiting:
        raise CannotRefund("It needs no approval any more.")
    return order, refund


def give_back(attempt: Attempt, amount: Decimal, reason: str) -> Refund | None:
    """Give back of one locked payment without being asked, inside the caller's transaction, which saves `attempt`.

    Above so many or so much an hour they wait for a person's approval, and so does one of a payment in dispute.
    """
    if amount <= 0:
        return None
    is_blocked = not givable(Attempt.objects.filter(pk=attempt.pk)).exists()
    refund = Refund.objects.create(
        order_id=attempt.order_id, currency=attempt.currency, amount=amount, reason=reason[:255],
        actor="weft", is_automatic=True, needs_approval=_too_many(attempt.currency, amount) or is_blocked,
    )  # fmt: skip
    refund.approval = _approval(refund)
    refund.save(update_fields=["approval"])
    _reserve(refund, attempt, amount)
    if not refund.needs_approval:
        _send(refund)
    return refund


def _too_many(currency: str, amount: Decimal) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AUTOMATIC])
    lately = Refund.objects.filter(is_automatic=True, created_at__gt=timezone.now() - timedelta(hours=1))
    count = lately.aggregate(n=Count("pk"))["n"]
    sums = lately.filter(currency=currency).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    return bool(count >= settings.WEFT_AUTOMATIC_REFUNDS or sums + amount > settings.WEFT_AUTOMATIC_REFUND_SUM)


def _approval(refund: Refund, lines: Sequence[Wanted] = ()) -> str:
    facts = refund.pk, refund.order_id, refund.amount, refund.shipping, refund.currency, refund.reason, refund.actor
    return numbers.digest(*facts, *lines)


def _split(attempts: Sequence[Attempt], amount: Decimal) -> list[tuple[Attempt, Decimal]]:
    """Of each payment what is left to give, the newest capture first."""
    parts: list[tuple[Attempt, Decimal]] = []
    for attempt in sorted(attempts, key=lambda one: (one.paid_at or one.created_at, one.pk), reverse=True):
        if share := min(amount, attempt.refundable):
            parts.append((attempt, share))
            amount -= share
    return parts


def _reserve(refund: Refund, attempt: Attempt, amount: Decimal) -> RefundPart:
    """Conditional, and under a CHECK: what is reserved cannot be given back twice. Raises CannotRefund."""
    gone = F("refunded") + F("refund_pending") + F("disputed")
    left = Attempt.objects.filter(pk=attempt.pk, captured__gte=gone + amount)
    if not left.update(refund_pending=F("refund_pending") + amount):
        raise CannotRefund(f"Of payment {attempt.number} less than {exact(amount, attempt.currency)} is left.")
    attempt.refund_pending += amount
    return RefundPart.objects.create(refund=refund, attempt=attempt, key=numbers.new_number(), amount=amount)


def _send(refund: Refund) -> None:
    for part in refund.parts.select_related("attempt__account").order_by("attempt_id"):
        _command(part)


def _command(part: RefundPart) -> None:
    outgoing.command(TOPIC, part.attempt.account, {"part": part.pk}, key=part.key)


def try_again(part: RefundPart, attempt: Attempt) -> RefundPart:
    """A new part in place of one that failed; its order and payment are locked. Raises CannotRefund."""
    if not givable(Attempt.objects.filter(pk=attempt.pk)).exists():
        raise CannotRefund(DISPUTED)
    again = _reserve(part.refund, attempt, part.amount)
    _command(again)
    return again


def known_at_provider(attempt: Attempt) -> Decimal:
    """What of our refunds of a locked payment the provider's own sum may hold: done through it, or perhaps sent to it.

    At most two queries.
    """
    known = ZERO
    if attempt.refunded:
        booked = attempt.entries.filter(kind=EntryKind.REFUNDED, currency=attempt.currency)
        known += booked.exclude(source__endswith=BY_HAND).aggregate(sum=Sum("amount"))["sum"] or ZERO
    if attempt.refund_pending:
        here = Outgoing.objects.filter(topic=TOPIC, key=OuterRef("key"), delivered=0, attempts=None, taken=None)
        pending = attempt.parts.filter(~Exists(here), status=PartStatus.PENDING).select_related("refund")
        known += sum((part.amount for part in pending if not part.refund.is_waiting), ZERO)
    return known


# --- what came of it -------------------------------------------------------------------------------------------------


def settle_part(part: RefundPart, order: Order, attempt: Attempt, seen: RefundSeen, *, source: str) -> None:
    """Write what the provider says of a part; its order and payment are locked. What is done is done."""
    if part.status == PartStatus.DONE or seen.status is RefundStatus.PENDING:
        return
    if part.status == PartStatus.FAILED and seen.status is RefundStatus.DONE:
        _done_after_all(part, attempt)
        return
    if seen.status is RefundStatus.DONE:
        _book(part, attempt, seen.done_at, source)
    elif seen.status is RefundStatus.STUCK:
        part.is_stuck, part.why = True, (seen.why or "the provider cannot pay it out")[:255]
    elif part.status == PartStatus.PENDING:
        attempt.refund_pending -= part.amount
        part.status, part.why = PartStatus.FAILED, (seen.why or "the provider refused it")[:255]
        # While it was reserved, what was given back at the provider itself was taken for it: the sum is read again.
        attempt.look_at, attempt.looks = timezone.now(), 0
    part.remote = seen.remote or part.remote
    part.save()
    attempt.save()
    if part.status == PartStatus.DONE:
        _tell(order, part)


def _done_after_all(part: RefundPart, attempt: Attempt) -> None:
    """It was refused, and was done all the same: its amount may be promised elsewhere by now. The trade's own sum says
    what is gone (it is looked at now), and a person says what this part is."""
    attempt.review = attempt.review or f"a refund that had failed was done at the provider: {part.key}"
    attempt.look_at, attempt.looks = timezone.now(), 0
    attempt.save()


def settle_by_hand(part: RefundPart, order: Order, attempt: Attempt, *, actor: str) -> None:
    """It was given back in another way, say by transfer; its order and payment are locked, the caller closes the part.

    Raises CannotRefund where that is more than is left of the payment.
    """
    if part.status != PartStatus.PENDING and part.amount > attempt.refundable:
        raise CannotRefund(f"Of payment {attempt.number} less than {exact(part.amount, attempt.currency)} is left.")
    _book(part, attempt, None, f"{actor[:50]}{BY_HAND}")
    part.save()
    attempt.save()
    _tell(order, part)


def _book(part: RefundPart, attempt: Attempt, at: datetime | None, source: str) -> None:
    if part.status == PartStatus.PENDING:
        attempt.refund_pending -= part.amount
    attempt.refunded += part.amount
    part.status, part.done_at, part.is_stuck, part.why = PartStatus.DONE, at or timezone.now(), False, ""
    Entry.objects.create(
        attempt=attempt, kind=EntryKind.REFUNDED, amount=part.amount, currency=attempt.currency, source=source,
        at=part.done_at, refund_key=part.key,
    )  # fmt: skip
    attempt.look_at, attempt.looks = timezone.now(), 0  # somebody may have given back of it there as well


def _tell(order: Order, part: RefundPart) -> None:
    """The order, and once all parts of a refund are done its buyer."""
    given = f"{exact(part.amount, order.currency)} {order.currency}"
    lifecycle.note(order, part.attempt.account.name, f"given back: {given}")
    done = part.refund.parts.filter(status=PartStatus.DONE).aggregate(sum=Sum("amount"))["sum"]
    if done == part.refund.amount:  # a part that failed may have been tried again as another one
        wiring.order_refunded(order, part.refund)
    note_all_back(order)


def note_all_back(order: Order) -> None:
    """Once everything that was paid for a locked order is back, nobody has to give it back any more."""
    if pending.is_all_back(order):
        lifecycle.money_is_back(order)
