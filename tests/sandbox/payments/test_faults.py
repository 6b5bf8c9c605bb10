"""Every fault of an operation: what the merchant sees, and what was done all the same."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.sandbox.payments import clients
from tests.sandbox.payments.conftest import Gateways, fetch

CUT = (ConnectionError, http.client.HTTPException, urllib.error.URLError)
CREATE = "/v3/pay/transactions/native"
Ask = Callable[[], tuple[int, str, bool]]


def _alipay(gateways: Gateways, number: str) -> Ask:
    """A refund: the reply's status and code, and whether it was done."""
    client = clients.alipay(gateways)
    client.api_alipay_trade_precreate("椅子", number, "10.00")
    gateways.pay("alipay", number)

    def ask() -> tuple[int, str, bool]:
        query = client.sign_data(
            client.build_body("alipay.trade.refund", {"out_trade_no": number, "refund_amount": "1.00",
                                                      "out_request_no": "R1"})
        )  # fmt: skip
        status, text = fetch(f"{gateways.alipay['gateway']}?{query}")
        said = json.loads(text)["alipay_trade_refund_response"] if text.startswith("{") else {}
        return status, said.get("sub_code") or said.get("code", ""), gateways.trade("alipay", number)["refunded"] == 100

    return ask


def _wechatpay(gateways: Gateways, number: str) -> Ask:
    """The same."""
    clients.raw_wechatpay(gateways, "POST", CREATE, clients.order(gateways, number, 1000))
    gateways.pay("wechatpay", number)
    asked = {"out_trade_no": number, "out_refund_no": f"{number}R",
             "amount": {"refund": 100, "total": 1000, "currency": "CNY"}}  # fmt: skip

    def ask() -> tuple[int, str, bool]:
        try:
            status, said, _headers = clients.raw_wechatpay(gateways, "POST", "/v3/refund/domestic/refunds", asked)
        except json.JSONDecodeError:
            status, said = 503, {}
        return status, said.get("code", ""), bool(gateways.trade("wechatpay", number)["refunds"])

    return ask


BOTH = pytest.mark.parametrize("begin", [_alipay, _wechatpay], ids=["alipay", "wechatpay"])


@BOTH
@pytest.mark.parametrize(("fault", "done"), [("cut", True), ("lose", False)])
def test_the_line_goes_dead(gateways: Gateways, begin: Any, fault: str, done: bool) -> None:
    provider, number = begin.__name__[1:], clients.number(f"DEAD{fault}")
    ask = begin(gateways, number)
    gateways.ask("faults", {f"{provider}.refund": {fault: 1}})
    with pytest.raises(CUT):
        ask()
    assert bool(gateways.trade(provider, number)["refunds"]) is done
    status, code, is_there = ask()
    assert (status, is_there) == (200, True) and code in ("10000", "")
    assert len(gateways.trade(provider, number)["refunds"]) == 1


@BOTH
@pytest.mark.parametrize(
    ("fault", "alipay", "wechatpay", "done"),
    [
        ("error", (200, "aop.unknow-error"), (500, "SYSTEM_ERROR"), False),
        ("unknown", (200, "ACQ.SYSTEM_ERROR"), (500, "SYSTEM_ERROR"), True),
        ("html_503", (503, ""), (503, ""), False),
        ("limited", (200, "isv.app-call-limited"), (429, "FREQUENCY_LIMITED"), False),
        ("not_enough", (200, "ACQ.SELLER_BALANCE_NOT_ENOUGH"), (403, "NOT_ENOUGH"), False),
    ],
)
def test_said_instead(
    gateways: Gateways, begin: Any, fault: str, alipay: tuple[int, str], wechatpay: tuple[int, str], done: bool
) -> None:
    provider = begin.__name__[1:]
    ask = begin(gateways, clients.number(f"SAID{fault}".replace("_", "")))
    gateways.ask("faults", {f"{provider}.refund": {fault: 1}})
    assert ask() == (*(alipay if provider == "alipay" else wechatpay), done)
    assert ask()[2]  # used up


@BOTH
def test_latency(gateways: Gateways, begin: Any) -> None:
    ask = begin(gateways, clients.number("LATENCY"))
    gateways.ask("faults", {"*": {"latency": 1}, "seconds": 0.7})
    began = time.monotonic()
    assert ask()[2] and time.monotonic() - began > 0.7


