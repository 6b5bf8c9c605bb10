"""Reading a remote's changes: one reader at a time, the place remembered only after what was read is in.

An account that is to be left alone is not read either: the pauses are those of sending, with one for all its reading.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q

from integrations.hub.clock import Clock
from integrations.hub.door import pauses
from integrations.hub.errors import HubError, OutcomeUnknown, Scope, TryAgain
from integrations.hub.models import Account, Cursor

Upgrade = Callable[[int, str], str]
PAUSE = "reading"  # what a pause of reading is called, beside the topics of outgoing work
BUG = "It could not be read ({error}): a bug. The log says where."
NEWER = "Written by a newer Weft (version {version}). Update this worker."


def _as_it_is(version: int, value: str) -> str:
    return value


@contextmanager
def asking(account: Account) -> Iterator[bool]:
    """Around what asks an account's remote for news. False: it is to be left alone now, and must not be asked.

    Told to wait (429, a refused connection), all reading of the account waits. The first that ends well ends that.
    """
    before = pauses.of(account, PAUSE)
    if any(before.values()):
        yield False
        return
    try:
        yield True
    except HubError as error:
        _leave_alone(account, error)
        raise
    if before:
        pauses.end(account, before)


def _leave_alone(account: Account, error: HubError) -> None:
    match error:
        case TryAgain(scope=Scope.ACCOUNT):
            pauses.shut(account, "", error.after, error.message)
        case TryAgain(scope=Scope.OPERATION):
            pauses.shut(account, PAUSE, error.after, error.message)
        case TryAgain() | OutcomeUnknown() if error.after:
            pauses.shut(account, PAUSE, error.after, error.message)


@contextmanager
def reading(
    account: Account,
    name: str,
    lease: timedelta = timedelta(seconds=90),
    *,
    version: int = 1,
    upgrade: Upgrade = _as_it_is,
) -> Iterator[Cursor | None]:
    """The cursor under a lease, or None when another worker reads or the account rests. What goes wrong is noted on
    the cursor, and raised; the lease is given back on leaving.

    Its value is in the form of `version`: `upgrade(n, value)` brings what version n wrote into that of n + 1. What a
    newer Weft wrote is left alone (None, and the cursor says so): this worker would write it back in the older form.
    """
    with _leased(account, name, lease, version) as cursor:
        if cursor is None:
            yield None
            return
        with asking(account) as may:
            yield _in_form(cursor, version, upgrade) if may else None


@contextmanager
def _leased(account: Account, name: str, lease: timedelta, version: int) -> Iterator[Cursor | None]:
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
    cursor = Cursor.objects.get(account=account, name=name)
    try:
        yield cursor
    except HubError as error:
        _trouble(cursor, error.message)
        raise
    except Exception as bug:
        _trouble(cursor, BUG.format(error=type(bug).__name__))
        raise
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


def _trouble(cursor: Cursor, message: str) -> None:
    """Note why reading failed."""
    Cursor.objects.filter(pk=cursor.pk, lease_token=cursor.lease_token).update(problem=message)
