"""python-alipay-sdk and Alipay's own npm client, against the practice gateway."""

from __future__ import annotations

import json
import re
import urllib.request
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from alipay.exceptions import AliPayValidationError

from tests.sandbox.payments import clients, node
from tests.sandbox.payments.conftest import Gateways, Merchant, fetch

CERTIFIED = pytest.mark.parametrize("certified", [False, True], ids=["key", "certificates"])
FIELD = r'<input type="hidden" name="([^"]+)" value="([^"]*)"'


@CERTIFIED
def test_python_from_qr_code_to_full_refund(gateways: Gateways, merchant: Merchant, certified: bool) -> None:
    client, number = clients.alipay(gateways, certified=certified), clients.number("QR")
    made = client.api_alipay_trade_precreate("一把椅子/红色", number, "12.34", notify_url=merchant.url)
    assert made["code"] == "10000" and made["out_trade_no"] == number
    assert client.api_alipay_trade_query(number)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    status, cashier = fetch(made["qr_code"])
    assert status == 302 and fetch(gateways.base + urlsplit(cashier).path)[0] == 200  # scanned
    assert client.api_alipay_trade_query(number)["trade_status"] == "WAIT_BUYER_PAY"

    gateways.pay("alipay", number)
    seen = client.api_alipay_trade_query(number)
    assert (seen["trade_status"], seen["total_amount"]) == ("TRADE_SUCCESS", "12.34")
    part = client.api_alipay_trade_refund("2.34", number, out_request_no="R1", refund_reason="坏了")
    assert (part["fund_change"], part["refund_fee"]) == ("Y", "2.34")
    again = client.api_alipay_trade_refund("2.34", number, out_request_no="R1")
    assert (again["fund_change"], again["refund_fee"]) == ("N", "2.34")
    assert client.api_alipay_trade_query(number)["trade_status"] == "TRADE_SUCCESS"
    rest = client.api_alipay_trade_refund("10.00", trade_no=seen["trade_no"], out_request_no="R2")
    assert rest["refund_fee"] == "12.34"
    assert client.api_alipay_trade_query(number)["trade_status"] == "TRADE_CLOSED"
    told = client.api_alipay_trade_fastpay_refund_query("R1", out_trade_no=number)
    assert (told["refund_status"], told["refund_amount"]) == ("REFUND_SUCCESS", "2.34")
    assert "refund_status" not in client.api_alipay_trade_fastpay_refund_query("R9", out_trade_no=number)

    notices = [dict(parse_qsl(body.decode())) for _headers, body in merchant.wait(3)]
    assert sorted(notice.get("out_biz_no", "") for notice in notices) == ["", "R1", "R2"]
    for notice in notices:
        assert client.verify(notice, notice.pop("sign"))


@CERTIFIED
def test_python_page_pay_comes_back_signed(gateways: Gateways, certified: bool) -> None:
    client, number = clients.alipay(gateways, certified=certified), clients.number("PAGE")
    back = "https://shop.example/back?a=b"
    for query in (
        client.api_alipay_trade_page_pay("椅子", number, "99.00", return_url=back),
        client.api_alipay_trade_wap_pay("椅子", f"{number}W", "99.00", return_url=back),
    ):
        status, cashier = fetch(f"{gateways.alipay['gateway']}?{query}")
        assert status == 302
        status, url = _press(cashier, "pay")
        assert status == 302 and url.startswith(back)
        said = dict(parse_qsl(urlsplit(url).query))
        assert said.pop("a") == "b" and said["total_amount"] == "99.00"
        assert client.verify(said, said.pop("sign"))


def test_replies_name_the_certificate_in_certificate_mode_only(gateways: Gateways) -> None:
    for certified in (False, True):
        client = clients.alipay(gateways, certified=certified)
        query = client.sign_data(client.build_body("alipay.trade.query", {"out_trade_no": "NONE"}))
        said = json.loads(fetch(f"{gateways.alipay['gateway']}?{query}")[1])
        assert said.get("alipay_cert_sn", "") == (gateways.alipay["alipay_cert_sn"] if certified else "")