def test_two_faults_at_once_and_words_nobody_knows(gateways: Gateways) -> None:
    gateways.ask("faults", {"alipay.query": {"latency": 2}, "notify": {"duplicate": 1}, "paid": {"other_total": 1}})
    for wrong in ({"alipay.querry": {"cut": 1}}, {"alipay.query": {"cutt": 1}}, {"notify": {"cut": 1}}):
        gateways.ask("faults", wrong, expect=400)
    assert gateways.ask("faults", {"clear": True}) == {}


def test_an_error_of_alipay_in_gbk(gateways: Gateways) -> None:
    gateways.ask("faults", {"alipay.query": {"gbk": 1}})
    client = clients.alipay(gateways)
    query = client.sign_data(client.build_body("alipay.trade.query", {"out_trade_no": "NONE"}))
    with _line(gateways) as line:
        line.request("GET", f"/alipay/gateway.do?{query}")
        raw = line.getresponse().read()
    with pytest.raises(UnicodeDecodeError):
        raw.decode()
    assert "交易不存在" in raw.decode("gbk")


def test_a_refund_of_alipay_that_takes_its_time(gateways: Gateways) -> None:
    client, number = clients.alipay(gateways), clients.number("PENDING")
    client.api_alipay_trade_precreate("椅子", number, "10.00")
    gateways.pay("alipay", number)
    gateways.ask("faults", {"alipay.refund": {"pending": 1}})
    assert client.api_alipay_trade_refund("10.00", number, out_request_no="R1")["fund_change"] == "N"
    assert "refund_status" not in client.api_alipay_trade_fastpay_refund_query("R1", out_trade_no=number)
    assert client.api_alipay_trade_query(number)["trade_status"] == "TRADE_SUCCESS"
    gateways.ask("refund", {"provider": "alipay", "number": number, "name": "R1", "state": "SUCCESS"})
    seen = client.api_alipay_trade_fastpay_refund_query("R1", out_trade_no=number)
    assert seen["refund_status"] == "REFUND_SUCCESS"
    assert client.api_alipay_trade_query(number)["trade_status"] == "TRADE_CLOSED"


def test_a_number_that_was_closed_before_it_was_used(gateways: Gateways) -> None:
    """Somebody saw WeChat Pay do this: a close of an unknown number is taken, and the number is dead."""
    number = clients.number("VOID")
    gateways.ask("faults", {"wechatpay.close": {"void": 1}})
    path, given = f"/v3/pay/transactions/out-trade-no/{number}/close", {"mchid": gateways.wechatpay["mchid"]}
    assert clients.raw_wechatpay(gateways, "POST", path, given)[0] == 204
    status, said, _headers = clients.raw_wechatpay(gateways, "POST", CREATE, clients.order(gateways, number))
    assert (status, said["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("fault", "name", "value"),
    [("other_total", "total", 1235), ("other_currency", "currency", "USD"), ("other_payee", "mchid", "1600000000")],
)
def test_paid_otherwise_wechatpay(gateways: Gateways, fault: str, name: str, value: Any) -> None:
    client, number = clients.wechatpay(gateways, clients.PUBLIC_KEY), clients.number(fault.replace("_", ""))
    client.pay("椅子", number, {"total": 1234})
    gateways.ask("faults", {"paid": {fault: 1}})
    gateways.pay("wechatpay", number)
    seen = json.loads(client.query(out_trade_no=number)[1])
    assert seen.get(name, seen["amount"].get(name)) == value and seen["trade_state"] == "SUCCESS"


def test_paid_otherwise_alipay(gateways: Gateways) -> None:
    client, number = clients.alipay(gateways), clients.number("OTHER")
    client.api_alipay_trade_precreate("椅子", number, "10.00")
    gateways.pay("alipay", number, total=999, currency="USD", coupon=99)
    seen = client.api_alipay_trade_query(number)
    assert (seen["total_amount"], seen["pay_currency"], seen["buyer_pay_amount"]) == ("9.99", "USD", "9.00")


def test_the_control_api_is_for_programs_of_this_machine(gateways: Gateways) -> None:
    for headers, status in (
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json", "host": "evil.example"}, 403),
        ({"content-type": "application/json", "host": f"localhost:{gateways.port}"}, 200),
    ):
        with _line(gateways) as line:
            line.request("POST", "/control/faults", b"{}", headers)
            assert line.getresponse().status == status
    gateways.ask("pay", {"provider": "alipay", "number": "NONE"}, expect=409)
    gateways.ask("pay", {}, expect=400)


def _line(gateways: Gateways) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection("127.0.0.1", gateways.port, timeout=10))
