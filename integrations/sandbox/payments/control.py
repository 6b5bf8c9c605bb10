"""The control API: exact facts, and everything a test or a demo wants to happen. For this machine only.

GET  /control/trades  [?provider=&number=]              trades, and refunds of each
GET  /control/notices                                   notices: state, tries, what was answered
GET  /control/clock, /control/faults
POST /control/pay     {"provider", "number", "total"?, "currency"?, "payee"?, "coupon"?}
POST /control/decline {"provider", "number"}            nothing is told to anybody
POST /control/close   {"provider", "number"}
POST /control/refund  {"provider", "number", "name", "state": "SUCCESS" | "ABNORMAL" | "CLOSED"}
POST /control/refunds {"by_hand": true}                 WeChat Pay's refunds wait for /control/refund
POST /control/faults  {"alipay.refund": {"cut": 1}, "notify": {"duplicate": 1}, "seconds": 2} or {"clear": true}
POST /control/notices {"hold": true} or {"release": ["name", ...]} (in this order) or {"release": "all"}
                          or {"forget": true} (none that waits is sent any more)
POST /control/rotate  {"provider": "alipay"} or {"provider": "wechatpay", "to": "certificate" | "public_key" | "both"}
POST /control/clock   {"offset": 3600} or {"add": 60}
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from integrations.sandbox.payments import alipay_said, wechatpay_said
from integrations.sandbox.payments.notices import Sender, release
from integrations.sandbox.payments.state import Refund, Trade, beijing
from integrations.sandbox.payments.trading import Trading
from integrations.sandbox.payments.web import Reply, Request, said

STATES = ("SUCCESS", "ABNORMAL", "CLOSED")


class Wrong(Exception):
    """Asked for something that cannot be; says what."""


class Control:
    """Everything under /control/."""

    def __init__(self, trading: Trading, sender: Sender, base: str) -> None:
        self.trading, self.sender, self.base = trading, sender, base
        self.book, self.faults, self.keys = trading.book, trading.faults, trading.keys
        self.routes: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "trades"): self.trades, ("GET", "notices"): self.notices, ("GET", "clock"): self.clock,
            ("GET", "faults"): lambda asked: self.faults.left(), ("POST", "pay"): self.pay,
            ("POST", "decline"): self.decline, ("POST", "close"): self.close, ("POST", "refund"): self.refund,
            ("POST", "refunds"): self.refunds, ("POST", "faults"): self.set_faults,
            ("POST", "notices"): self.hold_or_release, ("POST", "rotate"): self.rotate,
            ("POST", "clock"): self.set_clock,
        }  # fmt: skip

    def answer(self, request: Request) -> Reply:
        """No browser of another page gets here: JSON, from this machine, under a name of this machine."""
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        if not _is_here(request.client) or not (host == "localhost" or _is_here(host)):
            return said({"error": "for this machine only"}, 403)
        route = self.routes.get((request.method, request.path.removeprefix("/control/")))
        if route is None:
            return said({"error": "no such address"}, 404)
        if request.method == "POST" and request.kind() != "application/json":
            return said({"error": "application/json"}, 415)
        try:
            asked = json.loads(request.body or b"{}") if request.method == "POST" else request.query
            return said(route(asked))
        except Wrong as wrong:
            return said({"error": str(wrong)}, 409)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return said({"error": f"{type(error).__name__}: {error}"}, 400)

    def trades(self, asked: dict[str, Any]) -> Any:
        wanted = [
            trade for trade in self.book.trades.values()
            if asked.get("provider", trade.provider) == trade.provider
            and asked.get("number", trade.number) == trade.number
        ]  # fmt: skip
        return {"trades": [self._fact(trade) for trade in wanted]}

    def _fact(self, trade: Trade) -> dict[str, Any]:
        word = alipay_said.status if trade.provider == "alipay" else wechatpay_said.status
        return {
            **asdict(trade), "status": word(self.book, trade), "refunded": self.book.refunded(trade),
            "cashier": f"{self.base}/cashier/{trade.token}",
            "refunds": [asdict(refund) for refund in self.book.refunds_of(trade)],
        }  # fmt: skip

    def notices(self, asked: dict[str, Any]) -> Any:
        return {"hold": bool(self.book.settings.get("hold")),
                "notices": [asdict(notice) for notice in self.book.notices.values()]}  # fmt: skip

    def clock(self, asked: dict[str, Any]) -> Any:
        now = self.book.now()
        return {"offset": self.book.settings.get("offset", 0), "now": now, "beijing": beijing(now)}

    def set_clock(self, asked: dict[str, Any]) -> Any:
        offset = float(asked["offset"]) if "offset" in asked else self.book.settings.get("offset", 0)
        self.book.set("offset", offset + float(asked.get("add", 0)))
        self.trading.sweep()
        return self.clock({})

    def pay(self, asked: dict[str, Any]) -> Any:
        trade = self._trade(asked)
        if not self.trading.pay(trade, asked):
            raise Wrong(f"the trade is {trade.state}")
        return self._fact(trade)

    def decline(self, asked: dict[str, Any]) -> Any:
        trade = self._trade(asked)
        self.trading.open(trade)
        return self._fact(trade)

    def close(self, asked: dict[str, Any]) -> Any:
        trade = self._trade(asked)
        if not self.trading.close(trade):
            raise Wrong(f"the trade is {trade.state}")
        return self._fact(trade)

    def refund(self, asked: dict[str, Any]) -> Any:
        trade = self._trade(asked)
        refund: Refund | None = self.book.refunds.get(f"{trade.key}:{asked['name']}")
        if refund is None or asked["state"] not in STATES:
            raise Wrong("no such refund, or no such state")
        if not self.trading.settle(refund, asked["state"]):
            raise Wrong(f"the refund is {refund.state}")
        return asdict(refund)

    def refunds(self, asked: dict[str, Any]) -> Any:
        self.book.set("refunds_by_hand", bool(asked["by_hand"]))
        return {"by_hand": bool(asked["by_hand"])}

    def set_faults(self, asked: dict[str, Any]) -> Any:
        asked = dict(asked)
        if asked.pop("clear", False):
            self.faults.clear()
        seconds = asked.pop("seconds", None)
        self.faults.set(asked, None if seconds is None else float(seconds))
        return self.faults.left()

    def hold_or_release(self, asked: dict[str, Any]) -> Any:
        """Held notices are kept until they are released by name, or all of them by `hold: false`."""
        if "hold" in asked:
            self.book.set("hold", bool(asked["hold"]))
        if asked.get("forget"):
            for notice in self.book.notices.values():
                notice.state = "given up" if notice.state in ("waiting", "held") else notice.state
                self.book.put(notice)
        held = [notice for notice in self.book.notices.values() if notice.state == "held"]
        if asked.get("hold") is False:
            for notice in held:
                notice.state = "waiting"
                self.book.put(notice)
        names = [notice.name for notice in held] if asked.get("release") == "all" else asked.get("release", [])
        return {"release": [str(name) for name in names if self.book.notices[name]]}

    def rotate(self, asked: dict[str, Any]) -> Any:
        if asked["provider"] == "alipay":
            self.keys.renew_alipay()
        elif asked["to"] == "certificate":
            self.keys.renew_platform()
        elif asked["to"] in ("public_key", "both"):
            self.book.set("wechatpay_keys", asked["to"])
        else:
            raise Wrong("to certificate, public_key or both")
        self.keys.keep(self.base)
        return {"rotated": asked["provider"]}

    def _trade(self, asked: dict[str, Any]) -> Trade:
        trade = self.book.trade(asked["provider"], asked["number"])
        if trade is None:
            raise Wrong("no such trade")
        return trade

    def send(self, names: list[str]) -> dict[str, Any]:
        """Outside of the lock: a merchant may ask back before it answers."""
        return {"released": dict(zip(names, release(self.sender, names), strict=True))}


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
