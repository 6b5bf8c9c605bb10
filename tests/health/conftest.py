"""Fixtures for watching: what stands wrong, and time that passes when told to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from integrations.hub.health import alarms
from integrations.hub.health.models import Alarm
from integrations.hub.models import Cursor, Outgoing, Pause, Pulse
from tests.hub.conftest import _topics, account, remote

__all__ = ["_topics", "account", "remote"]


@pytest.fixture(autouse=True)
def _nobody_is_told(settings: Any) -> None:
    settings.WEFT_ALARM_MAIL = []
    settings.WEFT_ALARM_WEBHOOK = settings.WEFT_ALARM_WEBHOOK_SECRET = ""


def wait(seconds: float) -> None:
    """Let time pass: what was written down lies further back."""
    by = timedelta(seconds=seconds)
    Outgoing.objects.update(wished_at=F("wished_at") - by, next_at=F("next_at") - by, created_at=F("created_at") - by)
    Outgoing.objects.filter(delivered_at__isnull=False).update(delivered_at=F("delivered_at") - by)
    Pause.objects.update(until=F("until") - by)
    Pulse.objects.update(beaten_at=F("beaten_at") - by)
    Cursor.objects.filter(read_at__isnull=False).update(read_at=F("read_at") - by)
    Alarm.objects.update(opened_at=F("opened_at") - by)
    for moment in ("told_at", "well_since", "silent_until", "ended_at"):
        Alarm.objects.filter(**{f"{moment}__isnull": False}).update(**{moment: F(moment) - by})


def calm() -> None:
    """Two looks with the time between them that a trouble must be gone for."""
    alarms.look()
    wait(121)
    alarms.look()
