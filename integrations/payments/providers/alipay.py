"""Alipay (支付宝), for merchants in mainland China. Promises and limits: docs/connectors/alipay.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from integrations.hub.answers import Unfit, text, understood
from integrations.hub.connector import Field
from integrations.hub.errors import Conflict, HubError, Misconfigured, OutcomeUnknown, Rejected, Unsupported
from integrations.hub.values import Answer, Health, Hint, Inbound, Verified
from integrations.payments.alipay import notices, values
from integrations.payments.alipay.keys import Keys, keys_of
from integrations.payments.alipay.refusals import Refused
from integrations.payments.alipay.wire import Gateway, Unproven, beijing
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
)

PRODUCTION = "https://openapi.alipay.com/gateway.do"
QR_PRODUCT = "QR_CODE_OFFLINE"
SELLER = re.compile("2088[0-9]{12}")
LONGEST_QR = 1024
ENDS_SOON = timedelta(days=30)

NO_TRADE = frozenset(("ACQ.TRADE_NOT_EXIST", "TRADE_NOT_EXIST"))  # refund queries say it either way
TAKEN = frozenset(
    ("ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_CLOSE", "ACQ.CONTEXT_INCONSISTENT", "ACQ.APPLY_PC_MERCHANT_CODE_ERROR")
)
NOT_OPEN = frozenset(
    ("ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_ILLEGAL_STATUS", "ACQ.TRADE_HAS_SUCCESS",
     "ACQ.TRADE_HAS_CLOSE", "ACQ.TRADE_HAS_FINISHED")
)  # fmt: skip
ANOTHER_REFUND = "ACQ.DISCORDANT_REPEAT_REQUEST"
METHODS = (
    Method("page", "Alipay", frozenset({Scene.DESKTOP})),
    Method("wap", "Alipay", frozenset({Scene.PHONE, Scene.ALIPAY})),
    Method("qr", "Alipay, by QR code", frozenset(Scene), longest=timedelta(hours=2)),
)
PAGES = {
    "page": ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    "wap": ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
}


class Alipay(Payments):
    """Trades have our number at Alipay, refunds our key. A page's trade begins when the buyer has come to it, a QR
    code's when it is scanned: until then Alipay knows of none.
    """

    name = "alipay"
    label = "Alipay"
    checks = "asks, signed, for a trade that nobody has, and checks the signature of the answer; no money moves"
    fields = (
        Field("app_id", "Application number (APPID)"),
        Field(
            "seller_id", "Seller number (PID)", required=False,
            help="2088 and twelve digits. Notices for another seller are refused then.",
        ),
        Field(
            "private_key", "Application's private key", secret=True, long=True,
            help="RSA2, with or without BEGIN and END",
        ),
        Field(
            "alipay_public_key", "Alipay's public key", required=False, long=True,
            help="Where the application signs with keys. Not the application's own",
        ),
        Field(
            "app_certificate", "Application's certificate", required=False, long=True,
            help="appCertPublicKey_….crt, where the application signs with certificates",
        ),
        Field(
            "alipay_certificate", "Alipay's certificate", required=False, long=True,
            help="alipayCertPublicKey_RSA2.crt",
        ),
        Field(
            "root_certificates", "Alipay's root certificates", required=False, long=True,
            help="All of alipayRootCert.crt",
        ),
        Field("gateway", "Gateway address", required=False, default=PRODUCTION),
        Field("methods", "Ways to pay: page, wap, qr", required=False, default="page, wap, qr"),
        Field(
            "qr_product", "Product of QR codes", required=False, default=QR_PRODUCT,
            help="As signed with Alipay: QR_CODE_OFFLINE or FACE_TO_FACE_PAYMENT",
        ),
    )  # fmt: skip
    identity = ("app_id",)

    def health(self) -> Health:
        self._check_settings()
        number = f"WEFT_CHECK_{self.now():%Y%m%d%H%M%S%f}"
        try:
            self._gateway.ask("alipay.trade.query", {"out_trade_no": number}, "check", writes=False)
        except Refused as refused:
            if refused.code not in NO_TRADE:
                raise Misconfigured(refused.message) from None
        except Unproven as unproven:
            raise Misconfigured(unproven.message) from None
        return Health(notes=tuple(self._notes()))

    # --- trades ---

    def methods(self) -> Sequence[Method]:
        return [method for method in METHODS if method.code in self._codes]

    def payee(self) -> str:
        return self.settings.get("seller_id", "")

    def redirect_hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self._address).netloc})

    def start(self, start: Start) -> Redirect | Qr:
        content = {
            "out_trade_no": start.number,
            "total_amount": values.yuan(start.total),
            "subject": values.title(start.title),
            "time_expire": beijing(start.expires_at),
        }
        if start.method not in (method.code for method in self.methods()):
            raise Unsupported(f"This account does not offer {start.method!r}.")
        if start.expires_at <= self.now():
            raise Rejected("The time to pay is over.")
        if start.method == "qr":
            return self._qr(start, content)
        name, product = PAGES[start.method]
        content["product_code"] = product
        if start.method == "wap" and start.return_url:
            content["quit_url"] = start.return_url
        return Redirect(self._gateway.page(name, content, notify_url=start.notify_url, return_url=start.return_url))

    def _qr(self, start: Start, content: dict[str, str]) -> Qr:
        content["product_code"] = self.settings.get("qr_product") or QR_PRODUCT
        try:
            told = self._gateway.ask(
                "alipay.trade.precreate", content, "start", writes=True, notify_url=start.notify_url
            )  # fmt: skip
        except Refused as refused:
            if refused.code in TAKEN:
                raise Conflict(refused.message, existing={"code": refused.code}) from None
            raise
        with understood("start", writes=True):
            values.same(told, "out_trade_no", start.number)
            code = text(told, "qr_code")
            if not 0 < len(code) <= LONGEST_QR:
                raise Unfit("qr_code is empty, or too long")
            return Qr(code)

    def look(self, number: str, remote: str = "") -> Observed:
        try:
            told = self._gateway.ask("alipay.trade.query", {"out_trade_no": number}, "look", writes=False)
        except Refused as refused:
            if refused.code in NO_TRADE:
                return Observed(number, TradeStatus.ABSENT)
            raise
        with understood("look", writes=False):
            return values.observed(number, told)

    def close(self, number: str, remote: str = "") -> Observed:
        try:
            told = self._gateway.ask("alipay.trade.close", {"out_trade_no": number}, "close", writes=True)
        except Refused as refused:
            if refused.code in NO_TRADE:
                return Observed(number, TradeStatus.ABSENT)
            if refused.code in NOT_OPEN:  # paid, or closed before
                return self.look(number, remote)
            raise
        with understood("close", writes=True):
            values.same(told, "out_trade_no", number)
            return Observed(number, TradeStatus.CLOSED, remote=text(told, "trade_no"))

    # --- refunds ---

    def refund(self, refund: Refund) -> RefundSeen:
        content = {
            "out_trade_no": refund.number,
            "refund_amount": values.yuan(refund.amount),
            "out_request_no": refund.key,
            "refund_reason": values.title(refund.reason),
        }
        try:
            told = self._gateway.ask("alipay.trade.refund", content, "refund", writes=True)
        except Refused as refused:
            if refused.code == ANOTHER_REFUND:
                raise Conflict(refused.message, existing={"code": refused.code}) from None
            raise
        with understood("refund", writes=True):
            values.same(told, "out_trade_no", refund.number)
            if told.get("fund_change") == "Y":
                return RefundSeen(
                    refund.key, RefundStatus.DONE, refund.amount, done_at=values.when(told, "gmt_refund_pay")
                )  # fmt: skip
        return self._without_change(refund)

    def _without_change(self, refund: Refund) -> RefundSeen:
        """Alipay took it, and no money moved by it: it was done before, or is not done yet."""
        try:
            seen = self.look_refund(refund)
        except Conflict:
            raise
        except HubError as error:
            raise OutcomeUnknown(f"refund: Alipay took it, and then: {error.message}") from None
        if seen is None:
            raise OutcomeUnknown("refund: Alipay took it, and knows nothing of it yet.")
        return seen

    def look_refund(self, refund: Refund) -> RefundSeen | None:
        told = self._ask_refund(refund.key, refund.number)
        with understood("look at a refund", writes=False):
            return values.refunded(refund, told) if told is not None else None

    def look_made_there(self, key: str, number: str) -> RefundSeen | None:
        told = self._ask_refund(key, number)
        with understood("look at a refund", writes=False):
            return values.made_there(key, number, told) if told is not None else None

    def _ask_refund(self, key: str, number: str) -> Mapping[str, Any] | None:
        content = {"out_trade_no": number, "out_request_no": key, "query_options": ["gmt_refund_pay"]}
        try:
            return self._gateway.ask("alipay.trade.fastpay.refund.query", content, "look at a refund", writes=False)
        except Refused as refused:
            if refused.code in NO_TRADE:
                return None
            raise

    # --- what Alipay sends ---

    def verify(self, inbound: Inbound) -> Verified:
        return notices.verified(inbound.body, self.settings)

    def parse(self, inbound: Inbound) -> Sequence[Hint]:
        return notices.hints(inbound.body)

    def answer(self, accepted: bool) -> Answer:
        return Answer(200, b"success") if accepted else Answer(503, b"fail")

    # --- the account ---

    @cached_property
    def _keys(self) -> Keys:
        return keys_of(self.settings)

    @cached_property
    def _gateway(self) -> Gateway:
        return Gateway(self.http, self._address, self.settings["app_id"], self._keys, self.now, self.quoted)

    @property
    def _address(self) -> str:
        return (self.settings.get("gateway") or PRODUCTION).strip()

    @property
    def _codes(self) -> list[str]:
        return (self.settings.get("methods") or "page, wap, qr").replace(",", " ").split()

    def _check_settings(self) -> None:
        """Raises Misconfigured for what Alipay could not know."""
        if unknown := set(self._codes) - {method.code for method in METHODS}:
            raise Misconfigured(f"Ways to pay are page, wap and qr, not {', '.join(sorted(unknown))}.")
        if (seller := self.settings.get("seller_id")) and not SELLER.fullmatch(seller):
            raise Misconfigured("The seller number (PID) is 2088 and twelve more digits.")

    def _notes(self) -> list[str]:
        notes, by = [], self.quoted(self._gateway.signed_by, 40)
        if by and self._keys.alipay_sn and by != self._keys.alipay_sn:
            notes.append(f"Alipay signs with another certificate by now ({by}): download and paste it.")
        if self._keys.until and self._keys.until - self.now() < ENDS_SOON:
            notes.append(f"A certificate ends on {self._keys.until:%Y-%m-%d}: download its successor before.")
        return notes
