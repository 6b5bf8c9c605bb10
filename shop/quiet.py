"""What must be true of outgoing work once all is quiet: workers run, and nothing new has come for a quarter of an hour.

While workers are stopped, or far behind, it may be false without anything being wrong: so it is checked only when asked
for (`manage.py check_invariants --quiet-time`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrations.hub.models import AccountState
from integrations.hub.sending.claims import LEASE_SECONDS
from shop import invariants
from shop.invariants import Invariant

PENDING_MINUTES = 15


def _params() -> Sequence[Any]:
    return [str(AccountState.ACTIVE), PENDING_MINUTES, LEASE_SECONDS]


I11 = Invariant(
    "I11",
    "Deliveries, once all is quiet: nothing is due for long without a reason, nothing waits for what is done, no lease "
    "outlived its holder",
    """
    SELECT concat(a.name, ': ', o.topic, ' ', o.key) AS subject, 'due, and nothing keeps it from being sent' AS problem,
           'sent, put off or set aside' AS expected, concat('due since ', o.next_at) AS found
    FROM hub_outgoing o JOIN hub_account a ON a.id = o.account_id AND a.state = %s
    WHERE o.delivered < o.wanted AND o.parked_at IS NULL AND o.waits_key = ''
      AND o.next_at < clock_timestamp() - make_interval(mins => %s)
      AND NOT EXISTS (SELECT 1 FROM hub_pause p WHERE p.account_id = o.account_id AND p.topic IN ('', o.topic)
                      AND p.until > clock_timestamp())
      AND (o.serial = '' OR NOT EXISTS (
           SELECT 1 FROM hub_outgoing e WHERE e.account_id = o.account_id AND e.serial = o.serial AND e.id < o.id
           AND e.delivered < e.wanted))
    UNION ALL
    SELECT concat(a.name, ': ', o.topic, ' ', o.key), 'waits for what is not under way', 'woken',
           concat(o.waits_topic, ' ', o.waits_key)
    FROM hub_outgoing o JOIN hub_account a ON a.id = o.account_id
    WHERE o.delivered < o.wanted AND o.waits_key <> '' AND NOT EXISTS (
          SELECT 1 FROM hub_outgoing w WHERE w.account_id = o.account_id AND w.topic = o.waits_topic
          AND w.key = o.waits_key AND w.delivered < w.wanted)
    UNION ALL
    SELECT concat(a.name, ': ', o.topic, ' ', o.key), 'leased for longer than twice a lease', 'given back',
           concat('until ', o.lease_until)
    FROM hub_outgoing o JOIN hub_account a ON a.id = o.account_id
    WHERE o.lease_token IS NOT NULL AND o.lease_until < clock_timestamp() - make_interval(secs => %s)
    """,
    _params,
    quiet_time=True,
)


def register() -> None:
    """Once, from `shop.wiring.connect`."""
    invariants.register(I11)
