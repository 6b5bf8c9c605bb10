"""Where a buyer's browser is, by what it says of itself."""

from __future__ import annotations

import re

from integrations.payments.base import Scene

_PHONE = re.compile(r"Mobile|Android|iPhone|iPod|HarmonyOS|Windows Phone", re.IGNORECASE)


def scene(agent: str) -> Scene:
    """By a User-Agent. WeChat on a computer shows pages as a desktop does, and has WeChat's own payment."""
    if "MicroMessenger" in agent:
        return Scene.WECHAT
    if "AlipayClient" in agent:
        return Scene.ALIPAY
    return Scene.PHONE if _PHONE.search(agent) else Scene.DESKTOP
