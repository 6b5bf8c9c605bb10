"""Accounts: made, checked, paused, resumed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextvars import copy_context
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations.hub import registry
from integrations.hub.connector import Connector
from integrations.hub.errors import HubError, Misconfigured, TryAgain
from integrations.hub.incoming import claims
from integrations.hub.models import Account, AccountState, Pause
from integrations.hub.sending import parking
from integrations.hub.values import Health
from integrations.hub.workers import wakeups

log = logging.getLogger("weft.hub")

RECHECK = timedelta(minutes=5)
CHECK_BUDGET = 20.0  # seconds for all of a check's calls through the door
CHECK_SECONDS = 30.0  # and for all of it, whatever the connector does

_asking: dict[int, threading.Thread] = {}


class IdentityFixed(ValueError):
    """Another merchant is another account: what says who we are there cannot change any more."""


def connect(kind: str, provider: str, name: str, settings: Mapping[str, str]) -> Account:
    """Make the account of this name, or bring its settings up to date. Secret fields are sealed.

    A changed credential makes the account *starting* again: it is checked before anything is sent. Raises
    IdentityFixed where an account that was used would become another one's.
    """
    connector = registry.connectors()[kind, provider]
    secret = {f.name for f in connector.fields if f.secret}
    with transaction.atomic():
        account = Account.objects.select_for_update().filter(name=name).first()
        if account is None:
            account = Account(kind=kind, provider=provider, name=name)
        plain = {k: v for k, v in settings.items() if k not in secret}
        sealed = {k: v for k, v in settings.items() if k in secret}
        kept = {**account.settings, **account.readable_credentials}
        changed = {name for name in {**kept, **settings} if kept.get(name) != settings.get(name)}
        if is_used(account) and changed & set(connector.identity):
            raise IdentityFixed(f"{name} is in use for another {', '.join(sorted(changed & set(connector.identity)))}.")
        if account.pk is None or changed:
            account.settings, account.credentials = plain, sealed
            if account.state == AccountState.ACTIVE:
                account.state = AccountState.STARTING
            account.checked_at, account.kept = None, {}
            account.save()
            _check_soon()
            log.info("account %s: settings changed: %s", name, ", ".join(sorted(changed)) or "none")
    return account


def is_used(account: Account) -> bool:
    """Did it ever work, or was anything ever meant for it?"""
    return bool(account.pk) and (account.active_since is not None or account.outgoing.exists())


def check(account: Account) -> bool:
    """Ask the remote and write down what it says; a *starting* account that answers becomes *active*.

    Whatever its connector does, the account says so, and the others are checked.
    """
    try:
        health = _asked(account)
    except HubError as error:
        Account.objects.filter(pk=account.pk).update(checked_at=timezone.now(), problem=error.message)
        return False
    now = timezone.now()
    Account.objects.filter(pk=account.pk).update(
        checked_at=now, problem="", remote_version=health.version, notes=list(health.notes), kept=dict(health.kept)
    )
    woken = Account.objects.filter(pk=account.pk, state=AccountState.STARTING).update(state=AccountState.ACTIVE)
    Account.objects.filter(pk=account.pk, active_since=None).update(active_since=now)
    if woken:
        Pause.objects.filter(account=account).delete()
        wakeups.wake(parking.hasten(account))
        wakeups.wake_hearing(claims.lanes_due())
    return True


def _asked(account: Account) -> Health:
    """What the connector's `health` says. It runs in a thread of its own: one that never answers is left behind, and
    not asked a second time while it hangs. Raises a HubError for everything that goes wrong."""
    former = _asking.get(account.pk)
    if former is not None and former.is_alive():
        raise TryAgain("The connector still gives no answer to the last check.")
    remote = registry.connect(account, budget=CHECK_BUDGET)
    remote.http.barred = connection.in_atomic_block
    answer: Future[object] = Future()
    thread = threading.Thread(target=copy_context().run, args=(_ask, remote, answer), daemon=True, name="check")
    _asking[account.pk] = thread
    thread.start()
    try:
        health = answer.result(CHECK_SECONDS)
    except HubError:
        raise
    except FutureTimeout:
        raise TryAgain(f"The connector gave no answer within {CHECK_SECONDS:.0f} s.") from None
    except BaseException as bug:
        if not isinstance(bug, (Exception, SystemExit)):
            raise
        log.error("the check of %s failed by a bug in its connector", account, exc_info=bug)
        raise Misconfigured(f"The connector failed ({type(bug).__name__}): a bug in it. The log says where.") from None
    if not isinstance(health, Health):
        raise Misconfigured(f"The connector failed (its health is of type {type(health).__name__}): a bug in it.")
    return health


def _ask(remote: Connector, answer: Future[object]) -> None:
    try:
        answer.set_result(remote.health())
    except BaseException as error:  # carried over to the thread that waits, which tells them apart
        answer.set_exception(error)


def due() -> QuerySet[Account]:
    """Accounts to check: those that are starting, the others every few minutes. Not those only announced so far."""
    stale = timezone.now() - RECHECK
    due = Q(state=AccountState.STARTING) | Q(state=AccountState.ACTIVE) & (Q(checked_at=None) | Q(checked_at__lt=stale))
    return Account.objects.filter(due).exclude(state=AccountState.STARTING, settings={}, sealed="")


def check_due() -> None:
    """Check the accounts that are due."""
    for account in due():
        check(account)


def _check_soon() -> None:
    """Once the transaction is in. Lost or doubled it is harmless: a beat finds what is due."""
    transaction.on_commit(lambda: wakeups.queue("integrations.hub.tasks.check_accounts"), robust=True)


def pause(account: Account) -> None:
    """Stop sending until `resume`. What is in flight ends."""
    Account.objects.filter(pk=account.pk).exclude(state=AccountState.RETIRED).update(state=AccountState.PAUSED)


def resume(account: Account) -> None:
    """Check the account, then send on."""
    Account.objects.filter(pk=account.pk, state=AccountState.PAUSED).update(
        state=AccountState.STARTING, checked_at=None
    )
    _check_soon()


def retire(account: Account) -> int:
    """Start nothing new with it, for good; returns how many rows were withdrawn. What outlives it goes on."""
    with transaction.atomic(durable=True):
        Account.objects.filter(pk=account.pk).update(state=AccountState.RETIRED, retired_at=Now())
        return parking.withdraw(account, "Withdrawn: the account was retired.")


def troubled() -> QuerySet[Account]:
    """Accounts that somebody has to look at. What a retired one said last is nobody's business any more."""
    return Account.objects.exclude(problem="").exclude(state=AccountState.RETIRED)
