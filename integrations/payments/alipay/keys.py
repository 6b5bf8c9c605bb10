"""Keys and certificates of an account, and signatures (RSA2: SHA256withRSA, PKCS #1 v1.5).

Keys are taken as Alipay's tools hand them out: with or without PEM armour, on one line or many, PKCS #1 or PKCS #8.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from integrations.hub.errors import Misconfigured

LEAST_BITS = 2048
CERTIFICATES = ("app_certificate", "alipay_certificate", "root_certificates")
ARMOUR = re.compile("-----(?:BEGIN|END) [A-Z ]+-----")
CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
SIGNED_BY_RSA = "1.2.840.113549.1.1"  # sha1WithRSA, sha256WithRSA and their kin; not EC, not SM2
IN_DER = bytes.fromhex("2a864886f70d0101")  # the same, as it stands in a file
UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


@dataclass(frozen=True, slots=True)
class Keys:
    """Ours to sign with, Alipay's to check with; the serial numbers where the account works with certificates."""

    own: RSAPrivateKey
    alipay: RSAPublicKey
    app_sn: str = ""
    root_sn: str = ""
    alipay_sn: str = ""
    until: datetime | None = None  # when the first of the two certificates ends

    def sign(self, content: str) -> str:
        return b64encode(self.own.sign(content.encode(), PKCS1v15(), SHA256())).decode()


def keys_of(settings: Mapping[str, str]) -> Keys:
    """Raises Misconfigured that says what is missing or cannot be read."""
    own = _own(settings.get("private_key", ""))
    if not _certified(settings):
        return Keys(own, alipay_key(settings))
    app, theirs = (_certificate(settings, name) for name in CERTIFICATES[:2])
    if app.public_key() != own.public_key():
        raise Misconfigured("The application's certificate is not that of its private key.")
    until = min(app.not_valid_after_utc, theirs.not_valid_after_utc)
    return Keys(own, alipay_key(settings), serial(app), _root_serials(settings), serial(theirs), until)


def alipay_key(settings: Mapping[str, str]) -> RSAPublicKey:
    """What Alipay's signatures are checked with. Raises Misconfigured."""
    if not _certified(settings):
        return _theirs(settings["alipay_public_key"])
    key = _certificate(settings, "alipay_certificate").public_key()
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured("Alipay's certificate holds no RSA key. Download the one for RSA2.")
    return key


def holds(key: RSAPublicKey, signature: str, content: bytes) -> bool:
    """Was this content signed so?"""
    try:
        key.verify(b64decode(signature, validate=True), content, PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def serial(certificate: x509.Certificate) -> str:
    """How Alipay numbers a certificate: MD5 of its issuer (CN first) and its serial number in decimals."""
    named = f"{certificate.issuer.rfc4514_string()}{certificate.serial_number}"
    return hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()


def _certified(settings: Mapping[str, str]) -> bool:
    """Does the account work with certificates? Raises Misconfigured where neither way is filled in."""
    given = [name for name in CERTIFICATES if settings.get(name)]
    if len(given) == len(CERTIFICATES):
        return True
    if given or not settings.get("alipay_public_key"):
        raise Misconfigured(
            "Fill in either Alipay's public key, or all three certificates (application, Alipay, root), as the "
            "application's signing method says on Alipay's side."
        )
    return False


def _own(text: str) -> RSAPrivateKey:
    try:
        key = load_der_private_key(_der(text), None)
    except UNREADABLE:
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured("The application's private key cannot be read. It is RSA, without a password.")
    if key.key_size < LEAST_BITS:
        raise Misconfigured(f"The application's private key is too short: RSA2 wants {LEAST_BITS} bits.")
    return key


def _theirs(text: str) -> RSAPublicKey:
    try:
        key = load_der_public_key(_der(text))
    except UNREADABLE:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured("Alipay's public key cannot be read. It is shown beside the application's own key.")
    return key


def _certificate(settings: Mapping[str, str], name: str) -> x509.Certificate:
    return _certificates(settings, name)[0]


def _root_serials(settings: Mapping[str, str]) -> str:
    """The numbers of those in Alipay's root file that RSA signed, joined. Others in it need not even be well-formed."""
    chain = _certificates(settings, "root_certificates", IN_DER)
    found = [serial(each) for each in chain if each.signature_algorithm_oid.dotted_string.startswith(SIGNED_BY_RSA)]
    if not found:
        raise Misconfigured("None of the root certificates is signed with RSA. Paste all of alipayRootCert.crt.")
    return "_".join(found)


def _certificates(settings: Mapping[str, str], name: str, among: bytes = b"") -> list[x509.Certificate]:
    """Those in which these bytes stand."""
    text = settings[name]
    try:
        files = [_der(each) for each in CERTIFICATE.findall(text) or [text]]
        return [x509.load_der_x509_certificate(each) for each in files if among in each]
    except UNREADABLE:
        words = name.replace("_", " ")
        raise Misconfigured(f"The {words} cannot be read. Paste the whole file, from the first line on.") from None


def _der(text: str) -> bytes:
    """Raises ValueError for what is no base64."""
    return b64decode("".join(ARMOUR.sub("", text).split()), validate=True)
