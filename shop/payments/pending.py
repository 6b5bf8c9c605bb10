"""Whether money for an order may be under way, or is all back. Known by rows alone; imported by the lifecycle."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.utils import timezone

from shop.payments.models import OVER, AttemptStatus

if TYPE_CHECKING:
    from shop.order.models import Order

GRACE = timedelta(minutes=5)  # an unreachable provider never holds goods longer than that


def waits_for(order: Order) -> bool:
    """May its provider still say that it is paid? For five minutes after the deadline at most.

    A payment of which the provider said, after it was asked to close it, that it is closed or not there, is over (an
    Alipay QR has no trade until it is scanned, so that there is nothing to close; it is watched all the same).
    """
    if order.payment_deadline is None or order.payment_deadline + GRACE <= timezone.now():
        return False
    asked = Q(close_at__isnull=False, observed_from__gt=F("close_at"))
    over = Q(status__in=OVER) | Q(asked, status=AttemptStatus.ABSENT)
    return order.attempts.exclude(over).exists()


def is_all_back(order: Order) -> bool:
    """Was something paid for it by payments of ours, and is all of that with the payer again?"""
    attempts = list(order.attempts.all())
    return any(one.captured for one in attempts) and not any(one.refundable or one.refund_pending for one in attempts)
