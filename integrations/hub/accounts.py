"""Accounts: made, checked, paused, resumed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.hub import incoming_claims, registry, wakeups
from integrations.hub.errors import HubError
from integrations.hub.models import Account, AccountState, Outgoing, Pause

log = logging.getLogger("weft.hub")

RECHECK = timedelta(minutes=5)


def connect(kind: str, provider: str, name: str, settings: Mapping[str, str]) -> Account:
    """Make the account of this name, or bring its settings up to date. Secret fields are sealed.

    A changed credential makes the account *starting* again: it is checked before anything is sent.
    """
    secret = {f.name for f in registry.connectors()[kind, provider].fields if f.secret}
    with transaction.atomic():
        account = Account.objects.select_for_update().filter(name=name).first()
        if account is None:
            account = Account(kind=kind, provider=provider, name=name)
        plain = {k: v for k, v in settings.items() if k not in secret}
        sealed = {k: v for k, v in settings.items() if k in secret}
        changed = account.pk is None or account.settings != plain or account.readable_credentials != sealed
        if changed:
            account.settings, account.credentials = plain, sealed
            if account.state == AccountState.ACTIVE:
                account.state = AccountState.STARTING
            account.checked_at = None
            account.save()
    return account


def check(account: Account) -> bool:
    """Ask the remote and write down what it says; a *starting* account that answers becomes *active*."""
    try:
        health = registry.connect(account, budget=20).health()
    except HubError as error:
        Account.objects.filter(pk=account.pk).update(checked_at=timezone.now(), problem=error.message)
        return False
    now = timezone.now()
    Account.objects.filter(pk=account.pk).update(
        checked_at=now, problem="", remote_version=health.version, notes=list(health.notes)
    )
    woken = Account.objects.filter(pk=account.pk, state=AccountState.STARTING).update(state=AccountState.ACTIVE)
    Account.objects.filter(pk=account.pk, active_since=None).update(active_since=now)
    if woken:
        Pause.objects.filter(account=account).delete()
        wakeups.wake(Outgoing.objects.filter(account=account, parked_at=None).values_list("lane", flat=True).distinct())
        wakeups.wake_hearing(incoming_claims.lanes_due())
    return True


def check_due() -> None:
    """Check accounts that are starting at once, the others every few minutes. Not those only announced so far."""
    stale = timezone.now() - RECHECK
    due = Q(state=AccountState.STARTING) | Q(state=AccountState.ACTIVE) & (Q(checked_at=None) | Q(checked_at__lt=stale))
    for account in Account.objects.filter(due).exclude(state=AccountState.STARTING, settings={}, sealed=""):
        check(account)


def pause(account: Account) -> None:
    """Stop sending until `resume`. What is in flight ends."""
    Account.objects.filter(pk=account.pk).exclude(state=AccountState.RETIRED).update(state=AccountState.PAUSED)


def resume(account: Account) -> None:
    """Check the account, then send on."""
    Account.objects.filter(pk=account.pk, state=AccountState.PAUSED).update(
        state=AccountState.STARTING, checked_at=None
    )


def troubled() -> QuerySet[Account]:
    """Accounts that somebody has to look at. What a retired one said last is nobody's business any more."""
    return Account.objects.exclude(problem="").exclude(state=AccountState.RETIRED)
