"""What can happen to a trade, and when the merchant is told of it. The same rules for both providers."""

from __future__ import annotations

import secrets
from typing import Any

from integrations.sandbox.payments import alipay_said, wechatpay_said
from integrations.sandbox.payments.faults import Faults
from integrations.sandbox.payments.keys import Keys
from integrations.sandbox.payments.state import Book, Notice, Refund, Trade, beijing

REFUND_SECONDS = 2.0  # until WeChat Pay has given the money back, if nobody says otherwise
OTHERS = {"other_total": ("total", 1), "other_currency": ("currency", "USD"), "other_payee": ("payee", "")}


class Trading:
    """Rules over the book. Callers hold its lock."""

    def __init__(self, book: Book, keys: Keys, faults: Faults) -> None:
        self.book, self.keys, self.faults = book, keys, faults

    def open(self, trade: Trade) -> None:
        """The payer has it before them: from now on there is a trade."""
        if trade.state == "made":
            now = self.book.now()
            trade.state, trade.opened_at = "open", now
            trade.remote = trade.remote or _remote(trade.provider, now)
            self.book.put(trade)

    def pay(self, trade: Trade, said: dict[str, Any] | None = None) -> bool:
        """Paid in full, or as `said`: another total, currency, payee, or less the payer's coupon."""
        self.open(trade)
        if trade.state != "open":
            return False
        trade.paid = {"total": trade.total, "currency": "CNY", "payee": "", "coupon": 0}
        for fault, (name, value) in OTHERS.items():
            if self.faults.takes("paid", fault):
                trade.paid[name] = trade.total + 1 if name == "total" else value or _stranger(trade.provider)
        trade.paid |= {name: value for name, value in (said or {}).items() if name in trade.paid}
        trade.state, trade.paid_at, trade.pay_at = "paid", self.book.now(), 0.0
        self.book.put(trade)
        self._tell_trade(trade)
        return True

    def later(self, trade: Trade, seconds: float) -> None:
        """The payer will pay after that time."""
        self.open(trade)
        trade.pay_at = self.book.now() + seconds
        self.book.put(trade)

    def close(self, trade: Trade) -> bool:
        """Nobody can pay it any more. False: somebody did."""
        if trade.state == "paid":
            return False
        if trade.state != "closed":
            was_open = trade.state == "open"
            trade.state, trade.closed_at, trade.pay_at = "closed", self.book.now(), 0.0
            self.book.put(trade)
            if was_open and trade.provider == "alipay":
                self._tell_trade(trade)
        return True

    def refund(self, trade: Trade, name: str, amount: int, *, pending: bool = False, **more: Any) -> Refund:
        """Begin to give back. Alipay has done it at once, unless `pending`; WeChat Pay some seconds later."""
        now = self.book.now()
        remote = secrets.token_hex(8) if trade.provider == "alipay" else f"503{_digits(25)}"
        refund = Refund(trade.provider, trade.number, name, amount, remote, now, **more)
        if trade.provider == "wechatpay" and not self.book.settings.get("refunds_by_hand"):
            refund.settle_at = now + REFUND_SECONDS
        self.book.put(refund)
        if trade.provider == "alipay" and not pending:
            self.settle(refund, "SUCCESS")
        return refund

    def settle(self, refund: Refund, state: str) -> bool:
        """How it ended. What is given back stays given back; only what is stuck can still end well."""
        if refund.state not in ("PROCESSING", "ABNORMAL") or refund.state == state:
            return False
        refund.state, refund.settle_at = state, 0.0
        refund.done_at = self.book.now() if state == "SUCCESS" else 0.0
        self.book.put(refund)
        trade = self.book.trade(refund.provider, refund.number)
        assert trade is not None
        if trade.provider == "alipay" and state == "SUCCESS":
            if self.book.refunded(trade) >= trade.total:
                trade.state, trade.closed_at = "closed", self.book.now()
                self.book.put(trade)
            self.tell(trade, "refund", trade.notify_url, alipay_said.notice(self.book, self.keys.alipay, trade, refund))
        if trade.provider == "wechatpay" and refund.notify_url:
            content = wechatpay_said.refund_notice(self.book, self.keys.wechatpay, trade, refund)
            self.tell(trade, "refund", refund.notify_url, content)
        return True

    def sweep(self) -> None:
        """What the time has brought: payments put off, trades that ran out, refunds that arrived."""
        now = self.book.now()
        for trade in list(self.book.trades.values()):
            if trade.state in ("made", "open"):
                if trade.pay_at and trade.pay_at <= min(now, trade.expires_at):
                    self.pay(trade)
                elif trade.expires_at <= now:
                    self.close(trade)
        for refund in list(self.book.refunds.values()):
            if refund.state == "PROCESSING" and refund.settle_at and refund.settle_at <= now:
                self.settle(refund, "SUCCESS")

    def _tell_trade(self, trade: Trade) -> None:
        said = (
            alipay_said.notice(self.book, self.keys.alipay, trade)
            if trade.provider == "alipay"
            else wechatpay_said.trade_notice(self.book, self.keys.wechatpay, trade)
        )
        self.tell(trade, "trade", trade.notify_url, said)

    def tell(self, trade: Trade, what: str, url: str, content: dict[str, Any]) -> Notice | None:
        """Put a notice into the queue; the faults that wait for the next notice stick to it."""
        if not url:
            return None
        now = self.book.now()
        name = beijing(now)[:10].replace("-", "") + secrets.token_hex(12)
        notice = Notice(name, trade.provider, trade.number, what, url, content, now, trade.charset, trade.certified)
        notice.faults = self.faults.take_all("notify")
        if "late" in notice.faults:
            notice.due_at += self.faults.seconds
        if self.book.settings.get("hold"):
            notice.state = "held"
        elif "lost" in notice.faults:
            notice.state = "lost"
        self.book.put(notice)
        return notice


def _remote(provider: str, now: float) -> str:
    """A number as the provider makes them, not derived from the merchant's."""
    day = beijing(now)[:10].replace("-", "")
    return f"{day}2200149901{_digits(10)}" if provider == "alipay" else f"4200009901{day}{_digits(10)}"


def _stranger(provider: str) -> str:
    """Another merchant."""
    return "2088000000000000" if provider == "alipay" else "1600000000"


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))
