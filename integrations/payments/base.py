"""The payments contract: trades started, looked at and closed; refunds made and looked at; notices that only hint.

A connector is one file in `integrations/payments/providers/`, a subclass of `Payments`. It returns facts, never
verdicts: that a trade is closed may mean that nobody paid it, or that all of it was given back. What facts mean is
decided in one place (`shop/payments/flow.py`). Numbers leave in the provider's own form (yuan, fen) inside the
connector only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from integrations.hub.answers import Unfit
from integrations.hub.connector import Connector
from integrations.hub.values import Money

NUMBER = re.compile("[A-Z2-7]{26}")  # of attempts and of refunds: ours, random, unique for ever

# What hints of `parse` are called, with our number as their key.
TRADE, REFUND = "trade", "refund"


class Scene(StrEnum):
    """Where the buyer's browser is."""

    DESKTOP = "desktop"
    PHONE = "phone"
    WECHAT = "wechat"  # inside WeChat's own browser
    ALIPAY = "alipay"  # inside Alipay's own browser


class TradeStatus(StrEnum):
    """Where a trade stands at the provider."""

    ABSENT = "absent"  # the provider knows of none (an Alipay QR has no trade until it is scanned)
    OPEN = "open"  # nobody paid yet
    PROCESSING = "processing"  # the payer is about it, or their bank is
    AUTHORISED = "authorised"  # the money is set aside for us
    CAPTURED = "captured"  # paid; perhaps given back since: see the amounts
    CLOSED = "closed"  # nobody can pay it any more, and nobody did


class RefundStatus(StrEnum):
    """Where a refund stands at the provider."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"  # the money stayed with us, and that is final
    STUCK = "stuck"  # the payer's account cannot take it: a person has to act at the provider


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay. `code` is unique within its connector; `label` is what buyers read, in English.

    A trade is open for at least `shortest` and at most `longest`. `needs_payer`: the provider wants to know who pays
    before it starts (an openid, by `payer_url` and `payer`). What `start` gives the browser works for `action_lasts`,
    where that may be shorter than the trade is open.
    """

    code: str
    label: str
    scenes: frozenset[Scene]
    currencies: frozenset[str] = frozenset({"CNY"})
    least: Decimal = Decimal("0.01")
    most: Decimal = Decimal("100000000")
    needs_payer: bool = False
    shortest: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(days=14)
    action_lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A trade to be started: `number` is ours (`NUMBER`), `expires_at` aware, `payer` the openid where one is needed.

    The same start may be sent again; another one under the same number is refused by the provider (`Conflict`).
    """

    number: str
    method: str
    total: Money
    title: str
    expires_at: datetime
    notify_url: str
    return_url: str = ""
    payer: str = ""
    payer_ip: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the buyer's browser there; its host is one of `redirect_hosts`."""

    url: str


@dataclass(frozen=True, slots=True)
class Qr:
    """Show this text as a QR code."""

    content: str


@dataclass(frozen=True, slots=True)
class JsCall:
    """Hand these to the script of the app around the page (WeChat's JSAPI)."""

    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Observed:
    """What the provider says of a trade now. Amounts only grow; None: it does not say.

    `total` is the trade's own, never what is left of it after the payer's coupons. `captured` is what was paid to us,
    `refunded` what of it was given back. `payee` is the merchant it was paid to, in the provider's words. `remote` is
    the provider's number of the trade.
    """

    number: str
    status: TradeStatus
    remote: str = ""
    total: Money | None = None
    authorised: Money | None = None
    captured: Money | None = None
    refunded: Money | None = None
    paid_at: datetime | None = None
    payee: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)  # small, without personal data: shown to staff

    def __post_init__(self) -> None:
        """Raises Unfit (a ValueError) for what cannot be."""
        known = [money for money in (self.total, self.authorised, self.captured, self.refunded) if money]
        if len({money.currency for money in known}) > 1:
            raise Unfit(f"trade {self.number}: amounts in several currencies")
        if any(not money.amount.is_finite() or money.amount < 0 for money in known):
            raise Unfit(f"trade {self.number}: an amount below nothing")
        if self.status is TradeStatus.CAPTURED and self.captured is None:
            raise Unfit(f"trade {self.number}: paid, and nobody says how much")
        if self.paid_at is not None and self.paid_at.tzinfo is None:
            raise Unfit(f"trade {self.number}: a time without a zone")


@dataclass(frozen=True, slots=True)
class Refund:
    """A part of a trade to be given back. `key` is our number of it (`NUMBER`): the provider does it once.

    `number` and `remote` are those of the trade, `total` is the trade's.
    """

    key: str
    number: str
    amount: Money
    total: Money
    reason: str
    notify_url: str
    remote: str = ""


@dataclass(frozen=True, slots=True)
class RefundSeen:
    """What the provider says of a refund now. `why` is for staff; `remote` the provider's number of it."""

    key: str
    status: RefundStatus
    amount: Money
    remote: str = ""
    done_at: datetime | None = None
    why: str = ""


class Payments(Connector):
    """Base of all payment providers. `methods`, `start` and `look` are required; what is not overridden is not offered.

    All but `start` of a redirect talk to the provider and raise HubErrors: OutcomeUnknown where something was perhaps
    done (it is looked at then, never repeated blindly), Conflict where the provider has another trade or refund under
    our number, Rejected where its rules refuse.
    """

    kind = "payments"

    def methods(self) -> Sequence[Method]:
        """The ways to pay that this account's settings offer, the best first. No call."""
        raise NotImplementedError

    def payee(self) -> str:
        """Who we are there, in the provider's words: what `Observed.payee` has to be. No call."""
        return ""

    def redirect_hosts(self) -> frozenset[str]:
        """Hosts to which a buyer may be sent, with the port where the address has one. No call."""
        return frozenset()

    def payer_url(self, back: str, state: str) -> str:
        """Where the buyer's browser goes to be recognised; it comes to `back` with `state`. No call."""
        raise NotImplementedError

    def payer(self, query: Mapping[str, str]) -> str:
        """Who pays, by what the browser came back with."""
        raise NotImplementedError

    def start(self, start: Start) -> Redirect | Qr | JsCall:
        """Have the provider expect this payment, and say what the buyer's browser does now."""
        raise NotImplementedError

    def look(self, number: str, remote: str = "") -> Observed:
        """The trade as it stands; `absent` where the provider has none of that number."""
        raise NotImplementedError

    def close(self, number: str, remote: str = "") -> Observed:
        """Nobody shall pay it any more; how it stands after that. Paid meanwhile, it says so and stays paid."""
        raise NotImplementedError

    def refund(self, refund: Refund) -> RefundSeen:
        """Give it back. Again with the same key it changes nothing."""
        raise NotImplementedError

    def look_refund(self, refund: Refund) -> RefundSeen | None:
        """The refund as it stands; None: the provider surely has none of that key."""
        raise NotImplementedError

    def look_made_there(self, key: str, number: str) -> RefundSeen | None:
        """A refund of our trade `number` that was not made by us but there, by the number it was told under; None: the
        provider does not show it. Needed where `look` does not tell the sum of what was given back."""
        raise NotImplementedError
