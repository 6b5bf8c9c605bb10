"""Parked work: what a person may have tried again, and what would risk doing a thing twice."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.hub import topics, wakeups
from integrations.hub.clock import Clock
from integrations.hub.models import Account, AccountState, Attempt, Outgoing
from integrations.hub.topics import Command


@dataclass(frozen=True, slots=True)
class Retried:
    """How many rows are due again, and how many were left alone."""

    retried: int
    skipped: int


def parked() -> QuerySet[Outgoing]:
    """Work set aside for a person. What a retired account left is nobody's work any more."""
    return Outgoing.objects.filter(parked_at__isnull=False, delivered__lt=F("wanted")).exclude(
        account__state=AccountState.RETIRED
    )


def _safe() -> Q:
    """State is looked at before it is sent. A command may be sent once more only if it surely was not done, in time."""
    unfinished = Exists(Attempt.objects.filter(outgoing=OuterRef("pk"), finished_at=None))
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return Q(is_command=False) | (Q(is_unknown=False) & ~unfinished & in_time)


def retry(rows: QuerySet[Outgoing]) -> Retried:
    """Make the parked ones of `rows` due at once. In a transaction of its own.

    Skipped: what is not parked (any more), commands whose outcome is unknown or whose time is over, retired accounts.
    """
    asked = list(rows.order_by().values_list("pk", flat=True))
    with transaction.atomic(durable=True):
        due = parked().filter(_safe(), pk__in=asked)
        locked = due.select_for_update(of=("self",)).order_by("account_id", "topic", "key")  # the global lock order
        lanes = dict(locked.values_list("pk", "lane"))
        retried = Outgoing.objects.filter(pk__in=lanes, parked_at__isnull=False).update(
            parked_at=None, parked_reason="", failures=0, crashes=0, failing_since=None, next_at=Clock()
        )
        if retried:
            wakeups.on_commit(set(lanes.values()))
    return Retried(retried, len(asked) - retried)


def may_close(row: Outgoing) -> bool:
    """May a person say of this parked row that it is done, or not wanted any more?"""
    topic = topics.find(row.topic)
    return row.parked_at is not None and row.is_open and isinstance(topic, Command) and topic.by_hand


def close(row: Outgoing, note: str) -> bool:
    """A person has done it, or it is not wanted any more: it is never sent again. False when it is not parked now.

    In a transaction of its own. `delivered_at` stays empty: the remote did not take it.
    """
    with transaction.atomic(durable=True):
        parked_now = Outgoing.objects.filter(pk=row.pk, parked_at__isnull=False, delivered__lt=F("wanted"))
        current = parked_now.select_for_update(of=("self",)).first()
        if current is None or not may_close(current):
            return False
        current.delivered, current.parked_at, current.parked_reason, current.is_unknown = (
            current.wanted,
            None,
            "",
            False,
        )
        current.facts = {**current.facts, "by_hand": note}
        current.save(update_fields=["delivered", "parked_at", "parked_reason", "is_unknown", "facts"])
    return True


def withdraw(account: Account, reason: str) -> int:
    """Set everything aside that an account still had to send; returns how many rows. In the caller's transaction.

    What is in flight ends by itself; a row without a lease is never sent again once the account is retired.
    """
    waiting = Outgoing.objects.filter(account=account, delivered__lt=F("wanted"), parked_at=None)
    return waiting.filter(Q(lease_until=None) | Q(lease_until__lte=Clock())).update(
        parked_at=timezone.now(), parked_reason=reason, last_error=reason
    )
