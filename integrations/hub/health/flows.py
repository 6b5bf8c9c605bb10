"""How every flow stands, by one statement for all accounts: what is sent (a topic) and what is read (a cursor).

The age of what is sent is that of the oldest wish the remote has not got and that could be on its way. Waiting on
purpose is no delay: for another row, for a person (parked, taken), for a moment the topic chose itself. A paused
account, one that refuses and one that fails are no excuse: what waits for them is late. The age of what is read is the
time since it was last read to its end. What came in and nobody has heeded is a flow as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from integrations.hub import topics
from integrations.hub.health import readers
from integrations.hub.health.readers import PREFIX
from integrations.hub.incoming import claims
from integrations.hub.models import AccountState
from integrations.hub.reading import cursors
from integrations.hub.topics import Topic

HEARD = "heard"  # the flow of what came in; no topic is called so
HEARD_WITHIN = timedelta(seconds=60)

# Ages start when a wish came (and, met in part, at the last delivery). `own` leaves out what waits on purpose: rows put
# off to a later moment without having failed. While the remote refuses as a whole, being put off is its doing: `all`.
# Each part names the conditions of one partial index of hub_outgoing, so that what is delivered is never read.
_DUE = """
SELECT o.account_id, o.topic AS flow, count(*) AS waiting, count(*) FILTER (WHERE o.failures > 0) AS failing,
    0 AS parked, min(greatest(o.wished_at, o.delivered_at)) AS all_since,
    min(CASE WHEN o.failures > 0 THEN greatest(o.wished_at, o.delivered_at)
             WHEN o.next_at <= statement_timestamp() THEN greatest(o.wished_at, o.delivered_at, o.next_at) END)
        AS own_since
FROM hub_outgoing o WHERE o.delivered < o.wanted AND o.parked_at IS NULL AND o.waits_key = '' AND o.taken_id IS NULL
GROUP BY 1, 2
"""
_HELD_UP = """
SELECT o.account_id, o.topic, count(*), count(*) FILTER (WHERE o.failures > 0), 0, NULL, NULL
FROM hub_outgoing o WHERE o.delivered < o.wanted AND o.parked_at IS NULL AND o.waits_key <> '' GROUP BY 1, 2
"""
_PARKED = """
SELECT o.account_id, o.topic, 0, 0, count(*), NULL, NULL
FROM hub_outgoing o WHERE o.delivered < o.wanted AND o.parked_at IS NOT NULL GROUP BY 1, 2
"""
_HEARD = f"""
SELECT i.account_id, '{HEARD}', count(*), count(*) FILTER (WHERE i.failures > 0), 0, min(i.received_at),
    min(CASE WHEN i.failures > 0 THEN i.received_at
             WHEN i.next_at <= statement_timestamp() THEN greatest(i.received_at, i.next_at) END)
FROM hub_incoming i WHERE i.done_at IS NULL AND i.parked_at IS NULL GROUP BY 1
UNION ALL SELECT i.account_id, '{HEARD}', 0, 0, count(*), NULL, NULL
FROM hub_incoming i WHERE i.done_at IS NULL AND i.parked_at IS NOT NULL GROUP BY 1
"""
_READ = f"""
SELECT c.account_id, '{PREFIX}' || c.name, 0, 0, 0, coalesce(c.read_at, a.active_since), NULL
FROM hub_cursor c JOIN hub_account a ON a.id = c.account_id
"""
MEASURE = f"""
WITH flow AS (
    SELECT account_id, flow COLLATE "C" AS flow, sum(waiting)::bigint AS waiting, sum(failing)::bigint AS failing,
        sum(parked)::bigint AS parked, min(all_since) AS all_since, min(own_since) AS own_since
    FROM ({_DUE} UNION ALL {_HELD_UP} UNION ALL {_PARKED} UNION ALL {_HEARD} UNION ALL {_READ}) AS part GROUP BY 1, 2
)
SELECT a.id, a.name, a.kind, a.state, a.problem, coalesce(r.objectives, '{{}}'), coalesce(p.pauses, '[]'), f.flow,
    f.waiting, f.failing, f.parked,
    extract(epoch FROM clock_timestamp() - f.all_since)::float8,
    extract(epoch FROM clock_timestamp() - f.own_since)::float8
