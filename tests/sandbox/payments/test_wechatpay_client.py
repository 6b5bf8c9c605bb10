"""wechatpayv3 against the practice gateway: requests, replies, notices; by public key and by platform certificate."""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from wechatpayv3 import WeChatPayType

from integrations.sandbox.payments import payer
from tests.sandbox.payments import clients
from tests.sandbox.payments.conftest import Gateways, Merchant, fetch

MODES = pytest.mark.parametrize("mode", [clients.PUBLIC_KEY, clients.CERTIFICATE])


@MODES
def test_from_native_to_refund(gateways: Gateways, merchant: Merchant, mode: str) -> None:
    merchant.answers = [(204, "")]
    client, number = clients.wechatpay(gateways, mode, notify_url=merchant.url), clients.number("NATIVE")
    gateways.ask("refunds", {"by_hand": True})
    status, text = client.pay("一把椅子", number, {"total": 1234, "currency": "CNY"}, attach="a")
    assert status == 200 and json.loads(text)["code_url"].startswith("weixin://wxpay/bizpayurl?pr=")
    seen = json.loads(client.query(out_trade_no=number)[1])
    assert seen["trade_state"] == "NOTPAY" and "transaction_id" not in seen
    gateways.pay("wechatpay", number)
    seen = json.loads(client.query(out_trade_no=number)[1])
    assert (seen["trade_state"], seen["amount"]["total"]) == ("SUCCESS", 1234)
    assert json.loads(client.query(transaction_id=seen["transaction_id"])[1])["out_trade_no"] == number

    amount = {"refund": 234, "total": 1234, "currency": "CNY"}
    asked = {"out_refund_no": f"{number}R", "amount": amount, "out_trade_no": number, "notify_url": merchant.url}
    status, text = client.refund(**asked)
    assert status == 200 and json.loads(text)["status"] == "PROCESSING"
    assert json.loads(client.refund(**asked)[1])["refund_id"] == json.loads(text)["refund_id"]
    assert json.loads(client.query(out_trade_no=number)[1])["trade_state"] == "REFUND"
    fact = {"provider": "wechatpay", "number": number, "name": f"{number}R", "state": "SUCCESS"}
    gateways.ask("refund", fact)
    assert json.loads(client.query_refund(f"{number}R")[1])["status"] == "SUCCESS"

    paid, refunded = [client.callback(headers, body) for headers, body in merchant.wait(2)]
    assert paid["event_type"] == "TRANSACTION.SUCCESS"
    assert paid["resource"]["amount"] == {
        "total": 1234,
        "payer_total": 1234,
        "currency": "CNY",
        "payer_currency": "CNY",
    }
    assert refunded["event_type"] == "REFUND.SUCCESS" and refunded["resource"]["refund_status"] == "SUCCESS"


@MODES
def test_close(gateways: Gateways, mode: str) -> None:
    client, number = clients.wechatpay(gateways, mode), clients.number("CLOSE")
    client.pay("椅子", number, {"total": 100})
    assert client.close(number)[0] == 204
    assert json.loads(client.query(out_trade_no=number)[1])["trade_state"] == "CLOSED"
    status, text = client.pay("椅子", number, {"total": 100})
    assert (status, json.loads(text)["code"]) == (400, "ORDER_CLOSED")


def test_h5_goes_back_where_it_was_told(gateways: Gateways) -> None:
    client, number = clients.wechatpay(gateways, clients.PUBLIC_KEY, WeChatPayType.H5), clients.number("H5")
    scene = {"payer_client_ip": "203.0.113.7", "h5_info": {"type": "Wap"}}
    status, text = client.pay("椅子", number, {"total": 100}, scene_info=scene)
    assert status == 200
    back = "https://shop.example/back?n=1"
    _status, cashier = fetch(json.loads(text)["h5_url"] + "&" + urlencode({"redirect_url": back}))
    assert fetch(urllib.request.Request(urljoin(gateways.base, cashier), b"do=pay")) == (302, back)
    assert gateways.trade("wechatpay", number)["status"] == "SUCCESS"


