"""The practice marketplace (`integrations/sandbox/market.py`): for the demo, for training and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from integrations.channels.base import Channel, ChannelLine, ChannelOrder, DatedPage, OrderPage
from integrations.hub.answers import amount, flag, inside, listed, moment, text, understood, whole
from integrations.hub.connector import Field
from integrations.hub.errors import HubError, Misconfigured, OutcomeUnknown, Rejected, TryAgain
from integrations.hub.http import Reply
from integrations.hub.values import Address, Done, Health

PAGE = 100


class PracticeMarket(Channel):
    """HTTP with JSON and a key. A figure is live when the answer comes, and nothing repeats a call on its way."""

    name = "market"
    label = "Practice marketplace"
    checks = "reads one page of orders"
    fields = (Field("url", "Address"), Field("key", "Key", secret=True))
    # No identity: the demo's market moves to another port when its own is taken, and stays the same market.
    batch = 50
    arrivals = 1
    lands_within = timedelta(seconds=5)
    confirms = True
    skew = timedelta(seconds=2)
    by_date = True

    def health(self) -> Health:
        self.orders("0", limit=1)
        return Health()

    def offer(self, figures: Mapping[str, int]) -> Mapping[str, Done | HubError]:
        items = [{"sku": sku, "quantity": figure} for sku, figure in figures.items()]
        told = self._call("PUT", "/v1/stock", "show stock", json={"items": items})
        with understood("show stock", writes=True):
            live_at = text(told, "live_at")
        return {sku: Done(facts={"figure": figure, "live_at": live_at}) for sku, figure in figures.items()}

    def orders(self, cursor: str, limit: int = PAGE) -> OrderPage:
        asked = urlencode({"after": cursor or "0", "limit": limit})
        told = self._call("GET", f"/v1/orders?{asked}", "read orders", writes=False)
        with understood("read orders", writes=False):
            return OrderPage(
                tuple(map(_order, listed(told, "orders"))), str(whole(told, "next")), flag(told, "more"),
                moment(told, "until"),
            )  # fmt: skip

    def dated(self, since: datetime, until: datetime, cursor: str) -> DatedPage:
        window = {"since": since.isoformat(), "until": until.isoformat(), "after": cursor or "0", "limit": PAGE}
        told = self._call("GET", f"/v1/orders/by-date?{urlencode(window)}", "read orders", writes=False)
        with understood("read orders", writes=False):
            return DatedPage(
                tuple(map(_order, listed(told, "orders"))), str(whole(told, "next")), flag(told, "more"),
                whole(told, "total"),
            )  # fmt: skip

    def _call(self, method: str, path: str, operation: str, *, json: Any = None, writes: bool = True) -> Any:
        reply = self.http.request(
            method, self.settings["url"].rstrip("/") + path, operation=operation,
            headers={"x-market-key": self.settings["key"]}, json=json, writes=writes,
        )  # fmt: skip
        self._heed(reply, operation, writes)
        return reply.json(writes=writes)

    def _heed(self, reply: Reply, operation: str, writes: bool) -> None:
        if reply.status in (401, 403):
            raise Misconfigured("The market refuses this key.")
        if reply.status >= 500:
            words = f"{operation}: the market answered {reply.status}."
            raise OutcomeUnknown(words) if writes else TryAgain(words)
        if reply.status >= 400:
            raise Rejected(f"{operation}: the market refused it ({reply.status}): {self.quoted(reply.body)}")


def _order(told: Any) -> ChannelOrder:
    at = inside(told, "address")
    return ChannelOrder(
        number=text(told, "number"),
        sold_at=moment(told, "sold_at"),
        currency=text(told, "currency"),
        lines=tuple(
            ChannelLine(text(line, "sku"), text(line, "title"), whole(line, "quantity"), amount(line, "price"))
            for line in listed(told, "lines")
        ),
        ship_to=Address(
            text(told, "buyer"), (text(at, "line"),), text(at, "district"), text(at, "city"), text(at, "region"),
            text(at, "postcode"), text(at, "country"), text(at, "phone"),
        ),
        buyer=text(told, "buyer"),
        is_cancelled=text(told, "state") == "cancelled",
        sequence=_sequence(text(told, "number")),
    )  # fmt: skip


def _sequence(number: str) -> int:
    """The market's running number, which its order numbers end in."""
    return int(number.rpartition("-")[2])
