"""Asking providers about payments that are not finished, and closing what nobody shall pay any more.

Notices only hint, and may never come: what is true is read here, at most every three seconds for one payment.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.hub import registry
from integrations.hub.errors import HubError
from integrations.hub.models import AccountState
from integrations.payments.base import Observed, Payments
from shop.order.models import PaymentMethod, Status
from shop.payments import flow, refunds, schedule, topics
from shop.payments.models import OVER, Attempt, AttemptStatus, PartStatus, RefundPart

log = logging.getLogger("weft.payments")

LEASE = timedelta(seconds=30)  # nobody else asks meanwhile; a question that died is asked again after it
BUDGET = 20.0  # seconds


def due() -> QuerySet[Attempt]:
    """Payments about which the provider has to be asked now."""
    reachable = Q(account__state=AccountState.ACTIVE) | Q(account__state=AccountState.RETIRED)
    return Attempt.objects.filter(reachable, look_at__lte=timezone.now())


def look_due(limit: int = 100) -> int:
    """Ask about what is due; returns how many could be seen."""
    return sum(_look_alone(pk) for pk in due().order_by("look_at", "pk").values_list("pk", flat=True)[:limit])


def _look_alone(attempt_id: int) -> bool:
    """A payment that cannot be written down holds up no other; it is asked about again when its lease is over."""
    try:
        return look(attempt_id)
    except Exception:
        log.exception("payment %s could not be settled", attempt_id)
        return False


def look(attempt_id: int) -> bool:
    """Ask about one payment and write down the truth. Twice at once, one of them asks."""
    attempt = _claim(attempt_id)
    if attempt is None:
        return False
    began = flow.moment()
    try:
        remote: Payments = registry.connect(attempt.account, budget=BUDGET)
        seen = _ask(remote, attempt)
        parts = [(part, remote.look_refund(topics.asked(part))) for part in _parts(attempt)]
    except HubError as error:
        _put_off(attempt_id, error)
        return False
    source = f"{attempt.account.name}: asked"
    with flow.locked(attempt_id) as (order, attempt):
        attempt.look_error = ""
        if not flow.settle(order, attempt, seen, began=began, source=source):
            attempt.look_at = schedule.next_look(attempt)
            attempt.save()
        for part, told in parts:
            if told is not None:
                part = RefundPart.objects.select_for_update(of=("self",)).get(pk=part.pk)
                refunds.settle_part(part, order, attempt, told, source=source)
    flow.advance(attempt_id)
    return True


def _claim(attempt_id: int) -> Attempt | None:
    now = timezone.now()
    mine = Attempt.objects.filter(pk=attempt_id, look_at__lte=now).filter(
        Q(looked_at=None) | Q(looked_at__lte=now - schedule.SOONEST)
    )
    if not mine.update(look_at=now + LEASE, looked_at=now, looks=F("looks") + 1):
        return None
    return Attempt.objects.select_related("account").get(pk=attempt_id)


def _ask(remote: Payments, attempt: Attempt) -> Observed:
    """Closing says how it stands after that; once it is over there is only looking."""
    if attempt.close_at and attempt.status not in OVER and not attempt.was_paid:
        return remote.close(attempt.number, attempt.remote)
    return remote.look(attempt.number, attempt.remote)


def _parts(attempt: Attempt) -> list[RefundPart]:
    """What is on its way back and was accepted by the provider: the hub sent it."""
    pending = attempt.parts.filter(status=PartStatus.PENDING).select_related("attempt", "refund").order_by("pk")
    return [part for part in pending if topics.is_sent(part)]


def _put_off(attempt_id: int, error: HubError) -> None:
    with transaction.atomic():
        attempt = Attempt.objects.select_for_update(no_key=True).get(pk=attempt_id)
        attempt.look_error = error.message[:255]
        attempt.look_at = schedule.next_look(attempt)
        attempt.save(update_fields=["look_error", "look_at"])
    log.warning("payment %s could not be looked at: %s", attempt.number, error.message)


# --- when the time to pay is over ------------------------------------------------------------------------------------


def overdue() -> QuerySet[Attempt]:
    """Payments of orders whose time to pay is over, that somebody could still pay."""
    late = Q(order__payment_method=PaymentMethod.ONLINE) & (
        Q(order__status=Status.PENDING_PAYMENT, order__payment_deadline__lte=timezone.now())
        | Q(order__status__in=[Status.EXPIRED, Status.CANCELLED])
    )
    return Attempt.objects.filter(late, close_at=None).exclude(status__in=[*OVER, AttemptStatus.CAPTURED])


def close_overdue(limit: int = 200) -> int:
    """Have what is overdue closed at the provider; returns how many."""
    now = timezone.now()
    ids = list(overdue().order_by("pk").values_list("pk", flat=True)[:limit])
    return Attempt.objects.filter(pk__in=ids, close_at=None).update(close_at=now, look_at=now, looks=0)
