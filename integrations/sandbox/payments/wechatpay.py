"""WeChat Pay's API: what it demands of a request before it looks at the business in it, and how it signs replies."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from integrations.sandbox.payments.keys import certificate, new_key, private, serial
from integrations.sandbox.payments.notices import wechat_signature
from integrations.sandbox.payments.signing import is_signed, sign, wechat_message, wechat_request
from integrations.sandbox.payments.web import Reply, Request, said
from integrations.sandbox.payments.wechatpay_methods import Methods, Refused

SKEW = 300
SCHEME = "WECHATPAY2-SHA256-RSA2048"
PART = re.compile(r'(mchid|nonce_str|timestamp|serial_no|signature)="([^"]*)"')
NUMBER = r"(?P<number>[^/?]+)"
ROUTES = (  # method, path, operation, what does it
    ("POST", r"/v3/pay/transactions/(?P<product>native|h5|jsapi)", "create", "create"),
    ("GET", rf"/v3/pay/transactions/out-trade-no/{NUMBER}", "query", "query"),
    ("GET", r"/v3/pay/transactions/id/(?P<remote>[^/?]+)", "query", "query"),
    ("POST", rf"/v3/pay/transactions/out-trade-no/{NUMBER}/close", "close", "close"),
    ("POST", r"/v3/refund/domestic/refunds", "refund", "refund"),
    ("GET", rf"/v3/refund/domestic/refunds/{NUMBER}", "refund_query", "refund_query"),
    ("GET", r"/v3/certificates", "certificates", "certificates"),
)


class Gateway:
    """Everything under /v3/."""

    def __init__(self, methods: Methods) -> None:
        self.methods = methods
        self.keys, self.book = methods.keys, methods.book

    def operation(self, request: Request) -> str:
        found = _route(request)
        return f"wechatpay.{found[0]}" if found else "wechatpay."

    def answer(self, request: Request) -> Reply:
        try:
            self._check(request)
            found = _route(request)
            if found is None:
                raise Refused(404, "RESOURCE_NOT_EXISTS", "请求的资源不存在")
            self._strike(request)
            _operation, name, named = found
            reply = getattr(self.methods, name)(request, self._body(request), **named)
        except Refused as refused:
            detail = {"detail": refused.detail} if refused.detail else {}
            reply = said({"code": refused.code, "message": refused.words, **detail}, refused.status)
            if refused.status == 401:  # whose key it would be is not known
                return reply
        return self._signed(request, reply)

    def unknown(self, request: Request) -> Reply:
        """It was done, and this is said."""
        return self._signed(request, said({"code": "SYSTEM_ERROR", "message": "系统异常，请稍后重试"}, 500))

    def _strike(self, request: Request) -> None:
        if "error" in request.quirks:
            raise Refused(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
        if "limited" in request.quirks:
            raise Refused(429, "FREQUENCY_LIMITED", "频率超限")

    def _check(self, request: Request) -> None:
        given = dict(PART.findall(request.headers.get("authorization", "")))
        if not request.headers.get("authorization", "").startswith(f"{SCHEME} ") or len(given) != 5:
            raise Refused(401, "SIGN_ERROR", "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
        ours = self.keys.wechatpay
        if given["mchid"] != ours.mchid or given["serial_no"] != serial(ours.merchant_cert):
            raise Refused(401, "SIGN_ERROR", "商户证书序列号有误，请使用签名私钥匹配的证书序列号")
        self._check_fresh(given)
        body = request.body.decode("utf-8", "replace")
        message = wechat_request(request.method, request.target, given["timestamp"], given["nonce_str"], body)
        merchant: Any = certificate(ours.merchant_cert).public_key()
        if not is_signed(merchant, message, given["signature"]):
            raise Refused(401, "SIGN_ERROR", "签名错误，请检查后再试", {"sign_information": {
                "method": request.method, "url": request.target, "sign_message_length": len(message)}})  # fmt: skip
        self._check_form(request)

    def _check_fresh(self, given: dict[str, str]) -> None:
        now = self.book.now()
        if not given["timestamp"].isdigit() or abs(int(given["timestamp"]) - now) > SKEW:
            raise Refused(401, "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
        nonces = self.book.nonces
        for old in [nonce for nonce, until in nonces.items() if until < now]:
            del nonces[old]
        if not given["nonce_str"] or given["nonce_str"] in nonces:
            raise Refused(401, "SIGN_ERROR", "Http头Authorization中的nonce_str重复")
        nonces[given["nonce_str"]] = now + 2 * SKEW

    def _check_form(self, request: Request) -> None:
        accept = request.headers.get("accept", "")
        if "application/json" not in accept and "*/*" not in accept:
            raise Refused(400, "INVALID_REQUEST", "Http头Accept必须为application/json")
        if not request.headers.get("user-agent"):
            raise Refused(400, "INVALID_REQUEST", "Http头缺少User-Agent")
        if request.method == "POST" and request.kind() != "application/json":
            raise Refused(400, "INVALID_REQUEST", "Http头Content-Type必须为application/json")
        named = request.headers.get("wechatpay-serial", "")
        ours = self.keys.wechatpay
        known = {ours.public_key_id, *map(serial, (ours.platform_cert, *ours.older_certs))}
        if named and named not in known:
            raise Refused(400, "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误")

    def _body(self, request: Request) -> dict[str, Any]:
        if request.method != "POST":
            return {}
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refused(400, "PARAM_ERROR", "请求体不是合法的JSON")
        return body

    def _signed(self, request: Request, reply: Reply) -> Reply:
        """By the public key, where the request asks for it; else by the platform certificate, while there is one."""
        if "unsigned" in request.quirks:
            return reply
        certified = is_certified(request)
        headers = wechat_signature(self.book, self.keys, certified, reply.body.decode())
        if "forged" in request.quirks:
            message = wechat_message(headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], reply.body.decode())
            headers["Wechatpay-Signature"] = sign(new_key(), message)
        return replace(reply, headers={**reply.headers, **headers, "Request-ID": headers["Wechatpay-Nonce"]})


def is_certified(request: Request) -> bool:
    """Does the merchant know the platform certificate (and not, or not yet, the public key)?"""
    return not request.headers.get("wechatpay-serial", "").startswith("PUB_KEY_ID_")


def pay_sign_is_right(gateway: Gateway, given: dict[str, str]) -> bool:
    """What WeChat checks before it opens the cashier for a page's script."""
    ours = gateway.keys.wechatpay
    names = ("appId", "timeStamp", "nonceStr", "package")
    if given.get("signType") != "RSA" or given.get("appId") != ours.appid or not all(given.get(n) for n in names):
        return False
    message = "".join(f"{given[name]}\n" for name in names).encode()
    return is_signed(private(ours.private_key).public_key(), message, given.get("paySign", ""))


def _route(request: Request) -> tuple[str, str, dict[str, str]] | None:
    for method, path, operation, name in ROUTES:
        found = re.fullmatch(path, request.path)
        if found and method == request.method:
            return operation, name, {key: unquote(value) for key, value in found.groupdict().items()}
    return None
