"""The topic that makes a channel show what it may sell. Key: the SKU. What is sent is decided when it is charged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext_lazy

from integrations.channels.base import Channel as Connector
from integrations.hub import registry
from integrations.hub.errors import HubError
from integrations.hub.models import Account
from integrations.hub.topics import State
from integrations.hub.values import Done, Lane, Later
from shop.stock import escrow
from shop.stock.escrow import Refused, Terms
from shop.stock.models import Mode, Share

FIGURE = "channel.stock"
DEADLINE = timedelta(seconds=90)  # after its charge nothing is sent later: the lease ends, and the door closes
LATER = timedelta(seconds=30)


def may_guarantee(account: Account) -> bool:
    """Does this account's connector declare what guaranteed mode needs?"""
    found = registry.connectors().get((account.kind, account.provider))
    if found is None or not issubclass(found, Connector):
        return False
    return found.confirms and found.arrivals is not None and found.lands_within is not None


def terms(account: Account) -> Terms:
    """What its connector declares. Only where `may_guarantee`."""
    found = cast("type[Connector]", registry.connector_class(account))
    return Terms(found.arrivals or 1, DEADLINE + (found.lands_within or timedelta(0)))


class FigureTopic(State):
    name = FIGURE
    label = gettext_lazy("stock figure for a channel")
    lane = Lane.STOCK
    kind = "channel"
    batch = 50
    fresh_within = timedelta(seconds=60)

    def subject(self, key: str) -> str:
        return f"sku:{key}"

    def accounts(self, keys: Collection[str]) -> Mapping[str, Sequence[Account]]:
        found: dict[str, list[Account]] = {}
        for share in Share.objects.filter(pool__in=keys).select_related("channel__account").order_by("channel"):
            found.setdefault(share.pool_id, []).append(share.channel.account)
        return found

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, Any]:
        """Nothing yet: `charge` fills in the figure."""
        return dict.fromkeys(Share.objects.filter(channel=account.pk, pool__in=keys).values_list("pool", flat=True))

    def lock(self, account: Account, keys: Collection[str]) -> None:
        escrow.lock(account.pk, keys)

    def charge(self, account: Account, docs: Mapping[str, Any]) -> Mapping[str, int | Later]:
        guarded = guarded_of(account, docs)
        charged: dict[str, int | Later] = {**escrow.tell(account.pk, set(docs) - guarded)}
        if guarded:
            for sku, figure in escrow.charge(account.pk, guarded, terms(account)).items():
                charged[sku] = _later(figure) if isinstance(figure, Refused) else figure
        return charged

    def deliver(self, remote: Any, docs: Mapping[str, int]) -> Mapping[str, Done | HubError]:
        answers: dict[str, Done | HubError] = {}
        skus = sorted(docs)
        for at in range(0, len(skus), remote.batch):
            some = {sku: docs[sku] for sku in skus[at : at + remote.batch]}
            answers |= _offered(remote, some)
        return answers

    def settle(self, account: Account, key: str, done: Done) -> None:
        escrow.acknowledge(account.pk, [key], terms(account))


def guarded_of(account: Account, skus: Collection[str]) -> set[str]:
    """Those whose figures are charged: of guaranteed mode, or still leaving it."""
    if not may_guarantee(account):
        return set()
    shares = Share.objects.filter(channel=account.pk, pool__in=skus).select_related("channel")
    return {share.pool_id for share in shares if share.is_guarded or _mode(share) == Mode.GUARANTEED}


def _mode(share: Share) -> str:
    return share.mode or share.channel.mode


def _later(refused: Refused) -> Later:
    if refused.until is None:
        return Later(LATER, "What is free now does not cover this figure; it is planned anew.")
    return Later(
        max(refused.until - timezone.now(), timedelta(seconds=1)),
        "An earlier figure may still arrive there; until then only 0 is sent.",
    )


def _offered(remote: Connector, figures: Mapping[str, int]) -> dict[str, Done | HubError]:
    try:
        return dict(remote.offer(figures))
    except HubError as error:
        return dict.fromkeys(figures, error)
