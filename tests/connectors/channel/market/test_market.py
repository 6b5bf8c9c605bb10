"""The practice market, over HTTP."""

from __future__ import annotations

from datetime import timedelta

from integrations.channels.providers.market import PracticeMarket
from integrations.hub.testing.contract import NOON
from tests.connectors.contract import HttpContract


class TestMarket(HttpContract):
    connector = PracticeMarket
    settings = {"url": "http://market.example", "key": "a-market-key-for-tests"}
    calls = {
        "health": lambda market: market.health(),
        "offer": lambda market: market.offer({"CHAIR-1": 3, "TABLE-2": 0}),
        "orders": lambda market: market.orders("7"),
        "dated": lambda market: market.dated(NOON - timedelta(hours=2), NOON, ""),
    }