def test_python_closes_and_refuses_a_forged_reply(gateways: Gateways) -> None:
    client, number = clients.alipay(gateways), clients.number("CLOSE")
    token = client.api_alipay_trade_precreate("椅子", number, "1.00")["qr_code"].rpartition("/")[2]
    assert client.server_api("alipay.trade.close", {"out_trade_no": number})["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    fetch(f"{gateways.base}/cashier/{token}")
    assert client.server_api("alipay.trade.close", {"out_trade_no": number})["code"] == "10000"
    assert client.api_alipay_trade_query(number)["trade_status"] == "TRADE_CLOSED"
    gateways.ask("faults", {"alipay.query": {"forged": 1}})
    with pytest.raises(AliPayValidationError):
        client.api_alipay_trade_query(number)
    assert client.api_alipay_trade_query(number)["code"] == "10000"


@CERTIFIED
def test_npm_client(gateways: Gateways, merchant: Merchant, certified: bool) -> None:
    config, number = clients.npm(gateways, certified=certified), clients.number("NPM")
    wanted = {"out_trade_no": number, "total_amount": "8.80", "subject": "桌子 & 椅子"}
    (made, absent) = node.run(
        config,
        _exec("alipay.trade.precreate", wanted, notifyUrl=merchant.url),
        _exec("alipay.trade.query", {"out_trade_no": number}),
    )
    assert made["said"]["code"] == "10000", made
    assert absent["said"]["subCode"] == "ACQ.TRADE_NOT_EXIST"
    gateways.pay("alipay", number)
    ((_headers, body),) = merchant.wait(1)
    notice = dict(parse_qsl(body.decode()))
    seen, refunded, looked, closed, right, wrong = node.run(
        config,
        _exec("alipay.trade.query", {"out_trade_no": number}),
        _exec("alipay.trade.refund", {"out_trade_no": number, "refund_amount": "8.80", "out_request_no": "R1"}),
        _exec("alipay.trade.fastpay.refund.query", {"out_trade_no": number, "out_request_no": "R1"}),
        _exec("alipay.trade.close", {"out_trade_no": number}),
        ["checkNotifySignV2", notice],
        ["checkNotifySignV2", notice | {"total_amount": "0.01"}],
    )
    assert seen["said"]["tradeStatus"] == "TRADE_SUCCESS" and seen["said"]["totalAmount"] == "8.80"
    assert refunded["said"]["fundChange"] == "Y" and looked["said"]["refundStatus"] == "REFUND_SUCCESS"
    assert closed["said"]["subCode"] == "ACQ.TRADE_STATUS_ERROR"
    assert (right["said"], wrong["said"]) == (True, False)


@CERTIFIED
def test_npm_pages(gateways: Gateways, certified: bool) -> None:
    """The address of a GET; the form of a POST has its parameters half in the address, half in the body."""
    config, number = clients.npm(gateways, certified=certified), clients.number("NPMPAGE")
    content = {
        "out_trade_no": number,
        "total_amount": "5.00",
        "subject": "灯",
        "product_code": "FAST_INSTANT_TRADE_PAY",
    }
    more = {"bizContent": content, "returnUrl": "https://shop.example/back"}
    (made,) = node.run(config, ["pageExec", "alipay.trade.page.pay", "GET", more])
    status, cashier = fetch(made["said"])
    assert status == 302
    status, back = _press(cashier, "pay")
    assert status == 302
    (right,) = node.run(config, ["checkNotifySignV2", dict(parse_qsl(urlsplit(back).query))])
    assert right["said"] is True
    content["out_trade_no"] = f"{number}POST"
    (made,) = node.run(config, ["pageExec", "alipay.trade.page.pay", "POST", more])
    (action,) = re.findall(r'<form action="([^"]+)"', made["said"])
    fields = {unescape(name): unescape(value) for name, value in re.findall(FIELD, made["said"])}
    assert "biz_content" in fields and "charset=utf-8" in action
    status, cashier = fetch(urllib.request.Request(action, urlencode(fields).encode()))
    assert status == 302 and _press(cashier, "pay")[0] == 302


def test_npm_refuses_a_forged_reply(gateways: Gateways) -> None:
    number = clients.number("NPMFORGED")
    gateways.ask("faults", {"alipay.precreate": {"forged": 1}})
    (made,) = node.run(
        clients.npm(gateways),
        _exec("alipay.trade.precreate", {"out_trade_no": number, "total_amount": "1.00", "subject": "灯"}),
    )
    assert "验签失败" in made["error"]


def test_key_rotation(own: Gateways) -> None:
    """With a new key of Alipay the old one proves nothing; what the merchant gets holds the new one."""
    before, number = clients.alipay(own), clients.number("ROTATE")
    own.ask("rotate", {"provider": "alipay"})
    with pytest.raises(AliPayValidationError):
        before.api_alipay_trade_precreate("椅子", number, "1.00")
    for certified in (False, True):
        after = clients.alipay(own, certified=certified)
        assert after.api_alipay_trade_precreate("椅子", number, "1.00")["code"] == "10000"


def _exec(method: str, content: dict[str, Any], **more: Any) -> list[Any]:
    return ["exec", method, {"bizContent": content, **more}, {"validateSign": True}]


def _press(cashier: str, what: str) -> tuple[int, str]:
    fetch(cashier)
    return fetch(urllib.request.Request(cashier, f"do={what}".encode()))
