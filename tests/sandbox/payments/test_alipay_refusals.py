"""What Alipay's gateway refuses, in its own words."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.payments import clients
from tests.sandbox.payments.conftest import Gateways, fetch

BEIJING = timedelta(hours=8)
QUERY = "alipay.trade.query"


def _at(**shift: int) -> str:
    return (datetime.now(UTC) + BEIJING + timedelta(**shift)).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("unsigned", "code", "sub_code"),
    [
        ({"app_id": ""}, "40001", "isv.missing-app-id"),
        ({"app_id": "2021000000000000"}, "40002", "isv.invalid-app-id"),
        ({"sign": ""}, "40001", "isv.missing-signature"),
        ({"sign": "AAAA"}, "40002", "isv.invalid-signature"),
        ({"sign": "not base64!"}, "40002", "isv.invalid-signature"),
        ({"sign_type": ""}, "40001", "isv.missing-signature-type"),
        ({"sign_type": "RSA"}, "40002", "isv.invalid-signature-type"),
        ({"timestamp": ""}, "40001", "isv.missing-timestamp"),
        ({"version": ""}, "40001", "isv.missing-version"),
        ({"version": "2.0"}, "40002", "isv.invalid-version"),
        ({"format": "XML"}, "40002", "isv.invalid-format"),
        ({"charset": "latin-1"}, "40002", "isv.invalid-charset"),
        ({"method": "alipay.trade.none"}, "40002", "isv.invalid-method"),
        ({"biz_content": '{"out_trade_no": "other"}'}, "40002", "isv.invalid-signature"),
        ({"notify_url": "http://elsewhere.example/"}, "40002", "isv.invalid-signature"),
        ({"app_cert_sn": "0" * 32}, "40002", "isv.invalid-app-cert-sn"),
    ],
)
def test_common_parameters(gateways: Gateways, unsigned: dict[str, str], code: str, sub_code: str) -> None:
    said = clients.raw_alipay(gateways, QUERY, {"out_trade_no": "A"}, unsigned=unsigned)
    assert (said["code"], said["sub_code"]) == (code, sub_code)


@pytest.mark.parametrize(
    ("off", "refused"),
    [({"minutes": -9}, False), ({"minutes": -11}, True), ({"minutes": 11}, True), ({"hours": -8}, True), ({}, True)],
    ids=["a little late", "late", "early", "UTC for Beijing", "another form"],
)  # fmt: skip
def test_time(gateways: Gateways, off: dict[str, int], refused: bool) -> None:
    timestamp = _at(**off) if off else _at().replace(" ", "T")
    said = clients.raw_alipay(gateways, QUERY, {"out_trade_no": "A"}, timestamp=timestamp)
    assert said["sub_code"] == ("isv.invalid-timestamp" if refused else "ACQ.TRADE_NOT_EXIST")


def test_the_wrong_content_type_is_not_read(gateways: Gateways) -> None:
    client = clients.alipay(gateways)
    query = client.sign_data(client.build_body(QUERY, {"out_trade_no": "A"}))
    for kind, missing in (("application/json", True), ("application/x-www-form-urlencoded", False)):
        request = urllib.request.Request(
            gateways.alipay["gateway"] + "?charset=utf-8", query.encode(), {"content-type": kind}
        )
        said = json.loads(fetch(request)[1])
        assert ("error_response" in said) is missing


@pytest.mark.parametrize(
    "amount", ["1.234", "0", "0.00", "-1.00", "1e2", "1,00", "", "01.00", 1.005, True, None, "1234567890.00", " 1.00"]
)
def test_amounts(gateways: Gateways, amount: Any) -> None:
    wanted = {"out_trade_no": "AMOUNT", "total_amount": amount, "subject": "椅子"}
    said = clients.raw_alipay(gateways, "alipay.trade.precreate", wanted)
    assert (said["code"], said["sub_code"]) == ("40004", "ACQ.INVALID_PARAMETER")
    assert not gateways.trade("alipay", "AMOUNT")


@pytest.mark.parametrize(
    "wrong",
    [{"out_trade_no": "with space"}, {"out_trade_no": ""}, {"out_trade_no": "A" * 65}, {"subject": ""},
     {"time_expire": "2020-01-01 00:00:00"}, {"time_expire": "tomorrow"}, {"timeout_express": "1w"}],
)  # fmt: skip
def test_orders(gateways: Gateways, wrong: dict[str, str]) -> None:
    wanted = {"out_trade_no": "ORDER1", "total_amount": "1.00", "subject": "椅子"} | wrong
    said = clients.raw_alipay(gateways, "alipay.trade.precreate", wanted)
    assert said["sub_code"] == "ACQ.INVALID_PARAMETER"


def test_the_same_number_again(gateways: Gateways) -> None:
    client, number = clients.alipay(gateways), clients.number("AGAIN")
    first = client.api_alipay_trade_precreate("椅子", number, "1.00")
    assert client.api_alipay_trade_precreate("椅子", number, "1.00")["qr_code"] == first["qr_code"]
    for title, amount in (("椅子", "1.01"), ("桌子", "1.00")):
        said = client.api_alipay_trade_precreate(title, number, amount)
        assert said["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    gateways.pay("alipay", number)
    assert client.api_alipay_trade_precreate("椅子", number, "1.00")["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    other = clients.number("AGAINCLOSED")
    client.api_alipay_trade_precreate("椅子", other, "1.00")
    gateways.ask("decline", {"provider": "alipay", "number": other})  # somebody scanned it
    client.api_alipay_trade_close(other)
    assert client.api_alipay_trade_precreate("椅子", other, "1.00")["sub_code"] == "ACQ.TRADE_HAS_CLOSE"


def test_refunds(gateways: Gateways) -> None:
    client, number = clients.alipay(gateways), clients.number("REFUND")
    assert client.api_alipay_trade_refund("1.00", number, out_request_no="R")["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    client.api_alipay_trade_precreate("椅子", number, "10.00")
    gateways.ask("decline", {"provider": "alipay", "number": number})
    assert client.api_alipay_trade_refund("1.00", number, out_request_no="R")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    gateways.pay("alipay", number)
    for amount, name, sub_code in (
        ("10.01", "R1", "ACQ.REASON_TRADE_REFUND_FEE_ERR"),
        ("1.00", None, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
        ("1.001", "R1", "ACQ.INVALID_PARAMETER"),
        ("0.00", "R1", "ACQ.REASON_TRADE_REFUND_FEE_ERR"),
    ):
        more = {"out_request_no": name} if name else {}
        assert client.api_alipay_trade_refund(amount, number, **more)["sub_code"] == sub_code
    assert client.api_alipay_trade_refund("6.00", number, out_request_no="R1")["code"] == "10000"
    assert client.api_alipay_trade_refund("5.00", number, out_request_no="R1")["sub_code"] == (
        "ACQ.DISCORDANT_REPEAT_REQUEST"
    )
    assert client.api_alipay_trade_refund("4.01", number, out_request_no="R2")["sub_code"] == (
        "ACQ.REASON_TRADE_REFUND_FEE_ERR"
    )
    facts = gateways.trade("alipay", number)
    assert facts["refunded"] == 600 and len(facts["refunds"]) == 1
    client.api_alipay_trade_refund("4.00", number, out_request_no="R2")
    assert client.api_alipay_trade_refund("0.01", number, out_request_no="R3")["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


def test_pages_say_what_is_wrong(gateways: Gateways) -> None:
    client = clients.alipay(gateways)
    query = client.api_alipay_trade_page_pay("椅子", "PAGE1", "1.234")
    status, text = fetch(f"{gateways.alipay['gateway']}?{query}")
    assert status == 200 and "ACQ.INVALID_PARAMETER" in text
    status, text = fetch(f"{gateways.alipay['gateway']}?{query}x")
    assert status == 200 and "isv.invalid-signature" in text and "<script" not in text


def test_time_runs_out(gateways: Gateways) -> None:
    """What was scanned is closed; what was not never was."""
    client = clients.alipay(gateways)
    scanned, unscanned = clients.number("SCANNED"), clients.number("UNSCANNED")
    for number in (scanned, unscanned):
        client.api_alipay_trade_precreate("椅子", number, "1.00", time_expire=_at(minutes=5))
    gateways.ask("decline", {"provider": "alipay", "number": scanned})
    gateways.ask("clock", {"add": 299})
    assert client.api_alipay_trade_query(scanned)["trade_status"] == "WAIT_BUYER_PAY"
    gateways.ask("clock", {"add": 2})
    assert client.api_alipay_trade_query(scanned)["trade_status"] == "TRADE_CLOSED"
    assert client.api_alipay_trade_query(unscanned)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    gateways.ask("pay", {"provider": "alipay", "number": scanned}, expect=409)
    gateways.ask("pay", {"provider": "alipay", "number": unscanned}, expect=409)
