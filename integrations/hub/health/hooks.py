"""The account behind WEFT_ALARM_WEBHOOK: made and kept as the environment says. Staff may add others of its kind."""

from __future__ import annotations

from django.conf import settings

from integrations.hub import accounts

KIND, PROVIDER, NAME = "alarms", "webhook", "alarm webhook"


def keep() -> None:
    """Bring the account up to date with the settings; nothing where they name no webhook."""
    if settings.WEFT_ALARM_WEBHOOK:
        values = {"url": settings.WEFT_ALARM_WEBHOOK, "secret": settings.WEFT_ALARM_WEBHOOK_SECRET}
        accounts.connect(KIND, PROVIDER, NAME, values)