FROM hub_account a LEFT JOIN flow f ON f.account_id = a.id
LEFT JOIN LATERAL (SELECT jsonb_object_agg(x.flow, x.seconds) AS objectives FROM hub_objective x
                   WHERE x.account_id = a.id) r ON true
LEFT JOIN LATERAL (SELECT jsonb_agg(jsonb_build_object('topic', x.topic, 'until', x.until, 'reason', x.reason)
                                    ORDER BY x.topic) AS pauses
                   FROM hub_pause x WHERE x.account_id = a.id AND x.times > 0) p ON true
WHERE a.state <> %s AND NOT (a.state = %s AND a.settings = '{{}}' AND a.sealed = '')
ORDER BY a.kind COLLATE "C", a.name COLLATE "C", a.id, f.flow
"""


@dataclass(frozen=True, slots=True)
class Rest:
    """The other side refused; it is asked again at `until`."""

    topic: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Of:
    """The account a flow belongs to; not retired, and not only announced."""

    id: int
    name: str
    kind: str
    state: str
    problem: str


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow as it stands. `age` and `objective` in seconds; `own_objective` where staff set it."""

    account: Of
    name: str
    objective: int
    own_objective: bool
    age: float = 0.0
    waiting: int = 0
    failing: int = 0
    parked: int = 0
    rest: Rest | None = None

    @property
    def is_read(self) -> bool:
        return self.name.startswith(PREFIX)

    @property
    def is_late(self) -> bool:
        """A little more than the objective: what is on its way just now is no alarm."""
        return self.age > self.objective + max(10.0, self.objective / 10)

    @property
    def label(self) -> Any:
        return label(self.account.kind, self.name)


def label(kind: str, flow: str) -> Any:
    """What people call a flow of accounts of a kind."""
    if flow == HEARD:
        return _("messages that came in")
    found = readers.find(kind, flow)
    return found.label if found else topics.label(flow)


def declared(kind: str, flow: str) -> int:
    """The objective the code declares, in seconds."""
    if flow == HEARD:
        return int(HEARD_WITHIN / timedelta(seconds=1))
    found = readers.find(kind, flow) or topics.find(flow) or Topic
    return int(found.fresh_within / timedelta(seconds=1))


def measure() -> list[Flow]:
    """Every flow of every living account, the idle ones as well, by kind and name of the account. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(MEASURE, [AccountState.RETIRED, AccountState.STARTING])
        rows = cursor.fetchall()
    found: dict[int, tuple[Of, dict[str, int], list[Rest]]] = {}
    measured: dict[int, dict[str, tuple[Any, ...]]] = {}
    for pk, name, kind, state, problem, objectives, pauses, flow, *figures in rows:
        found[pk] = (
            Of(pk, name, kind, state, problem),
            json.loads(objectives),
            [_rest(one) for one in json.loads(pauses)],
        )
        measured.setdefault(pk, {})
        if flow is not None:
            measured[pk][flow] = tuple(figures)
    return [flow for pk, of in found.items() for flow in _of_account(*of, measured[pk])]


def _of_account(
    account: Of, objectives: dict[str, int], rests: list[Rest], measured: dict[str, tuple[Any, ...]]
) -> Iterator[Flow]:
    idle = {name for name, topic in topics.registered().items() if topic.kind == account.kind}
    known = {name for name in measured if not name.startswith(PREFIX) or readers.find(account.kind, name)}
    for name in sorted(idle | known):
        waiting, failing, parked, everything, own = measured.get(name, (0, 0, 0, None, None))
        rest = next((rest for rest in rests if rest.topic in ("", _pause_of(name))), None)
        age = everything if rest or name.startswith(PREFIX) else own
        objective = objectives.get(name) or declared(account.kind, name)
        yield Flow(account, name, objective, name in objectives, age or 0.0, waiting, failing, parked, rest)


def _pause_of(flow: str) -> str:
    """What a pause of this flow is called."""
    if flow == HEARD:
        return claims.PAUSE
    return cursors.PAUSE if flow.startswith(PREFIX) else flow


def _rest(told: dict[str, Any]) -> Rest:
    return Rest(told["topic"], datetime.fromisoformat(told["until"]), told["reason"])
