"""What WeChat Pay refuses: before it looks at the business of a request, and after."""

from __future__ import annotations

import time
from typing import Any

import pytest
from wechatpayv3.utils import load_private_key, rsa_sign

from tests.sandbox.payments import clients
from tests.sandbox.payments.conftest import Gateways

CREATE = "/v3/pay/transactions/native"
REFUNDS = "/v3/refund/domestic/refunds"


def _authorization(gateways: Gateways, *, age: int = 0, path: str = "/v3/certificates", **other: str) -> str:
    given = gateways.wechatpay
    timestamp, nonce = str(int(time.time()) - age), other.get("nonce", f"N{time.time_ns()}")
    signed = rsa_sign(load_private_key(given["private_key"]), f"GET\n{path}\n{timestamp}\n{nonce}\n\n")
    mchid, serial = other.get("mchid", given["mchid"]), other.get("serial", given["serial_no"])
    return (
        f'{other.get("scheme", "WECHATPAY2-SHA256-RSA2048")} mchid="{mchid}",nonce_str="{nonce}",'
        f'timestamp="{timestamp}",serial_no="{serial}",signature="{other.get("signature", signed)}"'
    )


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 200),
        ({"age": 290}, 200),
        ({"age": 310}, 401),
        ({"age": -310}, 401),
        ({"mchid": "1600000000"}, 401),
        ({"serial": "ABCDEF"}, 401),
        ({"signature": "AAAA"}, 401),
        ({"scheme": "WECHATPAY2-SM2-WITH-SM3"}, 401),
        ({"path": "/v3/other"}, 401),
    ],
)
def test_authorization(gateways: Gateways, wrong: dict[str, Any], status: int) -> None:
    got, said, headers = clients.raw_wechatpay(
        gateways, "GET", "/v3/certificates", authorization=_authorization(gateways, **wrong)
    )
    assert got == status
    if status == 401:
        assert said["code"] == "SIGN_ERROR" and "Wechatpay-Signature" not in headers


def test_no_authorization_and_a_nonce_twice(gateways: Gateways) -> None:
    ask = clients.raw_wechatpay
    assert ask(gateways, "GET", "/v3/certificates", authorization="")[0] == 401
    once = _authorization(gateways)
    assert ask(gateways, "GET", "/v3/certificates", authorization=once)[0] == 200
    assert ask(gateways, "GET", "/v3/certificates", authorization=once)[:2][0] == 401


