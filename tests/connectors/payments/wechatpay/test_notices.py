"""Notices: whose they are, who signed them and when, and what can be read in them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from integrations.hub.errors import Forged, HubError, Rejected
from integrations.hub.testing.contract import NOON
from integrations.hub.testing.failures import spoilt
from integrations.hub.testing.fixtures import Exchange
from integrations.hub.testing.typed import ill_typed
from integrations.hub.values import Inbound
from integrations.payments.base import REFUND, TRADE
from integrations.payments.providers.wechatpay import WechatPay
from tests.connectors.payments.wechatpay.platform import (
    CERTIFICATE_MODE,
    CHANGING,
    FORMER_KEY_ID,
    OTHER,
    PLATFORM_SERIAL,
    PUBLIC_KEY_ID,
    SETTINGS,
    notice,
    sealed,
    signed,
)

TRADED = {"mchid": "1900000109", "appid": "wx8888888888888888", "out_trade_no": "N1", "transaction_id": "42",
          "trade_state": "SUCCESS", "amount": {"total": 10000}, "payer": {"openid": "oUpF8uMuAJO"}}  # fmt: skip
REFUNDED = {"mchid": "1900000109", "out_trade_no": "N1", "out_refund_no": "R1", "refund_id": "503",
            "refund_status": "SUCCESS", "amount": {"refund": 3000, "total": 10000}}  # fmt: skip


def pay(**settings: str) -> Any:
    return WechatPay({**SETTINGS, **settings}, None, lambda: NOON)  # type: ignore[arg-type]


def sent(content: Any, event: str = "TRANSACTION.SUCCESS", **headers: Any) -> Inbound:
    body = notice(event, content)
    return Inbound(signed(body, NOON) | headers, body)


def refused(made: Any, inbound: Inbound) -> str:
    with pytest.raises(Forged) as error:
        made.verify(inbound)
    return error.value.message


def test_a_probe_is_refused_whatever_it_carries() -> None:
    genuine = sent(TRADED)
    for signature in ("WECHATPAY/SIGNTEST/" + genuine.headers["wechatpay-signature"], "WECHATPAY/SIGNTEST/"):
        headers = {**genuine.headers, "wechatpay-signature": signature}
        assert "probe" in refused(pay(), Inbound(headers, genuine.body))


@pytest.mark.parametrize("other", [{"mchid": "1900000110"}, {"appid": "wx7"}, {"mchid": None}, {"appid": None}])
def test_another_accounts_notice_is_refused(other: Any) -> None:
    assert "for another" in refused(pay(), sent({**TRADED, **other}))


def test_a_notice_that_names_no_merchant_is_refused() -> None:
    assert "for another mchid" in refused(pay(), sent({k: v for k, v in TRADED.items() if k != "mchid"}))


def test_a_refunds_notice_names_no_app() -> None:
    inbound = sent(REFUNDED, "REFUND.SUCCESS")
    assert pay().verify(inbound).event == "EV-2018022511223320873"


def test_a_notice_of_another_key_is_refused() -> None:
    body = notice("TRANSACTION.SUCCESS", TRADED)
    assert refused(pay(), Inbound(signed(body, NOON, PUBLIC_KEY_ID, OTHER), body))
    assert "APIv3" in refused(pay(apiv3_key="another-key-of-just-as-many-char"), sent(TRADED))


@pytest.mark.parametrize("skew", [-301, 301])
def test_a_notice_of_another_time_is_refused(skew: int) -> None:
    body = notice("TRANSACTION.SUCCESS", TRADED)
    assert "5 minutes" in refused(pay(), Inbound(signed(body, NOON + timedelta(seconds=skew)), body))


def test_while_keys_are_changed_each_of_them_holds() -> None:
    body = notice("TRANSACTION.SUCCESS", TRADED)
    for headers in (
        signed(body, NOON), signed(body, NOON, FORMER_KEY_ID, OTHER), signed(body, NOON, PLATFORM_SERIAL),
    ):  # fmt: skip
        assert pay(**CHANGING).verify(Inbound(headers, body)).event
    assert refused(pay(), Inbound(signed(body, NOON, FORMER_KEY_ID, OTHER), body))
    assert refused(pay(**CHANGING), Inbound(signed(body, NOON, FORMER_KEY_ID), body))


def test_without_a_key_of_theirs_every_notice_is_refused_and_nobody_is_asked() -> None:
    made = WechatPay(CERTIFICATE_MODE, None, lambda: NOON)  # type: ignore[arg-type]
    body = notice("TRANSACTION.SUCCESS", TRADED)
    assert refused(made, Inbound(signed(body, NOON, PLATFORM_SERIAL), body))


def test_settings_that_are_in_no_order_prove_nothing() -> None:
    for wrong in ({"public_key": "none"}, {"public_key_id": ""}, {"certificates": "none"}, {"apiv3_key": "short"}):
        assert refused(pay(**wrong), sent(TRADED))


@pytest.mark.parametrize("event", ["TRANSACTION.SUCCESS", "TRANSACTION.PAY_BACK"])
def test_a_payments_notice_hints_at_the_trade_and_says_nothing_of_the_payer(event: str) -> None:
    (hint,) = pay().parse(sent(TRADED, event))
    assert (hint.kind, hint.key) == (TRADE, "N1")
    assert hint.facts == {"transaction_id": "42", "trade_state": "SUCCESS", "total": 10000}


@pytest.mark.parametrize("event", ["REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"])
def test_a_refunds_notice_hints_at_the_refund(event: str) -> None:
    (hint,) = pay().parse(sent(REFUNDED, event))
    assert (hint.kind, hint.key) == (REFUND, "R1")
    assert hint.facts == {"number": "N1", "refund_id": "503", "refund_status": "SUCCESS", "refund": 3000}


@pytest.mark.parametrize(("event", "content"), [("TRANSACTION.SUCCESS", TRADED), ("REFUND.SUCCESS", REFUNDED)])
def test_what_is_sealed_in_it_may_be_anything(event: str, content: Any) -> None:
    for where, reply in spoilt(Exchange({"writes": False}, {"status": 200, "json": content})):
        try:
            hints = pay().parse(sent(reply["json"], event))
        except HubError as error:
            assert isinstance(error, Rejected), where
        else:
            assert ill_typed(list(hints)) == [], where


def test_what_is_sealed_in_it_may_be_no_json() -> None:
    body = notice("TRANSACTION.SUCCESS", b"\xff<html>")
    with pytest.raises(Rejected):
        pay().parse(Inbound(signed(body, NOON), body))


def test_another_way_of_sealing_is_not_understood() -> None:
    resource = {**sealed(TRADED), "algorithm": "AEAD_SM4_GCM"}
    body = notice("TRANSACTION.SUCCESS", TRADED, resource=resource)
    with pytest.raises(Rejected):
        pay().parse(Inbound(signed(body, NOON), body))


def test_it_is_answered_in_their_words() -> None:
    assert (pay().answer(True).status, pay().answer(True).body) == (204, b"")
    refusal = pay().answer(False)
    assert refusal.status == 503 and json.loads(refusal.body)["code"] == "FAIL"
    assert refusal.content_type == "application/json"
