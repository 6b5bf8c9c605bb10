"""What may be done with a command that was perhaps sent already, by what its topic declares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.hub.claims import LEASE_SECONDS
from integrations.hub.models import Outgoing
from integrations.hub.topics import Command
from integrations.hub.values import Done, Pending, Repeat

LOOK_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Plan:
    """`park`: the reason to set it aside. `look`: look it up before sending. Neither: send."""

    park: str = ""
    look: bool = False


def current(topic: Command, row: Outgoing) -> dict[str, Any] | None:
    """The payload in today's form; None when a newer Weft wrote it."""
    if row.version > topic.version:
        return None
    payload = row.payload
    for version in range(row.version, topic.version):
        payload = topic.upgrade(version, payload)
    return dict(payload)


def plan(topic: Command, row: Outgoing, perhaps_sent: bool) -> Plan:
    """How to go on. Only a command that was perhaps sent needs care."""
    if not perhaps_sent:
        return Plan()
    if topic.repeat is Repeat.LOOK:
        return Plan(look=True)
    tries = row.attempts.count()
    if topic.repeat is Repeat.SAFE and (topic.resends is None or tries <= topic.resends):
        return Plan()
    return Plan(park="Perhaps it was done, perhaps not; there is no way to look. Check by hand, then mark it.")


def after_look(topic: Command, row: Outgoing, seen: Done | Pending | None) -> Done | timedelta | None:
    """What a look-up means: done; look again after a while; or None: surely not there, send.

    "Not there" counts only once nothing sent before can still be on its way.
    """
    if isinstance(seen, Done):
        return seen
    if isinstance(seen, Pending):
        return LOOK_AGAIN
    last = row.attempts.order_by("-pk").first()
    settles_at = last.started_at + timedelta(seconds=LEASE_SECONDS) + topic.visibility_delay if last else timezone.now()
    remaining = settles_at - timezone.now()
    return remaining if remaining > timedelta(0) else None
