"""What must always be true between our orders and the work for the ERP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from erp import documents, orders
from integrations.hub.models import AccountState
from shop import invariants
from shop.invariants import Invariant
from shop.order.models import Status


def _params() -> Sequence[Any]:
    released = [str(status) for status in documents.RELEASED]
    return [orders.ORDER, AccountState.RETIRED, released, [str(Status.PAID), str(Status.ON_ACCOUNT)]]


I7 = Invariant(
    "I7",
    "ERP: every released order has exactly one row per ERP account, orders never released have none",
    """
    WITH rows AS (
        SELECT account_id, key, count(*) AS found FROM hub_outgoing WHERE topic = %s GROUP BY account_id, key
    ), accounts AS (
        SELECT id, name, active_since FROM hub_account
        WHERE kind = 'erp' AND state <> %s AND active_since IS NOT NULL
    )
    SELECT concat(o.number, ' -> ', a.name) AS subject, 'released, but not one row for the ERP' AS problem,
           '1' AS expected, coalesce(r.found, 0)::text AS found
    FROM accounts a
    JOIN order_order o ON o.date_placed >= a.active_since AND o.status = ANY(%s)
         AND NOT o.is_historical AND NOT o.is_test
    LEFT JOIN rows r ON r.account_id = a.id AND r.key = o.number
    WHERE coalesce(r.found, 0) <> 1
    UNION ALL
    SELECT concat(r.key, ' -> ', a.name), 'never released, but there is a row for the ERP', '0', r.found::text
    FROM rows r JOIN hub_account a ON a.id = r.account_id
    WHERE NOT EXISTS (
        SELECT 1 FROM order_order o JOIN order_orderstatuschange c ON c.order_id = o.id
        WHERE o.number = r.key AND c.new_status = ANY(%s))
    """,
    _params,
)


def register() -> None:
    """Once, from `erp.wiring.connect`."""
    invariants.register(I7)
