"""What becomes of each answer that is no success: one row for each code, with the status it comes with.

Sources: error tables in wechatpay-go @ 6dbd7ce2ec59 (services/refunddomestic/api_refunds.go) and in the merchant
documentation of native, H5 and JSAPI orders; what is in none of them is named in docs/connectors/wechatpay.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from integrations.hub.errors import Conflict, HubError, Misconfigured, OutcomeUnknown, Rejected, Scope, TryAgain
from integrations.hub.http import Reply
from integrations.hub.testing.contract import NOON
from integrations.hub.values import Money
from integrations.payments.base import RefundStatus, TradeStatus
from integrations.payments.providers.wechatpay import WechatPay
from tests.connectors.payments.wechatpay.platform import SETTINGS, signed
from tests.connectors.payments.wechatpay.test_wechatpay import NUMBER, REFUND_KEY, refunded, started


class Answering:
    """A door behind which these replies wait, one after the other; `asked` is what went through it."""

    def __init__(self, *replies: Reply | HubError) -> None:
        self.replies, self.asked = list(replies), list[dict[str, Any]]()

    def request(self, method: str, url: str, **rest: Any) -> Reply:
        self.asked.append({"method": method, "url": url, **rest})
        reply = self.replies.pop(0)
        if isinstance(reply, HubError):
            raise reply
        return reply


def said(status: int, told: Any, headers: Mapping[str, str] | None = None) -> Reply:
    body = b"" if told is None else json.dumps(told).encode()
    return Reply(status, signed(body, NOON) if headers is None else headers, body)


def code(status: int, name: str, headers: Mapping[str, str] | None = None, **detail: Any) -> Reply:
    return said(status, {"code": name, "message": "words of theirs", **detail}, headers)


def pay(*replies: Reply | HubError, **settings: str) -> Any:
    return WechatPay({**SETTINGS, **settings}, Answering(*replies), lambda: NOON)  # type: ignore[arg-type]


def raised(call: Any, *replies: Reply | HubError) -> HubError:
    with pytest.raises(HubError) as error:
        call(pay(*replies))
    return error.value


START, REFUND = (lambda made: made.start(started("native"))), (lambda made: made.refund(refunded()))
LOOK, LOOK_REFUND = (lambda made: made.look(NUMBER)), (lambda made: made.look_refund(refunded()))

OF_A_START: list[tuple[int, str, type[HubError]]] = [
    (400, "PARAM_ERROR", Rejected),
    (400, "INVALID_REQUEST", Rejected),
    (400, "APPID_MCHID_NOT_MATCH", Misconfigured),
    (400, "MCH_NOT_EXISTS", Misconfigured),
    (400, "ORDER_CLOSED", Conflict),
    (400, "ORDERPAID", Conflict),
    (401, "SIGN_ERROR", Misconfigured),
    (403, "NO_AUTH", Misconfigured),
    (403, "NOAUTH", Misconfigured),
    (403, "OUT_TRADE_NO_USED", Conflict),
    (403, "TRADE_ERROR", Rejected),
    (403, "RULE_LIMIT", Rejected),
    (403, "RULELIMIT", Rejected),
    (403, "ACCOUNTERROR", Rejected),
    (404, "ORDER_NOT_EXIST", Rejected),
    (429, "FREQUENCY_LIMITED", TryAgain),
    (403, "FREQUENCY_LIMITED", TryAgain),
    (500, "OPENID_MISMATCH", Rejected),
    (500, "SYSTEM_ERROR", OutcomeUnknown),
    (500, "BANK_ERROR", OutcomeUnknown),
    (500, "BANKERROR", OutcomeUnknown),
    (400, "SYSTEM_ERROR", OutcomeUnknown),
    (502, "", OutcomeUnknown),
    (202, "USERPAYING", OutcomeUnknown),
    (202, "", OutcomeUnknown),
    (302, "", OutcomeUnknown),
    (400, "SOMETHING_NEW", Rejected),
]
OF_A_REFUND: list[tuple[int, str, type[HubError]]] = [
    (400, "PARAM_ERROR", Rejected),
    (400, "INVALID_REQUEST", Rejected),
    (403, "USER_ACCOUNT_ABNORMAL", Rejected),
    (403, "NOT_ENOUGH", TryAgain),
    (403, "NOTENOUGH", TryAgain),
    (403, "NO_AUTH", Misconfigured),
    (403, "REQUEST_BLOCKED", Rejected),
    (404, "MCH_NOT_EXISTS", Misconfigured),
    (404, "RESOURCE_NOT_EXISTS", Rejected),
    (401, "SIGN_ERROR", Misconfigured),
    (429, "FREQUENCY_LIMITED", TryAgain),
    (500, "SYSTEM_ERROR", OutcomeUnknown),
]
OF_A_LOOK: list[tuple[int, str, type[HubError]]] = [
    (400, "PARAM_ERROR", Rejected),
    (400, "MCH_NOT_EXISTS", Misconfigured),
    (401, "SIGN_ERROR", Misconfigured),
    (403, "TRADE_ERROR", Rejected),
    (404, "RESOURCE_NOT_EXISTS", Rejected),
    (429, "FREQUENCY_LIMITED", TryAgain),
    (500, "SYSTEM_ERROR", TryAgain),
    (500, "BANK_ERROR", TryAgain),
    (202, "USERPAYING", TryAgain),
    (500, "INVALID_TRANSACTIONID", Rejected),
]
ROWS = [("start", START, *row) for row in OF_A_START]
ROWS += [("refund", REFUND, *row) for row in OF_A_REFUND] + [("look", LOOK, *row) for row in OF_A_LOOK]


@pytest.mark.parametrize(("call", "status", "name", "wanted"), [row[1:] for row in ROWS], ids=[
    f"{row[0]}-{row[2]}-{row[3]}" for row in ROWS
])  # fmt: skip
def test_each_code_says_what_to_do_next(call: Any, status: int, name: str, wanted: type[HubError]) -> None:
    error = raised(call, code(status, name))
    assert type(error) is wanted or (wanted is TryAgain and isinstance(error, TryAgain))
    assert "words of theirs" in error.message


def test_a_refusal_names_the_field_and_not_its_value() -> None:
    detail = {"field": "/amount/currency", "value": "of-a-person", "issue": "invalid", "location": "body"}
    error = raised(START, code(400, "PARAM_ERROR", detail=detail))
    assert isinstance(error, Rejected) and error.fields == {"/amount/currency": "words of theirs"}
    assert "of-a-person" not in error.message


def test_too_often_lets_all_of_the_operation_wait() -> None:
    error = raised(REFUND, code(403, "FREQUENCY_LIMITED"))
    assert isinstance(error, TryAgain) and error.scope is Scope.OPERATION and error.after


def test_too_little_money_lets_this_refund_wait() -> None:
    error = raised(REFUND, code(403, "NOT_ENOUGH"))
    assert isinstance(error, TryAgain) and error.scope is Scope.ROW and error.after
    assert "Put money into the merchant account" in error.message


# --- what is not proven ---

WRONG = {
    "another key": lambda body: signed(body, NOON) | {"wechatpay-signature": signed(b"x", NOON)["wechatpay-signature"]},
    "unknown serial": lambda body: signed(body, NOON, serial="PUB_KEY_ID_7"),
    "too old": lambda body: signed(body, NOON.replace(minute=6)),
    "probe": lambda body: signed(body, NOON) | {"wechatpay-signature": "WECHATPAY/SIGNTEST/abcd"},
    "no serial": lambda body: {k: v for k, v in signed(body, NOON).items() if k != "wechatpay-serial"},
    "nothing": lambda body: {},
}


@pytest.fixture(params=WRONG)
def wrong(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield WRONG[request.param]


def unproven(wrong: Any, status: int, told: Any) -> Reply:
    return said(status, told, wrong(b"" if told is None else json.dumps(told).encode()))


def test_a_success_that_nothing_proves_is_not_believed(wrong: Any) -> None:
    assert type(raised(START, unproven(wrong, 200, {"code_url": "weixin://x"}))) is OutcomeUnknown
    assert type(raised(REFUND, unproven(wrong, 200, {"status": "SUCCESS"}))) is OutcomeUnknown
    assert type(raised(lambda made: made.close(NUMBER), unproven(wrong, 204, None))) is OutcomeUnknown
    assert isinstance(raised(LOOK, unproven(wrong, 200, {"trade_state": "SUCCESS"})), TryAgain)


def test_that_something_is_not_there_is_not_believed_either(wrong: Any) -> None:
    assert isinstance(raised(LOOK, unproven(wrong, 404, {"code": "ORDER_NOT_EXIST"})), TryAgain)
    assert isinstance(raised(LOOK_REFUND, unproven(wrong, 404, {"code": "RESOURCE_NOT_EXISTS"})), TryAgain)
    assert type(raised(lambda made: made.close(NUMBER), unproven(wrong, 400, {"code": "ORDERPAID"}))) is OutcomeUnknown


def test_a_refund_that_nothing_proves_was_refused_is_in_doubt(wrong: Any) -> None:
    for name in ("INVALID_REQUEST", "NOT_ENOUGH", "USER_ACCOUNT_ABNORMAL"):
        assert type(raised(REFUND, unproven(wrong, 403, {"code": name}))) is OutcomeUnknown


def test_a_refusal_with_a_wrong_signature_is_in_doubt() -> None:
    headers = signed(b"x", NOON)
    assert type(raised(START, code(400, "INVALID_REQUEST", headers))) is OutcomeUnknown
    assert isinstance(raised(LOOK, code(400, "PARAM_ERROR", headers)), TryAgain)


def test_a_broken_account_is_said_in_any_case(wrong: Any) -> None:
    for call in (START, REFUND, LOOK):
        assert type(raised(call, unproven(wrong, 401, {"code": "SIGN_ERROR"}))) is Misconfigured


# --- what is there ---

STATES = [
    ("NOTPAY", TradeStatus.OPEN), ("PAYERROR", TradeStatus.OPEN), ("USERPAYING", TradeStatus.PROCESSING),
    ("ACCEPT", TradeStatus.PROCESSING), ("SUCCESS", TradeStatus.CAPTURED), ("REFUND", TradeStatus.CAPTURED),
    ("CLOSED", TradeStatus.CLOSED), ("REVOKED", TradeStatus.CLOSED),
]  # fmt: skip


def trade(state: str, **other: Any) -> dict[str, Any]:
    amount = {"total": 10000, "payer_total": 9000, "currency": "CNY"}
    return {"mchid": "1900000109", "out_trade_no": NUMBER, "trade_state": state, "amount": amount, **other}


@pytest.mark.parametrize(("state", "status"), STATES)
def test_each_state_of_a_trade(state: str, status: TradeStatus) -> None:
    seen = pay(said(200, trade(state))).look(NUMBER)
    assert (seen.status, seen.payee, str(seen.total.amount)) == (status, "1900000109", "100.00")
    assert (seen.captured == seen.total) is (status is TradeStatus.CAPTURED)
    assert seen.refunded is None


@pytest.mark.parametrize("other", [
    {"trade_state": "SOMETHING"}, {"out_trade_no": "ANOTHER"}, {"amount": {"total": 10000, "currency": "yuan"}},
    {"amount": {"total": -1}}, {"amount": {"payer_total": 9000}}, {"amount": {"total": 100.0}},
])  # fmt: skip
def test_a_trade_that_cannot_be_understood(other: Any) -> None:
    assert isinstance(raised(LOOK, said(200, trade("SUCCESS", **other))), TryAgain)


def test_a_trade_in_another_currency_is_a_fact() -> None:
    seen = pay(said(200, trade("SUCCESS", amount={"total": 10000, "currency": "HKD"}))).look(NUMBER)
    assert seen.total == seen.captured == Money(Decimal("100.00"), "HKD")


@pytest.mark.parametrize("answer", [None, [], "text", 7, True])
def test_an_answer_that_is_no_object_says_nothing(answer: Any) -> None:
    assert isinstance(
        raised(LOOK, Reply(200, signed(json.dumps(answer).encode(), NOON), json.dumps(answer).encode())), TryAgain
    )


@pytest.mark.parametrize("name", ["ORDER_NOT_EXIST", "ORDERNOTEXIST"])
def test_a_trade_that_is_not_there(name: str) -> None:
    assert pay(code(404, name)).look(NUMBER).status is TradeStatus.ABSENT


@pytest.mark.parametrize(("status", "name"), [
    (400, "ORDERPAID"), (400, "ORDER_PAID"), (400, "ORDER_CLOSED"), (400, "ORDERCLOSED"), (404, "ORDER_NOT_EXIST"),
])  # fmt: skip
def test_closing_what_cannot_be_closed_looks_at_the_truth(status: int, name: str) -> None:
    made = pay(code(status, name), said(200, trade("SUCCESS")))
    assert made.close(NUMBER).status is TradeStatus.CAPTURED
    assert [asked["method"] for asked in made.http.asked] == ["POST", "GET"]


REFUND_STATES = [
    ("PROCESSING", RefundStatus.PENDING), ("SUCCESS", RefundStatus.DONE), ("CLOSED", RefundStatus.FAILED),
    ("ABNORMAL", RefundStatus.STUCK),
]  # fmt: skip


def refund_there(state: str, **other: Any) -> dict[str, Any]:
    whole = {"out_refund_no": REFUND_KEY, "out_trade_no": NUMBER, "refund_id": "503", "status": state}
    return {**whole, "amount": {"refund": 3000, "total": 10000, "currency": "CNY"}, **other}


@pytest.mark.parametrize(("state", "status"), REFUND_STATES)
def test_each_state_of_a_refund(state: str, status: RefundStatus) -> None:
    for seen in (
        pay(said(200, refund_there(state))).refund(refunded()),
        pay(said(200, refund_there(state))).look_refund(refunded()),
    ):
        assert (seen.status, str(seen.amount.amount), seen.remote) == (status, "30.00", "503")
        assert bool(seen.why) is (status in (RefundStatus.FAILED, RefundStatus.STUCK))


@pytest.mark.parametrize("other", [
    {"amount": {"refund": 2999, "currency": "CNY"}}, {"out_trade_no": "ANOTHER"},
])  # fmt: skip
def test_another_refund_under_our_number_is_a_conflict(other: Any) -> None:
    for call in (REFUND, LOOK_REFUND):
        assert isinstance(raised(call, said(200, refund_there("SUCCESS", **other))), Conflict)


def test_a_refund_that_cannot_be_understood_is_in_doubt() -> None:
    for other in ({"status": "NEW"}, {"out_refund_no": "ANOTHER"}, {"amount": {"refund": "3000"}}):
        assert type(raised(REFUND, said(200, refund_there("SUCCESS", **other)))) is OutcomeUnknown
        assert isinstance(raised(LOOK_REFUND, said(200, refund_there("SUCCESS", **other))), TryAgain)


def test_a_refund_that_is_not_there() -> None:
    assert pay(code(404, "RESOURCE_NOT_EXISTS")).look_refund(refunded()) is None
