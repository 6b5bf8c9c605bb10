"""Keys and certificates in every form in which people paste them."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from integrations.hub.errors import Forged, Misconfigured, Rejected
from integrations.hub.testing.contract import NOON
from integrations.hub.values import Inbound
from integrations.payments.alipay import keys
from tests.connectors.payments.alipay import keyring, said
from tests.connectors.payments.alipay.doors import alipay

OWN = load_der_private_key(b64decode(keyring.APP_KEY), None)
THEIRS = load_der_private_key(b64decode(keyring.ALIPAY_KEY), None).public_key()


def forms(pem: bytes, der: bytes) -> list[str]:
    text, bare = pem.decode(), b64encode(der).decode()
    lines = "\n".join(bare[at : at + 64] for at in range(0, len(bare), 64))
    return [
        text,
        text.replace("\n", ""),
        text.replace("\n", " "),
        text.replace("\n", "\r\n"),
        bare,
        lines,
        f" {bare}\n",
    ]


@pytest.mark.parametrize("format", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_private_key_in_each_form(format: PrivateFormat) -> None:
    pem, der = (OWN.private_bytes(encoding, format, NoEncryption()) for encoding in (Encoding.PEM, Encoding.DER))
    for text in forms(pem, der):
        assert keys.keys_of({**said.KEY_MODE, "private_key": text}).own.private_numbers() == OWN.private_numbers()  # type: ignore[union-attr]


@pytest.mark.parametrize("format", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
def test_a_public_key_in_each_form(format: PublicFormat) -> None:
    pem, der = (THEIRS.public_bytes(encoding, format) for encoding in (Encoding.PEM, Encoding.DER))
    for text in forms(pem, der):
        assert keys.keys_of({**said.KEY_MODE, "alipay_public_key": text}).alipay == THEIRS


def test_certificates_lose_nothing_when_a_form_takes_their_line_breaks() -> None:
    for between in ("\n", "", " ", "\r\n"):
        flat = {name: text.replace("\n", between) for name, text in said.CERTIFICATE_MODE.items()}
        found = keys.keys_of(flat)
        assert (found.app_sn, found.alipay_sn, found.root_sn) == (said.APP_SN, said.ALIPAY_SN, said.ROOT_SN)
        assert found.alipay == THEIRS


def test_of_the_root_file_only_what_rsa_signed_counts() -> None:
    elliptic = said.armoured(keyring.ROOT_E1)
    odd = b64encode(b64decode(keyring.ROOT_E1)[:-9]).decode()  # one of Alipay's four is not well-formed
    with pytest.raises(Misconfigured, match="None of the root certificates is signed with RSA"):
        keys.keys_of({**said.CERTIFICATE_MODE, "root_certificates": elliptic})
    with_odd = said.CERTIFICATE_MODE["root_certificates"] + said.armoured(odd)
    assert keys.keys_of({**said.CERTIFICATE_MODE, "root_certificates": with_odd}).root_sn == said.ROOT_SN
    broken = said.armoured(b64encode(b64decode(keyring.ROOT_R1)[:-9]).decode())
    with pytest.raises(Misconfigured, match="root certificates cannot be read"):
        keys.keys_of({**said.CERTIFICATE_MODE, "root_certificates": broken})


WRONG: list[tuple[dict[str, str], str]] = [
    ({"app_certificate": said.armoured(keyring.ALIPAY_CERTIFICATE)}, "not that of its private key"),
    ({"app_certificate": "x"}, "app certificate cannot be read"),
    ({"alipay_certificate": said.armoured(keyring.ROOT_E1)}, "holds no RSA key"),
    ({"root_certificates": ""}, "all three certificates"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_wrong_certificates_are_named(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        keys.keys_of({**said.CERTIFICATE_MODE, **wrong})


def test_short_keys_are_refused() -> None:
    short = generate_private_key(65537, 1024).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(Misconfigured, match="2048 bits"):
        keys.keys_of({**said.KEY_MODE, "private_key": b64encode(short).decode()})


def test_a_certificate_that_ends_soon_is_told() -> None:
    answer = said.signed(said.QUERY, said.ABSENT)
    made = alipay(answer, settings=said.CERTIFICATE_MODE)
    made.now = lambda: NOON.replace(year=2126, month=10, day=15)
    (note,) = made.health().notes
    assert "ends on 2126-10-30" in note


def test_a_request_signs_what_it_sends() -> None:
    """The signature of a request holds over its parameters, sorted, as they are and not as they are encoded."""
    made = alipay(said.signed(said.QUERY, said.TRADE))
    made.look(said.NUMBER)
    asked = made.http.asked[0]  # type: ignore[attr-defined]
    sent = dict(parse_qsl(urlsplit(asked["url"]).query) + parse_qsl(asked["body"].decode()))
    signature = sent.pop("sign")
    content = "&".join(f"{name}={value}" for name, value in sorted(sent.items()))
    assert keys.holds(OWN.public_key(), signature, content.encode())  # type: ignore[arg-type]
    assert (sent["charset"], sent["sign_type"], json.loads(sent["biz_content"])) == (
        "utf-8", "RSA2", {"out_trade_no": said.NUMBER},
    )  # fmt: skip
    assert "charset=utf-8" in asked["url"]


def test_a_notice_in_gbk_whose_bytes_are_changed_is_refused() -> None:
    body, event = said.NOTICES["paid-gbk"]
    assert alipay().verify(Inbound({}, body.encode())).event == event
    as_utf8 = body.replace("%D2%CE%D7%D3", "%E6%A4%85%E5%AD%90")
    for other in (as_utf8, body.replace("charset=GBK", "charset=utf-8"), f"{body}&charset=GBK", f"{body}&x=1"):
        with pytest.raises(Forged):
            alipay().verify(Inbound({}, other.encode()))


def test_a_field_without_a_value_may_be_signed_or_not() -> None:
    """Alipay's libraries differ; nothing reads such a field."""
    empty = {**said.PAID, "passback_params": ""}
    for body in (said.notice(empty), f"{said.notice(said.PAID)}&passback_params="):
        assert alipay().verify(Inbound({}, body.encode())).event == said.PAID["notify_id"]
        assert alipay().parse(Inbound({}, body.encode()))


def test_a_notice_in_a_charset_that_nobody_knows_is_not_read() -> None:
    body = said.notice({**said.PAID, "charset": "klingon"})
    assert alipay().verify(Inbound({}, body.encode())).event
    with pytest.raises(Rejected):
        alipay().parse(Inbound({}, body.encode()))


def test_what_is_answered_is_what_alipay_waits_for() -> None:
    assert alipay().answer(True).body == b"success"
    assert alipay().answer(False).body == b"fail"
