"""What leaves is signed byte for byte; which keys prove what comes back, also while they are changed; two addresses."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from integrations.hub.errors import HubError, Misconfigured, OutcomeUnknown, Scope, TryAgain
from integrations.hub.http import Reply
from integrations.hub.testing.contract import NOON
from integrations.payments.base import JsCall, TradeStatus
from integrations.payments.providers.wechatpay import WechatPay
from tests.connectors.payments.wechatpay.platform import (
    APIV3_KEY,
    CERTIFICATE_MODE,
    CHANGING,
    FORMER_KEY_ID,
    MERCHANT,
    OTHER,
    PLATFORM_CERTIFICATE,
    PLATFORM_SERIAL,
    PUBLIC_KEY_ID,
    SETTINGS,
    authorized,
    sealed,
    signed,
)
from tests.connectors.payments.wechatpay.test_refusals import Answering, pay, said, trade
from tests.connectors.payments.wechatpay.test_wechatpay import NUMBER, refunded, started

API = "https://api.mch.weixin.qq.com"
AWAY = TryAgain("cannot be reached", scope=Scope.ACCOUNT)


def by_certificate(*replies: Reply | HubError, **settings: str) -> Any:
    return WechatPay({**CERTIFICATE_MODE, **settings}, Answering(*replies), lambda: NOON)  # type: ignore[arg-type]


def proven(told: Any, serial: str, key: Any = None, status: int = 200) -> Reply:
    body = json.dumps(told).encode()
    return Reply(status, signed(body, NOON, serial, *([key] if key else [])), body)


def certificates(serial: str = PLATFORM_SERIAL, apiv3_key: str = APIV3_KEY) -> Reply:
    one = sealed(PLATFORM_CERTIFICATE.encode(), "certificate", apiv3_key)
    return proven({"data": [{"serial_no": PLATFORM_SERIAL, "encrypt_certificate": one}]}, serial)


# --- what leaves ---


@pytest.mark.parametrize("call", [
    lambda made: made.start(started("native")), lambda made: made.start(started("h5")),
    lambda made: made.start(started("jsapi")), lambda made: made.refund(refunded()), lambda made: made.look(NUMBER),
    lambda made: made.close(NUMBER), lambda made: made.look_refund(refunded()),
])  # fmt: skip
def test_the_merchant_signs_exactly_the_bytes_that_leave(call: Any) -> None:
    made = pay(OutcomeUnknown("cut"))
    with pytest.raises(OutcomeUnknown):
        call(made)
    (asked,) = made.http.asked
    body = asked["body"] or b""
    said = authorized(asked["headers"]["authorization"], asked["method"], asked["url"].removeprefix(API), body)
    assert {name: said[name] for name in ("mchid", "serial_no", "timestamp")} == {
        "mchid": SETTINGS["mchid"], "serial_no": SETTINGS["serial"], "timestamp": str(int(NOON.timestamp())),
    }  # fmt: skip
    assert asked["headers"]["wechatpay-serial"] == PUBLIC_KEY_ID
    assert asked["writes"] is (asked["method"] == "POST")
    assert "json" not in asked and (not body or b": " not in body and json.loads(body))


def test_an_address_with_a_path_is_signed_with_it() -> None:
    made = pay(said(200, trade("NOTPAY")), url="http://127.0.0.1:9000/wechat/")
    made.look(NUMBER)
    (asked,) = made.http.asked
    path = f"/wechat/v3/pay/transactions/out-trade-no/{NUMBER}?mchid=1900000109"
    assert asked["url"] == f"http://127.0.0.1:9000{path}"
    assert authorized(asked["headers"]["authorization"], "GET", path, b"")


def test_no_nonce_is_used_twice() -> None:
    made = pay(*[said(200, trade("NOTPAY"))] * 2)
    made.look(NUMBER), made.look(NUMBER)
    first, second = [asked["headers"]["authorization"] for asked in made.http.asked]
    assert first.partition("nonce_str")[2][:40] != second.partition("nonce_str")[2][:40]


def test_what_the_script_in_wechat_gets_is_signed_by_the_merchant() -> None:
    call = pay(said(200, {"prepay_id": "wx1"})).start(started("jsapi"))
    assert isinstance(call, JsCall)
    told = dict(call.params)
    message = f"{told['appId']}\n{told['timeStamp']}\n{told['nonceStr']}\n{told['package']}\n".encode()
    MERCHANT.public_key().verify(base64.b64decode(told["paySign"]), message, PKCS1v15(), SHA256())
    assert (told["package"], told["signType"]) == ("prepay_id=wx1", "RSA")


# --- which keys prove it ---


def test_in_certificate_mode_no_key_is_asked_for_by_name() -> None:
    made = by_certificate(certificates(), proven(trade("SUCCESS"), PLATFORM_SERIAL))
    assert made.look(NUMBER).status is TradeStatus.CAPTURED
    assert [asked["url"].removeprefix(API).partition("?")[0] for asked in made.http.asked] == [
        "/v3/certificates", f"/v3/pay/transactions/out-trade-no/{NUMBER}",
    ]  # fmt: skip
    assert all("wechatpay-serial" not in asked["headers"] for asked in made.http.asked)


def test_certificates_are_asked_for_once() -> None:
    made = by_certificate(certificates(), *[proven(trade("SUCCESS"), PLATFORM_SERIAL)] * 3)
    for _ in range(3):
        made.look(NUMBER)
    assert len(made.http.asked) == 4


def test_pasted_certificates_are_used_without_asking() -> None:
    made = by_certificate(proven(trade("SUCCESS"), f"00{PLATFORM_SERIAL.lower()}"), certificates=PLATFORM_CERTIFICATE)
    assert made.look(NUMBER).status is TradeStatus.CAPTURED


def test_nothing_is_written_before_there_is_a_key_to_prove_the_answer() -> None:
    made = by_certificate(Reply(500, {}, b""), Reply(500, {}, b""))
    for _ in range(2):
        with pytest.raises(TryAgain):
            made.refund(refunded())
    assert [asked["method"] for asked in made.http.asked] == ["GET", "GET"]


def test_a_new_certificate_is_asked_for_when_it_first_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pasted is an old one; the answer is signed with the one that comes after it."""
    made = by_certificate(proven(trade("SUCCESS"), PLATFORM_SERIAL), certificates())
    made.__dict__["_known"] = {"5157F09EFDC0": OTHER.public_key()}
    assert made.look(NUMBER).status is TradeStatus.CAPTURED
    assert [asked["method"] for asked in made.http.asked] == ["GET", "GET"]


