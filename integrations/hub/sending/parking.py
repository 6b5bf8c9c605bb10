"""Parked work: what a person may have tried again, and what would risk doing a thing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, Func, Min, OuterRef, Q, QuerySet, TextField, Value

from integrations.hub import topics
from integrations.hub.clock import Clock
from integrations.hub.models import Account, AccountState, Attempt, Outgoing
from integrations.hub.topics import Command
from integrations.hub.workers import wakeups

TOGETHER = 1000  # rows of one transaction

# Why a row is parked, without what differs from row to row: numbers, and what stands in quotation marks.
CAUSE: Any = Func(
    F("parked_reason"), Value(r"W\d{8}-\w+|'[^']*'|\"[^\"]*\"|\d+"), Value("…"), Value("g"), function="regexp_replace",
    output_field=TextField(),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Retried:
    """How many rows are due again, and how many were left alone."""

    retried: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What trying again would do: how many rows would be due, and which would be left alone, and why."""

    due: int
    unknown: QuerySet[Outgoing]
    late: QuerySet[Outgoing]
    others: int  # not parked (any more), or of a retired account


@dataclass(frozen=True, slots=True)
class Group:
    """Parked rows of one account and topic with one cause; `sample` is the reason of one of them, in full."""

    account_id: int
    account: str
    topic: str
    cause: str
    sample: str
    count: int
    unknown: int
    since: datetime


def parked() -> QuerySet[Outgoing]:
    """Work set aside for a person. What a retired account left is nobody's work any more."""
    return Outgoing.objects.filter(parked_at__isnull=False, delivered__lt=F("wanted")).exclude(
        account__state=AccountState.RETIRED
    )


def unconfirmed() -> QuerySet[Outgoing]:
    """Work that a person says was done, of which the remote has not heard."""
    return Outgoing.objects.filter(is_unconfirmed=True)


def groups(limit: int = 200) -> list[Group]:
    """All parked work by cause, the largest first. One statement."""
    found = (
        parked()
        .annotate(cause=CAUSE)
        .values("account_id", "account__name", "topic", "cause")
        .annotate(
            sample=Min("parked_reason"), count=Count("pk"), since=Min("parked_at"),
            unknown=Count("pk", filter=_unknown()),
        )
        .order_by("-count", "account__name", "topic", "cause")
    )  # fmt: skip
    return [
        Group(
            row["account_id"], row["account__name"], row["topic"], row["cause"], row["sample"], row["count"],
            row["unknown"], row["since"],
        )
        for row in found[:limit]
    ]  # fmt: skip


def _unknown() -> Q:
    """A command that was perhaps carried out."""
    unfinished = Exists(Attempt.objects.filter(outgoing=OuterRef("pk"), finished_at=None))
    return Q(Q(is_unknown=True) | unfinished, is_command=True)


def _late() -> Q:
    return Q(is_command=True, expires_at__lte=Clock())


def outlook(rows: QuerySet[Outgoing]) -> Outlook:
    """What `retry` would do with these rows. Nothing is changed."""
    found = parked().filter(pk__in=rows.order_by().values("pk"))
    unknown = found.filter(_unknown())
    late = found.filter(_late()).exclude(_unknown())
    asked = rows.order_by().count()
    left = found.filter(_unknown() | _late()).count()
    standing = found.count()
    return Outlook(standing - left, unknown, late, asked - standing)


def retry(rows: QuerySet[Outgoing]) -> Retried:
    """Make the parked ones of `rows` due at once, a thousand in a transaction of its own.

    State is looked at before it is sent. Skipped: what is not parked (any more), commands whose outcome is unknown or
    whose time is over, retired accounts.
    """
    asked = list(rows.order_by("account_id", "topic", "key").values_list("pk", flat=True))
    retried = sum(_retry(asked[at : at + TOGETHER]) for at in range(0, len(asked), TOGETHER))
    return Retried(retried, len(asked) - retried)


def _retry(asked: list[int]) -> int:
    with transaction.atomic(durable=True):
        due = in_order(parked().filter(pk__in=asked).exclude(_unknown()).exclude(_late()))
        lanes = set(due.values_list("lane", flat=True))
        retried = due.filter(parked_at__isnull=False).update(
            parked_at=None, parked_reason="", failures=0, crashes=0, failing_since=None, next_at=Clock()
        )
        if retried:
            wakeups.on_commit(lanes)
    return retried


def may_close(row: Outgoing) -> bool:
    """May a person say of this parked row that it is done, or not wanted any more?"""
    topic = topics.find(row.topic)
    return (
        row.parked_at is not None and row.is_open and isinstance(topic, Command) and topic.by_hand and not topic.needs
    )


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

    Not what outlives an account. What is in flight ends by itself; a row without a lease is never sent again once the
    account is retired.
    """
    outliving = [name for name, topic in topics.registered().items() if topic.outlives_account]
    waiting = Outgoing.objects.filter(account=account, delivered__lt=F("wanted"), parked_at=None)
    idle = waiting.filter(Q(lease_until=None) | Q(lease_until__lte=Clock())).exclude(topic__in=outliving)
    return in_order(idle).update(parked_at=Clock(), parked_reason=reason, last_error=reason)


def hasten(account: Account) -> set[int]:
    """Make everything due that an account still has to send: its settings are new. Returns the lanes."""
    with transaction.atomic():
        waiting = Outgoing.objects.filter(account=account, delivered__lt=F("wanted"), parked_at=None)
        lanes = set(waiting.values_list("lane", flat=True).distinct())
        in_order(waiting.filter(next_at__gt=Clock())).update(next_at=Clock())
    return lanes


def in_order(rows: QuerySet[Outgoing]) -> QuerySet[Outgoing]:
    """These rows, locked in the one lock order."""
    locked = rows.select_for_update(of=("self",)).order_by("account_id", "topic", "key")
    return Outgoing.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))
