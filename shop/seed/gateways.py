"""The demo's practice payment gateways: an account at each. Doing it again is harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from integrations.hub import accounts
from integrations.hub.models import Account


def connect(folder: Path) -> list[Account]:
    """Accounts of what the gateways wrote into `folder` for their merchant. Raises IdentityFixed for another's."""
    alipay, wechatpay = (_merchant(folder, name) for name in ("alipay", "wechatpay"))
    return [
        accounts.connect("payments", "alipay", "Practice Alipay", _alipay(alipay)),
        accounts.connect("payments", "wechatpay", "Practice WeChat Pay", _wechatpay(wechatpay)),
    ]


def _merchant(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))


def _alipay(given: dict[str, Any]) -> dict[str, str]:
    """Signing with keys."""
    return {name: given[name] for name in ("app_id", "seller_id", "private_key", "alipay_public_key", "gateway")}


def _wechatpay(given: dict[str, Any]) -> dict[str, str]:
    """By the public key."""
    same = ("mchid", "appid", "app_secret", "private_key", "apiv3_key", "public_key_id", "public_key")
    return {
        **{name: given[name] for name in same},
        "serial": given["serial_no"],
        "url": given["gateway"],
        "sign_in_url": f"{given['login']}/connect/oauth2/authorize",
        "openid_url": f"{given['login']}/sns/oauth2/access_token",
    }
