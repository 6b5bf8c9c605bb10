"""What workers run for channels. Every task is idempotent and may run twice at once."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.errors import HubError
from integrations.hub.models import AccountState
from integrations.hub.sending.drains import at_once
from shop.channels import orders, windows
from shop.channels.figures import FIGURE, may_guarantee, terms
from shop.stock import escrow, rebalancing
from shop.stock.models import Channel

log = logging.getLogger("weft.channels")


def poll() -> None:
    """Read the orders of every active channel, several at once: one that does not answer holds up no other."""
    at_once(_active(), lambda account_id: orders.poll(_channel(account_id)) or 0)


def poll_by_date() -> None:
    """Read what every active channel sold lately once more, by date: what its feed left out comes in now."""
    at_once(_active(), lambda account_id: _read_by_date(_channel(account_id)))


def _read_by_date(channel: Channel) -> int:
    try:
        return windows.poll(channel, timezone.now()) or 0
    except HubError as error:
        log.warning("%s was not read by date: %s", channel.account, error.message)
    except Exception:  # most likely of the connector; the other accounts are read
        log.exception("%s was not read by date", channel.account)
    return 0


def _active() -> list[int]:
    return list(Channel.objects.filter(account__state=AccountState.ACTIVE).values_list("account_id", flat=True))


def _channel(account_id: int) -> Channel:
    return Channel.objects.select_related("account").get(account=account_id)


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
