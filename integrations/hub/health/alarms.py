"""Alarms: opened when something stands wrong, told once, ended when it is well again. One beat looks at everything.

Looking twice at once is harmless: one of them looks, the other leaves it to that one; the table admits one open alarm
of each subject all the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.health import flows, telling
from integrations.hub.health.flows import Flow
from integrations.hub.health.models import Alarm, AlarmKind
from integrations.hub.health.readers import PREFIX
from integrations.hub.models import Pulse
from integrations.hub.reading import gaps
from integrations.hub.symptoms import SILENT

CALM = timedelta(seconds=120)  # well for so long without a break, and it has ended
ONE_LOOK = 0x6C6F6F6B  # key of the advisory lock


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that stands wrong now."""

    kind: str
    subject: str
    account_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def look() -> int:
    """Open, go on with and end alarms by how everything stands now, and have them told; returns how many are open.

    A transaction of its own: the alarms and what is sent of them commit together.
    """
    with outgoing.recording():
        if not _only_one():
            return opened().count()
        standing = sorted({(one.kind, one.subject): one for one in troubles()}.items())
        _stand([trouble for _key, trouble in standing])
        alarms = list(Alarm.objects.filter(ended_at=None).order_by("pk"))
        _end(alarms, {key for key, _trouble in standing})
        telling.tell(alarms)
    return sum(alarm.ended_at is None for alarm in alarms)


def _only_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_LOOK])
        return bool(cursor.fetchone()[0])


def opened() -> QuerySet[Alarm]:
    """What stands wrong now."""
    return Alarm.objects.filter(ended_at=None)


def unseen() -> QuerySet[Alarm]:
    """What stands wrong and nobody has said to look after, or asked to be silent for a while."""
    return opened().filter(Q(silent_until=None) | Q(silent_until__lte=timezone.now()), acknowledged_at=None)


# --- what stands wrong -----------------------------------------------------------------------------------------------


def troubles() -> Iterator[Trouble]:
    """Everything that is an alarm now. At most three statements, however many accounts there are."""
    measured = flows.measure()
    yield from (_late(flow) for flow in measured if flow.is_late)
    accounts = {flow.account.id: flow.account for flow in measured}
    for account in accounts.values():
        words = {"account": account.name}
        if account.problem:
            facts = {**words, "problem": account.problem}
            yield Trouble(AlarmKind.PROBLEM, str(account.id), account.id, facts)
        if count := sum(flow.parked for flow in measured if flow.account.id == account.id):
            yield Trouble(AlarmKind.PARKED, str(account.id), account.id, {**words, "count": count})
    yield from silent_clusters()
    if accounts:
        yield from _gaps({account.id: account.kind for account in accounts.values()})


def _gaps(kinds: dict[int, str]) -> Iterator[Trouble]:
    """Holes in what was read, by account and reader."""
    counted = gaps.opened().order_by("account", "name").values_list("account", "account__name", "name")
    for account, called, name, count in counted.annotate(n=Count("pk")):
        if account in kinds:
            facts = {"account": called, "kind": kinds[account], "flow": PREFIX + name, "count": count}
            yield Trouble(AlarmKind.GAP, f"{account}:{name}", account, facts)


def _late(flow: Flow) -> Trouble:
    return Trouble(
        AlarmKind.LATE,
        f"{flow.account.id}:{flow.name}",
        flow.account.id,
        {"account": flow.account.name, "kind": flow.account.kind, "flow": flow.name, "seconds": int(flow.age),
         "objective": flow.objective},
    )  # fmt: skip


def clusters() -> dict[str, float | None]:
    """Each cluster of workers and the seconds since its last pulse; None: it never gave one."""
    beaten = {pulse.cluster: pulse.now - pulse.beaten_at for pulse in Pulse.objects.annotate(now=Now())}
    names = (settings.Q_CLUSTER["name"], settings.WEFT_URGENT_CLUSTER)
    return {name: beaten[name].total_seconds() if name in beaten else None for name in names}


def main_is_silent() -> QuerySet[Pulse]:
    """A row when the main cluster, which looks at everything, gives no sign of life."""
    return Pulse.objects.filter(cluster=settings.Q_CLUSTER["name"], beaten_at__lt=Now() - SILENT)


def silent_clusters() -> Iterator[Trouble]:
    """Clusters that give no sign of life, though they did, or were started long enough ago."""
    for cluster, age in clusters().items():
        if age is not None and age > SILENT.total_seconds():
            yield Trouble(AlarmKind.SILENT, cluster, None, {"cluster": cluster, "seconds": int(age)})


# --- what is written -------------------------------------------------------------------------------------------------

# A new alarm of something that staff silenced is silent as well.
_STAND = """
INSERT INTO hub_alarm AS a (kind, subject, account_id, facts, told, acknowledged_by, note, silenced_by, silent_reason,
    silent_until)
SELECT t.kind, t.subject, t.account_id, t.facts, 0, '', '', coalesce(s.silenced_by, ''), coalesce(s.silent_reason, ''),
    s.silent_until
FROM jsonb_to_recordset(%s::jsonb) AS t(kind text, subject text, account_id bigint, facts jsonb)
LEFT JOIN LATERAL (
    SELECT o.silenced_by, o.silent_reason, o.silent_until FROM hub_alarm o
    WHERE o.kind = t.kind AND o.subject = t.subject COLLATE "C" AND o.silent_until > clock_timestamp()
    ORDER BY o.id DESC LIMIT 1
) s ON true
ORDER BY t.kind COLLATE "C", t.subject COLLATE "C"
ON CONFLICT (kind, subject) WHERE ended_at IS NULL DO UPDATE SET facts = excluded.facts, well_since = NULL
"""


def _stand(troubles: Sequence[Trouble]) -> None:
    if troubles:
        with connection.cursor() as cursor:
            cursor.execute(_STAND, [json.dumps([asdict(trouble) for trouble in troubles])])


def _end(alarms: list[Alarm], standing: Collection[tuple[str, str]]) -> None:
    """What is well begins to be so, and has ended when that lasted."""
    now = timezone.now()
    calmed = [alarm for alarm in alarms if (alarm.kind, alarm.subject) not in standing]
    for alarm in calmed:
        alarm.well_since = alarm.well_since or now
        if now - alarm.well_since >= CALM:
            alarm.ended_at = alarm.well_since
    Alarm.objects.bulk_update(calmed, ["well_since", "ended_at"])
