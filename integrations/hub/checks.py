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


@register(Tags.compatibility)
def queue_forgets_nothing(**_: Any) -> list[CheckMessage]:
    """What django-q2 must not be told (docs/decisions/0003-django-q2.md). Other clusters inherit from the main one."""
    main = settings.Q_CLUSTER
    clusters = [main, *({**main, **other} for other in main.get("ALT_CLUSTERS", {}).values())]
    wrong = {
        "ack_failures": any(each.get("ack_failures") for each in clusters),
        "max_attempts": any(each.get("max_attempts") for each in clusters),
        "save_limit": any(each.get("save_limit", 0) >= 0 for each in clusters),
        "retry": any(each.get("retry", 60) <= each.get("timeout", 0) for each in clusters),
    }
    return [
        Error(
            f"Q_CLUSTER: with this {name} a task that fails, or that takes long, is lost or run twice at once.",
            id="weft.E002",
        )
        for name, is_wrong in wrong.items()
        if is_wrong
    ]
