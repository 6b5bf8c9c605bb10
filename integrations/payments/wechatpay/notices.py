"""Notices: an envelope with what happened in it, encrypted. They hint at a trade or a refund, and are never believed
beyond that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from integrations.hub.answers import ILL, inside, text, whole
from integrations.hub.errors import Rejected
from integrations.hub.values import Hint
from integrations.payments.base import REFUND, TRADE
from integrations.payments.wechatpay import sealed

# Of the amount, what goes into a hint: fen.
TRADE_SAYS, REFUND_SAYS = ("transaction_id", "trade_state"), ("refund_id", "refund_status")


class Notice(NamedTuple):
    """A notice, opened."""

    event: str
    kind: str
    content: Mapping[str, Any]
    raw: bytes  # the content as it was sealed: with another nonce each time it is sent


def opened(body: bytes, apiv3_key: str) -> Notice:
    """Raises Rejected for what is none, or is not encrypted with this key."""
    try:
        told = json.loads(body)
        raw = sealed.opened(inside(told, "resource"), apiv3_key)
        content = json.loads(raw)
        if not isinstance(content, Mapping):
            raise TypeError
        return Notice(text(told, "id"), text(told, "event_type"), content, raw)
    except sealed.WrongKey:
        raise Rejected("The notice cannot be opened with the APIv3 key: compare it in the merchant platform.") from None
    except ILL:
        raise Rejected("This is no notice of WeChat Pay.") from None


def hints(notice: Notice) -> list[Hint]:
    """What to look at. Raises Rejected for what tells of neither a trade nor a refund."""
    try:
        match notice.kind.partition(".")[0]:
            case "TRANSACTION":
                return [_hint(TRADE, "out_trade_no", TRADE_SAYS, "total", notice.content)]
            case "REFUND":
                hint = _hint(REFUND, "out_refund_no", REFUND_SAYS, "refund", notice.content)
                number = {"number": text(notice.content, "out_trade_no")}
                return [replace(hint, facts={**number, **hint.facts})]
    except ILL:
        raise Rejected("The notice does not say what it is about.") from None
    raise Rejected("This notice tells of neither a payment nor a refund.")


def _hint(kind: str, key: str, says: tuple[str, ...], amount: str, content: Mapping[str, Any]) -> Hint:
    facts: dict[str, Any] = {name: text(content, name) for name in says if name in content}
    if "amount" in content:
        facts[amount] = whole(inside(content, "amount"), amount)
    return Hint(kind, text(content, key), facts)
