"""WeChat Pay in public key mode: what is asked, what becomes of each answer, and every way in which it can fail.

Replies are signed as they are sent (`platform.py`), also the spoilt ones: so what they say is read, and not only
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.hub.errors import OutcomeUnknown
from integrations.hub.testing.contract import NOON, Outcome
from integrations.hub.testing.fixtures import Conversation
from integrations.hub.values import Money
from integrations.payments.base import Refund, Start
from integrations.payments.providers.wechatpay import WechatPay
from integrations.payments.wechatpay import wire
from tests.connectors.contract import HearingContract, HttpContract
from tests.connectors.payments.wechatpay.platform import NONCE, SETTINGS, proven

NUMBER, REFUND_KEY = "K7QH3ZT5M2XW4VNB6PLA2CDEFG", "R3FUNDKEYABCDEFGHJKLMNPQ27"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


def started(method: str, **other: Any) -> Start:
    whole: dict[str, Any] = {
        "number": NUMBER,
        "method": method,
        "total": Money(Decimal("100.00"), "CNY"),
        "title": "Weft 订单 W20261122-7Q2M9K",
        "expires_at": NOON + timedelta(minutes=28),
        "notify_url": "https://shop.example/hooks/payments/wechatpay/token/",
        "return_url": "https://shop.example/pay/token/?x=1",
        "payer": OPENID,
        "payer_ip": "203.0.113.7",
        **other,
    }
    return Start(**whole)


def refunded(amount: str = "30.00") -> Refund:
    return Refund(
        REFUND_KEY, NUMBER, Money(Decimal(amount), "CNY"), Money(Decimal("100.00"), "CNY"), "商品已售完",
        "https://shop.example/hooks/payments/wechatpay/token/",
    )  # fmt: skip


CALLS = {
    "health": lambda pay: pay.health(),
    "methods": lambda pay: [way.code for way in pay.methods()],
    "redirect_hosts": lambda pay: sorted(pay.redirect_hosts()),
    "payee": lambda pay: pay.payee(),
    "payer_url": lambda pay: pay.payer_url("https://shop.example/pay/token/payer/", "state1"),
    "payer": lambda pay: pay.payer({"code": "031Kmq0w3", "state": "state1"}),
    "start": lambda pay: pay.start(started("native")),
    "start-h5": lambda pay: pay.start(started("h5")),
    "start-jsapi": lambda pay: pay.start(started("jsapi")),
    "look": lambda pay: pay.look(NUMBER),
    "look-open": lambda pay: pay.look(NUMBER),
    "look-absent": lambda pay: pay.look(NUMBER),
    "close": lambda pay: pay.close(NUMBER),
    "close-paid": lambda pay: pay.close(NUMBER),
    "refund": lambda pay: pay.refund(refunded()),
    "look_refund": lambda pay: pay.look_refund(refunded()),
    "look_made_there": lambda pay: pay.look_made_there(refunded().key, NUMBER),
    "look_refund-none": lambda pay: pay.look_refund(refunded()),
}
# A refund that is refused would be made anew under another key: without a proof it is in doubt, and looked at.
UNPROVEN = {("refund", how): (OutcomeUnknown,) for how in ("400", "403", "404", "409", "422", "echo")}


@pytest.fixture(autouse=True)
def one_nonce(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The only thing in a request that chance decides."""
    monkeypatch.setattr(wire, "nonce", lambda: NONCE)
    yield


class TestWechatPay(HttpContract, HearingContract):
    connector = WechatPay
    settings = SETTINGS
    calls = CALLS
    strictly = UNPROVEN
    signed_with = "apiv3_key"
    signed_headers = ("wechatpay-serial", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature")
    too_old = 300

    @classmethod
    def outcome(cls, call: str, conversation: Conversation, *failing: Any) -> Outcome:
        replies = tuple(proven(exchange, cls.now) for exchange in conversation.exchanges)
        return super().outcome(call, Conversation(replies, conversation.returns), *failing)
