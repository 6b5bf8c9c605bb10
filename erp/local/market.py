"""A buyer at the demo's practice marketplace, and whoever makes its lines go bad. For the demo only."""

from __future__ import annotations

from typing import Any

import requests

from integrations.hub.models import Account

SECONDS = 10


class NoMarket(Exception):
    """There is none, or it refused; the message is the plain reason."""


class Market:
    """The practice marketplace of this shop, spoken to as its buyers do."""

    def __init__(self) -> None:
        account = Account.objects.filter(kind="channel", provider="market").first()
        if account is None:
            raise NoMarket("No practice marketplace is connected: `make demo` starts one.")
        self.url, self.key = account.settings["url"], account.credentials["key"]

    def buy(self, sku: str, quantity: int) -> dict[str, Any]:
        """The order; NoMarket when it shows fewer."""
        return self._call("POST", "/v1/buy", {"sku": sku, "quantity": quantity})

    def cancel(self, number: str) -> dict[str, Any]:
        return self._call("POST", "/v1/cancel", {"number": number})

    def faults(self, **counts: int) -> dict[str, int]:
        """How many of the next calls go wrong, and how; returns all."""
        return self._call("POST", "/v1/faults", counts)

    def figures(self) -> dict[str, int]:
        """What it shows, by SKU."""
        shown: dict[str, int] = self._call("GET", "/v1/stock", None)["figures"]
        return shown

    def _call(self, method: str, path: str, data: Any) -> dict[str, Any]:
        headers = {"x-market-key": self.key}
        try:
            answer = requests.request(method, self.url + path, json=data, headers=headers, timeout=SECONDS)
        except requests.RequestException as error:
            raise NoMarket(f"The market at {self.url} does not answer: is the demo running? ({error})") from None
        found: dict[str, Any] = answer.json()
        if answer.status_code >= 400:
            raise NoMarket(f"The market says: {found.get('error')}.")
        return found
