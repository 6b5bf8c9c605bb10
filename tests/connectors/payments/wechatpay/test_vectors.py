"""What WeChat Pay's own SDKs are tested with. Each vector names the file it is typed from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.hub.errors import Forged, Rejected
from integrations.hub.values import Inbound
from integrations.payments.providers.wechatpay import WechatPay
from integrations.payments.wechatpay import keys, notices, sealed, wire
from tests.connectors.payments.wechatpay.platform import (
    CERTIFICATE_MODE,
    PLATFORM,
    PLATFORM_CERTIFICATE,
    PLATFORM_SERIAL,
    PLATFORM_TESTING_KEY,
)

# wechatpay-apiv3/wechatpay-go @ 6dbd7ce2ec59, core/auth/signers/sha256withrsa_signer_test.go
SIGNED_SOURCE = (
    "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoVz+pp4hAm6pHU4ld815U4jsKu1RkyaII+1"
    "CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyvD1vfpxrMT4SL536GLwvpUHlCqIMzoZUguLli/K8V29QiOhuH6IEqLNJn8e9b3nwNcQ7be3CzYG"
    "pDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51qMN/RAJbknXG23bSlObuTCN7Ndj1aJGH6/L+hdwfLpUtJm4QYVazzW7DFD27EpSQEqA8bX9+"
    "8m1rLg=="
)
# The same repository, core/auth/credentials/wechat_pay_credential_test.go (the first two), and
# wechatpay-apiv3/wechatpay-java, core/src/test/.../WechatPay2CredentialTest.java
ORDER = "/v3/pay/transactions/id/1217752501201407033233368018?mchid=1230000109"
MESSAGES = [
    ("GET", "/v3/certificates", 1624523846, "A1B2C3D4E5F6G7", "",
     "GET\n/v3/certificates\n1624523846\nA1B2C3D4E5F6G7\n\n"),
    ("POST", "/v3/certificates", 1624523846, "A1B2C3D4E5F6G7", "Hello World!\n",
     "POST\n/v3/certificates\n1624523846\nA1B2C3D4E5F6G7\nHello World!\n\n"),
    ("GET", ORDER, 1652750623, "eBYqCOxa0QudMnPvVilkTzOg3gHh5Z3u", "",
     f"GET\n{ORDER}\n1652750623\neBYqCOxa0QudMnPvVilkTzOg3gHh5Z3u\n\n"),
]  # fmt: skip
# wechatpay-go, core/notify/notify_test.go, TestHandler_ParseNotifyRequest
NOTIFY_KEY = "testMchAPIv3Key0"
NOTIFY_AT = datetime.fromtimestamp(1624523846, UTC)
NOTIFY_HEADERS = {
    "wechatpay-nonce": "EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz",
    "wechatpay-timestamp": "1624523846",
    "wechatpay-serial": PLATFORM_SERIAL,
    "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
    "wechatpay-signature": (
        "tJHIiIS9eB2hAYstmAmbbD3ZE5LiIm/Ug5tuL4fC0YOFRWIHV39UFIZXC0e9Wl6lBu6sKvkqDkzpqzBsVHyXFlbYZTOQrVdG4b6LfTnK4mikv9"
        "++ixJMd3vTf2yCqvBkh98zs3Ds5zsYQakzbcwhmw4fMJs4nPLws28H0UW9FjDR//rxELLwXvV1VEA1IBLX70xptjL8hrfUjEE8kkry6yNJTHZR"
        "U8CAc7qHli2Ng1V1qb9ARbK8A3ThmFmPQvRGrapI/jS2laKKgYUmfdEdkNO6B2Cke5e8VTxY406ArAmQ90GAihDwIcb16TQMnzCMBoutnwZKNi"
        "KRACrFmtxw2Q=="
    ),
}
NOTIFY_BODY = (
    '{"id":"3119dfba-e649-5eec-ab1e-3412bc4d2e17","create_time":"2021-06-24T16:37:26+08:00",'
    '"resource_type":"encrypt-resource","event_type":"PAYSCORE.USER_OPEN_SERVICE","summary":"签约成功",'
    '"resource":{"original_type":"payscore","algorithm":"AEAD_AES_256_GCM","ciphertext":"YDS3lKPaC4Y52Gf3uhft5qUBlIa8b42'
    "8AWTtTauHQfQrRw+X1WpiuHIDy0vo1Vd6VEq67aVyqPdDYMkRVSDaZL3iZttevRMOoPKMifozg6XPWjIZumks/GpT48lI4NizyeaqLBokNebthah3o"
    '1H76qSlO9NkDjp9bzmKLEYYH9TEklFUpsvPqOTOcgSLgh21YJXYR7dEBXFgRLiNIKRgO5JdXh1hccRUAlyVWxE54PXpnQ==","associated_data"'
    ':"payscore","nonce":"Kj7QIyUiYx1q"}}'
).encode()
NOTIFY_SAYS = {
    "mchid": "1234567890", "appid": "054aa7d7a2a54ab5898df65bd96f001c", "create_time": "2020-06-30T12:12:00+08:00",
    "out_contract_code": "21640bdbd08e473e828f3206a2741c6e",
}  # fmt: skip


def test_a_signature_is_that_of_the_official_sdk() -> None:
    key = keys.private_key(PLATFORM_TESTING_KEY.replace("TESTING", "PRIVATE"), examined=True)
    assert keys.signed(key, "source") == SIGNED_SOURCE


@pytest.mark.parametrize(("method", "path", "timestamp", "word", "body", "message"), MESSAGES)
def test_what_is_signed_is_that_of_the_official_sdks(
    method: str, path: str, timestamp: int, word: str, body: str, message: str
) -> None:
    assert wire.message(method, path, timestamp, word, body.encode()) == message.encode()


def test_what_is_sealed_is_opened_as_the_official_sdk_does() -> None:
    """wechatpay-go, utils/aes_test.go; the key of the test has 16 bytes, real ones have 32."""
    told = {
        "nonce": "wCq51qZv4Yfg",
        "associated_data": "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8",
        "ciphertext": "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC",
    }
    assert sealed.opened(told, "testAPIv3Key0000") == b"Hello World"


def official(late: float = 0, **settings: str) -> Any:
    """The account that the official notice was sent to; its APIv3 key has 16 characters there."""
    own = {"mchid": NOTIFY_SAYS["mchid"], "appid": NOTIFY_SAYS["appid"], "apiv3_key": NOTIFY_KEY}
    whole = CERTIFICATE_MODE | own | {"certificates": PLATFORM_CERTIFICATE} | settings
    return WechatPay(whole, None, lambda: NOTIFY_AT + timedelta(seconds=late))  # type: ignore[arg-type]


def test_the_official_notice_is_proven_and_opened() -> None:
    assert official().verify(Inbound(NOTIFY_HEADERS, NOTIFY_BODY)).event == "3119dfba-e649-5eec-ab1e-3412bc4d2e17"
    assert notices.opened(NOTIFY_BODY, NOTIFY_KEY).content == NOTIFY_SAYS


def test_it_tells_of_neither_a_payment_nor_a_refund() -> None:
    with pytest.raises(Rejected, match="neither a payment nor a refund"):
        official().parse(Inbound(NOTIFY_HEADERS, NOTIFY_BODY))


@pytest.mark.parametrize("late", [-301, 301, 5 * 365 * 86400])
def test_it_is_refused_at_any_other_time(late: float) -> None:
    with pytest.raises(Forged):
        official(late).verify(Inbound(NOTIFY_HEADERS, NOTIFY_BODY))


def test_it_is_refused_by_every_other_account() -> None:
    others = {"mchid": "1234567891", "appid": "another", "apiv3_key": "testMchAPIv3Key1", "certificates": ""}
    for name, value in others.items():
        with pytest.raises(Forged):
            official(**{name: value}).verify(Inbound(NOTIFY_HEADERS, NOTIFY_BODY))


def test_the_certificate_is_read_however_it_was_pasted() -> None:
    for pasted in (
        PLATFORM_CERTIFICATE,
        PLATFORM_CERTIFICATE.replace("\n", ""),
        PLATFORM_CERTIFICATE.replace("\n", " "),
    ):
        (found,) = keys.certificates(pasted)
        assert keys.serial_of(found) == PLATFORM_SERIAL
        assert keys.trusted([found], NOTIFY_AT) == {PLATFORM_SERIAL: PLATFORM.public_key()}
    assert len(keys.certificates(PLATFORM_CERTIFICATE + PLATFORM_CERTIFICATE)) == 2


def test_a_certificate_proves_nothing_outside_its_time() -> None:
    found = keys.certificates(PLATFORM_CERTIFICATE)
    for when in (datetime(2021, 4, 27, 8, 55, 22, tzinfo=UTC), datetime(2031, 4, 25, 8, 55, 24, tzinfo=UTC)):
        assert keys.trusted(found, when) == {}
