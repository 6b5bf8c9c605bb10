"""Reading a remote's changes: one reader at a time, the place remembered only after what was read is in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from integrations.hub.clock import Clock
from integrations.hub.models import Account, Cursor


@contextmanager
def reading(account: Account, name: str, lease: timedelta = timedelta(seconds=90)) -> Iterator[Cursor | None]:
    """The cursor under a lease, or None when another worker reads. The lease is given back on leaving."""
    Cursor.objects.get_or_create(account=account, name=name)
    token = uuid.uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=Clock())
    mine = Cursor.objects.filter(free, account=account, name=name).update(
        lease_token=token, lease_until=Clock() + lease
    )
    if not mine:
        yield None
        return
    try:
        yield Cursor.objects.get(account=account, name=name)
    finally:
        Cursor.objects.filter(account=account, name=name, lease_token=token).update(lease_token=None, lease_until=None)


def advance(cursor: Cursor, value: str) -> bool:
    """Remember how far we read; False when the lease went to another meanwhile (then it is theirs to say)."""
    return bool(
        Cursor.objects.filter(pk=cursor.pk, lease_token=cursor.lease_token).update(
            value=value, read_at=timezone.now(), problem=""
        )
    )


def trouble(cursor: Cursor, message: str) -> None:
    """Note why reading failed."""
    Cursor.objects.filter(pk=cursor.pk, lease_token=cursor.lease_token).update(problem=message)
