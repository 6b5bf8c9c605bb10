"""Starting a payment: what is sent for each way to pay, and what the buyer's browser does with the answer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from integrations.hub.answers import Unfit, text
from integrations.hub.errors import Rejected, Unsupported
from integrations.payments.base import JsCall, Method, Qr, Redirect, Scene, Start
from integrations.payments.wechatpay import keys, wire
from integrations.payments.wechatpay.trades import CNY, cut, fen

BEIJING = timezone(timedelta(hours=8))
LONGEST = timedelta(days=7)
H5_LASTS, PREPAY_LASTS = timedelta(minutes=5), timedelta(hours=2)
TITLE_BYTES = 127

# The best first. A QR code is offered everywhere: with it one pays with another device.
WAYS = {
    way.code: way
    for way in (
        Method(
            "jsapi",
            "WeChat Pay",
            frozenset({Scene.WECHAT}),
            needs_payer=True,
            longest=LONGEST,
            action_lasts=PREPAY_LASTS,
        ),
        Method("h5", "WeChat Pay", frozenset({Scene.PHONE}), longest=LONGEST, action_lasts=H5_LASTS),
        Method(
            "native",
            "WeChat Pay, by QR code",
            frozenset(Scene),
            longest=LONGEST,
            action_lasts=PREPAY_LASTS,
        ),
    )  # fmt: skip
}


def document(start: Start, mchid: str, appid: str) -> dict[str, Any]:
    """What is sent. The same start gives the same document. Raises Rejected for what cannot be started at all."""
    if start.method not in WAYS:
        raise Unsupported(f"WeChat Pay has no way to pay named {start.method!r} here.")
    return {
        "appid": appid,
        "mchid": mchid,
        "description": cut(start.title, TITLE_BYTES),
        "out_trade_no": start.number,
        "time_expire": start.expires_at.astimezone(BEIJING).isoformat(timespec="seconds"),
        "notify_url": start.notify_url,
        "amount": {"total": fen(start.total), "currency": CNY},
        **_of_the_payer(start),
    }


def _of_the_payer(start: Start) -> dict[str, Any]:
    if start.method == "jsapi":
        return {"payer": {"openid": _needed(start.payer, "payer", "who pays is not known")}}
    if start.method == "h5":
        ip = _needed(start.payer_ip, "payer_ip", "the address of the payer's device is not known")
        return {"scene_info": {"payer_client_ip": ip, "h5_info": {"type": "Wap"}}}
    return {}


def _needed(value: str, name: str, why: str) -> str:
    if not value:
        raise Rejected(f"This way to pay cannot be started: {why}.", fields={name: why})
    return value


def qr(told: Any) -> Qr:
    """The code to show."""
    return Qr(_said(told, "code_url"))


def redirect(told: Any, back: str, hosts: Collection[str]) -> Redirect:
    """WeChat Pay's page, which comes back to `back`."""
    url = _said(told, "h5_url")
    if urlsplit(url).netloc not in hosts:
        raise Unfit("h5_url leads elsewhere")
    return Redirect(f"{url}{'&' if '?' in url else '?'}{urlencode({'redirect_url': back})}" if back else url)


def js_call(told: Any, appid: str, key: RSAPrivateKey, now: datetime) -> JsCall:
    """What WeChat's own script wants, signed by us; nothing is asked for it."""
    package, timestamp, word = f"prepay_id={_said(told, 'prepay_id')}", str(int(now.timestamp())), wire.nonce()
    signature = keys.signed(key, f"{appid}\n{timestamp}\n{word}\n{package}\n")
    return JsCall(
        {"appId": appid, "timeStamp": timestamp, "nonceStr": word, "package": package, "signType": "RSA",
         "paySign": signature}
    )  # fmt: skip


def _said(told: Any, name: str) -> str:
    found = text(told, name)
    if not found:
        raise Unfit(f"{name} is empty")
    return found
