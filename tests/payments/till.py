"""A provider in memory, for what the flow decides: the gateways of the sandbox stand for the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from integrations.hub.errors import HubError, Rejected
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
    lost: list[HubError] = field(default_factory=list)  # raised once it was done
    calls: list[str] = field(default_factory=list)
    then: Callable[[], None] | None = None

    def pay(self, number: str, amount: str = "113.00", at: datetime | None = None, currency: str = "CNY") -> None:
        money = Money(Decimal(amount), currency)
        self.trades[number] = Observed(
            number, TradeStatus.CAPTURED, f"T-{number[:6]}", money, captured=money, paid_at=at or timezone.now(),
            payee="us",
        )  # fmt: skip

    def seen(self, number: str) -> Observed:
        return self.trades.get(number) or Observed(number, TradeStatus.ABSENT)

    def give(self, refund: Refund) -> RefundSeen:
        made = RefundSeen(refund.key, self.refund_to, refund.amount, f"R-{refund.key[:6]}")
        return self.refunds.setdefault(refund.key, made)


GOING = (RefundStatus.DONE, RefundStatus.PENDING, RefundStatus.STUCK)  # the money left the trade


@dataclass
class Strict(Book):
    """As a real one: gives back no more than was paid, each key once and for one amount, and tells the sum of it.

    `theirs`: what was given back of a trade at the provider itself.
    """

    of: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, Decimal] = field(default_factory=dict)

    def seen(self, number: str) -> Observed:
        trade = super().seen(number)
        if trade.captured is None:
            return trade
        return replace(trade, refunded=Money(self.given(number), trade.captured.currency))

    def paid(self, number: str) -> Money:
        trade = self.trades.get(number)
        return trade.captured if trade and trade.captured else Money(Decimal(0), "CNY")

    def given(self, number: str, *statuses: RefundStatus) -> Decimal:
        """What was given back, or is in one of these states."""
        among = statuses or (RefundStatus.DONE,)
        ours = (one for key, one in self.refunds.items() if self.of[key] == number and one.status in among)
        return sum((one.amount.amount for one in ours), self.theirs.get(number, Decimal(0)))

    def left(self, number: str) -> Decimal:
        return self.paid(number).amount - self.given(number, *GOING)

    def give(self, refund: Refund) -> RefundSeen:
        known = self.refunds.get(refund.key)
        if known and (known.amount, self.of[refund.key]) != (refund.amount, refund.number):
            raise AssertionError(f"{refund.key} is asked for again as another refund")
        if known is None and refund.amount.amount > self.left(refund.number):
            raise Rejected("more than is left")
        self.of[refund.key] = refund.number
        return super().give(refund)


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
        self._answers()
        return Redirect(f"https://{self.host}/{start.number}")

    def look(self, number: str, remote: str = "") -> Observed:
        self._asked("look")
        return self.book.seen(number)

    def close(self, number: str, remote: str = "") -> Observed:
        self._asked("close")
        seen = self.book.trades.get(number)
        if seen is not None and seen.status is TradeStatus.OPEN:
            self.book.trades[number] = replace(seen, status=TradeStatus.CLOSED)
        return self.book.seen(number)

    def refund(self, refund: Refund) -> RefundSeen:
        self._asked("refund")
        seen = self.book.give(refund)
        self._answers()
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

    def _answers(self) -> None:
        if self.book.lost:
            raise self.book.lost.pop(0)
