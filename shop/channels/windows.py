"""Orders of channels once more, by date: what their feed of changes left out is found, and nothing comes in twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.utils.translation import gettext_lazy

from integrations.channels.base import Channel as Connector
from integrations.hub import registry
from integrations.hub.errors import Rejected
from integrations.hub.models import Account
from integrations.hub.reading import windows
from integrations.hub.reading.windows import Item, Page, Polling, Span
from shop.channels import sales
from shop.order.models import Order
from shop.stock.models import Channel

EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Orders:
    """One channel, open for reading by date."""

    channel: Channel
    remote: Connector

    def fetch(self, since: datetime, until: datetime, cursor: str) -> Page:
        told = self.remote.dated(since, until, cursor)
        items = [Item(order.number, order.sold_at, order, order.sequence) for order in told.orders]
        return Page(items, told.cursor, told.more, told.total)

    def take(self, items: Sequence[Item]) -> int:
        try:
            return sum(sales.take(self.channel, item.value, self.remote.skew) for item in items)
        except sales.CannotTake as error:
            raise Rejected(str(error)) from error

    def known(self, items: Sequence[Item]) -> int:
        numbers = [item.key for item in items]
        return Order.objects.filter(source_account=self.channel.source, external_number__in=numbers).count()


class OrdersByDate(Polling):
    """Every hour the last two hours again, and whatever lies between them and the poll before."""

    kind = "channel"
    name = "orders.by-date"
    label = gettext_lazy("orders of the channel, by date")
    span = Span(overlap=2 * EVERY)

    def open(self, account: Account) -> Orders | None:
        channel = Channel.objects.select_related("account").filter(account=account).first()
        remote = cast(Connector, registry.connect(account, budget=80))
        return Orders(channel, remote) if channel and remote.by_date else None


def poll(channel: Channel, now: datetime) -> int | None:
    """Read one channel by date up to `now`; None where it cannot be, or another worker reads. Raises a HubError."""
    polling = OrdersByDate()
    source = polling.open(channel.account)
    return windows.poll(polling, channel.account, source, now) if source else None
