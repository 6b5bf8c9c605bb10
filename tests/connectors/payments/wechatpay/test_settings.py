"""The account's form: what is offered, what health says, what is refused before anybody is asked; and who pays."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.hub.errors import Forged, HubError, Misconfigured, Rejected, Scope, TryAgain, Unsupported
from integrations.hub.http import Reply
from integrations.hub.testing.contract import NOON
from integrations.hub.values import Inbound, Money
from integrations.payments.base import Redirect, Scene
from integrations.payments.providers.wechatpay import WechatPay
from integrations.payments.wechatpay import keys
from tests.connectors.payments.wechatpay.platform import (
    APIV3_KEY,
    CERTIFICATE_MODE,
    MERCHANT,
    PLATFORM_CERTIFICATE,
    PLATFORM_SERIAL,
    SETTINGS,
    sealed,
    signed,
)
from tests.connectors.payments.wechatpay.test_refusals import Answering, code, pay, said
from tests.connectors.payments.wechatpay.test_wechatpay import refunded, started
from tests.connectors.payments.wechatpay.test_wire import certificates, proven

NO_TRADE = {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}


def scenes(**settings: str) -> dict[Scene, list[str]]:
    offered = pay(**settings).methods()
    return {scene: [way.code for way in offered if scene in way.scenes] for scene in Scene}


def test_each_scene_gets_its_way_first_and_a_code_for_another_device() -> None:
    assert scenes() == {
        Scene.DESKTOP: ["native"], Scene.PHONE: ["h5", "native"], Scene.WECHAT: ["jsapi", "native"],
        Scene.ALIPAY: ["native"],
    }  # fmt: skip
    assert [way.code for way in pay().methods() if way.needs_payer] == ["jsapi"]


def test_settings_choose_which_are_offered() -> None:
    assert scenes(methods="native")[Scene.PHONE] == ["native"]
    assert scenes(methods="H5; jsapi")[Scene.WECHAT] == ["jsapi"]
    assert scenes(app_secret="")[Scene.WECHAT] == ["native"]


def test_a_sandboxs_own_page_may_be_shown_and_no_other() -> None:
    local = {"url": "http://127.0.0.1:9000", "sign_in_url": "http://127.0.0.1:9001/connect/oauth2/authorize"}
    assert pay(**local).redirect_hosts() == {"wx.tenpay.com", "127.0.0.1:9000", "127.0.0.1:9001"}
    here = pay(said(200, {"h5_url": "http://127.0.0.1:9000/h5"}), **local).start(started("h5"))
    assert here == Redirect("http://127.0.0.1:9000/h5?redirect_url=https%3A%2F%2Fshop.example%2Fpay%2Ftoken%2F%3Fx%3D1")
    with pytest.raises(HubError, match="h5_url leads elsewhere"):
        pay(said(200, {"h5_url": "https://elsewhere.example/h5"})).start(started("h5"))


# --- before anybody is asked ---

WRONG_MONEY = [Money(Decimal(amount), currency) for amount, currency in (
    ("100.00", "USD"), ("100", "JPY"), ("0.001", "CNY"), ("100.005", "CNY"), ("0", "CNY"), ("-1", "CNY"),
    ("NaN", "CNY"), ("Infinity", "CNY"),
)]  # fmt: skip


@pytest.mark.parametrize("money", WRONG_MONEY, ids=str)
def test_money_that_they_cannot_take_is_refused_before_any_call(money: Money) -> None:
    made = pay()
    for method in ("native", "h5", "jsapi"):
        with pytest.raises(Rejected):
            made.start(started(method, total=money))
    refund = refunded()
    with pytest.raises(Rejected):
        made.refund(type(refund)(refund.key, refund.number, money, refund.total, "", ""))
    assert made.http.asked == []


def test_what_a_way_to_pay_needs_is_refused_before_any_call() -> None:
    made = pay()
    for method, other in (("jsapi", {"payer": ""}), ("h5", {"payer_ip": ""})):
        with pytest.raises(Rejected):
            made.start(started(method, **other))
    with pytest.raises(Unsupported):
        made.start(started("app"))
    assert made.http.asked == []


@pytest.mark.parametrize(("amount", "fen"), [("0.01", 1), ("1", 100), ("19.90", 1990), ("99999999.99", 9999999999)])
def test_yuan_become_fen(amount: str, fen: int) -> None:
    made = pay(said(200, {"code_url": "weixin://x"}))
    made.start(started("native", total=Money(Decimal(amount), "CNY")))
    assert f'"total":{fen},"currency":"CNY"'.encode() in made.http.asked[0]["body"]


def test_a_long_title_is_cut_between_characters() -> None:
    made = pay(said(200, {"code_url": "weixin://x"}))
    made.start(started("native", title="订单" * 100))
    assert f'"description":"{("订单" * 21)}","out'.encode() in made.http.asked[0]["body"]


# --- health ---


def test_health_that_is_well_says_what_may_be_missed() -> None:
    assert pay(said(404, NO_TRADE)).health().notes == ()
    assert "app secret" in pay(said(404, NO_TRADE), app_secret="").health().notes[0]


def test_in_certificate_mode_it_keeps_the_certificates_by_which_notices_are_proven_without_asking() -> None:
    asked = Answering(certificates(), proven(NO_TRADE, PLATFORM_SERIAL, status=404))
    health = WechatPay(CERTIFICATE_MODE, asked, lambda: NOON).health()  # type: ignore[arg-type]
    assert (health.notes, list(health.kept)) == ((), ["kept_certificates"])
    body = b"{}"
    later = WechatPay({**CERTIFICATE_MODE, **health.kept}, Answering(), lambda: NOON)  # type: ignore[arg-type]
    with pytest.raises(Forged, match="is no notice"):  # proven to be WeChat Pay's, and then read
        later.verify(Inbound(signed(body, NOON, PLATFORM_SERIAL), body))
    with pytest.raises(Forged, match="has its serial"):
        WechatPay(CERTIFICATE_MODE, Answering(), lambda: NOON).verify(  # type: ignore[arg-type]
            Inbound(signed(body, NOON, PLATFORM_SERIAL), body)
        )


def test_health_tells_of_a_certificate_that_ends_soon() -> None:
    late = keys.certificates(PLATFORM_CERTIFICATE)[0].not_valid_after_utc - timedelta(days=9)
    body = b'{"code":"ORDER_NOT_EXIST"}'
    reply = Reply(404, signed(body, late, "D7CE59D1F522D701"), body)
    whole = {**CERTIFICATE_MODE, "certificates": PLATFORM_CERTIFICATE}
    one = sealed(PLATFORM_CERTIFICATE.encode(), "certificate", APIV3_KEY)
    told = json.dumps({"data": [{"serial_no": PLATFORM_SERIAL, "encrypt_certificate": one}]}).encode()
    answers = Answering(reply, Reply(200, signed(told, late, PLATFORM_SERIAL), told))
    (note,) = WechatPay(whole, answers, lambda: late).health().notes  # type: ignore[arg-type]
    assert "valid until 2031-04-25 only" in note


OTHERS_PEM = PLATFORM_CERTIFICATE
WRONG_SETTINGS: list[tuple[dict[str, str], str]] = [
    ({"apiv3_key": "too-short-a-key"}, "not 32 characters"),
    ({"apiv3_key": "x" * 33}, "not 32 characters"),
    ({"private_key": "not a key at all"}, "apiclient_key.pem"),
    ({"private_key": OTHERS_PEM}, "apiclient_key.pem"),
    ({"public_key": "not a key"}, "pub_key.pem"),
    ({"public_key": ""}, "belong together"),
    ({"public_key_id": ""}, "belong together"),
    ({"former_public_key_id": "PUB_KEY_ID_9"}, "belong together"),
    ({"certificates": "-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----"}, "platform certificates are none"),
    ({"methods": "native, card"}, "card is none of jsapi, h5, native"),
]


@pytest.mark.parametrize(("wrong", "why"), WRONG_SETTINGS)
def test_wrong_settings_are_named_before_any_call(wrong: dict[str, str], why: str) -> None:
    made = pay(**wrong)
    with pytest.raises(Misconfigured, match=why) as error:
        made.health()
    assert made.http.asked == []
    assert not any(value in error.value.message for name, value in wrong.items() if "key" in name and value)


@pytest.mark.parametrize(("reply", "why"), [
    (code(401, "SIGN_ERROR"), "serial number of the merchant certificate"),
    (code(400, "MCH_NOT_EXISTS"), "no such merchant ID"),
    (code(400, "APPID_MCHID_NOT_MATCH"), "app ID is not bound"),
    (code(403, "NO_AUTH"), "apply for the product"),
    (Reply(404, signed(b'{"code":"ORDER_NOT_EXIST"}', NOON, "PUB_KEY_ID_9"), b'{"code":"ORDER_NOT_EXIST"}'),
     "Compare the WeChat Pay public key and its ID"),
    (Reply(404, {}, b'{"code":"ORDER_NOT_EXIST"}'), "it is not signed"),
    (Reply(404, signed(b'{"code":"ORDER_NOT_EXIST"}', NOON + timedelta(hours=1)), b'{"code":"ORDER_NOT_EXIST"}'),
     "this machine's clock"),
])  # fmt: skip
def test_what_the_remote_refuses_says_what_to_mend(reply: Reply, why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        pay(reply).health()


def test_keys_are_read_without_their_line_breaks() -> None:
    flat = {name: value.replace("\n", " ") for name, value in SETTINGS.items()}
    assert pay(said(404, NO_TRADE), **flat).health().notes == ()
    assert keys.private_key(flat["private_key"]).private_numbers() == MERCHANT.private_numbers()


# --- who pays ---


def oauth(status: int = 200, body: bytes = b"{}") -> Reply:
    return Reply(status, {"content-type": "text/plain"}, body)


@pytest.mark.parametrize(("number", "wanted"), [
    (40029, Rejected), (40163, Rejected), (40226, Rejected), (41008, Rejected), (40013, Misconfigured),
    (40125, Misconfigured), (40164, Misconfigured), (45011, TryAgain), (-1, TryAgain),
])  # fmt: skip
def test_each_refusal_to_say_who_pays(number: int, wanted: type[HubError]) -> None:
    secret = SETTINGS["app_secret"]
    with pytest.raises(wanted) as error:
        pay(oauth(body=f'{{"errcode":{number},"errmsg":"no, {secret}"}}'.encode())).payer({"code": "c"})
    assert secret not in error.value.message
    assert not isinstance(error.value, TryAgain) or error.value.scope is Scope.OPERATION


def test_who_pays_is_not_asked_without_a_code_or_a_secret() -> None:
    for query in ({}, {"state": "s"}, {"code": ""}):
        with pytest.raises(Rejected):
            pay().payer(query)
    with pytest.raises(Misconfigured):
        pay(app_secret="").payer({"code": "c"})


def test_the_addresses_of_signing_in_can_be_set() -> None:
    made: Any = pay(
        oauth(body=b'{"openid":"o1"}'), openid_url="http://127.0.0.1:9/t", sign_in_url="http://127.0.0.1:9/a"
    )
    assert made.payer({"code": "a&b"}) == "o1"
    assert made.http.asked[0]["url"].startswith("http://127.0.0.1:9/t?appid=wx8888888888888888&secret=")
    assert made.http.asked[0]["url"].endswith("&code=a%26b&grant_type=authorization_code")
    assert made.payer_url("https://shop.example/b/?x=1", "s").startswith("http://127.0.0.1:9/a?appid=wx")
