"""When a provider is asked about a payment: often at first, seldom later, until nothing can come any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from shop.payments.models import OVER, Attempt, AttemptStatus
from shop.payments.pending import GRACE

SOONEST = timedelta(seconds=3)  # between two questions about one payment
WATCH = timedelta(hours=24)  # beyond the provider's own expiry
STEPS = (5, 10, 15, 30, 60, 120, 300)  # seconds
AFTER = timedelta(minutes=30)  # once it cannot be paid any more


def next_look(attempt: Attempt) -> datetime | None:
    """When to ask next of a payment that was just looked at; None: not any more."""
    now = timezone.now()
    if attempt.refund_pending:
        return now + _step(attempt)
    if attempt.was_paid or attempt.status == AttemptStatus.REFUSED:
        return None
    if attempt.status in OVER or now >= attempt.expires_at:
        later = now + (_step(attempt) if attempt.close_at and now < attempt.close_at + GRACE else AFTER)
        return later if later <= attempt.watched_until else None
    return now + _step(attempt)


def _step(attempt: Attempt) -> timedelta:
    return timedelta(seconds=STEPS[min(attempt.looks, len(STEPS) - 1)])
