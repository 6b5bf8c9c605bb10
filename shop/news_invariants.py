"""What must always be true of what remotes told us."""

from __future__ import annotations

from shop import invariants
from shop.invariants import Invariant

# Without an id of the remote's the body tells messages apart. What another body under a known id said has no effect.
I6 = Invariant(
    "I6",
    "Incoming: each event of each account has one row, each hint of it at most one effect; done means all settled",
    """
    WITH rows AS (
        SELECT i.*, concat(a.name, ' ', coalesce(nullif(i.event, ''), left(i.digest, 12))) AS named,
               coalesce(nullif(i.event, ''), i.digest) AS identity
        FROM hub_incoming i JOIN hub_account a ON a.id = i.account_id
    ), hints AS (
        SELECT incoming_id, count(*) AS hints, count(*) FILTER (WHERE settled_at IS NULL) AS open,
               count(DISTINCT (kind, key)) AS different, sum(applied) AS applied
        FROM hub_incominghint GROUP BY incoming_id
    )
    SELECT min(named) AS subject, 'one event has several rows' AS problem, '1' AS expected, count(*)::text AS found
    FROM rows WHERE NOT is_anomaly GROUP BY account_id, identity HAVING count(*) > 1
    UNION ALL
    SELECT named, 'an anomaly that differs from nothing', 'a row of this event with another body', 'none'
    FROM rows r WHERE is_anomaly AND NOT EXISTS (
        SELECT 1 FROM hub_incoming o WHERE o.account_id = r.account_id AND o.event = r.event AND NOT o.is_anomaly
        AND o.digest <> r.digest)
    UNION ALL
    SELECT r.named, 'an anomaly had an effect', '0', h.applied::text
    FROM rows r JOIN hints h ON h.incoming_id = r.id WHERE r.is_anomaly AND h.applied > 0
    UNION ALL
    SELECT r.named, 'hints at the same thing twice', h.different::text, h.hints::text
    FROM rows r JOIN hints h ON h.incoming_id = r.id WHERE h.hints > h.different
    UNION ALL
    SELECT concat(r.named, ' ', h.kind, ' ', h.key), 'a hint had not one effect when it was settled',
           CASE WHEN h.settled_at IS NULL THEN '0' ELSE '1' END, h.applied::text
    FROM hub_incominghint h JOIN rows r ON r.id = h.incoming_id
    WHERE h.applied <> CASE WHEN h.settled_at IS NULL THEN 0 ELSE 1 END
    UNION ALL
    SELECT r.named, 'done, but not all of it is settled', '0 open', coalesce(h.open, 0)::text
    FROM rows r JOIN hints h ON h.incoming_id = r.id WHERE r.done_at IS NOT NULL AND r.note = '' AND h.open > 0
    UNION ALL
    SELECT r.named, 'done, but it was never understood', 'understood', 'no'
    FROM rows r WHERE r.done_at IS NOT NULL AND r.note = '' AND r.parsed_at IS NULL
    """,
)


def register() -> None:
    """Once, from `shop.wiring.connect`."""
    invariants.register(I6)
