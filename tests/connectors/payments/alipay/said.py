"""What is asked of Alipay in the contract tests, and what it answers: written after its documents, signed with keys of
our own. Nothing here was recorded from Alipay; what Alipay itself signed stands in `test_vectors.py`.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import quote_from_bytes

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from integrations.hub.testing.contract import NOON
from integrations.hub.values import Money
from integrations.payments.base import Refund, Start
from integrations.payments.providers.alipay import Alipay
from tests.connectors.payments.alipay import keyring

APP_ID, SELLER = "2026000000000001", "2088000000000001"
KEY_MODE = {
    "app_id": APP_ID, "seller_id": SELLER, "private_key": keyring.APP_KEY,
    "alipay_public_key": keyring.ALIPAY_PUBLIC_KEY,
}  # fmt: skip


def armoured(*certificates: str) -> str:
    return "".join(f"-----BEGIN CERTIFICATE-----\n{each}\n-----END CERTIFICATE-----\n" for each in certificates)


CERTIFICATE_MODE = {
    "app_id": APP_ID, "private_key": keyring.APP_KEY, "app_certificate": armoured(keyring.APP_CERTIFICATE),
    "alipay_certificate": armoured(keyring.ALIPAY_CERTIFICATE),
    "root_certificates": armoured(keyring.ROOT_R1, keyring.ROOT_E1, keyring.ROOT_G3),
}  # fmt: skip
# By `printf %s "CN=…,OU=…,O=…,C=CN4271" | md5sum`, not by the code under test.
APP_SN, ALIPAY_SN = "f9c72bfc49f24a9dcddf5e112ae8afc8", "23a5a98384e8ad92a9902e6eeb802ed6"
ROOT_SN = "ae7201cbaeab9ae6e453a211ba0bcfa7_144d979ef494c1f5a4fb3c7c18ee0a8a"

NUMBER, KEY, TRADE_NO = "WEFTPAYMENTTEST23456722222", "WEFTREFUNDTEST234567222222", "2026112222001400000000000001"
NOTIFY, BACK = "https://shop.example/hooks/payments/alipay/token/", "https://shop.example/pay/back/"
TOTAL, PART = Money(Decimal("88.80"), "CNY"), Money(Decimal("20.00"), "CNY")
REFUND = Refund(KEY, NUMBER, PART, TOTAL, "退货 1/2", NOTIFY, TRADE_NO)


def start(method: str, **other: Any) -> Start:
    wanted = {
        "number": NUMBER, "method": method, "total": TOTAL, "title": "椅子 & 桌子, W20261122-1",
        "expires_at": NOON + timedelta(minutes=28), "notify_url": NOTIFY, "return_url": BACK,
    }  # fmt: skip
    return Start(**{**wanted, **other})


CALLS: dict[str, Callable[[Alipay], Any]] = {
    "health": lambda alipay: alipay.health(),
    "methods": lambda alipay: alipay.methods(),
    "redirect_hosts": lambda alipay: alipay.redirect_hosts(),
    "payee": lambda alipay: alipay.payee(),
    "start-page": lambda alipay: alipay.start(start("page")),
    "start-wap": lambda alipay: alipay.start(start("wap")),
    "start-qr": lambda alipay: alipay.start(start("qr")),
    "look": lambda alipay: alipay.look(NUMBER, TRADE_NO),
    "look-open": lambda alipay: alipay.look(NUMBER),
    "look-refunded": lambda alipay: alipay.look(NUMBER, TRADE_NO),
    "look-closed": lambda alipay: alipay.look(NUMBER),
    "look-absent": lambda alipay: alipay.look(NUMBER),
    "close": lambda alipay: alipay.close(NUMBER),
    "close-absent": lambda alipay: alipay.close(NUMBER),
    "close-paid": lambda alipay: alipay.close(NUMBER),
    "refund": lambda alipay: alipay.refund(REFUND),
    "refund-again": lambda alipay: alipay.refund(REFUND),
    "look_refund": lambda alipay: alipay.look_refund(REFUND),
    "look_made_there": lambda alipay: alipay.look_made_there(KEY, NUMBER),
    "look_refund-none": lambda alipay: alipay.look_refund(REFUND),
}

# One of each operation: what certificates change is the same in all of them.
ONCE = (
    "health",
    "methods",
    "payee",
    "redirect_hosts",
    "start-page",
    "start-qr",
    "look",
    "close",
    "refund",
    "look_refund",
    "look_made_there",
)

OK = {"code": "10000", "msg": "Success"}
OURS = {"out_trade_no": NUMBER, "trade_no": TRADE_NO}
TRADE = {
    **OK, **OURS, "trade_status": "TRADE_SUCCESS", "total_amount": "88.80", "send_pay_date": "2026-11-22 19:58:07",
}  # fmt: skip
# What else there may be: the buyer, and what is left after the buyer's coupons.
BESIDE = {"buyer_logon_id": "159****5620", "buyer_pay_amount": "85.80", "receipt_amount": "85.80"}


def refused(sub_code: str, words: str, code: str = "40004", msg: str = "Business Failed") -> dict[str, str]:
    return {"code": code, "msg": msg, "sub_code": sub_code, "sub_msg": words}


def without(told: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}


ABSENT = refused("ACQ.TRADE_NOT_EXIST", "交易不存在")
QUERY, CLOSE, PRECREATE, GIVE_BACK, ASK_REFUND = (
    f"alipay_trade_{name}_response" for name in ("query", "close", "precreate", "refund", "fastpay_refund_query")
)
REFUNDED = {
    **OK, **OURS, "out_request_no": KEY, "refund_amount": "20.00", "total_amount": "88.80",
    "refund_status": "REFUND_SUCCESS", "gmt_refund_pay": "2026-11-22 19:59:01",
}  # fmt: skip
GIVEN_BACK = {
    **OK, **OURS, "fund_change": "Y", "refund_fee": "50.00", "gmt_refund_pay": "2026-11-22 19:59:01",
}  # fmt: skip
ANSWERS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "health": [(QUERY, ABSENT)],
    "methods": [],
    "redirect_hosts": [],
    "payee": [],
    "start-page": [],
    "start-wap": [],
    "start-qr": [(PRECREATE, {**OK, "out_trade_no": NUMBER, "qr_code": "https://qr.alipay.com/bavh4wjlxf12tper3a"})],
    "look": [(QUERY, {**TRADE, **BESIDE})],
    "look-open": [(QUERY, {**without(TRADE, "send_pay_date"), "trade_status": "WAIT_BUYER_PAY"})],
    "look-refunded": [(QUERY, {**TRADE, "trade_status": "TRADE_CLOSED"})],
    "look-closed": [(QUERY, {**without(TRADE, "send_pay_date"), "trade_status": "TRADE_CLOSED"})],
    "look-absent": [(QUERY, {**ABSENT, "out_trade_no": NUMBER})],
    "close": [(CLOSE, {**OK, **OURS})],
    "close-absent": [(CLOSE, ABSENT)],
    "close-paid": [(CLOSE, refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")), (QUERY, TRADE)],
    "refund": [(GIVE_BACK, GIVEN_BACK)],
    "refund-again": [(GIVE_BACK, {**GIVEN_BACK, "fund_change": "N"}), (ASK_REFUND, REFUNDED)],
    "look_refund": [(ASK_REFUND, REFUNDED)],
    "look_made_there": [(ASK_REFUND, REFUNDED)],
    "look_refund-none": [(ASK_REFUND, OK)],
}  # fmt: skip


@cache
def _loaded(key: str) -> Any:
    return load_der_private_key(b64decode(key), None)


def signature(content: bytes, key: str = keyring.ALIPAY_KEY) -> str:
    return b64encode(_loaded(key).sign(content, PKCS1v15(), SHA256())).decode()


def signed(node: str, told: Any, **beside: Any) -> dict[str, Any]:
    """The answer as Alipay writes it."""
    return {node: told, "sign": signature(json.dumps(told, ensure_ascii=False).encode()), **beside}


def notice(fields: Mapping[str, str], charset: str = "utf-8", drop: tuple[str, ...] = ("sign", "sign_type")) -> str:
    """The body of a notice, signed by the rule that drops these."""
    sent = {name: value.encode(charset) for name, value in fields.items()}
    content = b"&".join(b"%s=%s" % (name.encode(), sent[name]) for name in sorted(sent) if name not in drop)
    return form({**sent, "sign": signature(content).encode()})


def form(fields: Mapping[str, bytes]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value, safe='')}" for name, value in fields.items())


PAID = {
    "gmt_create": "2026-11-22 19:57:40", "charset": "utf-8", "seller_email": "seller@shop.example",
    "subject": "椅子 ＆ 桌子", "buyer_id": "2088101117955611", "notify_id": "2026112200222195808055611411111111",
    "notify_type": "trade_status_sync", "trade_status": "TRADE_SUCCESS", "receipt_amount": "85.80",
    "buyer_pay_amount": "85.80", "sign_type": "RSA2", "app_id": APP_ID, "auth_app_id": APP_ID, "seller_id": SELLER,
    "gmt_payment": "2026-11-22 19:58:07", "notify_time": "2026-11-22 19:58:08", "version": "1.0", **OURS,
    "total_amount": "88.80", "buyer_logon_id": "159****5620",
    "fund_bill_list": '[{"amount":"85.80","fundChannel":"ALIPAYACCOUNT"}]',
}  # fmt: skip
PARTLY_BACK = {
    **PAID, "notify_id": "2026112200222195901055611411111112", "gmt_refund": "2026-11-22 19:59:01.123",
    "refund_fee": "20.00", "out_biz_no": KEY,
}  # fmt: skip
MESSAGE = {
    "app_id": APP_ID, "charset": "UTF-8", "method": "alipay.open.servicemarket.order.notify", "contactor": "张伟",
    "notify_id": "2026112200222195901055611411111113", "notify_type": "servicemarket_order_notify",
    "sign_type": "RSA2", "version": "1.0",
}  # fmt: skip
NOTICES: dict[str, tuple[str, str]] = {  # name: (body, id of the event)
    "paid": (notice(PAID), PAID["notify_id"]),
    "paid-gbk": (notice({**PAID, "charset": "GBK"}, "gbk"), PAID["notify_id"]),
    "partly-refunded": (notice(PARTLY_BACK), PARTLY_BACK["notify_id"]),
    "message": (notice(MESSAGE, drop=("sign",)), MESSAGE["notify_id"]),
}
