"""Reading a remote's changes: one reader at a time, the place remembered only after what was read is in."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q

from integrations.hub.clock import Clock
from integrations.hub.models import Account, Cursor

Upgrade = Callable[[int, str], str]
NEWER = "Written by a newer Weft (version {version}). Update this worker."


def _as_it_is(version: int, value: str) -> str:
    return value


@contextmanager
def reading(
    account: Account,
    name: str,
    lease: timedelta = timedelta(seconds=90),
    *,
    version: int = 1,
    upgrade: Upgrade = _as_it_is,
) -> Iterator[Cursor | None]:
    """The cursor under a lease, or None when another worker reads. The lease is given back on leaving.

    Its value is in the form of `version`: `upgrade(n, value)` brings what version n wrote into that of n + 1. What a
    newer Weft wrote is left alone (None, and the cursor says so): this worker would write it back in the older form.
    """
    Cursor.objects.get_or_create(account=account, name=name, defaults={"version": version})
    token = uuid.uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=Clock())
    mine = Cursor.objects.filter(free, account=account, name=name, version__lte=version).update(
        lease_token=token, lease_until=Clock() + lease
    )
    if not mine:
        _say_newer(account, name, version)
        yield None
        return
    try:
        yield _in_form(Cursor.objects.get(account=account, name=name), version, upgrade)
    finally:
        Cursor.objects.filter(account=account, name=name, lease_token=token).update(lease_token=None, lease_until=None)


def _say_newer(account: Account, name: str, version: int) -> None:
    for newer in Cursor.objects.filter(account=account, name=name, version__gt=version):
        Cursor.objects.filter(pk=newer.pk).update(problem=NEWER.format(version=newer.version))


def _in_form(cursor: Cursor, version: int, upgrade: Upgrade) -> Cursor:
    """Read in today's form; written so with the next `advance`."""
    for older in range(cursor.version, version):
        cursor.value = upgrade(older, cursor.value) if cursor.value else ""
    cursor.version = version
    return cursor


def advance(cursor: Cursor, value: str) -> bool:
    """Remember how far we read; False when the lease went to another meanwhile (then it is theirs to say)."""
    return bool(
        Cursor.objects.filter(pk=cursor.pk, lease_token=cursor.lease_token).update(
            value=value, version=cursor.version, read_at=Clock(), problem=""
        )
    )


def trouble(cursor: Cursor, message: str) -> None:
    """Note why reading failed."""
    Cursor.objects.filter(pk=cursor.pk, lease_token=cursor.lease_token).update(problem=message)
