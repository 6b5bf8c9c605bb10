"""Telling people and programs of alarms: once when they begin, once a day while they stand, once when they ended.

Mail and webhook are commands of the hub, written with the alarm itself; the alarm's id is in their key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Case, IntegerField, Q, When
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.health import hooks, topics
from integrations.hub.health.models import Alarm
from integrations.hub.models import Account, AccountState
from integrations.hub.values import Lane
from integrations.hub.workers import wakeups

AGAIN = timedelta(hours=24)
OPENED, REMINDER, ENDED = "opened", "reminder", "ended"


def tell(alarms: Iterable[Alarm]) -> int:
    """Write what has to be told of these alarms; returns how many. Inside the look's transaction."""
    news = [(alarm, event) for alarm in alarms if (event := due(alarm))]
    if not news:
        return 0
    ways = list(_ways())
    now = timezone.now()
    for alarm, event in news:
        for topic, account in ways:
            outgoing.command(
                topic, account, {"alarm": alarm.pk, "event": event}, key=f"{alarm.pk}:{event}:{alarm.told}",
                serial=f"{topic}:{alarm.pk}",
            )  # fmt: skip
        alarm.told_at, alarm.told = now, alarm.told + 1
    Alarm.objects.bulk_update([alarm for alarm, _event in news], ["told_at", "told"])
    if ways:
        # Of whichever cluster: the one that serves these rows' lane may be what is silent.
        wakeups.on_commit([Lane.CATALOGUE])
    return len(news)


def due(alarm: Alarm) -> str:
    """What has to be told of it now; '' for nothing. What is silent says nothing, and what was not told does not end.

    What began to be well says nothing yet: it may have ended.
    """
    now = timezone.now()
    if alarm.silent_until and alarm.silent_until > now:
        return ""
    if alarm.ended_at:
        return ENDED if alarm.told_at else ""
    if alarm.told_at is None:
        return OPENED
    rests = alarm.acknowledged_at or alarm.well_since
    return REMINDER if not rests and now - alarm.told_at >= AGAIN else ""


def _ways() -> Iterator[tuple[str, Account]]:
    """Topic and account of every way there is: mail by an account that works, if there is one, and each webhook."""
    if settings.WEFT_ALARM_MAIL:
        well = Case(When(state=AccountState.ACTIVE, problem="", then=0), default=1, output_field=IntegerField())
        mail = Account.objects.filter(kind="messages").exclude(state=AccountState.RETIRED).order_by(well, "pk")[:1]
        yield from ((topics.MAIL, account) for account in mail)
    here = Q() if settings.WEFT_ALARM_WEBHOOK else ~Q(name=hooks.NAME)
    for account in Account.objects.filter(here, kind=hooks.KIND).exclude(state=AccountState.RETIRED).order_by("pk"):
        yield topics.HOOK, account
