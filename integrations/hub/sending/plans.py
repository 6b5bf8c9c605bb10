"""What may be done with a command that was perhaps sent already, by what its topic declares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q

from integrations.hub import clock
from integrations.hub.models import Outgoing
from integrations.hub.sending.claims import LEASE_SECONDS
from integrations.hub.topics import Command
from integrations.hub.values import Done, Pending, Repeat

LOOK_AGAIN = timedelta(seconds=30)
UNKNOWN = ("OutcomeUnknown", "bug")  # outcomes of attempts that perhaps did it


TOO_LATE = "Too late: it could not be sent in time. Do it by hand if it is still wanted."
PERHAPS = "Perhaps it was done, perhaps not; there is no way to look. Check by hand, then mark it."


@dataclass(frozen=True, slots=True)
class Plan:
    """`park`: the reason to set it aside, `unknown` if it was perhaps done. `look`: look it up before sending.
    Neither: send."""

    park: str = ""
    unknown: bool = False
    look: bool = False


def current(topic: Command, row: Outgoing) -> dict[str, Any] | None:
    """The payload in today's form; None when a newer Weft wrote it."""
    if row.version > topic.version:
        return None
    payload = row.payload
    for version in range(row.version, topic.version):
        payload = topic.upgrade(version, payload)
    return dict(payload)


def is_late(row: Outgoing) -> bool:
    """Its time is over: it must not be sent (again)."""
    return row.expires_at is not None and row.expires_at <= clock.now()


def plan(topic: Command, row: Outgoing, perhaps_sent: bool) -> Plan:
    """How to go on. A command that was perhaps sent is never just too late: it is looked up first, if it can be."""
    if not perhaps_sent:
        return Plan(park=TOO_LATE) if is_late(row) else Plan()
    if topic.repeat is Repeat.LOOK:
        return Plan(look=True)
    if topic.repeat is Repeat.SAFE and not is_late(row) and _may_resend(topic, row):
        return Plan()
    return Plan(park=PERHAPS, unknown=True)


def _may_resend(topic: Command, row: Outgoing) -> bool:
    """Attempts that surely did nothing (refused, postponed) do not count."""
    unknown = Q(finished_at=None) | Q(outcome__in=UNKNOWN)
    return topic.resends is None or row.attempts.filter(unknown).count() <= topic.resends


def after_look(topic: Command, row: Outgoing, seen: Done | Pending | None) -> Done | timedelta | str | None:
    """What a look-up means: done; look again after a while; why to set it aside; or None: surely not there, send.

    "Not there" counts only once nothing sent before can still be on its way.
    """
    if isinstance(seen, Done):
        return seen
    if isinstance(seen, Pending):
        return LOOK_AGAIN
    last, now = row.attempts.order_by("-pk").first(), clock.now()
    settles_at = last.started_at + timedelta(seconds=LEASE_SECONDS) + topic.visibility_delay if last else now
    remaining = settles_at - now
    if remaining > timedelta(0):
        return remaining
    return TOO_LATE if is_late(row) else None
