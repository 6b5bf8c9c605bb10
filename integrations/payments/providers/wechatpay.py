"""WeChat Pay APIv3, for merchants who are connected directly. What is promised: docs/connectors/wechatpay.md.

The work is done in `integrations/payments/wechatpay/`; this is the account's form, its health and the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate

from integrations.hub.answers import understood
from integrations.hub.connector import Field
from integrations.hub.errors import Forged, HubError, Misconfigured
from integrations.hub.values import Answer, Health, Hint, Inbound, Verified
from integrations.payments.base import (
    JsCall,
    Method,
    Observed,
    Payments,
    Qr,
    Redirect,
    Refund,
    RefundSeen,
    Start,
    TradeStatus,
)
from integrations.payments.wechatpay import keys, notices, payer, starting
from integrations.payments.wechatpay.refusals import CLOSED, NO_REFUND, NO_TRADE, PAID, Unbelieved
from integrations.payments.wechatpay.sealed import KEY_BYTES
from integrations.payments.wechatpay.starting import WAYS
from integrations.payments.wechatpay.trades import CNY, cut, fen, observed, refund_made_there, refund_seen
from integrations.payments.wechatpay.wire import Merchant, Wire

API = "https://api.mch.weixin.qq.com"
H5_HOST = "wx.tenpay.com"
SIGN_IN = "https://open.weixin.qq.com/connect/oauth2/authorize"
OPENID = "https://api.weixin.qq.com/sns/oauth2/access_token"

TRADES, REFUNDS = "/v3/pay/transactions", "/v3/refund/domestic/refunds"
NOBODYS = "WEFT-HEALTH-NO-SUCH-TRADE"  # no number of ours: those have no hyphens
REASON_BYTES = 80
KEPT = "kept_certificates"  # among the settings, by `Health.kept`
EXPIRES_SOON = timedelta(days=30)


class WechatPay(Payments):
    """Every request is signed with the merchant's key; what comes back is believed only if WeChat Pay signed it."""

    name = "wechatpay"
    label = "WeChat Pay"
    checks = "asks for a payment that does not exist, and checks the signature of the answer"
    fields = (
        Field("mchid", "Merchant ID"),
        Field("appid", "App ID", help="Of the official account (for JSAPI) or app that is bound to the merchant ID"),
        Field("serial", "Serial number of the merchant certificate"),
        Field("private_key", "Merchant private key", secret=True, long=True, help="The whole of apiclient_key.pem"),
        Field("apiv3_key", "APIv3 key", secret=True, help="Exactly 32 characters, set in the merchant platform"),
        Field("public_key_id", "WeChat Pay public key ID", required=False, help="PUB_KEY_ID_ and digits"),
        Field("public_key", "WeChat Pay public key", required=False, long=True, help="The whole of pub_key.pem"),
        Field("former_public_key_id", "Former public key ID", required=False, help="While keys are being changed"),
        Field("former_public_key", "Former public key", required=False, long=True),
        Field(
            "certificates",
            "Platform certificates",
            required=False,
            long=True,
            help="For merchants without a public key; left empty they are fetched when the connection is tested",
        ),
        Field("app_secret", "App secret", secret=True, required=False, help="Needed to pay inside WeChat (JSAPI)"),
        Field(
            "methods",
            "Ways to pay",
            required=False,
            default="jsapi, h5, native",
            help="Which of jsapi, h5 and native the merchant may use",
        ),
        Field("url", "API address", required=False, default=API),
        Field("backup_url", "Second API address", required=False, help="Tried when the first one cannot be reached"),
        Field("sign_in_url", "Sign-in address", required=False, default=SIGN_IN),
        Field("openid_url", "OpenID address", required=False, default=OPENID),
    )
    identity = ("mchid", "appid")

    # ------------------------------------------------------------ what the account's settings say

    def _setting(self, name: str) -> str:
        """A setting, or its default."""
        return self.settings.get(name) or next(field.default for field in self.fields if field.name == name)

    @cached_property
    def _certificates(self) -> list[Certificate]:
        """Those that somebody pasted, and those that the last check of the account found (`health`)."""
        pasted = (self._setting("certificates"), self.settings.get(KEPT, ""))
        return [one for each in pasted if each for one in keys.certificates(each)]

    @cached_property
    def _known(self) -> dict[str, RSAPublicKey]:
        """The keys that prove what WeChat Pay says, by their serials or IDs."""
        known = keys.trusted(self._certificates, self.now())
        for prefix in ("", "former_"):
            key_id, pasted = self._setting(f"{prefix}public_key_id"), self._setting(f"{prefix}public_key")
            if bool(key_id) != bool(pasted):
                raise Misconfigured("A WeChat Pay public key and its ID belong together: fill in both, or neither.")
            if key_id:
                known[keys.normal(key_id)] = keys.public_key(pasted)
        return known

    @cached_property
    def _merchant(self) -> Merchant:
        return Merchant(
            self.settings["mchid"], self.settings["serial"], keys.private_key(self.settings["private_key"]),
            self.settings["apiv3_key"], self._setting("public_key_id"),
        )  # fmt: skip

    @cached_property
    def _wire(self) -> Wire:
        addresses = [each for each in (self._setting("url"), self._setting("backup_url")) if each]
        return Wire(self.http, addresses, self._merchant, self._known, self.now, self.quoted)

    @property
    def _ways(self) -> list[str]:
        return re.findall(r"[^\s,;]+", self._setting("methods").lower())

    # ------------------------------------------------------------ the contract

    def methods(self) -> Sequence[Method]:
        """See `Payments`. A QR code is offered everywhere, to pay with another device."""
        return [way for code, way in WAYS.items() if code in self._ways and (code != "jsapi" or self._may_sign_in)]

    @property
    def _may_sign_in(self) -> bool:
        return bool(self.settings.get("app_secret"))

    def payee(self) -> str:
        return self.settings.get("mchid", "")

    def redirect_hosts(self) -> frozenset[str]:
        """See `Payments`. With its port, where there is one; a sandbox serves its pages where its API is."""
        hosts = {H5_HOST, urlsplit(self._setting("sign_in_url")).netloc}
        return frozenset(hosts | ({urlsplit(self._setting("url")).netloc} - {urlsplit(API).netloc}))

    def payer_url(self, back: str, state: str) -> str:
        """See `Payments`."""
        return payer.sign_in_url(self._setting("sign_in_url"), self.settings["appid"], back, state)

    def payer(self, query: Mapping[str, str]) -> str:
        """See `Payments`. The openid."""
        if not self._may_sign_in:
            raise Misconfigured("Paying inside WeChat needs the app secret.")
        secret = self.settings["app_secret"]
        return payer.openid(self.http, self._setting("openid_url"), self.settings["appid"], secret, query, self.quoted)

    def start(self, start: Start) -> Redirect | Qr | JsCall:
        """See `Payments`. The same start again is answered alike."""
        operation, appid = "start a payment", self.settings["appid"]
        document = starting.document(start, self.settings["mchid"], appid)
        told = self._wire.write(f"{TRADES}/{start.method}", document, operation)
        with understood(operation, writes=True):
            match start.method:
                case "native":
                    return starting.qr(told)
                case "h5":
                    return starting.redirect(told, start.return_url, self.redirect_hosts())
                case _:
                    return starting.js_call(told, appid, self._merchant.key, self.now())

    def look(self, number: str, remote: str = "") -> Observed:
        """See `Payments`."""
        operation = "look at a payment"
        told = self._wire.read(
            f"{TRADES}/out-trade-no/{number}", operation, none=NO_TRADE, mchid=self.settings["mchid"]
        )
        if told is None:
            return Observed(number, TradeStatus.ABSENT)
        with understood(operation, writes=False):
            return observed(told, number)

    def close(self, number: str, remote: str = "") -> Observed:
        """See `Payments`. How it stands is looked at afterwards, whatever closing said."""
        path, document = f"{TRADES}/out-trade-no/{number}/close", {"mchid": self.settings["mchid"]}
        self._wire.write(path, document, "close a payment", none=NO_TRADE | PAID | CLOSED)
        return self.look(number, remote)

    def refund(self, refund: Refund) -> RefundSeen:
        """See `Payments`. WeChat Pay does each `out_refund_no` once."""
        document = {
            "out_trade_no": refund.number,
            "out_refund_no": refund.key,
            **({"reason": cut(refund.reason, REASON_BYTES)} if refund.reason else {}),
            **({"notify_url": refund.notify_url} if refund.notify_url else {}),
            "amount": {"refund": fen(refund.amount), "total": fen(refund.total), "currency": CNY},
        }
        told = self._wire.write(REFUNDS, document, "refund", moves_money=True)
        with understood("refund", writes=True):
            return refund_seen(told, refund)

    def look_made_there(self, key: str, number: str) -> RefundSeen | None:
        """See `Payments`. Whoever made it chose its number."""
        told = self._wire.read(f"{REFUNDS}/{quote(key, safe='')}", "look at a refund", none=NO_REFUND)
        if told is None:
            return None
        with understood("look at a refund", writes=False):
            return refund_made_there(told, key, number)

    def look_refund(self, refund: Refund) -> RefundSeen | None:
        """See `Payments`."""
        told = self._wire.read(f"{REFUNDS}/{refund.key}", "look at a refund", none=NO_REFUND)
        if told is None:
            return None
        with understood("look at a refund", writes=False):
            return refund_seen(told, refund)

    # ------------------------------------------------------------ notices

    def verify(self, inbound: Inbound) -> Verified:
        """See `Connector`. A notice that cannot be opened, or that is another merchant's, is refused as a forgery."""
        try:
            keys.prove(self._known, inbound.headers, inbound.body, self.now())
            notice = notices.opened(inbound.body, self.settings["apiv3_key"])
        except keys.Unproven as why:
            raise Forged(f"Nothing proves that WeChat Pay sent this: {why}.") from None
        except HubError as error:
            raise Forged(error.message) from None
        for name in ("mchid", "appid"):  # a refund's notice names no app
            if notice.content.get(name, self.settings[name] if name == "appid" else None) != self.settings[name]:
                raise Forged(f"The notice is for another {name}.")
        return Verified(notice.event, f"{notice.kind}\n".encode() + notice.raw)

    def parse(self, inbound: Inbound) -> Sequence[Hint]:
        """See `Connector`."""
        return notices.hints(notices.opened(inbound.body, self.settings["apiv3_key"]))

    def answer(self, accepted: bool) -> Answer:
        """See `Connector`."""
        return Answer(204) if accepted else Answer(503, b'{"code":"FAIL","message":"not kept"}', "application/json")

    # ------------------------------------------------------------ health

    def health(self) -> Health:
        """See `Connector`. That a payment nobody made is not there, proven, shows that both sides' keys fit."""
        if len(self.settings["apiv3_key"].encode()) != KEY_BYTES:
            raise Misconfigured(f"The APIv3 key is not {KEY_BYTES} characters long.")
        keys.private_key(self.settings["private_key"], examined=True)
        if unknown := [word for word in self._ways if word not in WAYS]:
            raise Misconfigured(f"Ways to pay: {', '.join(unknown)} is none of {', '.join(WAYS)}.")
        try:
            self.look(NOBODYS)
        except Unbelieved as error:
            raise Misconfigured(
                f"{error.message} Compare the WeChat Pay public key and its ID, or the platform certificates, with "
                "those in the merchant platform (API security), and this machine's clock."
            ) from None
        return Health(notes=tuple(self._notes()), kept=self._kept())

    def _kept(self) -> dict[str, str]:
        """The platform certificates as they are now, so that a notice is proven without asking: a new one stands among
        them days before it first signs. With a public key they are not needed."""
        if self._merchant.public_key_id:
            return {}
        if not self._wire.loaded:
            self._wire.load()
        return {KEPT: self._wire.loaded}

    def _notes(self) -> Iterator[str]:
        if "jsapi" in self._ways and not self._may_sign_in:
            yield "jsapi is not offered: it needs the app secret."
        for each in keys.certificates(self._setting("certificates")) if self._setting("certificates") else ():
            until = each.not_valid_after_utc
            if until - self.now() < EXPIRES_SOON:
                yield f"The platform certificate {keys.serial_of(each)} is valid until {until:%Y-%m-%d} only."
