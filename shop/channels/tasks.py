"""What workers run for channels. Every task is idempotent and may run twice at once."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.errors import HubError
from integrations.hub.models import AccountState
from shop.channels import orders, windows
from shop.channels.figures import FIGURE, may_guarantee, terms
from shop.stock import escrow, rebalancing
from shop.stock.models import Channel

log = logging.getLogger("weft.channels")


def poll() -> None:
    """Read the orders of every active channel."""
    for channel in Channel.objects.filter(account__state=AccountState.ACTIVE).select_related("account"):
        orders.poll(channel)


def poll_by_date() -> None:
    """Read what every active channel sold lately once more, by date: what its feed left out comes in now."""
    for channel in Channel.objects.filter(account__state=AccountState.ACTIVE).select_related("account"):
        try:
            windows.poll(channel, timezone.now())
        except HubError as error:
            log.warning("%s was not read by date: %s", channel.account, error.message)


def rebalance() -> int:
    """Plan anew what channels should show, and have them told where it matters; returns figures to send."""
    with transaction.atomic():
        escrow.close_lapsed()
    with outgoing.recording():
        due = rebalancing.plan(FIGURE, _arrivals())
        for channel_id, skus in due.items():
            outgoing.ensure_for(FIGURE, channel_id, skus)
    return sum(map(len, due.values()))


def _arrivals() -> dict[int, int]:
    """Of each channel whose connector can guarantee what it shows."""
    channels = Channel.objects.exclude(account__state=AccountState.RETIRED).select_related("account")
    return {c.account_id: terms(c.account).arrivals for c in channels if may_guarantee(c.account)}


def count_demand() -> None:
    """Count what each source sold of each SKU lately."""
    with transaction.atomic():
        rebalancing.count_demand()
