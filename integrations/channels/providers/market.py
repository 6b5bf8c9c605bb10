"""The practice marketplace (`integrations/sandbox/market.py`): for the demo, for training and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from integrations.channels.base import Channel, ChannelLine, ChannelOrder, OrderPage
from integrations.hub.connector import Field
from integrations.hub.errors import NONSENSE, HubError, Misconfigured, OutcomeUnknown, Rejected, TryAgain
from integrations.hub.http import Reply
from integrations.hub.values import Address, Done, Health

PAGE = 100


class PracticeMarket(Channel):
    """HTTP with JSON and a key. A figure is live when the answer comes, and nothing repeats a call on its way."""

    name = "market"
    label = "Practice marketplace"
    checks = "reads one page of orders"
    fields = (Field("url", "Address"), Field("key", "Key", secret=True))
    identity = ("url",)
    batch = 50
    arrivals = 1
    lands_within = timedelta(seconds=5)
    confirms = True
    skew = timedelta(seconds=2)

    def health(self) -> Health:
        self._call("GET", "/v1/orders?after=0&limit=1", "read orders", writes=False)
        return Health()

    def offer(self, figures: Mapping[str, int]) -> Mapping[str, Done | HubError]:
        items = [{"sku": sku, "quantity": figure} for sku, figure in figures.items()]
        told = self._call("PUT", "/v1/stock", "show stock", json={"items": items})
        try:
            live_at = _moment(told["live_at"]).isoformat()
        except NONSENSE as error:
            raise OutcomeUnknown(f"show stock: the market's answer makes no sense ({error}).") from error
        return {sku: Done(facts={"figure": figure, "live_at": live_at}) for sku, figure in figures.items()}

    def orders(self, cursor: str) -> OrderPage:
        asked = urlencode({"after": cursor or "0", "limit": PAGE})
        told = self._call("GET", f"/v1/orders?{asked}", "read orders", writes=False)
        try:
            return OrderPage(
                tuple(map(_order, told["orders"])), str(int(told["next"])), bool(told["more"]), _moment(told["until"])
            )
        except NONSENSE as error:
            raise Rejected(f"read orders: the market's answer makes no sense ({error}).") from error

    def _call(self, method: str, path: str, operation: str, *, json: Any = None, writes: bool = True) -> Any:
        reply = self.http.request(
            method, self.settings["url"].rstrip("/") + path, operation=operation,
            headers={"x-market-key": self.settings["key"]}, json=json, writes=writes,
        )  # fmt: skip
        _heed(reply, operation, writes)
        return reply.json()


def _heed(reply: Reply, operation: str, writes: bool) -> None:
    if reply.status in (401, 403):
        raise Misconfigured("The market refuses this key.")
    if reply.status >= 500:
        words = f"{operation}: the market answered {reply.status}."
        raise OutcomeUnknown(words) if writes else TryAgain(words)
    if reply.status >= 400:
        raise Rejected(
            f"{operation}: the market refused it ({reply.status}): {reply.body[:200].decode(errors='replace')}"
        )


def _moment(told: str) -> datetime:
    moment = datetime.fromisoformat(told)
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {told}")
    return moment


def _order(told: Mapping[str, Any]) -> ChannelOrder:
    at = told["address"]
    return ChannelOrder(
        number=told["number"],
        sold_at=_moment(told["sold_at"]),
        currency=told["currency"],
        lines=tuple(
            ChannelLine(line["sku"], line["title"], line["quantity"], Decimal(line["price"])) for line in told["lines"]
        ),
        ship_to=Address(
            told["buyer"], (at["line"],), at["district"], at["city"], at["region"], at["postcode"], at["country"],
            at["phone"],
        ),
        buyer=told["buyer"],
        is_cancelled=told["state"] == "cancelled",
    )  # fmt: skip
