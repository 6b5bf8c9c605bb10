"""Addresses that remotes send to: made, looked up, renewed with two valid at once, ended.

The token in an address is shown once; its SHA-256 is kept. It says which account is meant; that the message is the
remote's own is for the connector to prove.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations.hub import registry
from integrations.hub import secrets as keyring
from integrations.hub.errors import HubError
from integrations.hub.models import Account, HookAddress

OVERLAP = timedelta(days=7)  # the former address stays valid so long, unless staff end it before
VALID_AT_ONCE = 2

_FIND = """
SELECT a.* FROM hub_hookaddress h JOIN hub_account a ON a.id = h.account_id
WHERE h.digest = %s AND a.kind = %s AND a.provider = %s AND (h.ends_at IS NULL OR h.ends_at > clock_timestamp())
"""


class TooMany(HubError):
    """Two addresses are valid already; one has to be ended first."""


def find(kind: str, provider: str, token: str) -> Account | None:
    """The account that is addressed, retired ones too: one statement."""
    return next(iter(Account.objects.raw(_FIND, [_digest(token), kind, provider])), None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def hears(account: Account) -> bool:
    """Does this account's remote send anything?"""
    connector = registry.connectors().get((account.kind, account.provider))
    return connector is not None and connector.hears()


def valid(account: Account) -> QuerySet[HookAddress]:
    """The account's addresses that work, the older one first."""
    return HookAddress.objects.filter(Q(ends_at=None) | Q(ends_at__gt=Now()), account=account).order_by("pk")


def ours(account: Account) -> str:
    """The address that we tell this remote with each call, whole; made where there is none. Outside a transaction."""
    own = valid(account).exclude(sealed="").filter(ends_at=None).last()
    if own is not None:
        return _whole(account, keyring.unseal(own.sealed)["token"])
    return make(account, keep=True)


def make(account: Account, *, keep: bool = False) -> str:
    """A new address, whole; nobody can read it again, but `ours` with `keep`. The one before it works on for a week,
    or until it is ended.

    Raises TooMany where two are valid: which of them the remote uses, only people know.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        former = list(valid(account))
        if len(former) >= VALID_AT_ONCE:
            raise TooMany("Two addresses are valid already. End the one that is not used any more first.")
        HookAddress.objects.filter(pk__in=[one.pk for one in former]).update(ends_at=timezone.now() + OVERLAP)
        sealed = keyring.seal({"token": token}) if keep else ""
        HookAddress.objects.create(account=account, digest=_digest(token), ends_in=token[-4:], sealed=sealed)
    return _whole(account, token)


def _whole(account: Account, token: str) -> str:
    return f"{settings.WEFT_SHOP_URL}/hooks/{account.kind}/{account.provider}/{token}/"


def end(account: Account, address_id: int) -> bool:
    """Nothing is taken at this address any more; the other one stays for good. False where it was over already."""
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        ended = valid(account).filter(pk=address_id).update(ends_at=Now())
        if ended:
            valid(account).update(ends_at=None)
    return bool(ended)
