"""The channel contract: figures out, orders in. A channel sells from its own copy of the figure it was given.

A connector is one file in `integrations/channels/providers/`, a subclass of `Channel`. SKUs and the channel's own order
numbers are the only identifiers that cross this line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from integrations.hub.answers import Unfit
from integrations.hub.connector import Connector
from integrations.hub.errors import HubError
from integrations.hub.values import Address, Done

MOST_UNITS = 999_999
MOST_MONEY = Decimal(10**9)
LONGEST_NUMBER = 64
CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """`unit_gross` is what the buyer paid for one, tax included, quantised to the order's currency."""

    sku: str
    title: str
    quantity: int
    unit_gross: Decimal

    def __post_init__(self) -> None:
        """Raises Unfit (a ValueError) for what nobody can have bought."""
        if not isinstance(self.sku, str) or not self.sku or not isinstance(self.title, str):
            raise Unfit(f"no SKU: {self.sku!r}")
        if type(self.quantity) is not int or not 0 < self.quantity <= MOST_UNITS:
            raise Unfit(f"a quantity of {self.quantity!r}")
        if not (self.unit_gross.is_finite() and 0 <= self.unit_gross <= MOST_MONEY):
            raise Unfit(f"a price of {self.unit_gross}")


@dataclass(frozen=True, slots=True)
class ChannelOrder:
    """An order the channel took at `sold_at`, by its clock. `number` is its own, unique on that channel.

    `is_cancelled`: it was taken and given up since; its goods need not leave."""

    number: str
    sold_at: datetime
    currency: str
    lines: tuple[ChannelLine, ...]
    ship_to: Address
    buyer: str = ""
    shipping_gross: Decimal = Decimal(0)
    is_cancelled: bool = False
    sequence: int | None = None  # its place among all orders, where the channel counts them without holes

    def __post_init__(self) -> None:
        """Raises Unfit (a ValueError) for what is no order."""
        if not isinstance(self.number, str) or not 0 < len(self.number) <= LONGEST_NUMBER or "\0" in self.number:
            raise Unfit("no number, or none that can be kept")
        if self.sold_at.tzinfo is None:
            raise Unfit(f"order {self.number}: a time without a zone")
        if not self.lines:
            raise Unfit(f"order {self.number}: no lines")
        if not isinstance(self.currency, str) or not CURRENCY.fullmatch(self.currency):
            raise Unfit(f"order {self.number}: {self.currency!r} is no currency")


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders taken or changed, oldest first, `cursor` where to go on, `more` whether there is more now.

    `watermark`: every order the channel took before this moment of its clock was named on this page or an earlier one.
    """

    orders: tuple[ChannelOrder, ...]
    cursor: str
    more: bool
    watermark: datetime


@dataclass(frozen=True, slots=True)
class DatedPage:
    """Orders of a stretch of time, `cursor` where to go on; `total`: how many the channel counts in all of it."""

    orders: tuple[ChannelOrder, ...]
    cursor: str
    more: bool
    total: int | None = None


class Channel(Connector):
    """Base of all channels.

    A channel may have its figures *guaranteed* (it can then not oversell) only where it declares all three:

    - `arrivals`: how often one call of `offer` may take effect at most: 1 where nothing on the way repeats it;
    - `lands_within`: how long after our deadline a call may still take effect;
    - that a figure is live when `offer` says Done (`confirms`).

    `skew` is the most by which its clock may differ from ours. What cannot declare them is offered *shared* mode only.
    """

    kind = "channel"
    batch: ClassVar[int] = 1  # figures in one call
    arrivals: ClassVar[int | None] = None
    lands_within: ClassVar[timedelta | None] = None
    confirms: ClassVar[bool] = False
    skew: ClassVar[timedelta] = timedelta(minutes=2)
    by_date: ClassVar[bool] = False  # can it be asked for the orders of a stretch of time (`dated`)?

    def offer(self, figures: Mapping[str, int]) -> Mapping[str, Done | HubError]:
        """Show these figures (SKU -> units), each instead of the one shown before. Every SKU is answered.

        Raises a HubError that concerns all of them.
        """
        raise NotImplementedError

    def orders(self, cursor: str) -> OrderPage:
        """Orders since `cursor` ('' = from the beginning of what the channel still tells)."""
        raise NotImplementedError

    def dated(self, since: datetime, until: datetime, cursor: str) -> DatedPage:
        """Orders sold after `since` and up to `until`, by the channel's clock; only where `by_date`."""
        raise NotImplementedError
