"""Notices: when they are sent again, how they go wrong, and what the merchants' clients think of them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from Cryptodome.Hash import SHA256
from Cryptodome.Signature import PKCS1_v1_5
from wechatpayv3 import WeChatPay

from tests.processes import wait_until
from tests.sandbox.payments import clients
from tests.sandbox.payments.conftest import Gateways, Merchant

MINUTE, HOUR = 60, 3600
# 4 m, 10 m, 10 m, 1 h, 2 h, 6 h, 15 h · 15 s, 15 s, 30 s, 3 m, 10 m, 20 m, 3 × 30 m, 60 m, 3 × 3 h, 2 × 6 h
ALIPAY = [240, 600, 600, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR]
WECHATPAY = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, HOUR] + [3 * HOUR] * 3 + [6 * HOUR] * 2


@pytest.mark.parametrize(("provider", "pauses"), [("alipay", ALIPAY), ("wechatpay", WECHATPAY)])
def test_again_and_again(own: Gateways, merchant: Merchant, provider: str, pauses: list[int]) -> None:
    """Not before its time, and not for ever; it stays the same notice."""
    merchant.answers = [(500, "fail")]
    _paid(own, merchant, provider, clients.number("AGAIN"))
    merchant.wait(1)
    for tries, pause in enumerate(pauses, 1):
        wait_until(lambda tries=tries: len(own.notices()[0]["answers"]) == tries, 10, "the answer is noted")
        if tries < 3:
            own.ask("clock", {"add": pause - 5})
            merchant.quiet(tries, 0.4)
            own.ask("clock", {"add": 5})
        else:
            own.ask("clock", {"add": pause})
        merchant.wait(tries + 1)
    wait_until(lambda: own.notices()[0]["state"] == "given up", 10, "it is given up")
    own.ask("clock", {"add": 100 * HOUR})
    merchant.quiet(len(pauses) + 1, 0.4)
    if provider == "wechatpay":
        names = {json.loads(body)["id"] for _headers, body in merchant.heard}
    else:
        names = {dict(parse_qsl(body.decode()))["notify_id"] for _headers, body in merchant.heard}
    assert len(names) == 1


@pytest.mark.parametrize(
    ("provider", "answer", "heard"),
    [("alipay", (200, "success"), True), ("alipay", (200, "SUCCESS"), False), ("alipay", (200, "<p>success"), False),
     ("alipay", (500, "success"), False), ("wechatpay", (200, ""), True), ("wechatpay", (204, ""), True),
     ("wechatpay", (302, ""), False), ("wechatpay", (401, ""), False)],
)  # fmt: skip
def test_what_counts_as_heard(
    gateways: Gateways, merchant: Merchant, provider: str, answer: tuple[int, str], heard: bool
) -> None:
    merchant.answers = [answer]
    number = clients.number("HEARD")
    _paid(gateways, merchant, provider, number)
    merchant.wait(1)
    wait_until(lambda: _notice(gateways, number)["answers"], 10, "the answer is noted")
    assert _notice(gateways, number)["state"] == ("heard" if heard else "waiting")


@pytest.mark.parametrize("provider", ["alipay", "wechatpay"])
def test_twice_late_and_lost(gateways: Gateways, merchant: Merchant, provider: str) -> None:
    gateways.ask("faults", {"notify": {"duplicate": 1}})
    _paid(gateways, merchant, provider, clients.number("TWICE"))
    assert _name(merchant.wait(2)[0][1]) == _name(merchant.heard[1][1])
    gateways.ask("faults", {"notify": {"late": 1}, "seconds": 1})
    _paid(gateways, merchant, provider, clients.number("LATE"))
    merchant.quiet(2)
    merchant.wait(3)
    gateways.ask("faults", {"notify": {"lost": 1}})
    _paid(gateways, merchant, provider, clients.number("LOST"))
    merchant.quiet(3)


@pytest.mark.parametrize("provider", ["alipay", "wechatpay"])
def test_out_of_order(gateways: Gateways, merchant: Merchant, provider: str) -> None:
    first, second = clients.number("FIRST"), clients.number("SECOND")
    gateways.ask("faults", {"notify": {"shuffle": 1}})
    _paid(gateways, merchant, provider, first)
    merchant.quiet(0)
    _paid(gateways, merchant, provider, second)
    merchant.wait(2)
    assert [_number(gateways, body) for _headers, body in merchant.heard] == [second, first]


@pytest.mark.parametrize("provider", ["alipay", "wechatpay"])
def test_held_and_released_in_any_order(gateways: Gateways, merchant: Merchant, provider: str) -> None:
    gateways.ask("notices", {"hold": True})
    numbers = [clients.number(f"HELD{count}") for count in range(3)]
    for number in numbers:
        _paid(gateways, merchant, provider, number)
    merchant.quiet(0)
    names = [_notice(gateways, number)["name"] for number in (numbers[2], numbers[0])]
    released = gateways.ask("notices", {"release": names})["released"]
    assert list(released) == names
    assert [_number(gateways, body) for _headers, body in merchant.heard] == [numbers[2], numbers[0]]
    gateways.ask("notices", {"hold": False})
    assert _number(gateways, merchant.wait(3)[2][1]) == numbers[1]


def test_alipay_forged_comes_before_the_right_one(gateways: Gateways, merchant: Merchant) -> None:
    client = clients.alipay(gateways)
    gateways.ask("faults", {"notify": {"forged": 1}})
    _paid(gateways, merchant, "alipay", clients.number("FORGED"))
    said = [dict(parse_qsl(body.decode())) for _headers, body in merchant.wait(2)]
    assert said[0]["total_amount"] == "0.01"
    assert [client.verify(notice, notice.pop("sign")) for notice in said] == [False, True]


def test_wechatpay_forged_probed_and_stale(gateways: Gateways, merchant: Merchant) -> None:
    """The probe and the forgery prove nothing; the stale one is signed rightly, which is why its time counts."""
    client = clients.wechatpay(gateways, clients.PUBLIC_KEY)
    gateways.ask("faults", {"notify": {"forged": 1, "signtest": 1}})
    _paid(gateways, merchant, "wechatpay", clients.number("FORGED"))
    verdicts = [client.callback(headers, body) for headers, body in merchant.wait(3)]
    assert verdicts[:2] == [None, None] and verdicts[2]["event_type"] == "TRANSACTION.SUCCESS"
    assert merchant.heard[1][0]["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/")
    gateways.ask("faults", {"notify": {"stale": 1}})
    _paid(gateways, merchant, "wechatpay", clients.number("STALE"))
    headers, body = merchant.wait(4)[3]
    age = int(merchant.heard[2][0]["Wechatpay-Timestamp"]) - int(headers["Wechatpay-Timestamp"])
    assert 500 < age <= 600 and client.callback(headers, body)


def test_alipay_in_gbk(gateways: Gateways, merchant: Merchant) -> None:
    """Verified on its own bytes, by another library."""
    client = clients.alipay(gateways)
    gateways.ask("faults", {"notify": {"gbk": 1}})
    _paid(gateways, merchant, "alipay", clients.number("GBK"))
    ((_headers, body),) = merchant.wait(1)
    said = dict(parse_qsl(body.decode(), encoding="gbk"))
    assert said["charset"] == "GBK" and said["subject"] == "椅子"
    sign = said.pop("sign")
    del said["sign_type"]
    content = "&".join(f"{name}={said[name]}" for name in sorted(said))
    digest = SHA256.new(content.encode("gbk"))
    assert PKCS1_v1_5.new(client.alipay_public_key).verify(digest, base64.b64decode(sign))


def test_wechatpay_by_certificate(gateways: Gateways, merchant: Merchant) -> None:
    """A notice is signed as the merchant asked when the payment was asked for."""
    merchant.answers = [(204, "")]
    serials = []
    for mode in (clients.PUBLIC_KEY, clients.CERTIFICATE):
        client, number = clients.wechatpay(gateways, mode, notify_url=merchant.url), clients.number("MODE")
        client.pay("椅子", number, {"total": 100})
        gateways.pay("wechatpay", number)
        headers, body = merchant.wait(len(serials) + 1)[-1]
        assert client.callback(headers, body)
        serials.append(headers["Wechatpay-Serial"])
    assert serials == [gateways.wechatpay["public_key_id"], gateways.wechatpay["platform_serial"]]


def test_a_closed_trade_is_told_by_alipay_only(gateways: Gateways, merchant: Merchant) -> None:
    client, number = clients.alipay(gateways), clients.number("CLOSED")
    client.api_alipay_trade_precreate("椅子", number, "1.00", notify_url=merchant.url)
    gateways.ask("decline", {"provider": "alipay", "number": number})
    client.api_alipay_trade_close(number)
    notice = dict(parse_qsl(merchant.wait(1)[0][1].decode()))
    assert notice["trade_status"] == "TRADE_CLOSED" and "gmt_payment" not in notice
    assert client.verify(notice, notice.pop("sign"))
    paid = clients.wechatpay(gateways, clients.PUBLIC_KEY, notify_url=merchant.url)
    paid.pay("椅子", number, {"total": 100})
    paid.close(number)
    merchant.quiet(1)


def test_every_end_of_a_refund_is_told_by_wechatpay(gateways: Gateways, merchant: Merchant) -> None:
    merchant.answers = [(204, "")]
    gateways.ask("refunds", {"by_hand": True})
    client = clients.wechatpay(gateways, clients.PUBLIC_KEY, notify_url=merchant.url)
    number = clients.number("ENDS")
    client.pay("椅子", number, {"total": 300})
    gateways.pay("wechatpay", number)
    merchant.wait(1)
    for count, state in enumerate(("SUCCESS", "ABNORMAL", "CLOSED"), 2):
        amount = {"refund": 100, "total": 300, "currency": "CNY"}
        client.refund(f"{number}{state[:2]}", amount, out_trade_no=number, notify_url=merchant.url)
        fact = {"provider": "wechatpay", "number": number, "name": f"{number}{state[:2]}", "state": state}
        gateways.ask("refund", fact)
        told = client.callback(*merchant.wait(count)[-1])
        assert (told["event_type"], told["resource"]["refund_status"]) == (f"REFUND.{state}", state)


def test_refunds_of_wechatpay_settle_by_themselves(gateways: Gateways) -> None:
    client, number = clients.wechatpay(gateways, clients.PUBLIC_KEY), clients.number("SELF")
    client.pay("椅子", number, {"total": 300})
    gateways.pay("wechatpay", number)
    client.refund(f"{number}R", {"refund": 300, "total": 300, "currency": "CNY"}, out_trade_no=number)
    gateways.ask("clock", {"add": 3})
    assert json.loads(client.query_refund(f"{number}R")[1])["status"] == "SUCCESS"


def _paid(gateways: Gateways, merchant: Merchant, provider: str, number: str) -> None:
    if provider == "alipay":
        client = clients.alipay(gateways)
        client.api_alipay_trade_precreate("椅子", number, "1.00", notify_url=merchant.url)
    else:
        paying: WeChatPay = clients.wechatpay(gateways, clients.PUBLIC_KEY, notify_url=merchant.url)
        paying.pay("椅子", number, {"total": 100})
    gateways.pay(provider, number)


def _notice(gateways: Gateways, number: str) -> dict[str, Any]:
    return next(notice for notice in gateways.notices() if notice["number"] == number)


def _name(body: bytes) -> str:
    return json.loads(body)["id"] if body[:1] == b"{" else dict(parse_qsl(body.decode()))["notify_id"]


def _number(gateways: Gateways, body: bytes) -> str:
    return next(notice["number"] for notice in gateways.notices() if notice["name"] == _name(body))
