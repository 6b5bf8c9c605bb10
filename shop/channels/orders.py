"""What channels have sold: read, placed, and only then drained."""

from __future__ import annotations

import logging
from typing import cast

from integrations.channels.base import Channel as Connector
from integrations.channels.base import OrderPage
from integrations.hub import outgoing, registry
from integrations.hub.errors import HubError, Rejected
from integrations.hub.reading import cursors
from integrations.hub.reading.cursors import Cursor
from shop.channels import sales
from shop.channels.readers import ORDERS
from shop.stock import escrow
from shop.stock.models import Channel

log = logging.getLogger("weft.channels")

PAGES = 50  # in one poll; the rest comes with the next


def poll(channel: Channel) -> int | None:
    """Read one channel's orders. None when another worker is at it, or the channel rests or does not answer."""
    account = channel.account
    try:
        with cursors.reading(account, ORDERS.name) as cursor:
            if cursor is None:
                return None
            return _read(channel, cast(Connector, registry.connect(account, budget=80)), cursor)
    except HubError as error:
        log.warning("%s was not read: %s", account, error.message)
    except Exception:  # most likely of the connector; the other accounts are read
        log.exception("%s was not read", account)
    return None


def _read(channel: Channel, remote: Connector, cursor: Cursor) -> int:
    """Each page is in before the cursor moves past it, and before anything is drained by it."""
    placed, at = 0, cursor.value
    for _ in range(PAGES):
        page = remote.orders(at)
        placed += take(channel, page, remote)
        at = page.cursor
        if not cursors.advance(cursor, at) or not page.more:
            break
    return placed


def take(channel: Channel, page: OrderPage, remote: Connector) -> int:
    """Place the page's orders, each once, then drain by its watermark; returns how many were new.

    An order that cannot be placed stops the reading here: nothing may be drained past a sale that is not in.
    """
    try:
        placed = sum(sales.take(channel, order, remote.skew) for order in page.orders)
    except sales.CannotTake as error:
        raise Rejected(str(error)) from error
    with outgoing.recording():
        escrow.drain(channel.account_id, page.watermark, remote.skew)
    return placed
