"""WeChat Pay in certificate mode: the platform certificates are asked for first, and prove what comes after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from integrations.hub.errors import Conflict, Misconfigured, Rejected
from integrations.hub.testing.contract import Outcome
from integrations.hub.testing.fixtures import Conversation
from integrations.payments.providers.wechatpay import WechatPay
from tests.connectors.contract import HttpContract
from tests.connectors.payments.wechatpay.platform import CERTIFICATE_MODE, proven
from tests.connectors.payments.wechatpay.test_wechatpay import CALLS, UNPROVEN, one_nonce

__all__ = ["one_nonce"]


# The other answers differ in nothing from public key mode.
EACH = {name: call for name, call in CALLS.items() if "-" not in name}
# Without certificates nothing is sent: whatever refuses them, the account is in no order and its work waits.
WAITS = {
    (call, how): (*UNPROVEN.get((call, how), (Rejected, Conflict)), Misconfigured)
    for call in EACH
    for how in ("400", "403", "404", "409", "422", "echo")
}


class TestCertificates(HttpContract):
    connector = WechatPay
    settings = CERTIFICATE_MODE
    calls = EACH
    hears = True  # the notices are the same: test_wechatpay.py
    strictly = WAITS

    @classmethod
    def folder(cls) -> Path:
        return Path(__file__).parent / "certificates"

    @classmethod
    def outcome(cls, call: str, conversation: Conversation, *failing: Any) -> Outcome:
        replies = tuple(proven(exchange, cls.now) for exchange in conversation.exchanges)
        return super().outcome(call, Conversation(replies, conversation.returns), *failing)
