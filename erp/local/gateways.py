"""A payer at the demo's practice payment gateways, and what the gateways know. For the demo only."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

from erp.local.visitor import Page, Visitor
from integrations.hub.models import Account, AccountState

SECONDS = 10


class NoGateways(Exception):
    """There are none, or they refused; the message is the plain reason."""


class Gateways:
    """Both practice gateways of this shop; `alipay` and `wechatpay` are the accounts there."""

    def __init__(self) -> None:
        self.alipay, self.wechatpay = self._account("alipay"), self._account("wechatpay")
        self.url: str = self.wechatpay.settings["url"]

    @staticmethod
    def _account(provider: str) -> Account:
        account = Account.objects.filter(kind="payments", provider=provider).order_by("pk").first()
        if account is None:
            raise NoGateways(f"No account at the practice {provider}: end the demo and run `make demo` again.")
        if account.state != AccountState.ACTIVE:
            raise NoGateways(
                f"The account {account.name} is {account.get_state_display()}: {account.problem or 'not checked yet'}. "
                "Switch it on in the admin, or look at var/log/gateways.log."
            )
        return account

    def scan(self, phone: Visitor, code: str) -> Page:
        """The cashier that a QR code leads to, on a phone."""
        return phone.open(f"{self.url}/scan?code={quote(code, safe='')}")

    @staticmethod
    def pay(visitor: Visitor, cashier: Page) -> Page:
        """The cashier's first button; where the browser comes to then."""
        return visitor.send(cashier, cashier.form(), do="pay")

    def trade(self, provider: str, number: str) -> dict[str, Any]:
        """What a gateway knows of a payment: `state`, amounts in fen; empty where it has none."""
        address = f"{self.url}/control/trades"
        try:
            answer = requests.get(address, params={"provider": provider, "number": number}, timeout=SECONDS)
        except requests.RequestException as error:
            raise NoGateways(f"The gateways at {self.url} do not answer: is the demo running? ({error})") from None
        trades: list[dict[str, Any]] = answer.json()["trades"]
        return trades[0] if trades else {}
