"""Once, from `HubConfig.ready`: the topics, beats and examinations of watching the flows."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy

from integrations.hub import topics
from integrations.hub.health import alarms, symptoms
from integrations.hub.health.topics import AlarmHook, AlarmMail
from integrations.hub.workers import beats

LOOK = "integrations.hub.health.tasks.look"


def connect() -> None:
    """The main cluster looks; where it is silent the other does, so that somebody says it."""
    topics.register(AlarmMail())
    topics.register(AlarmHook())
    topics.register_subject("alarm", lambda pk: f"/admin/hub/alarm/{pk}/change/", gettext_lazy("alarm"))
    symptoms.register()
    urgent = settings.WEFT_URGENT_CLUSTER
    beats.register("hub.health", seconds=60, task=LOOK)
    beats.register("hub.health.urgent", seconds=60, task=LOOK, cluster=urgent, work=alarms.main_is_silent)
