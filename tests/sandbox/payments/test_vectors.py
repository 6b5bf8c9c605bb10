"""Published vectors against the gateways' own signing. Typed in from the sources named beside each."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key

from integrations.sandbox.payments import signing
from integrations.sandbox.payments.keys import serial

# alipay/alipay-sdk-nodejs-all@e1676390871e test/alipay.test.ts (MIT): notices that Alipay signed.

ALIPAY_1 = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqObrdC7hrgAVM98tK0nv3hSQRGGKT4lBsQjHiGjeYZjOPIPHR5knm2jn"
    "nz/YGIXIofVHkA/tAlBAd5DrY7YpvI4tP5EONLtZKC2ghBMx7McI2wRD0xiqzxOQr1FuhZGJ8/AUokBzJrzY+aGX2xcOrxFYRlFi"
    "lvVLTXg4LWjR1tdPkO6+i7wQZAIVMClPkwVRZEbaERRHlKqTzv2gGv5rDU8gRoe1LeaN+6BlbTqHWkQcNCUNrA8C6l17XAXGKDsm"
    "/9TFWwO8EPHHHCaQdjtV5/FdcWIt+L8SR1ss7EXTjYDFtxcKVv9rEoY1lX8T4mX+GbXfZHraG5NCF1+XioL5JwIDAQAB"
)

ALIPAY_2 = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAk6DCsBIUhWriFohzRV8Fic6oQWNnLKKILNk97VU5qcHEuxYzCujKoyva"
    "5gy1170mFJw4IcgJF8AyS7iDUwzAwF4Pp9CpWxDhUhe7mdQJhjBmvTcPLGFFrzlj6unO5lAcbdwaxPUtSxOaNxPJGrTK/wnKQSbj"
    "TMMltp1J68q2Tfgrsn/NdZ6lrxO9rvmky8kowqaH5NjntyHO59jCGabMj5sI14z8N61wB/QuIJrDuzIPMPrSNbq0cOWcSCDG09oU"
    "HTp9fk7suDB8UiFcmVTXOvK3d4HbeX8V9YsEMxrwxEoYgRRj6K2qrC6oxw480cqf2ueumCmHg6xrcgkyXK81hwIDAQAB"
)

ALIPAY_3 = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAk7LzhmMa2c4qQd4fqAqenfbuFoA7stPKvoS1LrZEsVnOOGUUjwoa1oU9"
    "xsSPjcOWhIerU/VAN4J95GIAXx59ipcleIyfLn2FhHXPgLJpvo+b2jJFyn/1/DbeJDh+0yDVAOf50Z7HhI0mdUhFMkXlT7BU0ZMt"
    "Jf/TmISFEfhDU/w6qFd6D42L97byAkq0K6LroglSVF24GqJEa7hSeUIkZWj7RasykXrc2uVJ1+ejkXE0LyPxa2AHykMGbJLf5SiZ"
    "vaNzUZgnKIR36mLOHpQ/2JCXxhXZYUWHzy0kMH54JcUEeksFWBYLGvLjV1phbcUIc3Q76tIuqApY6E222OoZZQIDAQAB"
)

PAID = {
    "gmt_create": "2019-08-15 15:56:22",
    "charset": "utf-8",
    "seller_email": "z97-yuquerevenue@service.aliyun.com",
    "subject": "语雀空间 500人规模",
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

PAID_SIGN = (
    "QfTb8tqE1BMhS5qAnXtvsF3/jBkEvu9q9en0pdbBUDDjvKycZhQb7h8GDs4FKfi049PynaNuatxSgLb/nLWZpXyyh0LEWdK2S6Ri"
    "7nPwrVgOs08zugLO20vOQz44y3ti2Ncm8/wZts1Fr2gZ7pShnVX3d1B50hbsXnObT1r/U8ONNQjWXd0HIul4TG+Q3fm3svmSvFEy"
    "0WnzuhcyHPX5Gm4ELNctL6Qd5YniGJFNcc7kopHYtI/XD9YCKCH6Ct02rzUs9i11C9CsadtZn+WhxF26Dqt9sGEFajkJ8cxUTLi8"
    "+VCpLHsgPE8P0y095uQcDdK0YjCh4x7wVSov+lrmOQ=="
)

MESSAGE = {
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
    "sign_type": "RSA2",
    "timestamp": "2019-03-08 10:20:23",
    "title": "麦禾商城模版",
    "total_price": "0.00",
    "version": "1.0",
}

MESSAGE_SIGN = (
    "MsK5SCw8oqLw4f0hiNSd5OVGXxBY3wnQeT8vn5PklJSZFWSZbK4hQbNvkp4ZezeXQH514cEv0ul6Qow8yh6e6yM06LfEL+EZjcpZ"
    "0nxzFGRNQ5qq2AUc1OaXQdk92AGvxh+Iq4NGpPQFBd4D8EBJa3NJd8+czMfQskceosOQFqUtLQMYa5DPs+VpN7VM5BdXjaVIuKn5"
    "d9Wm2B9dI9ObIM+YRySDkZZPv14DVmUvcrcqJfOR8aHvtSd7B4l92wUQPQgQKNcOQho7xOHS/Bk+Y74AZL2y7TkNmdDoq9OGsThu"
    "F5tDW9rI9nVwXxOtsuB+bstra+W7aw9x9DvkKgdSRw=="
)

UPLOADED = '{"code":"10000","msg":"Success","file_id":"CAxAToWB1JsAAAAAAAAAAAAADgSLAQBr"}'

UPLOADED_SIGN = (
    "F+LDzpTNiavn7xVZPGuPCSSVRSmWzJGgtuji6tVELGEaqMaNj0jRKXUEr5nloZJBBmwEnddOyCjjepMmrTKTvoOqQ0Efxpr/R1iE"
    "eHTHVbb/Q8TTh6Up5gHJDkILdaWS2q1cWeQ6VT+HQY9P3WRXS7uhILHuDODIhpAyCu5KhWGt0rMCIG+Im6NODJP2oohtSCtmTFXg"
    "58HH587Z2y2bdbjzOxLvzD9IrU1imghXQ2S/Q+wMIvRk9on6cWnBLkrNvJKapA2ReNGWOwyuASvB9zDVzhMPbR+3mfRGkVDxsq5H"
    "YLjBKGskJMXHw0HuugZij6ScRuaLPODhmHwr/pJ9yw=="
)

# wechatpay-apiv3/wechatpay-go@6dbd7ce2ec59 (Apache-2.0): core/auth/signers, core/auth/credentials, utils/aes_test.go,
# core/notify/notify_test.go; wechatpay-java@1dab7bec7179 WechatPay2CredentialTest. The key is a published test key.

TEST_KEY = (
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDZUJN33V+dSfvdfL0Mu+39XrZNXFFMQSy1V15FpncHeV47SmV0"
    "TzTqZc7hHB0ddqAdDi8Z5k3TKqb76sOwYr5TcAfuR6PIPaleyE0/0KrljBum2Isa2Nyq7Dgc3ElBQ6YN4l/a+DpvKaz1FSKmKrhL"
    "NskqokWVSlu4g8OlKlbPXQ9ibII14MZRQrrkTmHYHzfi7GXXM0thAKuR0HNvyhTHBh4/lrYM3GaMvmWwkwvsMavnOex6+eioZHBO"
    "b1/EIZ/LzC6zuHArPpyW3daGaZ1rtQB1vVzTyERAVVFsXXgBHvfFud3w3ShsJYk8JvMwK2RpJ5/gV0QSARcmLDRUAlPzAgMBAAEC"
    "ggEBAMc7rDeUaXiWv6bMGbZ3BTXpg1FhdddnWUnYE8HfX/kmOFI7XtBHXcgYFpcjYz4D5787pcsk7ezPidAj58zqenuclmjKnUmT"
    "3pfbI5eCA2v4C9HnbYDrmUPK1ZcADtka4D6ScDccpNYNa1g2TFHzkIrEa6H+q7S3O2fqxY/DRVtN0JIXalBb8daaqL5QVzSmM2BM"
    "VnHy+YITJWIkP2a3pKs9C0W65JGDsnG0wVrHinHF+cnhFZIbaPEI//DAFMc9NkrWOKVRTEgcCUxCFaHOZVNxDWZD7A2ZfJB2rK6e"
    "g//ygEiFDR2h6mTaDowMB4YF2n2dsIO4/dCG8vPHI20jn4ECgYEA/ZGu6lEMlO0XZnamAZGtiNgLcCfM/C2ZERZE7QTRPZH1WdK9"
    "2Al9ndldsswFw4baJrJLCmghjF/iG4zihhBvLnOLksnZUfjdumxoHDWXo2QBWbI5QsWIE7AuTiWgWj1I7X4fCXSQf6i+M/y26Tog"
    "Q7d0ANpZFyOkTNMn/tiJvLECgYEA22XqlamG/yfAGWery5KNH2DGlTIyd6xJWtJ9j3jU99lZ0bCQ5xhiBbU9ImxCi3zgTsoqLWgA"
    "/p00HhNFNoUcTl9ofc0G3zwTD1y0ZzcnVKxGJdZ6ohW52V0hJStAigtjYAsUgjm7//FH7PiQDBDP1Wa6xSRkDQU/aSbQxvEE8+MC"
    "gYEA3bb8krW7opyM0XL9RHH0oqsFlVO30Oit5lrqebS0oHl3Zsr2ZGgoBlWBsEzk3UqUhTFwm/DhJLTSJ/TQPRkxnhQ5/mewNhS9"
    "C7yua7wQkzVmWN+VYeUGTvDGDF6qDz12/vJAgSwDDRym8x4NcXD5tTw7mmNRcwIfL22SkysThIECgYAVBgccoEoXWS/HP2/u6fQr"
    "9ZIR6eV8Ij5FPbZacTG3LlS1Cz5XZra95UgebFFUHHtCEY1JHJY7z8SWvTH8r3Su7eWNaIAoFBGffzqqSVazfm6aYZsOvRY6BfqP"
    "HT3p/H1hTq6AbBffxrcltgvXnCTORjHPglU0CjSxVs7awW3AEQKBgB5WtaC8VLROM7rkfVIq+RXqE5vtJfa3e3N7W3RqxKp4zHFA"
    "Pfr82FK5CX2bppEaxY7SEZVvVInKDc5gKdG/jWNRBmvvftZhY59PILHO2X5vO4FXh7suEjy6VIh0gsnK36mmRboYIBGsNuDHjXLe"
    "BDa+8mDLkWu5nHEhOxy2JJZl"
)

SOURCE_SIGN = (
    "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoVz+pp4hAm6pHU4ld815U4j"
    "sKu1RkyaII+1CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyvD1vfpxrMT4SL536GLwvpUHlCqIMzoZUguLli/K8V29QiOhuH6I"
    "EqLNJn8e9b3nwNcQ7be3CzYGpDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51qMN/RAJbknXG23bSlObuTCN7Ndj1aJGH6/L+"
    "hdwfLpUtJm4QYVazzW7DFD27EpSQEqA8bX9+8m1rLg=="
)

CERTIFICATE = (
    "MIIDVzCCAj+gAwIBAgIJANfOWdH1ItcBMA0GCSqGSIb3DQEBCwUAMEIxCzAJBgNVBAYTAlhYMRUwEwYDVQQHDAxEZWZhdWx0IENp"
    "dHkxHDAaBgNVBAoME0RlZmF1bHQgQ29tcGFueSBMdGQwHhcNMjEwNDI3MDg1NTIzWhcNMzEwNDI1MDg1NTIzWjBCMQswCQYDVQQG"
    "EwJYWDEVMBMGA1UEBwwMRGVmYXVsdCBDaXR5MRwwGgYDVQQKDBNEZWZhdWx0IENvbXBhbnkgTHRkMIIBIjANBgkqhkiG9w0BAQEF"
    "AAOCAQ8AMIIBCgKCAQEA2VCTd91fnUn73Xy9DLvt/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXagHQ4vGeZN0yqm++rD"
    "sGK+U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOmDeJf2vg6byms9RUipiq4SzbJKqJFlUpbuIPDpSpWz10PYmyCNeDG"
    "UUK65E5h2B834uxl1zNLYQCrkdBzb8oUxwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGfy8wus7hwKz6clt3Whmmda7UA"
    "db1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtkaSef4FdEEgEXJiw0VAJT8wIDAQABo1AwTjAdBgNVHQ4EFgQUT1c7nd/SUO76"
    "HSoZumNUJv1R5PwwHwYDVR0jBBgwFoAUT1c7nd/SUO76HSoZumNUJv1R5PwwDAYDVR0TBAUwAwEB/zANBgkqhkiG9w0BAQsFAAOC"
    "AQEAfTjxKRQMzNB/U6ZoCUS+BSNfa2Oh0plMN6ZuzwiVVZwg1jywvv5yv04koS7Pd4i9E4gt9ZBUQXlpq+A3oOCEEHNRR6b2kyaz"
    "GRM7s0OP5X21WrbpSmKmU6K7hkfx30yYs08LVs/Q8DIhvaj1FCFeJzUCzYn/fHMq4tsbKO0dKAeydPM/nrUZBmaYQVKMVOORGLFj"
    "FKVO7JV6Kq/R86ouhjEPgJOe2xulNBUcjicqtZlBdEh/PWCYP2SpGVDclKm8jeo175T3EVAkdKzzmfpxtMmnMlmqcTJOU9TxuGvN"
    "ASMtjj7pYIerTx+xgZDXEVBWFW9PjJ0TV06tCRsgSHItgg=="
)

NOTICE_SIGN = (
    "tJHIiIS9eB2hAYstmAmbbD3ZE5LiIm/Ug5tuL4fC0YOFRWIHV39UFIZXC0e9Wl6lBu6sKvkqDkzpqzBsVHyXFlbYZTOQrVdG4b6L"
    "fTnK4mikv9++ixJMd3vTf2yCqvBkh98zs3Ds5zsYQakzbcwhmw4fMJs4nPLws28H0UW9FjDR//rxELLwXvV1VEA1IBLX70xptjL8"
    "hrfUjEE8kkry6yNJTHZRU8CAc7qHli2Ng1V1qb9ARbK8A3ThmFmPQvRGrapI/jS2laKKgYUmfdEdkNO6B2Cke5e8VTxY406ArAmQ"
    "90GAihDwIcb16TQMnzCMBoutnwZKNiKRACrFmtxw2Q=="
)

NOTICE = (
    '{"id":"3119dfba-e649-5eec-ab1e-3412bc4d2e17","create_time":"2021-06-24T16:37:26+08:00","resource_typ'
    'e":"encrypt-resource","event_type":"PAYSCORE.USER_OPEN_SERVICE","summary":"签约成功","resource":{"origin'
    'al_type":"payscore","algorithm":"AEAD_AES_256_GCM","ciphertext":"YDS3lKPaC4Y52Gf3uhft5qUBlIa8b428AWT'
    "tTauHQfQrRw+X1WpiuHIDy0vo1Vd6VEq67aVyqPdDYMkRVSDaZL3iZttevRMOoPKMifozg6XPWjIZumks/GpT48lI4NizyeaqLBo"
    "kNebthah3o1H76qSlO9NkDjp9bzmKLEYYH9TEklFUpsvPqOTOcgSLgh21YJXYR7dEBXFgRLiNIKRgO5JdXh1hccRUAlyVWxE54PX"
    'pnQ==","associated_data":"payscore","nonce":"Kj7QIyUiYx1q"}}'
)

OPENED = (
    '{"mchid":"1234567890","appid":"054aa7d7a2a54ab5898df65bd96f001c","create_time":"2020-06-30T12:12:00+'
    '08:00","out_contract_code":"21640bdbd08e473e828f3206a2741c6e"}'
)

REQUESTS = [
    (
        "GET",
        "/v3/certificates",
        "1624523846",
        "A1B2C3D4E5F6G7",
        "",
        "GET\n/v3/certificates\n1624523846\nA1B2C3D4E5F6G7\n\n",
    ),
    (
        "POST",
        "/v3/certificates",
        "1624523846",
        "A1B2C3D4E5F6G7",
        "Hello World!\n",
        "POST\n/v3/certificates\n1624523846\nA1B2C3D4E5F6G7\nHello World!\n\n",
    ),
    (
        "GET",
        "/v3/pay/transactions/id/1217752501201407033233368018?mchid=1230000109",
        "1652750623",
        "eBYqCOxa0QudMnPvVilkTzOg3gHh5Z3u",
        "",
        "GET\n/v3/pay/transactions/id/1217752501201407033233368018?mchid=1230000109\n1652750623\neBYqCOxa0QudMnPvVilkTzOg3gHh5Z3u\n\n",
    ),
]


def test_notices_of_trades_are_signed_without_their_sign_type() -> None:
    content = signing.alipay_content(PAID, ("sign", "sign_type"))
    assert signing.is_signed(_public(ALIPAY_1), content.encode(), PAID_SIGN)
    assert not signing.is_signed(_public(ALIPAY_1), signing.alipay_content(PAID).encode(), PAID_SIGN)
    changed = signing.alipay_content(PAID | {"total_amount": "0.11"}, ("sign", "sign_type"))
    assert not signing.is_signed(_public(ALIPAY_1), changed.encode(), PAID_SIGN)


def test_open_platform_messages_are_signed_with_it() -> None:
    assert signing.is_signed(_public(ALIPAY_2), signing.alipay_content(MESSAGE).encode(), MESSAGE_SIGN)
    without = signing.alipay_content(MESSAGE, ("sign", "sign_type"))
    assert not signing.is_signed(_public(ALIPAY_2), without.encode(), MESSAGE_SIGN)


def test_replies_are_signed_over_their_raw_text() -> None:
    """And ours put that very text into the body."""
    assert signing.is_signed(_public(ALIPAY_3), UPLOADED.encode(), UPLOADED_SIGN)
    assert not signing.is_signed(_public(ALIPAY_3), UPLOADED.encode(), "wrong-sing")
    body = signing.alipay_reply("x_response", {"code": "10000", "url": "https://a/b", "who": "椅子"}, _test_key())
    raw = body[len(b'{"x_response":') : body.rindex(b',"sign"')]
    assert raw == r'{"code":"10000","url":"https:\/\/a\/b","who":"椅子"}'.encode()
    assert signing.is_signed(_test_key().public_key(), raw, json.loads(body)["sign"])


def test_wechat_pay_signs_as_published() -> None:
    assert signing.sign(_test_key(), b"source") == SOURCE_SIGN
    assert signing.is_signed(_test_key().public_key(), b"source", SOURCE_SIGN)


@pytest.mark.parametrize(("method", "target", "timestamp", "nonce", "body", "message"), REQUESTS)
def test_what_is_signed_of_a_request(
    method: str, target: str, timestamp: str, nonce: str, body: str, message: str
) -> None:
    assert signing.wechat_request(method, target, timestamp, nonce, body) == message.encode()


def test_sealing() -> None:
    sealed, nonce, associated = (
        "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC",
        "wCq51qZv4Yfg",
        "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8",
    )
    assert signing.unseal("testAPIv3Key0000", sealed, nonce, associated) == "Hello World"
    assert signing.seal("testAPIv3Key0000", "Hello World", nonce, associated) == sealed
    with pytest.raises(InvalidTag):
        signing.unseal("testAPIv3Key0000", sealed, nonce, "other")


def test_a_published_notice() -> None:
    pem = f"-----BEGIN CERTIFICATE-----\n{CERTIFICATE}\n-----END CERTIFICATE-----\n"
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    assert isinstance(key, RSAPublicKey) and serial(pem) == "D7CE59D1F522D701"
    message = signing.wechat_message("1624523846", "EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz", NOTICE)
    assert signing.is_signed(key, message, NOTICE_SIGN) and not signing.is_signed(key, message + b" ", NOTICE_SIGN)
    resource = json.loads(NOTICE)["resource"]
    opened = signing.unseal("testMchAPIv3Key0", resource["ciphertext"], resource["nonce"], resource["associated_data"])
    assert json.loads(opened) == json.loads(OPENED)


def _public(text: str) -> RSAPublicKey:
    key = load_der_public_key(base64.b64decode(text))
    assert isinstance(key, RSAPublicKey)
    return key


def _test_key() -> RSAPrivateKey:
    pem = f"-----BEGIN {'PRIVATE'} KEY-----\n{TEST_KEY}\n-----END {'PRIVATE'} KEY-----\n"
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key