def test_an_answer_by_a_serial_that_nobody_has_is_asked_for_once_and_not_believed() -> None:
    made = by_certificate(proven({}, "77"), certificates(), proven({}, "77"), certificates=PLATFORM_CERTIFICATE)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="serial"):
            made.refund(refunded())
    assert len(made.http.asked) == 3


def test_certificates_that_do_not_prove_themselves_are_none() -> None:
    forged = certificates()
    forged = Reply(200, dict(forged.headers) | {"wechatpay-signature": "AAAA"}, forged.body)
    with pytest.raises(TryAgain, match="nothing proves"):
        by_certificate(forged).look(NUMBER)


def test_certificates_that_another_key_opens_say_so() -> None:
    with pytest.raises(Misconfigured, match="APIv3 key"):
        by_certificate(certificates(apiv3_key="another-key-of-just-as-many-char")).look(NUMBER)


@pytest.mark.parametrize(("status", "name"), [(403, "NO_AUTH"), (404, "RESOURCE_NOT_EXISTS"), (400, "")])
def test_a_merchant_without_certificates_is_told_to_use_the_public_key(status: int, name: str) -> None:
    told = {"code": name, "message": "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥"}
    with pytest.raises(Misconfigured, match="public key|Product centre"):
        by_certificate(Reply(status, {}, json.dumps(told).encode())).refund(refunded())


def test_the_new_and_the_former_public_key_hold_at_once_and_certificates_too() -> None:
    for serial, key in ((PUBLIC_KEY_ID, None), (FORMER_KEY_ID, OTHER), (PLATFORM_SERIAL, None)):
        made = pay(proven(trade("SUCCESS"), serial, key), **CHANGING)
        assert made.look(NUMBER).status is TradeStatus.CAPTURED
    with pytest.raises(TryAgain):
        pay(proven(trade("SUCCESS"), FORMER_KEY_ID), **CHANGING).look(NUMBER)  # signed by the other one


@pytest.mark.parametrize("skew", [-301, 301])
def test_an_answer_of_another_time_is_not_believed(skew: int) -> None:
    body = json.dumps(trade("SUCCESS")).encode()
    reply = Reply(200, signed(body, NOON + timedelta(seconds=skew)), body)
    with pytest.raises(TryAgain, match="5 minutes"):
        pay(reply).look(NUMBER)


# --- two addresses ---


def test_the_second_address_is_asked_where_surely_nothing_has_left() -> None:
    made = pay(AWAY, said(200, trade("SUCCESS")), backup_url="https://api2.mch.weixin.qq.com/")
    assert made.look(NUMBER).status is TradeStatus.CAPTURED
    assert [asked["url"].split("/v3")[0] for asked in made.http.asked] == [API, "https://api2.mch.weixin.qq.com"]


@pytest.mark.parametrize("error", [OutcomeUnknown("cut"), TryAgain("slow"), TryAgain("429", scope=Scope.OPERATION)])
def test_and_nowhere_else(error: HubError) -> None:
    made = pay(error, backup_url="https://api2.mch.weixin.qq.com")
    with pytest.raises(type(error)):
        made.refund(refunded())
    assert len(made.http.asked) == 1


def test_where_both_cannot_be_reached_it_is_the_account_that_waits() -> None:
    with pytest.raises(TryAgain) as error:
        pay(AWAY, AWAY, backup_url="https://api2.mch.weixin.qq.com").refund(refunded())
    assert error.value.scope is Scope.ACCOUNT
