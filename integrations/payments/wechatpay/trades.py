"""Trades and refunds as WeChat Pay writes them, read into facts. Amounts are whole fen there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.hub.answers import Unfit, inside, moment, text, whole
from integrations.hub.errors import Conflict, Rejected
from integrations.hub.values import Money
from integrations.payments.base import Observed, Refund, RefundSeen, RefundStatus, TradeStatus

CNY = "CNY"
CURRENCY = re.compile("[A-Z]{3}")

# PAYERROR: a try to pay failed (only by payment code). Nobody says that another try is impossible, so it is open.
STATES = {
    "NOTPAY": TradeStatus.OPEN, "PAYERROR": TradeStatus.OPEN,
    "USERPAYING": TradeStatus.PROCESSING, "ACCEPT": TradeStatus.PROCESSING,
    "SUCCESS": TradeStatus.CAPTURED, "REFUND": TradeStatus.CAPTURED,
    "CLOSED": TradeStatus.CLOSED, "REVOKED": TradeStatus.CLOSED,
}  # fmt: skip
REFUND_STATES = {
    "PROCESSING": RefundStatus.PENDING, "SUCCESS": RefundStatus.DONE,
    "CLOSED": RefundStatus.FAILED, "ABNORMAL": RefundStatus.STUCK,
}  # fmt: skip
WHY = {
    RefundStatus.FAILED: "WeChat Pay closed the refund: the money stayed in the merchant account.",
    RefundStatus.STUCK: "The payer's account or card cannot take it. In the merchant platform (Trade centre, Refunds), "
    "send it to another card of theirs or back to your own account.",
}


def fen(money: Money) -> int:
    """An amount as it leaves. Raises Rejected for what WeChat Pay cannot take."""
    if money.currency != CNY:
        raise Rejected(f"WeChat Pay takes {CNY} only, not {money.currency}.", fields={"currency": f"not {CNY}"})
    if not money.amount.is_finite() or money.amount <= 0 or money.amount * 100 % 1:
        raise Rejected(f"WeChat Pay takes whole fen, not {money.amount}.", fields={"amount": "not in whole fen"})
    return int(money.amount * 100)


def cut(words: str, longest: int) -> str:
    """At most so many bytes of UTF-8, and no half character."""
    return words.encode()[:longest].decode(errors="ignore")


def observed(told: Any, number: str) -> Observed:
    """The trade. `total` is what it is about, whatever coupons of the payer's own paid of it."""
    if text(told, "out_trade_no") != number:
        raise Unfit("out_trade_no is another")
    state = text(told, "trade_state")
    status = STATES.get(state)
    if status is None:
        raise Unfit("trade_state is unknown")
    total = _total(told, needed=status is TradeStatus.CAPTURED)
    return Observed(
        number=number,
        status=status,
        remote=_word(told, "transaction_id"),
        total=total,
        captured=total if status is TradeStatus.CAPTURED else None,
        paid_at=_moment(told, "success_time"),
        payee=text(told, "mchid"),
        facts=_facts(told, state),
    )


def refund_seen(told: Any, refund: Refund) -> RefundSeen:
    """Our refund. Raises Conflict where it is another one under our number."""
    seen, number = _refund(told, refund.key), text(told, "out_trade_no")
    if seen.amount != refund.amount or number != refund.number:
        there = seen.amount
        raise Conflict(
            f"WeChat Pay has another refund under {refund.key}: {there.amount} {there.currency} of {number}.",
            existing={"amount": str(there.amount), "currency": there.currency, "number": number},
        )
    return seen


def refund_made_there(told: Any, key: str, number: str) -> RefundSeen:
    """A refund that somebody else made of our trade."""
    if text(told, "out_trade_no") != number:
        raise Unfit("out_trade_no is another")
    return _refund(told, key)


def _refund(told: Any, key: str) -> RefundSeen:
    if text(told, "out_refund_no") != key:
        raise Unfit("out_refund_no is another")
    status = REFUND_STATES.get(text(told, "status"))
    if status is None:
        raise Unfit("status is unknown")
    return RefundSeen(
        key=key,
        status=status,
        amount=_money(inside(told, "amount"), "refund"),
        remote=text(told, "refund_id"),
        done_at=_moment(told, "success_time") if status is RefundStatus.DONE else None,
        why=WHY.get(status, ""),
    )


def _total(told: Any, *, needed: bool) -> Money | None:
    """What is not paid yet need not say it."""
    return _money(inside(told, "amount"), "total") if needed or told.get("amount") else None


def _money(told: Mapping[str, Any], name: str) -> Money:
    """In the currency that it says: another one than was asked for is a fact, and told as one."""
    found, currency = whole(told, name), text(told, "currency") if told.get("currency") else CNY
    if found < 0:
        raise Unfit(f"{name} is below nothing")
    if not CURRENCY.fullmatch(currency):
        raise Unfit("currency is none")
    return Money(Decimal(found).scaleb(-2), currency)


def _moment(told: Any, name: str) -> datetime | None:
    return moment(told, name) if told.get(name) else None


def _word(told: Any, name: str) -> str:
    return text(told, name) if told.get(name) else ""


def _facts(told: Any, state: str) -> dict[str, str]:
    """Small, for staff; nothing of the payer."""
    facts = {"trade_state": state}
    if kind := _word(told, "trade_type"):
        facts["trade_type"] = kind
    if "payer_total" in (told.get("amount") or {}):
        facts["payer_total"] = str(Decimal(whole(told["amount"], "payer_total")).scaleb(-2))
    return facts
