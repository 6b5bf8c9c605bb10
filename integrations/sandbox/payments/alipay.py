"""Alipay's gateway: what it demands of a request before it looks at the business in it, and how it replies."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from integrations.sandbox.payments.alipay_methods import PAGES, Methods, Refused
from integrations.sandbox.payments.keys import certificate, new_key, private
from integrations.sandbox.payments.pages import problem
from integrations.sandbox.payments.signing import (
    alipay_content,
    alipay_reply,
    certificate_sn,
    is_signed,
    root_sn,
)
from integrations.sandbox.payments.state import BEIJING
from integrations.sandbox.payments.web import FORM, Reply, Request, page

SKEW = 600  # seconds; Alipay does not say how much it bears
WORDS = {
    "10000": "Success", "20000": "Service Currently Unavailable", "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments", "40004": "Business Failed", "40005": "Call Limited",
}  # fmt: skip
REQUIRED = (  # (parameter, sub_code when it is missing), in the order they are asked for
    ("method", "isv.missing-method"), ("sign", "isv.missing-signature"), ("sign_type", "isv.missing-signature-type"),
    ("timestamp", "isv.missing-timestamp"), ("version", "isv.missing-version"),
)  # fmt: skip


class Gateway:
    """POST or GET /alipay/gateway.do."""

    def __init__(self, methods: Methods) -> None:
        self.methods = methods
        self.keys, self.book = methods.keys, methods.book

    def operation(self, request: Request) -> str:
        name = self.params(request)[0].get("method", "")
        return f"alipay.{self.methods.operations.get(name, ('',))[0]}"

    def params(self, request: Request) -> tuple[dict[str, str], str]:
        """All parameters, from address and body, and the charset that the address names: GBK where it names none."""
        named = request.query.get("charset", "")
        charset = named.lower() if named.lower() in ("utf-8", "gbk") else "gbk"
        given = request.form(urlsplit(request.target).query, charset)
        if request.method == "POST" and request.kind() == FORM:
            given |= request.form(request.body.decode("latin-1"), charset)
        return given, charset

    def answer(self, request: Request) -> Reply:
        given, charset = self.params(request)
        name = given.get("method", "")
        try:
            self._check(given, charset)
            asked = _content(given)
            self._strike(request)
            if name in PAGES:
                return self.methods.pay_page(name, asked, given, charset)
            said = {"code": "10000", "msg": WORDS["10000"]}
            said |= self.methods.operations[name][1](asked, given, charset, request.quirks)
        except Refused as refused:
            said = {"code": refused.code, "msg": WORDS[refused.code], "sub_code": refused.sub_code,
                    "sub_msg": refused.words, **refused.more}  # fmt: skip
        if name in PAGES:
            return page(problem(said["sub_code"], said["sub_msg"]))
        return self._reply(given, said, charset, request.quirks)

    def _strike(self, request: Request) -> None:
        """The faults that are Alipay's own words."""
        if "error" in request.quirks:
            raise Refused("20000", "aop.unknow-error", "系统繁忙")
        if "limited" in request.quirks:
            raise Refused("40005", "isv.app-call-limited", "应用调用次数超限")

    def unknown(self, request: Request) -> Reply:
        """It was done, and this is said."""
        given, charset = self.params(request)
        said = {"code": "40004", "msg": WORDS["40004"], "sub_code": "ACQ.SYSTEM_ERROR", "sub_msg": "系统异常"}
        return self._reply(given, said, charset, request.quirks)

    def _reply(self, given: dict[str, str], said: dict[str, Any], charset: str, quirks: frozenset[str]) -> Reply:
        method = given.get("method", "")
        name = f"{method.replace('.', '_')}_response" if method in self.methods.operations else "error_response"
        charset = "gbk" if "gbk" in quirks else charset
        kind = f"text/html;charset={charset}"
        if given.get("app_id") != self.keys.alipay.app_id or "unsigned" in quirks:  # whose key would it be?
            return Reply(200, json.dumps({name: said}, ensure_ascii=False).encode(charset), kind)
        key = new_key() if "forged" in quirks else private(self.keys.alipay.gateway_key)
        serial = certificate_sn(certificate(self.keys.alipay.alipay_cert)) if given.get("app_cert_sn") else ""
        return Reply(200, alipay_reply(name, said, key, serial, charset), kind)

    def _check(self, given: dict[str, str], charset: str) -> None:
        if not given.get("app_id"):
            raise Refused("40001", "isv.missing-app-id", "缺少AppID参数")
        if given["app_id"] != self.keys.alipay.app_id:
            raise Refused("40002", "isv.invalid-app-id", "无效的AppID参数")
        for name, missing in REQUIRED:
            if not given.get(name):
                raise Refused("40001", missing, f"缺少{name}参数")
        self._check_form(given)
        self._check_time(given["timestamp"])
        self._check_certificates(given)
        merchant = certificate(self.keys.alipay.app_cert).public_key()
        content = alipay_content(given)
        if not is_signed(merchant, content.encode(charset, "replace"), given["sign"]):  # type: ignore[arg-type]
            words = "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为："
            raise Refused("40002", "isv.invalid-signature", words + content)

    def _check_form(self, given: dict[str, str]) -> None:
        if given["method"] not in self.methods.operations:
            raise Refused("40002", "isv.invalid-method", "不存在的方法名")
        if given.get("charset", "utf-8").lower() not in ("utf-8", "gbk"):
            raise Refused("40002", "isv.invalid-charset", "字符集错误")
        if given.get("format", "JSON").upper() != "JSON":
            raise Refused("40002", "isv.invalid-format", "无效的数据格式")
        if given["sign_type"] != "RSA2":
            raise Refused("40002", "isv.invalid-signature-type", "无效的签名类型")
        if given["version"] != "1.0":
            raise Refused("40002", "isv.invalid-version", "无效的版本")

    def _check_time(self, timestamp: str) -> None:
        try:
            sent = datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()
        except ValueError:
            raise Refused("40002", "isv.invalid-timestamp", "非法的时间戳参数") from None
        if abs(sent - self.book.now()) > SKEW:
            raise Refused("40002", "isv.invalid-timestamp", "非法的时间戳参数：与网关时间相差过大（北京时间）")

    def _check_certificates(self, given: dict[str, str]) -> None:
        """Certificate mode: both numbers, or none."""
        app, root = given.get("app_cert_sn", ""), given.get("alipay_root_cert_sn", "")
        if not app and not root:
            return
        if app != certificate_sn(certificate(self.keys.alipay.app_cert)):
            raise Refused("40002", "isv.invalid-app-cert-sn", "应用公钥证书序列号不匹配")
        if root != root_sn(self.keys.alipay.root_cert):
            raise Refused("40002", "isv.invalid-alipay-root-cert-sn", "支付宝根证书序列号不匹配")


def _content(given: dict[str, str]) -> dict[str, Any]:
    try:
        asked = json.loads(given.get("biz_content") or "{}")
    except ValueError:
        raise Refused("40002", "isv.invalid-parameter", "biz_content不是JSON") from None
    if not isinstance(asked, dict):
        raise Refused("40002", "isv.invalid-parameter", "biz_content不是JSON对象")
    return asked