def test_another_body_than_the_signed_one(gateways: Gateways) -> None:
    order = clients.order(gateways, "BODY01")
    sent = b'{"out_trade_no": "BODY01"}'
    status, said, _headers = clients.raw_wechatpay(gateways, "POST", CREATE, order, sent=sent)
    assert (status, said["code"]) == (401, "SIGN_ERROR") and not gateways.trade("wechatpay", "BODY01")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-type": "application/x-www-form-urlencoded"}, "INVALID_REQUEST"),
        ({"content-type": "text/plain"}, "INVALID_REQUEST"),
        ({"accept": "text/html"}, "INVALID_REQUEST"),
        ({"user-agent": ""}, "INVALID_REQUEST"),
        ({"wechatpay-serial": "PUB_KEY_ID_0000"}, "PARAM_ERROR"),
    ],
)
def test_headers(gateways: Gateways, headers: dict[str, str], code: str) -> None:
    order = clients.order(gateways, "HEADER01")
    status, said, _headers = clients.raw_wechatpay(gateways, "POST", CREATE, order, headers=headers)
    assert (status, said["code"]) == (400, code) and not gateways.trade("wechatpay", "HEADER01")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": {"total": 12.34}}, "PARAM_ERROR"),
        ({"amount": {"total": "1234"}}, "PARAM_ERROR"),
        ({"amount": {"total": 0}}, "PARAM_ERROR"),
        ({"amount": {"total": -1}}, "PARAM_ERROR"),
        ({"amount": {"total": True}}, "PARAM_ERROR"),
        ({"amount": 1234}, "PARAM_ERROR"),
        ({"amount": {"total": 1, "currency": "USD"}}, "PARAM_ERROR"),
        ({"out_trade_no": "short"}, "PARAM_ERROR"),
        ({"out_trade_no": "with space"}, "PARAM_ERROR"),
        ({"out_trade_no": "A" * 33}, "PARAM_ERROR"),
        ({"description": ""}, "PARAM_ERROR"),
        ({"description": "椅" * 128}, "PARAM_ERROR"),
        ({"notify_url": "http://127.0.0.1/n?a=b"}, "PARAM_ERROR"),
        ({"notify_url": "ftp://127.0.0.1/n"}, "PARAM_ERROR"),
        ({"time_expire": "2020-01-01T00:00:00+08:00"}, "PARAM_ERROR"),
        ({"time_expire": "2099-01-01 00:00:00"}, "PARAM_ERROR"),
        ({"time_expire": "2099-13-01T00:00:00+08:00"}, "PARAM_ERROR"),
        ({"mchid": "1600000000"}, "MCH_NOT_EXISTS"),
        ({"appid": "wx0000000000000000"}, "APPID_MCHID_NOT_MATCH"),
    ],
)
def test_orders(gateways: Gateways, wrong: dict[str, Any], code: str) -> None:
    order = clients.order(gateways, "ORDER001") | wrong
    status, said, _headers = clients.raw_wechatpay(gateways, "POST", CREATE, order)
    assert (status, said["code"]) == (400, code) and not gateways.trade("wechatpay", "ORDER001")


