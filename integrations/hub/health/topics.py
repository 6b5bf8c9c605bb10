"""How alarms leave the house: a letter to staff, and a signed message to a program. Written anew when it is sent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.alarms.base import AlarmReceiver
from integrations.hub.errors import Rejected
from integrations.hub.health import words
from integrations.hub.health.models import Alarm
from integrations.hub.models import Account
from integrations.hub.topics import Command
from integrations.hub.values import Done, Lane, Pending, Repeat
from integrations.messages.base import Letter, Messages

MAIL, HOOK = "alarm.mail", "alarm.webhook"


class _OfAlarm(Command):
    """In a lane that both clusters serve: each may have to tell that the other is silent."""

    by_hand = True
    lane = Lane.PARCELS
    repeat = Repeat.SAFE
    fresh_within = timedelta(minutes=2)
    expires_after = timedelta(hours=72)

    def subject(self, key: str) -> str:
        return f"alarm:{key.split(':')[0]}"

    def look(self, remote: Any, payload: dict[str, Any], key: str) -> Done | Pending | None:
        return None

    def settle(self, account: Account, payload: dict[str, Any], done: Done) -> None:
        """Nothing here depends on who was told."""


class AlarmMail(_OfAlarm):
    """After an unknown outcome it is sent once more, under the same Message-ID."""

    name = MAIL
    label = gettext_lazy("letter about an alarm")
    kind = "messages"
    resends = 1

    def send(self, remote: Messages, payload: dict[str, Any], key: str) -> Done:
        if not settings.WEFT_ALARM_MAIL:
            raise Rejected("Nobody is named to get alarms (WEFT_ALARM_MAIL).")
        return remote.send(compose(_alarm(payload), payload["event"], key))


class AlarmHook(_OfAlarm):
    """The key is the message's id, by which its receiver knows one that comes again."""

    name = HOOK
    label = gettext_lazy("alarm for a program")
    kind = "alarms"

    def send(self, remote: AlarmReceiver, payload: dict[str, Any], key: str) -> Done:
        return remote.tell(f"weft-alarm-{key}", json.dumps(message(_alarm(payload), payload["event"])))


def _alarm(payload: dict[str, Any]) -> Alarm:
    found = Alarm.objects.select_related("account").filter(pk=payload["alarm"]).first()
    if found is None:
        raise Rejected("The alarm is not kept any more.")
    return found


def link() -> str:
    """Where staff see it."""
    return settings.WEFT_SHOP_URL + reverse("admin:hub_account_flows")


def compose(alarm: Alarm, event: str, key: str) -> Letter:
    """The letter, to all who are to be told, in the language of the desk."""
    with translation.override(settings.LANGUAGE_CODE):
        said = words.of_alarm(alarm)
        text = "\n\n".join([words.news(alarm, event), said, *words.advice(alarm), link()])
        subject = _("%(shop)s: %(news)s: %(said)s") % {
            "shop": urlsplit(settings.WEFT_SHOP_URL).hostname, "news": words.heading(event), "said": said,
        }  # fmt: skip
    host = urlsplit(settings.WEFT_SHOP_URL).hostname or "weft"
    return Letter(
        message_id=f"alarm-{key}@{host}",
        to=", ".join(settings.WEFT_ALARM_MAIL),
        sender=settings.DEFAULT_FROM_EMAIL,
        subject=" ".join(subject.split())[:200],
        text=text + "\n",
    )


def message(alarm: Alarm, event: str) -> dict[str, Any]:
    """What a program is told: the event, the figures of the last look, and the words in both languages."""
    said = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said[language] = words.of_alarm(alarm)
    ended = alarm.ended_at
    return {
        "type": f"alarm.{event}",
        "timestamp": (ended if event == "ended" and ended else alarm.opened_at).isoformat(),
        "data": {
            "id": alarm.pk,
            "kind": alarm.kind,
            "subject": alarm.subject,
            "facts": alarm.facts,
            "opened_at": alarm.opened_at.isoformat(),
            "ended_at": ended.isoformat() if ended else None,
            "lasted_seconds": int((ended - alarm.opened_at).total_seconds()) if ended else None,
            "words": said,
            "link": link(),
        },
    }
