"""RSA keys and certificates as people paste them, and what they prove.

A form's field of one line loses the line breaks of a PEM; so blocks are read by their armour, whatever stands between.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from cryptography.x509 import Certificate, load_der_x509_certificate

from integrations.hub.errors import Misconfigured

SKEW = 300  # seconds between WeChat Pay's clock and ours, at most
PROBE = "WECHATPAY/SIGNTEST/"  # begins signatures that are wrong on purpose, to see whether we look at them
SERIAL, SIGNATURE = "wechatpay-serial", "wechatpay-signature"
TIMESTAMP, NONCE = "wechatpay-timestamp", "wechatpay-nonce"

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_Loaded = TypeVar("_Loaded")


class Unproven(Exception):
    """Nothing proves that WeChat Pay said this; the message says why not."""


def private_key(pasted: str, *, examined: bool = False) -> RSAPrivateKey:
    """The merchant's own key. Raises Misconfigured. To examine its numbers takes longer than a page may."""
    found = _one(pasted, lambda der: load_der_private_key(der, None, unsafe_skip_rsa_key_validation=not examined))
    if not isinstance(found, RSAPrivateKey):
        raise Misconfigured("The merchant private key is none: paste the whole of apiclient_key.pem.")
    return found


def public_key(pasted: str) -> RSAPublicKey:
    """A WeChat Pay public key. Raises Misconfigured."""
    found = _one(pasted, load_der_public_key)
    if not isinstance(found, RSAPublicKey):
        raise Misconfigured("The WeChat Pay public key is none: paste the whole of pub_key.pem.")
    return found


def certificates(pasted: str) -> list[Certificate]:
    """Platform certificates, one after the other. Raises Misconfigured."""
    try:
        return [load_der_x509_certificate(der) for der in _blocks(pasted)]
    except ValueError:
        raise Misconfigured("The platform certificates are none: paste each .pem file whole.") from None


def serial_of(certificate: Certificate) -> str:
    """As WeChat Pay writes it, but for leading zeros."""
    return normal(f"{certificate.serial_number:X}")


def normal(serial: str) -> str:
    """One form for all: hexadecimal numbers come with leading zeros and without, in large and small letters."""
    return serial.strip().upper().lstrip("0")


def is_valid(certificate: Certificate, now: datetime) -> bool:
    """Is it within its own time?"""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def trusted(found: list[Certificate], now: datetime) -> dict[str, RSAPublicKey]:
    """The keys of those that are valid now, by their serials."""
    keys = {serial_of(each): each.public_key() for each in found if is_valid(each, now)}
    return {serial: key for serial, key in keys.items() if isinstance(key, RSAPublicKey)}


def signed(key: RSAPrivateKey, message: str | bytes) -> str:
    """SHA256withRSA, in base64."""
    content = message.encode() if isinstance(message, str) else message
    return b64encode(key.sign(content, PKCS1v15(), SHA256())).decode()


def prove(keys: Mapping[str, RSAPublicKey], headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Did WeChat Pay say this, lately? `headers` by lower-case name. Raises Unproven."""
    serial, signature, timestamp, nonce = (headers.get(name, "") for name in (SERIAL, SIGNATURE, TIMESTAMP, NONCE))
    if not (serial and signature and timestamp and nonce):
        raise Unproven("it is not signed")
    if signature.startswith(PROBE):
        raise Unproven("it is a probe with a wrong signature")
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(now.timestamp() - int(timestamp)) > SKEW:
        raise Unproven("its time is more than 5 minutes from ours")
    key = keys.get(normal(serial))
    if key is None:
        raise Unproven("no key of ours has its serial")
    try:
        key.verify(
            b64decode(signature, validate=True), f"{timestamp}\n{nonce}\n".encode() + body + b"\n", PKCS1v15(), SHA256()
        )
    except (InvalidSignature, ValueError):
        raise Unproven("its signature does not hold") from None


def _one(pasted: str, load: Callable[[bytes], _Loaded]) -> _Loaded | None:
    try:
        return load(next(_blocks(pasted)))
    except (ValueError, TypeError, StopIteration, UnsupportedAlgorithm):
        return None


def _blocks(pasted: str) -> Iterator[bytes]:
    """The content of each armoured block; what has no armour is taken as one. Raises ValueError."""
    for body in [body for _, body in _BLOCK.findall(pasted)] or [pasted]:
        try:
            yield b64decode("".join(body.split()), validate=True)
        except binascii.Error as error:
            raise ValueError("no base64") from error