@pytest.mark.parametrize(
    ("product", "more"),
    [("jsapi", {}), ("jsapi", {"payer": {"openid": ""}}), ("jsapi", {"payer": {"openid": "not an openid"}}),
     ("h5", {}), ("h5", {"scene_info": {"payer_client_ip": "127.0.0.1"}}),
     ("h5", {"scene_info": {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Web"}}})],
)  # fmt: skip
def test_what_a_way_to_pay_needs(gateways: Gateways, product: str, more: dict[str, Any]) -> None:
    order = clients.order(gateways, "NEEDS001", **more)
    status, said, _headers = clients.raw_wechatpay(gateways, "POST", f"/v3/pay/transactions/{product}", order)
    assert (status, said["code"]) == (400, "PARAM_ERROR")


def test_the_same_number_again(gateways: Gateways) -> None:
    number = clients.number("AGAIN")
    order = clients.order(gateways, number)

    def create(product: str = "native", **more: Any) -> tuple[int, str]:
        path = f"/v3/pay/transactions/{product}"
        status, said, _headers = clients.raw_wechatpay(gateways, "POST", path, order | more)
        return status, said.get("code", said)

    first = create()
    assert first[0] == 200 and create() == first
    assert create(amount={"total": 1235}) == (400, "INVALID_REQUEST")
    assert create(description="桌子") == (400, "INVALID_REQUEST")
    openid = {"openid": "oPractice0Payer0LinXiaoyang1"}
    assert create("jsapi", payer=openid) == (403, "OUT_TRADE_NO_USED")
    gateways.pay("wechatpay", number)
    assert create() == (400, "ORDERPAID")
    close = f"/v3/pay/transactions/out-trade-no/{number}/close"
    given = {"mchid": gateways.wechatpay["mchid"]}
    assert clients.raw_wechatpay(gateways, "POST", close, given)[1]["code"] == "ORDERPAID"


def test_what_is_not_there(gateways: Gateways) -> None:
    mchid = gateways.wechatpay["mchid"]
    for method, path, body, code in (
        ("GET", f"/v3/pay/transactions/out-trade-no/NONE0001?mchid={mchid}", None, "ORDER_NOT_EXIST"),
        ("GET", f"/v3/pay/transactions/id/4200000000?mchid={mchid}", None, "ORDER_NOT_EXIST"),
        ("POST", "/v3/pay/transactions/out-trade-no/NONE0001/close", {"mchid": mchid}, "ORDER_NOT_EXIST"),
        ("GET", f"{REFUNDS}/NONE", None, "RESOURCE_NOT_EXISTS"),
        ("GET", "/v3/none", None, "RESOURCE_NOT_EXISTS"),
    ):
        status, said, headers = clients.raw_wechatpay(gateways, method, path, body)
        assert (status, said["code"]) == (404, code) and headers["Wechatpay-Signature"]
    status, said, _headers = clients.raw_wechatpay(gateways, "GET", "/v3/pay/transactions/out-trade-no/NONE0001")
    assert (status, said["code"]) == (400, "PARAM_ERROR")


def test_refunds(gateways: Gateways) -> None:
    gateways.ask("refunds", {"by_hand": True})
    number = clients.number("REFUND")

    def refund(name: str, fen: Any, total: Any = 1000, **more: Any) -> tuple[int, str]:
        asked = {"out_trade_no": number, "out_refund_no": name,
                 "amount": {"refund": fen, "total": total, "currency": "CNY"}, **more}  # fmt: skip
        status, said, _headers = clients.raw_wechatpay(gateways, "POST", REFUNDS, asked)
        return status, said.get("code") or said["status"]

    assert refund("R1", 1) == (404, "RESOURCE_NOT_EXISTS")
    assert clients.raw_wechatpay(gateways, "POST", CREATE, clients.order(gateways, number, 1000))[0] == 200
    assert refund("R1", 1) == (400, "INVALID_REQUEST")  # nobody paid
    gateways.pay("wechatpay", number)
    assert refund("R1", 1, total=999) == (400, "INVALID_REQUEST")
    assert refund("R1", 1001) == (400, "INVALID_REQUEST")
    assert refund("R1", 1.5) == (400, "PARAM_ERROR")
    assert refund("R1", 0) == (400, "PARAM_ERROR")
    assert refund("R1", 1, funds_account="POCKET") == (400, "PARAM_ERROR")
    assert refund("R1", 1, reason="x" * 81) == (400, "PARAM_ERROR")
    assert refund("R 1", 1) == (400, "PARAM_ERROR")
    assert refund("R1", 600) == (200, "PROCESSING")
    assert refund("R1", 500) == (400, "INVALID_REQUEST")  # the same number, another amount
    assert refund("R2", 401) == (400, "INVALID_REQUEST")  # more than is left
    assert refund("R2", 400) == (200, "PROCESSING")
    settled = {"provider": "wechatpay", "number": number}
    gateways.ask("refund", {**settled, "name": "R2", "state": "CLOSED"})
    assert refund("R2", 400) == (200, "CLOSED")  # it stays what it is
    assert refund("R3", 400) == (200, "PROCESSING")  # and what it would have taken is free again
    gateways.ask("refund", {**settled, "name": "R3", "state": "ABNORMAL"})
    assert refund("R4", 1) == (400, "INVALID_REQUEST")  # stuck money is not free
    gateways.ask("refund", {**settled, "name": "R3", "state": "SUCCESS"})
    gateways.ask("refund", {**settled, "name": "R3", "state": "CLOSED"}, expect=409)
    facts = gateways.trade("wechatpay", number)
    assert {r["name"]: r["state"] for r in facts["refunds"]} == {"R1": "PROCESSING", "R2": "CLOSED", "R3": "SUCCESS"}


def test_time_runs_out(gateways: Gateways) -> None:
    number = clients.number("EXPIRE")
    until = time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(time.time() + 8 * 3600 + 120))
    client = clients.wechatpay(gateways, clients.PUBLIC_KEY)
    client.pay("椅子", number, {"total": 100}, time_expire=until)
    gateways.ask("clock", {"add": 121})
    assert gateways.trade("wechatpay", number)["status"] == "CLOSED"
    gateways.ask("pay", {"provider": "wechatpay", "number": number}, expect=409)
