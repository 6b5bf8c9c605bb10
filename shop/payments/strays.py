"""Money without an order: payments that a provider proved to have taken for us, under a number we do not know.

For ten minutes they are looked at again: a number may turn out to be ours (its transaction was not in, the database was
restored), and money may have gone back. What is left then is for a person.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations.hub import registry
from integrations.hub.errors import HubError
from integrations.hub.models import Account, AccountState
from integrations.payments.base import Observed, Payments
from shop.payments.models import Attempt, Stray
from shop.pricing.money import ZERO

log = logging.getLogger("weft.payments")

LATER = timedelta(minutes=10)  # then a person looks
EVERY = timedelta(minutes=1)
BUDGET = 20.0  # seconds

OURS = Exists(Attempt.objects.filter(account=OuterRef("account"), number=OuterRef("number")))
GIVEN_BACK = "all of it was given back at the provider"
IS_OURS = "it is a payment of an order"


def note(account: Account, seen: Observed) -> None:
    """Keep it, or what changed of it, inside the caller's transaction. What nobody paid is nothing."""
    if seen.captured is None or seen.captured.amount <= 0:
        return
    facts = {
        "remote": seen.remote, "currency": seen.captured.currency, "captured": seen.captured.amount,
        "refunded": seen.refunded.amount if seen.refunded else ZERO, "paid_at": seen.paid_at,
    }  # fmt: skip
    stray, _made = Stray.objects.update_or_create(account=account, number=seen.number, defaults=facts)
    if stray.refunded >= stray.captured:
        _close(Stray.objects.filter(pk=stray.pk), GIVEN_BACK)


def listed() -> QuerySet[Stray]:
    """Those that a person has to look at."""
    return Stray.objects.filter(~OURS, closed_at=None, first_seen_at__lte=timezone.now() - LATER)


def due() -> QuerySet[Stray]:
    """Those to look at again now."""
    now = timezone.now()
    young = Q(first_seen_at__gt=now - LATER - EVERY, account__state=AccountState.ACTIVE)
    rested = Q(checked_at=None, first_seen_at__lte=now - EVERY) | Q(checked_at__lte=now - EVERY)
    return Stray.objects.filter(Q(OURS) | young & rested, closed_at=None)


def recheck(limit: int = 50) -> int:
    """Look again at what is due; returns at how many. What is ours by now is its payment's business."""
    with transaction.atomic():
        ours = Stray.objects.filter(OURS, closed_at=None)
        pairs = list(ours.values_list("account", "number"))
        for account, number in pairs:
            Attempt.objects.filter(account=account, number=number).update(look_at=timezone.now(), looks=0)
        _close(ours, IS_OURS)
    again = due().order_by("pk").values_list("pk", flat=True)[:limit]
    return len(pairs) + sum(look(pk) for pk in again)


def look(stray_id: int) -> bool:
    """Ask the provider about one; False where it does not say, or somebody asked a moment ago."""
    now = timezone.now()
    rested = Q(checked_at=None) | Q(checked_at__lte=now - timedelta(seconds=3))
    if not Stray.objects.filter(rested, pk=stray_id).update(checked_at=now):
        return False
    stray = Stray.objects.select_related("account").get(pk=stray_id)
    try:
        remote: Payments = registry.connect(stray.account, budget=BUDGET)
        seen = remote.look(stray.number, stray.remote)
    except HubError as error:
        log.warning("payment %s without an order could not be looked at: %s", stray.number, error.message)
        return False
    with transaction.atomic():
        note(stray.account, seen)
    return True


def _close(strays: QuerySet[Stray], note: str) -> None:
    strays.filter(closed_at=None).update(closed_at=Now(), closed_note=note)