def test_jsapi_with_silent_sign_in(gateways: Gateways) -> None:
    """The browser is sent round for a code, the code buys an openid once, and the page's signature is looked at."""
    given, number = gateways.wechatpay, clients.number("JSAPI")
    back = {"redirect_uri": "https://shop.example/who?x=1", "response_type": "code", "scope": "snsapi_base"}
    asked = urlencode({"appid": given["appid"], **back, "state": "s t"})
    status, url = fetch(f"{gateways.base}/connect/oauth2/authorize?{asked}#wechat_redirect".partition("#")[0])
    said = dict(parse_qsl(urlsplit(url).query))
    assert (status, said["state"], said["x"]) == (302, "s t", "1")
    login = f"{gateways.base}/sns/oauth2/access_token?" + urlencode(
        {"appid": given["appid"], "secret": given["app_secret"], "code": said["code"],
         "grant_type": "authorization_code"}
    )  # fmt: skip
    openid = json.loads(fetch(login)[1])["openid"]
    assert openid == payer.OPENID
    assert json.loads(fetch(login)[1])["errcode"] == 40163
    assert json.loads(fetch(login.replace("code=", "code=x", 1))[1])["errcode"] == 40029

    client = clients.wechatpay(gateways, clients.PUBLIC_KEY, WeChatPayType.JSAPI)
    _status, text = client.pay("椅子", number, {"total": 100}, payer={"openid": openid})
    package = f"prepay_id={json.loads(text)['prepay_id']}"
    signed = client.sign([given["appid"], "1700000000", "nonce", package])
    call = {"appId": given["appid"], "timeStamp": "1700000000", "nonceStr": "nonce", "package": package,
            "signType": "RSA", "paySign": signed}  # fmt: skip
    assert fetch(f"{gateways.base}/wechatpay/jsapi?{urlencode(call)}")[0] == 302
    assert fetch(f"{gateways.base}/wechatpay/jsapi?{urlencode(call | {'nonceStr': 'other'})}")[0] == 400


def test_a_new_platform_certificate_is_found(own: Gateways) -> None:
    client, number = clients.wechatpay(own, clients.CERTIFICATE), clients.number("NEWCERT")
    assert client.pay("椅子", number, {"total": 100})[0] == 200
    own.ask("rotate", {"provider": "wechatpay", "to": "certificate"})
    assert client.query(out_trade_no=number)[0] == 200
    assert len(client._core._certificates) == 2


def test_from_certificates_to_public_key(own: Gateways) -> None:
    """After the switch nothing is signed by the certificate any more, and no certificate can be had."""
    old, number = clients.wechatpay(own, clients.CERTIFICATE), clients.number("SWITCH")
    assert old.pay("椅子", number, {"total": 100})[0] == 200
    own.ask("rotate", {"provider": "wechatpay", "to": "public_key"})
    with pytest.raises(ValueError, match="PUB_KEY_ID"):  # it reads a serial number in hexadecimal
        old.query(out_trade_no=number)
    status, said, _headers = clients.raw_wechatpay(own, "GET", "/v3/certificates")
    assert (status, said["code"]) == (404, "RESOURCE_NOT_EXISTS")
    assert clients.wechatpay(own, clients.PUBLIC_KEY).query(out_trade_no=number)[0] == 200


def test_forged_replies_are_noticed(gateways: Gateways) -> None:
    client, number = clients.wechatpay(gateways, clients.PUBLIC_KEY), clients.number("FORGED")
    for fault in ("forged", "unsigned"):
        gateways.ask("faults", {"wechatpay.create": {fault: 1}})
        with pytest.raises(Exception, match="signature|algorithm"):
            client.pay("椅子", number, {"total": 100})
    assert client.pay("椅子", number, {"total": 100})[0] == 200
