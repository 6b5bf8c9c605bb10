"""Keys of both sides, made once into a folder: the gateways' own, and what a merchant gets from the provider."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from integrations.sandbox.payments.signing import certificate_sn, root_sn

GATEWAY, ALIPAY, WECHATPAY = "gateway.json", "alipay.json", "wechatpay.json"
YEARS = timedelta(days=3650)


@dataclass
class Alipay:
    """One merchant's app at Alipay; `gateway_*` is Alipay's own."""

    app_id: str
    seller_id: str
    private_key: str  # the merchant's
    gateway_key: str
    app_cert: str
    alipay_cert: str
    root_cert: str


@dataclass
class WeChatPay:
    """One merchant at WeChat Pay; `platform_*` and `gateway_key` are WeChat Pay's own."""

    mchid: str
    appid: str
    app_secret: str
    apiv3_key: str
    private_key: str  # the merchant's
    merchant_cert: str
    platform_key: str
    platform_cert: str
    public_key_id: str
    gateway_key: str  # of the mode with PUB_KEY_ID
    older_certs: list[str]


@dataclass
class Keys:
    """All of it, and where it is kept."""

    folder: Path
    alipay: Alipay
    wechatpay: WeChatPay

    def keep(self, base: str) -> None:
        """Write everything, readable by its owner only; `base` is where the gateways are found."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = {"alipay": asdict(self.alipay), "wechatpay": asdict(self.wechatpay)}
        _write(self.folder / GATEWAY, own)
        _write(self.folder / ALIPAY, alipay_merchant(self.alipay, base))
        _write(self.folder / WECHATPAY, wechatpay_merchant(self.wechatpay, base))

    def renew_alipay(self) -> None:
        """Alipay signs with another key from now on."""
        key = new_key()
        self.alipay.gateway_key = pem_of(key)
        self.alipay.alipay_cert = _certificate(key, "Practice Alipay")

    def renew_platform(self) -> None:
        """WeChat Pay signs with another platform certificate from now on; the old one is still told of."""
        self.wechatpay.older_certs.append(self.wechatpay.platform_cert)
        key = new_key()
        self.wechatpay.platform_key = pem_of(key)
        self.wechatpay.platform_cert = _certificate(key, "Practice WeChat Pay platform")


def load(folder: Path) -> Keys:
    """The keys of this folder; made where there are none."""
    file = folder / GATEWAY
    if not file.exists():
        return Keys(folder, _new_alipay(), _new_wechatpay())
    kept = json.loads(file.read_text(encoding="utf-8"))
    return Keys(folder, _read(Alipay, kept["alipay"]), _read(WeChatPay, kept["wechatpay"]))


def alipay_merchant(alipay: Alipay, base: str) -> dict[str, Any]:
    """What the merchant's account page at Alipay would give."""
    return {
        "gateway": f"{base}/alipay/gateway.do",
        "app_id": alipay.app_id,
        "seller_id": alipay.seller_id,
        "private_key": alipay.private_key,
        "alipay_public_key": public_pem(private(alipay.gateway_key)),
        "app_cert": alipay.app_cert,
        "alipay_cert": alipay.alipay_cert,
        "root_cert": alipay.root_cert,
        "app_cert_sn": certificate_sn(certificate(alipay.app_cert)),
        "alipay_cert_sn": certificate_sn(certificate(alipay.alipay_cert)),
        "alipay_root_cert_sn": root_sn(alipay.root_cert),
    }


def wechatpay_merchant(wechatpay: WeChatPay, base: str) -> dict[str, Any]:
    """What the merchant's account page at WeChat Pay would give."""
    return {
        "gateway": base,
        "login": base,
        "mchid": wechatpay.mchid,
        "appid": wechatpay.appid,
        "app_secret": wechatpay.app_secret,
        "apiv3_key": wechatpay.apiv3_key,
        "private_key": wechatpay.private_key,
        "serial_no": serial(wechatpay.merchant_cert),
        "merchant_cert": wechatpay.merchant_cert,
        "platform_serial": serial(wechatpay.platform_cert),
        "platform_cert": wechatpay.platform_cert,
        "public_key_id": wechatpay.public_key_id,
        "public_key": public_pem(private(wechatpay.gateway_key)),
    }


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: rsa.RSAPrivateKey) -> str:
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, info).decode()


@lru_cache(maxsize=32)
def private(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@lru_cache(maxsize=32)
def certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def serial(pem: str) -> str:
    """As WeChat Pay writes serial numbers: hexadecimal, capitals."""
    return f"{certificate(pem).serial_number:X}"


def _name(common: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Practice, not a bank"),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Practice gateway"),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ])  # fmt: skip


def _certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, common: str) -> str:
    """Signed by itself: what is proven here is that the right one is named, not who vouches for it."""
    now = datetime.now(UTC)
    number = secrets.randbits(158) | 1 << 157  # 40 hexadecimal digits, as both providers have them
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(_name(common))
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + YEARS)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def _new_alipay() -> Alipay:
    merchant, gateway = new_key(), new_key()
    roots = [  # Alipay's own file of roots holds such that do not count for its number, too
        _certificate(new_key(), "Practice Alipay root R1"),
        _certificate(ec.generate_private_key(ec.SECP256R1()), "Practice Alipay root E1"),
        _certificate(new_key(), "Practice Alipay root R2"),
    ]
    return Alipay(
        f"2021{_digits(12)}", f"2088{_digits(12)}", pem_of(merchant), pem_of(gateway),
        _certificate(merchant, "Practice merchant"), _certificate(gateway, "Practice Alipay"), "\n".join(roots),
    )  # fmt: skip


def _new_wechatpay() -> WeChatPay:
    merchant, platform, gateway = new_key(), new_key(), new_key()
    return WeChatPay(
        f"16{_digits(8)}", f"wx{secrets.token_hex(8)}", secrets.token_hex(16), secrets.token_hex(16),
        pem_of(merchant), _certificate(merchant, "Practice merchant"), pem_of(platform),
        _certificate(platform, "Practice WeChat Pay platform"), f"PUB_KEY_ID_0{_digits(10)}{_digits(22)}",
        pem_of(gateway), [],
    )  # fmt: skip


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def _read(kind: Any, kept: dict[str, Any]) -> Any:
    return kind(**{field.name: kept[field.name] for field in fields(kind)})


def _write(file: Path, content: dict[str, Any]) -> None:
    draft = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, indent=1)
    draft.replace(file)
