"""A provider in memory, for what the flow decides: the gateways of the sandbox stand for the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from integrations.hub.errors import HubError
from integrations.hub.values import Health, Money
from integrations.payments.base import (
    Method,
    Observed,
    Payments,
    Qr,
    Redirect,
    Refund,
    RefundSeen,
    RefundStatus,
    Scene,
    Start,
    TradeStatus,
)  # fmt: skip


@dataclass
class Book:
    """What the provider has: trades and refunds by our numbers, and what it does wrong next."""

    trades: dict[str, Observed] = field(default_factory=dict)
    refunds: dict[str, RefundSeen] = field(default_factory=dict)
    refund_to: RefundStatus = RefundStatus.DONE
    wrong: list[HubError] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    then: Callable[[], None] | None = None

    def pay(self, number: str, amount: str = "113.00", at: datetime | None = None, currency: str = "CNY") -> None:
        money = Money(Decimal(amount), currency)
        self.trades[number] = Observed(
            number, TradeStatus.CAPTURED, f"T-{number[:6]}", money, captured=money, paid_at=at or timezone.now(),
            payee="us",
        )  # fmt: skip


class Till(Payments):
    """Pays when the test says so."""

    name = "till"
    label = "Till"
    book = Book()
    host = "till.example"

    def health(self) -> Health:
        return Health()

    def methods(self) -> Sequence[Method]:
        everywhere = frozenset(Scene)
        return [
            Method(
                "page",
                "Page",
                everywhere - {Scene.WECHAT},
                longest=timedelta(hours=2),
                action_lasts=timedelta(minutes=5),
            ),  # fmt: skip
            Method("qr", "QR code", everywhere, longest=timedelta(hours=2)),
            Method("small", "Small change", everywhere, most=Decimal("5.00")),
        ]

    def payee(self) -> str:
        return "us"

    def redirect_hosts(self) -> frozenset[str]:
        return frozenset({"till.example"})

    def start(self, start: Start) -> Redirect | Qr:
        self._asked("start")
        if start.method == "qr":
            return Qr(f"https://{self.host}/{start.number}")
        self.book.trades[start.number] = Observed(start.number, TradeStatus.OPEN, total=start.total)
        return Redirect(f"https://{self.host}/{start.number}")

    def look(self, number: str, remote: str = "") -> Observed:
        self._asked("look")
        return self.book.trades.get(number) or Observed(number, TradeStatus.ABSENT)

    def close(self, number: str, remote: str = "") -> Observed:
        self._asked("close")
        seen = self.book.trades.get(number)
        if seen is not None and seen.status is TradeStatus.OPEN:
            self.book.trades[number] = replace(seen, status=TradeStatus.CLOSED)
        return self.book.trades.get(number) or Observed(number, TradeStatus.ABSENT)

    def refund(self, refund: Refund) -> RefundSeen:
        self._asked("refund")
        seen = self.book.refunds.setdefault(
            refund.key, RefundSeen(refund.key, self.book.refund_to, refund.amount, f"R-{refund.key[:6]}")
        )
        return seen

    def look_refund(self, refund: Refund) -> RefundSeen | None:
        self._asked("look_refund")
        return self.book.refunds.get(refund.key)

    def _asked(self, what: str) -> None:
        self.book.calls.append(what)
        if self.book.wrong:
            raise self.book.wrong.pop(0)
        if self.book.then:
            self.book.then()
