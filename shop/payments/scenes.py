"""Where a buyer's browser is: in which app, by what it says of itself, and at which address."""

from __future__ import annotations

import re
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from integrations.payments.base import Scene

_PHONE = re.compile(r"Mobile|Android|iPhone|iPod|HarmonyOS|Windows Phone", re.IGNORECASE)


def scene(agent: str) -> Scene:
    """By a User-Agent. WeChat on a computer shows pages as a desktop does, and has WeChat's own payment."""
    if "MicroMessenger" in agent:
        return Scene.WECHAT
    if "AlipayClient" in agent:
        return Scene.ALIPAY
    return Scene.PHONE if _PHONE.search(agent) else Scene.DESKTOP


def address(request: HttpRequest) -> str:
    """The buyer's IP address; '' where it is none. Behind a proxy of ours (`WEFT_BEHIND_TLS_PROXY`) it is the one that
    this proxy saw, the last in X-Forwarded-For: what stands before it anybody may have written."""
    seen = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        seen = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip() or seen
    try:
        return str(ip_address(seen))
    except ValueError:
        return ""
