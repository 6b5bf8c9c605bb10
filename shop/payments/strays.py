"""Money without an order: payments that a provider proved to have taken for us, under a number we do not know."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from integrations.hub.models import Account
from integrations.payments.base import Observed
from shop.payments.models import Stray
from shop.pricing.money import ZERO

LATER = timedelta(minutes=10)  # a number may be ours yet: its transaction was not in


def note(account: Account, seen: Observed) -> None:
    """Keep it, or what changed of it, inside the caller's transaction. What nobody paid is nothing."""
    if seen.captured is None or seen.captured.amount <= 0:
        return
    facts = {
        "remote": seen.remote, "currency": seen.captured.currency, "captured": seen.captured.amount,
        "refunded": seen.refunded.amount if seen.refunded else ZERO, "paid_at": seen.paid_at,
    }  # fmt: skip
    Stray.objects.update_or_create(account=account, number=seen.number, defaults=facts)


def listed() -> QuerySet[Stray]:
    """Those that a person has to look at."""
    return Stray.objects.filter(closed_at=None, first_seen_at__lte=timezone.now() - LATER)
