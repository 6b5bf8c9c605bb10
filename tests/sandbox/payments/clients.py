"""Other people's clients, pointed at the practice gateways, and their signatures under requests that are wrong."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from http.client import HTTPResponse
from typing import Any
from urllib.parse import parse_qsl, urlencode

from alipay import AliPay, BaseAliPay, DCAliPay
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core
from wechatpayv3.utils import build_authorization, load_private_key

from tests.sandbox.payments.conftest import Gateways, fetch

PUBLIC_KEY, CERTIFICATE = "public key", "platform certificate"


def alipay(gateways: Gateways, *, certified: bool = False) -> BaseAliPay:
    """python-alipay-sdk, by key or by certificates."""
    given = gateways.alipay
    if certified:
        client: BaseAliPay = DCAliPay(
            given["app_id"], given["private_key"], given["app_cert"], given["alipay_cert"], given["root_cert"]
        )
    else:
        client = AliPay(
            given["app_id"],
            app_private_key_string=given["private_key"],
            alipay_public_key_string=given["alipay_public_key"],
        )
    client._gateway = given["gateway"]
    return client


def npm(gateways: Gateways, *, certified: bool = False) -> dict[str, Any]:
    """The settings of Alipay's own client."""
    given = gateways.alipay
    config = {"appId": given["app_id"], "privateKey": given["private_key"], "keyType": "PKCS8",
              "gateway": given["gateway"]}  # fmt: skip
    if certified:
        return config | {"appCertContent": given["app_cert"], "alipayPublicCertContent": given["alipay_cert"],
                         "alipayRootCertContent": given["root_cert"]}  # fmt: skip
    return config | {"alipayPublicKey": given["alipay_public_key"]}


def raw_alipay(gateways: Gateways, method: str, content: Any, *, unsigned: dict[str, str] | None = None,
               **common: Any) -> dict[str, Any]:  # fmt: skip
    """A request signed by python-alipay-sdk, with other common parameters, and changed after that by `unsigned`."""
    client = alipay(gateways)
    query = client.sign_data(client.build_body(method, content, **common))
    query = urlencode(dict(parse_qsl(query)) | (unsigned or {}))
    status, text = fetch(f"{gateways.alipay['gateway']}?{query}")
    assert status == 200
    (said,) = (value for name, value in json.loads(text).items() if name.endswith("_response"))
    return said


def wechatpay(gateways: Gateways, mode: str, kind: WeChatPayType = WeChatPayType.NATIVE, *,
              notify_url: str = "http://127.0.0.1:9/notices") -> WeChatPay:  # fmt: skip
    """wechatpayv3, proving replies by public key or by a certificate, which it asks for itself."""
    given = gateways.wechatpay
    by_key = {"public_key": given["public_key"], "public_key_id": given["public_key_id"]}
    begin, Core._init_certificates = Core._init_certificates, lambda self: None  # it would ask the real WeChat Pay
    try:
        client = WeChatPay(
            kind, given["mchid"], given["private_key"], given["serial_no"], given["appid"], given["apiv3_key"],
            notify_url, timeout=20, **(by_key if mode == PUBLIC_KEY else {}),
        )  # fmt: skip
    finally:
        Core._init_certificates = begin
    client._core._gate_way = gateways.base
    return client


def raw_wechatpay(
    gateways: Gateways,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    sent: bytes | None = None,
    authorization: str | None = None,
) -> tuple[int, dict[str, Any], Any]:
    """A request signed by wechatpayv3, with other headers, another body than the signed one. Status, what, headers."""
    given = gateways.wechatpay
    text = json.dumps(body) if body is not None else ""
    if authorization is None:
        key = load_private_key(given["private_key"])
        authorization = build_authorization(path, method, given["mchid"], given["serial_no"], key, data=text)
    all_headers = {"authorization": authorization, "accept": "application/json", "content-type": "application/json",
                   "user-agent": "tests", **(headers or {})}  # fmt: skip
    data = sent if sent is not None else text.encode() or None
    request = urllib.request.Request(gateways.base + path, data, all_headers, method=method)
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error  # type: ignore[assignment]
    with answer:
        text = answer.read().decode()
        return answer.status, json.loads(text or "{}"), answer.headers


def order(gateways: Gateways, number: str, fen: int = 1234, **more: Any) -> dict[str, Any]:
    """What is asked of WeChat Pay for a payment."""
    given = gateways.wechatpay
    said = {"mchid": given["mchid"], "appid": given["appid"], "description": "一把椅子", "out_trade_no": number}
    amount = {"total": fen, "currency": "CNY"}
    return {**said, "notify_url": "http://127.0.0.1:9/notices", "amount": amount, **more}


def number(what: str) -> str:
    """A number that nobody had before."""
    return f"{what}{time.time_ns():X}"[:26].upper()
