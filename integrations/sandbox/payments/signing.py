"""Signatures and sealing of both providers. Pure functions: the published vectors are checked against them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RSA_OIDS = "1.2.840.113549.1.1."  # signature algorithms of PKCS #1
NAMES = {"2.5.4.6": "C", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.3": "CN"}


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """SHA256withRSA, base64: what Alipay calls RSA2 and WeChat Pay WECHATPAY2-SHA256-RSA2048."""
    return base64.b64encode(key.sign(message, PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether it is that key's signature of these very bytes."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def alipay_content(params: Mapping[str, str], without: tuple[str, ...] = ("sign",)) -> str:
    """What is signed of parameters: sorted, not empty, not encoded. Notices of trades are signed without `sign_type`
    as well, requests and open-platform messages with it."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if params[name] and name not in without)


def alipay_reply(name: str, said: Mapping[str, Any], key: RSAPrivateKey, cert_sn: str = "", charset: str = "utf-8",
                 ) -> bytes:  # fmt: skip
    """A reply signed over its own raw text: the value of `name`, byte for byte as it stands in the body."""
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    raw = text.encode(charset)
    serial = f',"alipay_cert_sn":"{cert_sn}"' if cert_sn else ""
    return b'{"%s":%s%s,"sign":"%s"}' % (name.encode(), raw, serial.encode(), sign(key, raw).encode())


def certificate_sn(certificate: x509.Certificate) -> str:
    """How Alipay names a certificate: MD5 of its issuer (the last part first) and its decimal serial number."""
    parts = [
        f"{NAMES[part.oid.dotted_string]}={part.value}"
        for part in reversed(list(certificate.issuer))
        if part.oid.dotted_string in NAMES
    ]
    text = ",".join(parts) + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def root_sn(pem: str) -> str:
    """The same of a chain of roots: those signed by RSA, joined; others (ECC, SM2) do not count."""
    roots = x509.load_pem_x509_certificates(pem.encode())
    return "_".join(
        certificate_sn(root) for root in roots if root.signature_algorithm_oid.dotted_string.startswith(RSA_OIDS)
    )


def wechat_request(method: str, target: str, timestamp: str, nonce: str, body: str) -> bytes:
    """What a merchant signs of a request: `target` is path and query as they are sent."""
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n".encode()


def wechat_message(timestamp: str, nonce: str, body: str) -> bytes:
    """What WeChat Pay signs of its replies and notices."""
    return f"{timestamp}\n{nonce}\n{body}\n".encode()


def seal(key: str, text: str, nonce: str, associated: str) -> str:
    """AEAD_AES_256_GCM with the merchant's APIv3 key; the tag stands at the end."""
    return base64.b64encode(AESGCM(key.encode()).encrypt(nonce.encode(), text.encode(), associated.encode())).decode()


def unseal(key: str, sealed: str, nonce: str, associated: str) -> str:
    """The way back; raises InvalidTag."""
    opened = AESGCM(key.encode()).decrypt(nonce.encode(), base64.b64decode(sealed), associated.encode())
    return opened.decode()
