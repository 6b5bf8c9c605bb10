"""Messages set aside: what a person may have tried again, and what is closed with a note."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.hub.models import Incoming
from integrations.hub.sending.parking import Retried
from integrations.hub.workers import wakeups

# Can be understood, or was already. An anomaly is never heeded: which of two bodies is true, a person finds out.
RETRIABLE = Q(parked_at__isnull=False, is_anomaly=False) & (Q(sealed__isnull=False) | Q(parsed_at__isnull=False))


def parked() -> QuerySet[Incoming]:
    """Messages that wait for a person, anomalies among them."""
    return Incoming.objects.filter(parked_at__isnull=False)


def may_retry(row: Incoming) -> bool:
    """Could it be heeded now?"""
    return row.parked_at is not None and not row.is_anomaly and (row.parsed_at is not None or row.sealed is not None)


def retry(rows: QuerySet[Incoming]) -> Retried:
    """Make the parked ones of `rows` due at once. In a transaction of its own.

    Skipped: what is not parked (any more), anomalies, and what was purged before it was understood.
    """
    asked = list(rows.order_by().values_list("pk", flat=True))
    with transaction.atomic(durable=True):
        locked = Incoming.objects.filter(RETRIABLE, pk__in=asked).select_for_update(of=("self",)).order_by("pk")
        lanes = dict(locked.values_list("pk", "lane"))
        retried = Incoming.objects.filter(pk__in=lanes).update(
            parked_at=None, parked_reason="", failures=0, crashes=0, failing_since=None, next_at=timezone.now()
        )
    wakeups.wake_hearing(sorted(set(lanes.values())))
    return Retried(retried, len(asked) - retried)


def close(row: Incoming, note: str) -> bool:
    """A person has seen to it: it is never heeded, and what was sent is forgotten. False when it is not parked now."""
    return bool(
        Incoming.objects.filter(pk=row.pk, parked_at__isnull=False).update(
            done_at=timezone.now(), parked_at=None, parked_reason="", note=note, sealed=None, attempts=[]
        )
    )
