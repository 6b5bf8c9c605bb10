"""System checks: connectors that could not be loaded, and how leases and deadlines fit."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.compatibility)
def connectors_load(**_: Any) -> list[CheckMessage]:
    from integrations.hub import registry

    registry.connectors()
    return [
        Warning(f"The connector {module} could not be loaded: {why}", id="weft.W001")
        for module, why in registry.broken.items()
    ]


@register(Tags.security, deploy=True)
def production_is_closed(**_: Any) -> list[CheckMessage]:
    if settings.WEFT_MODE != "production":
        return [Error(f"WEFT_MODE is {settings.WEFT_MODE!r}; leave it unset in production.", id="weft.E001")]
    return []
