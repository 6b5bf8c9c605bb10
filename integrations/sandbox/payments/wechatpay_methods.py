"""What WeChat Pay does when it is asked, and what it refuses."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from integrations.sandbox.payments import wechatpay_said
from integrations.sandbox.payments.keys import certificate, serial
from integrations.sandbox.payments.signing import seal
from integrations.sandbox.payments.state import Book, Refund, Trade, rfc3339
from integrations.sandbox.payments.trading import Trading
from integrations.sandbox.payments.web import Reply, Request, said

NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
REFUND_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
OPENID = re.compile(r"o[0-9A-Za-z_\-]{20,31}")
ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
SOONEST, LATEST = 60, 7 * 86400
FUNDS = ("AVAILABLE", "UNSETTLED")


class Refused(Exception):
    """A reply that is an error."""

    def __init__(self, status: int, code: str, words: str, detail: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.words, self.detail = status, code, words, detail


class Methods:
    """One method of this class for each operation."""

    def __init__(self, trading: Trading, base: str) -> None:
        self.trading, self.base = trading, base
        self.book: Book = trading.book
        self.keys = trading.keys

    def create(self, request: Request, asked: dict[str, Any], product: str) -> Reply:
        """A payment to be expected. The same again is the same one."""
        self._check_merchant(asked)
        number, agreed = str(asked.get("out_trade_no") or ""), self._agreed(asked, product)
        known = self.book.trade("wechatpay", number)
        if known:
            _again(known, agreed)
            return self._begun(known)
        if self.book.settings.get(f"void:{number}"):
            raise Refused(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致")
        now = self.book.now()
        made = Trade(
            "wechatpay", number, product, agreed["total"], agreed["description"], str(asked["notify_url"]), now,
            _expiry(asked, now), attach=str(asked.get("attach") or ""), openid=agreed["openid"], asked=agreed,
            certified=not request.headers.get("wechatpay-serial", "").startswith("PUB_KEY_ID_"),
        )  # fmt: skip
        self.trading.open(made)
        return self._begun(made)

    def _begun(self, trade: Trade) -> Reply:
        prepay = f"wx{trade.token}"
        return said({
            "native": {"code_url": f"weixin://wxpay/bizpayurl?pr={trade.token}"},
            "h5": {"h5_url": f"{self.base}/wechatpay/h5?prepay_id={prepay}&package={secrets.randbits(32)}"},
            "jsapi": {"prepay_id": prepay},
        }[trade.product])  # fmt: skip

    def query(self, request: Request, asked: dict[str, Any], number: str = "", remote: str = "") -> Reply:
        if request.query.get("mchid") != self.keys.wechatpay.mchid:
            raise _param("mchid")
        trade = self.book.trade("wechatpay", number, remote)
        if trade is None or (remote and not trade.paid_at):
            raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
        return said(wechatpay_said.trade(self.book, self.keys.wechatpay, trade))

    def close(self, request: Request, asked: dict[str, Any], number: str) -> Reply:
        if asked.get("mchid") != self.keys.wechatpay.mchid:
            raise _param("mchid")
        trade = self.book.trade("wechatpay", number)
        if trade is None and "void" in request.quirks:
            self.book.set(f"void:{number}", True)
            return Reply(204)
        if trade is None:
            raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
        if not self.trading.close(trade):
            raise Refused(400, "ORDERPAID", "该订单已支付")
        return Reply(204)

    def refund(self, request: Request, asked: dict[str, Any]) -> Reply:
        """Taken, and done some seconds later. The same again is the same one."""
        trade = self.book.trade(
            "wechatpay", str(asked.get("out_trade_no") or ""), str(asked.get("transaction_id") or "")
        )
        name = str(asked.get("out_refund_no") or "")
        if not REFUND_NUMBER.fullmatch(name):
            raise _param("out_refund_no")
        agreed = _refund_agreed(asked)
        if trade is None:
            raise Refused(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        known = self._refund(name)
        if known:
            if known.number != trade.number or known.asked != agreed:
                raise Refused(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
            return said(wechatpay_said.refund(trade, known))
        self._check_refund(trade, agreed, request)
        made = self.trading.refund(
            trade, name, agreed["refund"], reason=str(asked.get("reason") or ""),
            notify_url=_notify_url(asked) if asked.get("notify_url") else "", asked=agreed,
        )  # fmt: skip
        return said(wechatpay_said.refund(trade, made))

    def _check_refund(self, trade: Trade, agreed: dict[str, Any], request: Request) -> None:
        if trade.state != "paid":
            raise Refused(400, "INVALID_REQUEST", "订单未支付或已关闭，不可退款")
        if agreed["total"] != trade.paid["total"]:
            raise Refused(400, "INVALID_REQUEST", "订单总金额与支付金额不一致")
        taken = self.book.refunded(trade, "SUCCESS", "PROCESSING", "ABNORMAL")
        if agreed["refund"] + taken > trade.paid["total"]:
            raise Refused(400, "INVALID_REQUEST", "退款金额大于可退金额")
        if "not_enough" in request.quirks:
            raise Refused(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")

    def refund_query(self, request: Request, asked: dict[str, Any], number: str) -> Reply:
        refund = self._refund(number)
        trade = self.book.trade("wechatpay", refund.number) if refund else None
        if refund is None or trade is None:
            raise Refused(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return said(wechatpay_said.refund(trade, refund))

    def certificates(self, request: Request, asked: dict[str, Any]) -> Reply:
        """The platform certificates, sealed. Merchants that only have the public key are told that there is none."""
        if self.book.settings.get("wechatpay_keys") == "public_key":
            raise Refused(404, "RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。")
        ours = self.keys.wechatpay
        return said({"data": [self._sealed(pem) for pem in (ours.platform_cert, *ours.older_certs)]})

    def _sealed(self, pem: str) -> dict[str, Any]:
        nonce, known = secrets.token_hex(6), certificate(pem)
        return {
            "serial_no": serial(pem), "effective_time": rfc3339(known.not_valid_before_utc.timestamp()),
            "expire_time": rfc3339(known.not_valid_after_utc.timestamp()),
            "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "certificate",
                "ciphertext": seal(self.keys.wechatpay.apiv3_key, pem, nonce, "certificate"),
            },
        }  # fmt: skip

    def _refund(self, name: str) -> Refund | None:
        mine = (r for r in self.book.refunds.values() if r.provider == "wechatpay" and r.name == name)
        return next(mine, None)

    def _check_merchant(self, asked: dict[str, Any]) -> None:
        if asked.get("mchid") != self.keys.wechatpay.mchid:
            raise Refused(400, "MCH_NOT_EXISTS", "商户号不存在")
        if asked.get("appid") != self.keys.wechatpay.appid:
            raise Refused(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")

    def _agreed(self, asked: dict[str, Any], product: str) -> dict[str, Any]:
        """What a repeated request has to agree with; refuses what is no request at all."""
        if not NUMBER.fullmatch(str(asked.get("out_trade_no") or "")):
            raise _param("out_trade_no")
        description, amount = asked.get("description"), asked.get("amount")
        if not isinstance(description, str) or not 0 < len(description) <= 127:
            raise _param("description")
        if not isinstance(amount, dict) or not _is_fen(amount.get("total")):
            raise _param("amount.total")
        if amount.get("currency", "CNY") != "CNY":
            raise _param("amount.currency")
        payer = asked.get("payer") or {}
        if product == "jsapi" and not OPENID.fullmatch(str(payer.get("openid") or "")):
            raise _param("payer.openid")
        if product == "h5":
            _check_scene(asked.get("scene_info"))
        return {"product": product, "total": amount["total"], "description": description,
                "notify_url": _notify_url(asked), "openid": str(payer.get("openid") or "")}  # fmt: skip


def _again(known: Trade, agreed: dict[str, Any]) -> None:
    """The same number once more: only for the same payment, and while nobody paid or closed it."""
    if known.paid_at:
        raise Refused(400, "ORDERPAID", "该订单已支付")
    if known.state == "closed":
        raise Refused(400, "ORDER_CLOSED", "该订单已关闭，请重新下单")
    if known.product != agreed["product"]:
        raise Refused(403, "OUT_TRADE_NO_USED", "商户订单号重复")
    if known.asked != agreed:
        raise Refused(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致")


def _param(name: str) -> Refused:
    return Refused(400, "PARAM_ERROR", f"参数错误：{name}", {"field": name, "location": "body", "issue": "invalid"})


def _is_fen(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 10**10


def _refund_agreed(asked: dict[str, Any]) -> dict[str, Any]:
    amount = asked.get("amount")
    if not isinstance(amount, dict):
        raise _param("amount")
    for name in ("refund", "total"):
        if not _is_fen(amount.get(name)):
            raise _param(f"amount.{name}")
    if amount.get("currency") != "CNY":
        raise _param("amount.currency")
    if asked.get("funds_account", "AVAILABLE") not in FUNDS:
        raise _param("funds_account")
    if len(str(asked.get("reason") or "").encode()) > 80:
        raise _param("reason")
    return {"refund": amount["refund"], "total": amount["total"]}


def _notify_url(asked: dict[str, Any]) -> str:
    """Without a query: WeChat Pay refuses one."""
    url = str(asked.get("notify_url") or "")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or len(url) > 255:
        raise _param("notify_url")
    return url


def _check_scene(scene: Any) -> None:
    if not isinstance(scene, dict) or not scene.get("payer_client_ip"):
        raise _param("scene_info.payer_client_ip")
    kind = (scene.get("h5_info") or {}).get("type")
    if kind not in ("Wap", "iOS", "Android"):
        raise _param("scene_info.h5_info.type")


def _expiry(asked: dict[str, Any], now: float) -> float:
    text = str(asked.get("time_expire") or "")
    if not text:
        return now + LATEST
    if not ZONED.fullmatch(text):
        raise _param("time_expire")
    try:
        when = datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise _param("time_expire") from None
    if when < now + SOONEST:
        raise _param("time_expire")
    return when
