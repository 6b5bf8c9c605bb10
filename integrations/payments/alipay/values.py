"""Amounts and titles as Alipay writes them, and trades as it tells them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.hub.answers import Unfit, amount, text
from integrations.hub.errors import Conflict, Rejected
from integrations.hub.values import Money
from integrations.payments.alipay.wire import moment
from integrations.payments.base import Observed, Refund, RefundSeen, RefundStatus, TradeStatus

CNY, CENT = "CNY", Decimal("0.01")
LEAST, MOST = CENT, Decimal(100_000_000)
LONGEST_TEXT = 256
CURRENCY = re.compile("[A-Z]{3}")
NOT_IN_TITLES = str.maketrans("/=&", "／＝＆")  # Alipay takes none of these; the wide ones read the same
PAID = frozenset(("TRADE_SUCCESS", "TRADE_FINISHED"))
REFUNDS = {
    "REFUND_SUCCESS": RefundStatus.DONE,
    "REFUND_PROCESSING": RefundStatus.PENDING,
    "": RefundStatus.PENDING,  # it knows of it, and does not say that it succeeded
    "REFUND_FAIL": RefundStatus.FAILED,
}


def yuan(money: Money) -> str:
    """The amount in yuan, two decimals. Raises Rejected for what Alipay cannot move."""
    if money.currency != CNY:
        raise Rejected(f"Alipay is paid in {CNY}, not in {money.currency}.")
    if not money.amount.is_finite() or not LEAST <= money.amount <= MOST or money.amount % CENT:
        raise Rejected(f"{money.amount} is no amount for Alipay: {LEAST} to {MOST}, two decimals.")
    return f"{money.amount:.2f}"


def title(words: str) -> str:
    return words.translate(NOT_IN_TITLES)[:LONGEST_TEXT]


def money(told: Mapping[str, Any], name: str, currency: str = CNY) -> Money:
    """Raises Unfit."""
    found = amount(told, name)
    if not 0 <= found <= MOST or found % CENT:
        raise Unfit(f"{name} is no amount in yuan")
    return Money(found.quantize(CENT), currency)


def when(told: Mapping[str, Any], name: str) -> datetime | None:
    """A time that may be missing. Raises Unfit."""
    if not told.get(name):
        return None
    try:
        return moment(text(told, name))
    except ValueError as error:
        raise error if isinstance(error, Unfit) else Unfit(f"{name} is no time") from None


def same(told: Mapping[str, Any], name: str, wanted: str) -> None:
    """Raises Unfit where it speaks of something else than what was asked for."""
    if text(told, name) != wanted:
        raise Unfit(f"{name} is another's")


def observed(number: str, told: Mapping[str, Any]) -> Observed:
    """A trade as trade.query tells it. Raises Unfit.

    A closed trade was paid if there is a time at which it was: then all of it was given back.
    """
    same(told, "out_trade_no", number)
    said, paid_at = text(told, "trade_status"), when(told, "send_pay_date")
    total = money(told, "total_amount", _currency(told))
    seen: dict[str, Any] = {"remote": text(told, "trade_no"), "total": total, "facts": {"trade_status": said}}
    if said == "WAIT_BUYER_PAY":
        return Observed(number, TradeStatus.OPEN, **seen)
    if said in PAID:
        return Observed(number, TradeStatus.CAPTURED, captured=total, paid_at=paid_at, **seen)
    if said != "TRADE_CLOSED":
        raise Unfit("trade_status is not known")
    if paid_at is None:
        return Observed(number, TradeStatus.CLOSED, **seen)
    return Observed(number, TradeStatus.CAPTURED, captured=total, refunded=total, paid_at=paid_at, **seen)


def _currency(told: Mapping[str, Any]) -> str:
    """That of the order. Another one than was asked for is a fact, and told as one. Raises Unfit."""
    said = text(told, "trans_currency") if told.get("trans_currency") else CNY
    if not CURRENCY.fullmatch(said):
        raise Unfit("trans_currency is none")
    return said


def refunded(refund: Refund, told: Mapping[str, Any]) -> RefundSeen | None:
    """Our refund as fastpay.refund.query tells it. Raises Unfit, and Conflict where another one has our key."""
    seen = made_there(refund.key, refund.number, told)
    if seen is not None and seen.amount != refund.amount:
        there = seen.amount.amount
        raise Conflict(
            f"Alipay has a refund of {there} under this key, not of {refund.amount.amount}.",
            existing={"amount": str(there)},
        )
    return seen


def made_there(key: str, number: str, told: Mapping[str, Any]) -> RefundSeen | None:
    """Whoever's refund of our trade, as fastpay.refund.query tells it. Raises Unfit.

    Of a refund that never came, and of one that failed, it tells nothing at all.
    """
    status = text(told, "refund_status") if "refund_status" in told else ""
    if not status and not told.get("refund_amount"):
        return None
    same(told, "out_trade_no", number)
    same(told, "out_request_no", key)
    if status not in REFUNDS:
        raise Unfit("refund_status is not known")
    return RefundSeen(key, REFUNDS[status], money(told, "refund_amount"), done_at=when(told, "gmt_refund_pay"))
