"""What Alipay itself signed. Source: alipay/alipay-sdk-nodejs-all (MIT) at e1676390871e, test/alipay.test.ts,
test/antcertutil.test.ts and test/fixtures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from integrations.hub.errors import Forged
from integrations.hub.testing.contract import NOON
from integrations.hub.values import Inbound
from integrations.payments.alipay import keys, notices, replies
from integrations.payments.alipay.replies import Proof
from integrations.payments.providers.alipay import Alipay
from tests.connectors.payments.alipay import keyring, said

V1 = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqObrdC7hrgAVM98tK0nv3hSQRGGKT4lBsQjHiGjeYZjOPIPHR5knm2jnnz/YGIXIof"
    "VHkA/tAlBAd5DrY7YpvI4tP5EONLtZKC2ghBMx7McI2wRD0xiqzxOQr1FuhZGJ8/AUokBzJrzY+aGX2xcOrxFYRlFilvVLTXg4LWjR1tdPkO6+"
    "i7wQZAIVMClPkwVRZEbaERRHlKqTzv2gGv5rDU8gRoe1LeaN+6BlbTqHWkQcNCUNrA8C6l17XAXGKDsm/9TFWwO8EPHHHCaQdjtV5/FdcWIt+L"
    "8SR1ss7EXTjYDFtxcKVv9rEoY1lX8T4mX+GbXfZHraG5NCF1+XioL5JwIDAQAB"
)
V2 = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAk6DCsBIUhWriFohzRV8Fic6oQWNnLKKILNk97VU5qcHEuxYzCujKoyva5gy1170mFJ"
    "w4IcgJF8AyS7iDUwzAwF4Pp9CpWxDhUhe7mdQJhjBmvTcPLGFFrzlj6unO5lAcbdwaxPUtSxOaNxPJGrTK/wnKQSbjTMMltp1J68q2Tfgrsn/N"
    "dZ6lrxO9rvmky8kowqaH5NjntyHO59jCGabMj5sI14z8N61wB/QuIJrDuzIPMPrSNbq0cOWcSCDG09oUHTp9fk7suDB8UiFcmVTXOvK3d4HbeX"
    "8V9YsEMxrwxEoYgRRj6K2qrC6oxw480cqf2ueumCmHg6xrcgkyXK81hwIDAQAB"
)
SYNC = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAk7LzhmMa2c4qQd4fqAqenfbuFoA7stPKvoS1LrZEsVnOOGUUjwoa1oU9xsSPjcOWhI"
    "erU/VAN4J95GIAXx59ipcleIyfLn2FhHXPgLJpvo+b2jJFyn/1/DbeJDh+0yDVAOf50Z7HhI0mdUhFMkXlT7BU0ZMtJf/TmISFEfhDU/w6qFd6"
    "D42L97byAkq0K6LroglSVF24GqJEa7hSeUIkZWj7RasykXrc2uVJ1+ejkXE0LyPxa2AHykMGbJLf5SiZvaNzUZgnKIR36mLOHpQ/2JCXxhXZYU"
    "WHzy0kMH54JcUEeksFWBYLGvLjV1phbcUIc3Q76tIuqApY6E222OoZZQIDAQAB"
)
TRADE: dict[str, str] = {
    "gmt_create": "2019-08-15 15:56:22",
    "charset": "utf-8",
    "seller_email": "z97-yuquerevenue@service.aliyun.com",
    "subject": "语雀空间 500人规模",
    "sign": (
        "QfTb8tqE1BMhS5qAnXtvsF3/jBkEvu9q9en0pdbBUDDjvKycZhQb7h8GDs4FKfi049PynaNuatxSgLb/nLWZpXyyh0LEWdK2S6Ri"
        "7nPwrVgOs08zugLO20vOQz44y3ti2Ncm8/wZts1Fr2gZ7pShnVX3d1B50hbsXnObT1r/U8ONNQjWXd0HIul4TG+Q3fm3svmSvFEy"
        "0WnzuhcyHPX5Gm4ELNctL6Qd5YniGJFNcc7kopHYtI/XD9YCKCH6Ct02rzUs9i11C9CsadtZn+WhxF26Dqt9sGEFajkJ8cxUTLi8"
        "+VCpLHsgPE8P0y095uQcDdK0YjCh4x7wVSov+lrmOQ=="
    ),
    "buyer_id": "2088102534368455",
    "invoice_amount": "0.10",
    "notify_id": "2019081500222155624068450559358070",
    "notify_type": "trade_status_sync",
    "trade_status": "TRADE_SUCCESS",
    "receipt_amount": "0.10",
    "buyer_pay_amount": "0.10",
    "sign_type": "RSA2",
    "app_id": "2019073166072302",
    "seller_id": "2088531891668739",
    "gmt_payment": "2019-08-15 15:56:24",
    "notify_time": "2019-08-15 15:56:25",
    "version": "1.0",
    "out_trade_no": "20190815155618536-564-57",
    "total_amount": "0.10",
    "trade_no": "2019081522001468450512505578",
    "auth_app_id": "2019073166072302",
    "buyer_logon_id": "xud***@126.com",
    "point_amount": "0.00",
    "fund_bill_list": '[{"amount":"0.10","fundChannel":"ALIPAYACCOUNT"}]',
}
OTHERS: dict[str, str] = {
    "app_id": "2018121762595097",
    "auth_app_id": "2018121762595097",
    "buyer_id": "2088512613526436",
    "buyer_logon_id": "152****6706",
    "buyer_pay_amount": "0.01",
    "charset": "utf-8",
    "gmt_create": "2019-05-23 14:13:56",
    "gmt_payment": "2019-05-23 14:17:13",
    "invoice_amount": "0.01",
    "notify_id": "2019052300222141714026431019971405",
    "notify_time": "2019-05-23 14:17:14",
    "notify_type": "trade_status_sync",
    "out_trade_no": "tpxy23962362669658",
    "point_amount": "0.00",
    "receipt_amount": "0.01",
    "seller_email": "myapp@alitest.com",
    "seller_id": "2088331578818800",
    "sign": (
        "T946S2qyNFAXLhAaRgNMmatxH6SO3MyWYFnTamQOgW1iAcheL/Zz+VoizwvEc6mTEwYewvvKS1wNkMQ1oEajMUHv9+cXQ9IFvU/q"
        "KS9Ktvw5xHvCaK0fj7LsVcQ7VxfyT3kSvXUDfKDP4cHSPuSZKwM2ybkzr53bIH9OUTpTQd2d3J0rbdf76OoUt+XF9vwqj7OVE7AG"
        "jH2HPWp842DgL/YVy4qeA9N2uFKRevT3YUskjaRxuI/E66reNjTMFhbjEqGLKvMcDD4BaQXnibq9ojAj60589fBwzKk3yWsVQmqG"
        "fksMQoheVMtZ3lAw4o2ty3TFngbVFFLwgx8FDpBZ9Q=="
    ),
    "sign_type": "RSA2",
    "subject": "tpxy2222896485",
    "total_amount": "0.01",
    "trade_no": "111111112019052322001426431037869358",
    "trade_status": "TRADE_SUCCESS",
    "version": "1.0",
    "fund_bill_list": '[{"amount":"0.01","fundChannel":"PCREDIT"}]',
}
MESSAGE: dict[str, str] = {
    "app_id": "2017122801303261",
    "charset": "UTF-8",
    "commodity_order_id": "2019030800000018079639",
    "contactor": "技术支持测试的公司",
    "merchant_pid": "2088721996721370",
    "method": "alipay.open.servicemarket.order.notify",
    "name": "技术支持测试的公司",
    "notify_id": "2019030800222102023008121054923345",
    "notify_time": "2019-03-08 10:20:23",
    "notify_type": "servicemarket_order_notify",
    "order_item_num": "1",
    "order_ticket": "29b1c37d99ab48c5bd5bdaeaeaefbB37",
    "order_time": "2019-03-08 10:20:08",
    "phone": "17826894615",
    "service_code": "58621634",
    "sign": (
        "MsK5SCw8oqLw4f0hiNSd5OVGXxBY3wnQeT8vn5PklJSZFWSZbK4hQbNvkp4ZezeXQH514cEv0ul6Qow8yh6e6yM06LfEL+EZjcpZ"
        "0nxzFGRNQ5qq2AUc1OaXQdk92AGvxh+Iq4NGpPQFBd4D8EBJa3NJd8+czMfQskceosOQFqUtLQMYa5DPs+VpN7VM5BdXjaVIuKn5"
        "d9Wm2B9dI9ObIM+YRySDkZZPv14DVmUvcrcqJfOR8aHvtSd7B4l92wUQPQgQKNcOQho7xOHS/Bk+Y74AZL2y7TkNmdDoq9OGsThu"
        "F5tDW9rI9nVwXxOtsuB+bstra+W7aw9x9DvkKgdSRw=="
    ),
    "sign_type": "RSA2",
    "timestamp": "2019-03-08 10:20:23",
    "title": "麦禾商城模版",
    "total_price": "0.00",
    "version": "1.0",
}
UPLOADED = '{"code":"10000","msg":"Success","file_id":"CAxAToWB1JsAAAAAAAAAAAAADgSLAQBr"}'
UPLOAD_SIGN = (
    "F+LDzpTNiavn7xVZPGuPCSSVRSmWzJGgtuji6tVELGEaqMaNj0jRKXUEr5nloZJBBmwEnddOyCjjepMmrTKTvoOqQ0Efxpr/R1iEeHTHVbb/Q8"
    "TTh6Up5gHJDkILdaWS2q1cWeQ6VT+HQY9P3WRXS7uhILHuDODIhpAyCu5KhWGt0rMCIG+Im6NODJP2oohtSCtmTFXg58HH587Z2y2bdbjzOxLv"
    "zD9IrU1imghXQ2S/Q+wMIvRk9on6cWnBLkrNvJKapA2ReNGWOwyuASvB9zDVzhMPbR+3mfRGkVDxsq5HYLjBKGskJMXHw0HuugZij6ScRuaLPO"
    "DhmHwr/pJ9yw=="
)


def heard(key: str, fields: Mapping[str, str], **settings: str) -> str:
    """The event that `verify` takes it for; raises Forged."""
    body = said.form({name: value.encode() for name, value in fields.items()}).encode()
    wanted = {"app_id": fields["app_id"], "private_key": keyring.APP_KEY, "alipay_public_key": key, **settings}
    return Alipay(wanted, None, lambda: NOON).verify(Inbound({}, body)).event  # type: ignore[arg-type]


def test_a_notice_of_a_trade_is_signed_without_sign_type() -> None:
    assert heard(V1, TRADE) == TRADE["notify_id"]
    assert heard(V1, TRADE, seller_id="2088531891668739") == TRADE["notify_id"]
    assert heard(V1, said.without(TRADE, "sign_type")) == TRADE["notify_id"]


def test_what_it_says_is_a_hint_without_the_buyer() -> None:
    body = said.form({name: value.encode() for name, value in TRADE.items()}).encode()
    (hint,) = notices.hints(body)
    assert (hint.kind, hint.key) == ("trade", "20190815155618536-564-57")
    assert hint.facts == {"remote": "2019081522001468450512505578", "status": "TRADE_SUCCESS", "total": "0.10"}


def test_a_message_of_the_platform_is_signed_with_sign_type() -> None:
    assert heard(V2, MESSAGE) == MESSAGE["notify_id"]
    body = said.form({name: value.encode() for name, value in MESSAGE.items()}).encode()
    assert list(notices.hints(body)) == []


REFUSED: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "signed by another key": (V1, OTHERS, {}),
    "a trade, by the other key": (V2, TRADE, {}),
    "its amount changed": (V1, {**TRADE, "total_amount": "0.01"}, {}),
    "its number changed": (V1, {**TRADE, "out_trade_no": "20190815155618536-564-58"}, {}),
    "a field more": (V1, {**TRADE, "refund_fee": "0.10"}, {}),
    "a field less": (V1, said.without(TRADE, "point_amount"), {}),
    "no signature": (V1, said.without(TRADE, "sign"), {}),
    "SHA1": (V1, {**TRADE, "sign_type": "RSA"}, {}),
    "another application's": (V1, TRADE, {"app_id": "2019073166072303"}),
    "another seller's": (V1, TRADE, {"seller_id": "2088531891668730"}),
    "a message, its code changed": (V2, {**MESSAGE, "service_code": "58621634111"}, {}),
    # The Node library takes it, since it adds what is missing. A message that says less than was signed is not taken.
    "a message without sign_type": (V2, said.without(MESSAGE, "sign_type"), {}),
    "a message that calls itself a trade": (V2, {**MESSAGE, "notify_type": "trade_status_sync"}, {}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_alipay_did_not_sign_so_is_refused(why: str) -> None:
    key, fields, settings = REFUSED[why]
    with pytest.raises(Forged):
        heard(key, fields, **settings)


def test_an_answer_is_checked_as_it_stands() -> None:
    node, key = "alipay_open_file_upload_response", keys.alipay_key({"alipay_public_key": SYNC})
    body = f'{{"{node}":{UPLOADED},"sign":"{UPLOAD_SIGN}"}}'
    said_ = replies.read(body.encode(), node, key)
    assert said_ and (said_.proof, said_.told["file_id"]) == (Proof.SIGNED, "CAxAToWB1JsAAAAAAAAAAAAADgSLAQBr")
    for other in (
        body.replace(UPLOAD_SIGN, "wrong-sing"),
        body.replace('"code":', '"code": '),
        body.replace("QBr", "QBs"),
    ):
        changed = replies.read(other.encode(), node, key)
        assert changed and changed.proof is Proof.WRONG
    spaced = body.replace('":{', '" : {').replace(',"sign":', ' , "sign" :')  # around it nothing is signed
    outside = replies.read(f" {spaced}\n".encode(), node, key)
    assert outside and outside.proof is Proof.SIGNED


# Issuer and serial number of real certificates, and the number that Alipay gives them. The two of the root file's four
# that RSA signed; its others are EC (not well-formed DER, so that no library may be asked) and SM2.
CERTIFICATES = {
    "687b59193f3f462dd5336e5abf83c5d8":
        ("CN=Ant Financial Certification Authority R1,OU=Certification Authority,O=Ant Financial,C=CN",
         2292228364100439313),
    "02941eef3187dddf3d3b83462e1dfcf6":
        ("CN=iTrusChina Class 2 Root CA - G3,OU=China Trust Network,O=iTrusChina,C=CN",
         95790491425698859646659490580052089075020051350),
    "866efef280dec9137a87d047ac446315":
        ("CN=Ant Financial Certification Authority Class 1 R1,OU=Certification Authority,O=Ant Financial,C=CN",
         42701552708448241360226107228231049510),
}  # fmt: skip


@pytest.mark.parametrize("number", CERTIFICATES)
def test_the_rule_of_certificates_numbers(number: str) -> None:
    class Certificate:
        class issuer:
            @staticmethod
            def rfc4514_string() -> str:
                return CERTIFICATES[number][0]

        serial_number = CERTIFICATES[number][1]

    found: Any = Certificate
    assert keys.serial(found) == number
    assert hashlib.md5("".join(map(str, CERTIFICATES[number])).encode(), usedforsecurity=False).hexdigest() == number
