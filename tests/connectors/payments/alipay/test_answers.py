"""What becomes of each answer: every row of the error table, reading and writing; and what is not proven."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integrations.hub.errors import (
    Conflict,
    HubError,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Scope,
    TryAgain,
    Unsupported,
)
from integrations.hub.http import Reply
from integrations.hub.testing.contract import NOON
from integrations.hub.testing.failures import spoilt
from integrations.hub.testing.fixtures import Exchange
from integrations.hub.testing.typed import ill_typed
from integrations.hub.values import Money
from integrations.payments.base import Observed, Qr, Redirect, RefundStatus, Start, TradeStatus
from tests.connectors.payments.alipay import keyring, said
from tests.connectors.payments.alipay.doors import Call, alipay
from tests.connectors.payments.alipay.said import CALLS, CLOSE, GIVE_BACK, PRECREATE, QUERY, refused, signed

# --- the error table (protocols.md §7 and Alipay's document common/02km9f) ---

READ: type[HubError] = TryAgain
WRITTEN: type[HubError] = OutcomeUnknown
# code, sub_code, what a call that reads raises, what one that writes raises
ROWS: list[tuple[str, str, type[HubError], type[HubError]]] = [
    ("10003", "", READ, WRITTEN),
    ("20000", "isp.unknow-error", READ, WRITTEN),
    ("20000", "aop.unknow-error", READ, WRITTEN),
    ("20000", "aop.ACQ.SYSTEM_ERROR", READ, WRITTEN),
    ("20001", "aop.invalid-auth-token", Misconfigured, Misconfigured),
    ("40001", "isv.missing-signature", Misconfigured, Misconfigured),
    ("40001", "isv.missing-signature-key", Misconfigured, Misconfigured),
    ("40002", "isv.invalid-signature", Misconfigured, Misconfigured),
    ("40002", "isv.invalid-app-id", Misconfigured, Misconfigured),
    ("40002", "isv.invalid-timestamp", Misconfigured, Misconfigured),
    ("40002", "isv.app-cert-expired", Misconfigured, Misconfigured),
    ("40002", "isv.invalid-parameter", Rejected, Rejected),
    ("40003", "isv.missing-signature-config", Misconfigured, Misconfigured),
    ("40004", "ACQ.SYSTEM_ERROR", READ, WRITTEN),
    ("40004", "AQC.SYSTEM_ERROR", READ, WRITTEN),
    ("40004", "ACQ.INVALID_PARAMETER", Rejected, Rejected),
    ("40004", "ACQ.ACCESS_FORBIDDEN", Misconfigured, Misconfigured),
    ("40004", "ACQ.PARTNER_ERROR", Misconfigured, Misconfigured),
    ("40004", "", Rejected, Rejected),
    ("40005", "isv.app-call-limited", TryAgain, TryAgain),
    ("40005", "isv.method-call-limited", TryAgain, TryAgain),
    ("40006", "isv.insufficient-isv-permissions", Misconfigured, Misconfigured),
    ("90000", "who.knows", READ, WRITTEN),
    ("", "", READ, WRITTEN),
]
OPERATIONS: dict[str, tuple[Call, str, bool]] = {
    "look": (CALLS["look"], QUERY, False),
    "look_refund": (CALLS["look_refund"], said.ASK_REFUND, False),
    "start-qr": (CALLS["start-qr"], PRECREATE, True),
    "close": (CALLS["close"], CLOSE, True),
    "refund": (CALLS["refund"], GIVE_BACK, True),
}


def raised(call: Call, *answers: Any, **settings: str) -> HubError:
    with pytest.raises(HubError) as caught:
        call(alipay(*answers, **settings))
    assert keyring.APP_KEY not in caught.value.message
    return caught.value


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_each_row_of_the_table(row: tuple[Any, ...], operation: str) -> None:
    code, sub_code, read, written = row
    call, node, writes = OPERATIONS[operation]
    for name in (node, "error_response"):
        error = raised(call, signed(name, refused(sub_code, "系统繁忙", code)))
        assert isinstance(error, written if writes else read), error
        assert "系统繁忙" in error.message
        if code == "40005":
            assert isinstance(error, TryAgain) and error.scope is Scope.OPERATION


# What Alipay's rules refuse of one operation, and what that means here: an error, or an answer.
RULES: list[tuple[str, str, type[HubError]]] = [
    ("start-qr", "ACQ.TRADE_HAS_SUCCESS", Conflict),
    ("start-qr", "ACQ.TRADE_HAS_CLOSE", Conflict),
    ("start-qr", "ACQ.CONTEXT_INCONSISTENT", Conflict),
    ("start-qr", "ACQ.APPLY_PC_MERCHANT_CODE_ERROR", Conflict),
    ("start-qr", "ACQ.TOTAL_FEE_EXCEED", Rejected),
    ("start-qr", "ACQ.EXIST_FORBIDDEN_WORD", Rejected),
    ("refund", "ACQ.DISCORDANT_REPEAT_REQUEST", Conflict),
    ("refund", "ACQ.TRADE_NOT_EXIST", Rejected),
    ("refund", "ACQ.TRADE_HAS_CLOSE", Rejected),
    ("refund", "ACQ.TRADE_HAS_FINISHED", Rejected),
    ("refund", "ACQ.TRADE_STATUS_ERROR", Rejected),
    ("refund", "ACQ.REASON_TRADE_REFUND_FEE_ERR", Rejected),
    ("refund", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Rejected),
    ("refund", "ACQ.SELLER_BALANCE_NOT_ENOUGH", Rejected),
    ("refund", "ACQ.REASON_TRADE_BEEN_FREEZEN", Rejected),
    ("close", "ACQ.REASON_TRADE_BEEN_FREEZEN", Rejected),
]


@pytest.mark.parametrize(("operation", "code", "wanted"), RULES)
def test_each_rule_that_refuses(operation: str, code: str, wanted: type[HubError]) -> None:
    call, node, _writes = OPERATIONS[operation]
    error = raised(call, signed(node, refused(code, "不行")))
    assert isinstance(error, wanted) and code in error.message
    if isinstance(error, Conflict):
        assert error.existing == {"code": code}


def test_what_a_person_can_do_is_said() -> None:
    error = raised(CALLS["refund"], signed(GIVE_BACK, refused("ACQ.SELLER_BALANCE_NOT_ENOUGH", "余额不足")))
    assert "Top up the Alipay account" in error.message
    error = raised(CALLS["look"], signed(QUERY, refused("isv.invalid-timestamp", "非法的时间戳参数", "40002")))
    assert "clock" in error.message


@pytest.mark.parametrize("code", ["ACQ.TRADE_NOT_EXIST", "TRADE_NOT_EXIST"])
def test_a_trade_that_is_not_there(code: str) -> None:
    absent = refused(code, "交易不存在")
    assert CALLS["look"](alipay(signed(QUERY, absent))) == Observed(said.NUMBER, TradeStatus.ABSENT)
    assert CALLS["close"](alipay(signed(CLOSE, absent))) == Observed(said.NUMBER, TradeStatus.ABSENT)
    assert CALLS["look_refund"](alipay(signed(said.ASK_REFUND, absent))) is None


@pytest.mark.parametrize(
    "code",
    ["ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_ILLEGAL_STATUS", "ACQ.TRADE_HAS_SUCCESS",
     "ACQ.TRADE_HAS_CLOSE"],
)  # fmt: skip
def test_what_is_not_open_is_looked_at(code: str) -> None:
    seen = CALLS["close"](alipay(signed(CLOSE, refused(code, "不行")), signed(QUERY, said.TRADE)))
    assert (seen.status, seen.captured) == (TradeStatus.CAPTURED, said.TOTAL)


# --- what nothing proves ---

TRUE = {**said.OK, **said.OURS, "fund_change": "Y"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_without_a_signature_is_not_believed(operation: str) -> None:
    call, node, writes = OPERATIONS[operation]
    (_name, told), *_ = said.ANSWERS[operation]
    doubt = WRITTEN if writes else READ
    by_another = {node: told, "sign": said.signature(json.dumps(told).encode(), keyring.APP_KEY)}
    for answer in (
        {node: told},
        {node: told, "sign": ""},
        {node: told, "sign": None},
        {node: told, "sign": "wrong"},
        by_another,
        {**signed(node, told), node: {**told, "trade_no": "2026112222001400000000000002"}},
        {"other_response": told, "sign": signed(node, told)["sign"]},
        {"x": signed(node, told)},
        signed("error_response", told),  # an error that says 10000
        signed(node, [told]),
        [signed(node, told)],
        b"",
        b"\xff\xfe",
        json.dumps(signed(node, told)).encode() + b"x",
        b'{"%s":{"code":"10000"},' % node.encode() + json.dumps(signed(node, told)).encode()[1:],  # twice
    ):
        assert isinstance(raised(call, answer), doubt), answer


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refusal_without_a_signature_says_nothing_of_a_document(operation: str) -> None:
    call, node, writes = OPERATIONS[operation]
    for sub_code, code in (("ACQ.TRADE_NOT_EXIST", "40004"), ("isv.invalid-parameter", "40002"), ("", "40002"),
                           ("isv.app-call-limited", "40005"), ("ACQ.TRADE_HAS_CLOSE", "40004")):  # fmt: skip
        error = raised(call, {node: refused(sub_code, "不行", code)})
        assert isinstance(error, WRITTEN if writes else READ), error


@pytest.mark.parametrize("sub_code", ["isv.invalid-app-id", "isv.invalid-signature", "isv.missing-app-id"])
def test_before_it_knows_for_whom_to_sign_the_gateway_refuses_unsigned(sub_code: str) -> None:
    for node in (QUERY, "error_response"):
        error = raised(CALLS["look"], {node: refused(sub_code, "无效的AppID参数", "40002")})
        assert isinstance(error, Misconfigured) and sub_code in error.message


@pytest.mark.parametrize("status", [302, 400, 404, 409, 418])
def test_another_status_than_200_is_not_the_gateway(status: int) -> None:
    assert isinstance(raised(CALLS["refund"], Reply(status, {}, b"<html>")), Misconfigured)


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_gateway_that_fails_leaves_it_in_doubt(status: int) -> None:
    assert isinstance(raised(CALLS["refund"], Reply(status, {}, b"<html>")), OutcomeUnknown)
    assert isinstance(raised(CALLS["look"], Reply(status, {}, b"<html>")), TryAgain)


def test_what_is_signed_counts_whatever_its_status() -> None:
    body = json.dumps(signed(QUERY, said.TRADE), ensure_ascii=False).encode()
    assert CALLS["look"](alipay(Reply(500, {}, body))).status is TradeStatus.CAPTURED


# --- the raw characters, in the answer's own charset ---


def raw(node: str, text: str, charset: str = "utf-8") -> bytes:
    content = text.encode(charset)
    return b'{"%s":%s,"sign":"%s"}' % (node.encode(), content, said.signature(content).encode())


@pytest.mark.parametrize("charset", ["utf-8", "gbk", "gb18030"])
def test_an_answer_in_each_charset(charset: str) -> None:
    # 乗, 誠, 絓: their second byte in GBK is a backslash; a search in bytes would stumble over it.
    told = json.dumps({**refused("ACQ.EXIST_FORBIDDEN_WORD", "违禁词 乗誠絓\\ }{")}, ensure_ascii=False)
    error = raised(CALLS["start-qr"], raw(PRECREATE, told, charset))
    assert isinstance(error, Rejected) and "违禁词 乗誠絓\\ }{" in error.message


def test_spaces_order_and_escapes_stay_as_they_came() -> None:
    text = (
        '{"msg":"Success", "code" : "10000","qr_code":"https:\\/\\/qr.alipay.com\\/x",'
        f'"out_trade_no":"{said.NUMBER}", "sub":{{"sign":"}}"}}}}'
    )
    assert CALLS["start-qr"](alipay(raw(PRECREATE, text))) == Qr("https://qr.alipay.com/x")


def test_slashes_that_were_escaped_after_it_was_signed() -> None:
    plain = f'{{"code":"10000","out_trade_no":"{said.NUMBER}","qr_code":"https://qr.alipay.com/x"}}'
    body = raw(PRECREATE, plain).replace(b"/qr.alipay.com", b"\\/qr.alipay.com")
    assert CALLS["start-qr"](alipay(body)) == Qr("https://qr.alipay.com/x")


def test_amounts_that_come_as_numbers_lose_nothing() -> None:
    text = json.dumps(said.TRADE).replace('"88.80"', "88.80")
    assert CALLS["look"](alipay(raw(QUERY, text))).total == said.TOTAL


# --- certificates ---


def test_a_renewed_certificate_with_the_same_key_goes_on_and_health_says_so() -> None:
    answer = signed(QUERY, said.ABSENT, alipay_cert_sn="0123456789abcdef0123456789abcdef")
    (note,) = alipay(answer, settings=said.CERTIFICATE_MODE).health().notes
    assert "another certificate" in note and "0123456789abcdef" in note
    known = signed(QUERY, said.ABSENT, alipay_cert_sn=said.ALIPAY_SN)
    assert alipay(known, settings=said.CERTIFICATE_MODE).health().notes == ()


def test_another_key_under_another_certificate_is_not_believed_and_named() -> None:
    content = json.dumps(said.ABSENT, ensure_ascii=False).encode()
    answer = {
        QUERY: said.ABSENT, "sign": said.signature(content, keyring.APP_KEY), "alipay_cert_sn": "feedfeed",
    }  # fmt: skip
    with pytest.raises(TryAgain, match="another certificate .feedfeed"):
        alipay(answer, settings=said.CERTIFICATE_MODE).look(said.NUMBER)
    with pytest.raises(Misconfigured, match="another certificate .feedfeed"):
        alipay(answer, settings=said.CERTIFICATE_MODE).health()


# --- health ---

HEALTH: list[tuple[Any, str]] = [
    (signed(QUERY, refused("isv.invalid-signature", "无效签名", "40002")), "The private key is not that"),
    ({QUERY: refused("isv.invalid-app-id", "无效的AppID参数", "40002")}, "There is no such application"),
    (signed(QUERY, refused("isv.insufficient-isv-permissions", "ISV权限不足", "40006")), "Sign the product"),
    (signed(QUERY, refused("ACQ.ACCESS_FORBIDDEN", "无权限使用接口")), "Sign the product"),
    (signed(QUERY, refused("ACQ.INVALID_PARAMETER", "参数无效")), "参数无效"),
    ({QUERY: said.ABSENT, "sign": said.signature(b"x", keyring.APP_KEY)}, "public key"),
]


@pytest.mark.parametrize(("answer", "words"), HEALTH)
def test_what_is_wrong_with_an_account_is_said(answer: Any, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        alipay(answer).health()


WRONG: list[tuple[dict[str, str], str]] = [
    ({"methods": "page, app"}, "not app"),
    ({"seller_id": "12345"}, "2088 and twelve"),
    ({"private_key": "not a key"}, "private key cannot be read"),
    ({"private_key": keyring.ALIPAY_PUBLIC_KEY}, "private key cannot be read"),
    ({"alipay_public_key": "not a key"}, "public key cannot be read"),
    ({"alipay_public_key": ""}, "either Alipay's public key, or all three"),
    ({"app_certificate": "x"}, "either Alipay's public key, or all three"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_settings_that_cannot_be_are_named_before_any_call(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        alipay(**wrong).health()


# --- trades ---


@pytest.mark.parametrize(
    "money",
    [Money(Decimal("1.005"), "CNY"), Money(Decimal("0"), "CNY"), Money(Decimal("-1"), "CNY"),
     Money(Decimal("100000000.01"), "CNY"), Money(Decimal("NaN"), "CNY"), Money(Decimal("Infinity"), "CNY"),
     Money(Decimal("10.00"), "USD")],
    ids=str,
)  # fmt: skip
def test_money_that_alipay_cannot_move_is_refused_before_any_call(money: Money) -> None:
    for method in ("page", "wap", "qr"):
        assert isinstance(raised(lambda made, m=method: made.start(said.start(m, total=money))), Rejected)
    part = said.REFUND.__class__(said.KEY, said.NUMBER, money, said.TOTAL, "", "")
    assert isinstance(raised(lambda made: made.refund(part)), Rejected)


@pytest.mark.parametrize(("amount", "written"), [("1", "1.00"), ("1.5", "1.50"), ("0.01", "0.01"), ("1E+2", "100.00")])
def test_amounts_are_yuan_with_two_decimals(amount: str, written: str) -> None:
    made = alipay().start(said.start("page", total=Money(Decimal(amount), "CNY")))
    assert isinstance(made, Redirect) and f"%22total_amount%22%3A%22{written}%22" in made.url


def test_only_what_the_settings_name_is_offered() -> None:
    made = alipay(methods="qr")
    assert [method.code for method in made.methods()] == ["qr"]
    assert isinstance(raised(lambda it: it.start(said.start("page")), methods="qr"), Unsupported)
    assert [method.code for method in alipay(methods="").methods()] == ["page", "wap", "qr"]


def test_a_browser_is_sent_only_to_the_gateway() -> None:
    made = alipay(gateway="https://openapi-sandbox.dl.alipaydev.com/gateway.do")
    assert made.redirect_hosts() == {"openapi-sandbox.dl.alipaydev.com"}
    sent = made.start(said.start("wap"))
    assert isinstance(sent, Redirect) and sent.url.startswith("https://openapi-sandbox.dl.alipaydev.com/gateway.do?")


def test_the_product_of_qr_codes_is_the_one_signed() -> None:
    made = alipay(signed(*said.ANSWERS["start-qr"][0]), qr_product="FACE_TO_FACE_PAYMENT")
    made.start(said.start("qr"))
    asked = made.http.asked[0]  # type: ignore[attr-defined]
    assert b"FACE_TO_FACE_PAYMENT" in asked["body"]


def test_what_is_over_is_not_begun() -> None:
    assert isinstance(raised(lambda made: made.start(said.start("page", expires_at=NOON))), Rejected)


def test_long_titles_are_cut() -> None:
    made: list[Start] = [said.start("page", title="椅" * 300)]
    sent = alipay().start(made[0])
    assert isinstance(sent, Redirect) and sent.url.count("%E6%A4%85") == 256


def test_a_finished_trade_is_paid() -> None:
    seen = CALLS["look"](alipay(signed(QUERY, {**said.TRADE, "trade_status": "TRADE_FINISHED"})))
    assert (seen.status, seen.captured, seen.refunded) == (TradeStatus.CAPTURED, said.TOTAL, None)
    assert seen.paid_at == datetime(2026, 11, 22, 11, 58, 7, tzinfo=UTC)  # told in Beijing's time


ODD_TRADES: list[dict[str, Any]] = [
    {"out_trade_no": "ANOTHERNUMBER"}, {"trade_status": "TRADE_DANCING"}, {"total_amount": "88.801"},
    {"total_amount": "-1.00"}, {"total_amount": "1E+9"}, {"send_pay_date": "yesterday"}, {"trans_currency": "yuan"},
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_TRADES, ids=str)
def test_a_trade_that_cannot_be_is_not_understood(odd: dict[str, Any]) -> None:
    error = raised(CALLS["look"], signed(QUERY, {**said.TRADE, **odd}))
    assert isinstance(error, TryAgain) and "not as agreed" in error.message


def test_a_trade_in_another_currency_is_a_fact() -> None:
    seen = CALLS["look"](alipay(signed(QUERY, {**said.TRADE, "trans_currency": "USD"})))
    assert seen.total == seen.captured == Money(said.TOTAL.amount, "USD")


# --- refunds ---


@pytest.mark.parametrize(
    ("told", "status"),
    [("REFUND_SUCCESS", RefundStatus.DONE), ("REFUND_PROCESSING", RefundStatus.PENDING),
     ("REFUND_FAIL", RefundStatus.FAILED), ("", RefundStatus.PENDING)],
)  # fmt: skip
def test_how_a_refund_stands(told: str, status: RefundStatus) -> None:
    seen = CALLS["look_refund"](alipay(signed(said.ASK_REFUND, {**said.REFUNDED, "refund_status": told})))
    assert (seen.status, seen.amount) == (status, said.PART)


def test_another_refund_under_our_key_is_a_conflict() -> None:
    other = signed(said.ASK_REFUND, {**said.REFUNDED, "refund_amount": "30.00"})
    error = raised(CALLS["look_refund"], other)
    assert isinstance(error, Conflict) and error.existing == {"amount": "30.00"}
    unmoved = signed(GIVE_BACK, {**said.GIVEN_BACK, "fund_change": "N"})
    assert isinstance(raised(CALLS["refund"], unmoved, other), Conflict)


@pytest.mark.parametrize("change", [{}, {"fund_change": "N"}, {"fund_change": None}], ids=str)
def test_a_refund_that_moved_no_money_is_in_doubt_until_it_is_seen(change: dict[str, Any]) -> None:
    unmoved = signed(GIVE_BACK, {**said.without(said.GIVEN_BACK, "fund_change"), **change})
    nothing = signed(said.ASK_REFUND, said.OK)
    assert isinstance(raised(CALLS["refund"], unmoved, nothing), OutcomeUnknown)
    busy = signed(said.ASK_REFUND, refused("ACQ.SYSTEM_ERROR", "系统繁忙"))
    assert isinstance(raised(CALLS["refund"], unmoved, busy), OutcomeUnknown)
    seen = CALLS["refund"](alipay(unmoved, signed(said.ASK_REFUND, said.REFUNDED)))
    assert (seen.status, seen.amount) == (RefundStatus.DONE, said.PART)


# --- the contract's test of types, on answers that Alipay signed all the same ---


@pytest.mark.parametrize("name", [name for name, answers in said.ANSWERS.items() if answers])
def test_a_signed_answer_of_wrong_types_is_no_answer(name: str) -> None:
    answers = said.ANSWERS[name]
    for at, (node, told) in enumerate(answers):
        for where, reply in spoilt(Exchange({}, {"json": told})):
            ready: list[Any] = [signed(*each) for each in answers]
            ready[at] = signed(node, copy.deepcopy(reply["json"]))
            ready.append(signed(said.ASK_REFUND, said.REFUNDED))  # asked for where a refund says less than before
            try:
                value = CALLS[name](alipay(*ready))
            except HubError:
                continue
            assert ill_typed(value) == [], where
