"""How much of each SKU each channel should show: by weight and demand, in one set-based pass.

A channel is left alone while a figure is on its way to it or waits to be drained, while it would gain little, and while
nobody needs what it has too much: a figure sent is a time in which units are set aside twice, and where they are not
there twice, the channel shows 0 until it is drained.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

LEAST = Decimal("0.2")  # of the target; a smaller change is not worth a push
LEAST_BY_0 = Decimal("0.5")  # nor a smaller one that needs the channel to show 0 first
DEMAND_DAYS = 28
# In shared mode an older figure that arrives late stays there, and nobody knows: it is told again.
TELL_AGAIN = timedelta(hours=1)

# `room`: what all channels and the own shop may share; not what somebody waits for. A target is that by weight and
# demand, rounded down: what is left over is the own shop's. In a shortage the channels that weigh least are told 0
# until what is short is covered. A channel that has just begun (not guarded yet), that leaves guaranteed mode, or is
# not offered any more, is told 0.
_PLAN = """
WITH shared AS (
    SELECT s.id, s.sku, s.channel_id, s.escrow, s.wish, s.target, s.shown, s.shown_at, s.live, s.is_drained,
        s.is_guarded, s.is_offered, c.weight, c.buffer, t.arrivals,
        CASE WHEN t.arrivals IS NULL THEN 'shared' ELSE coalesce(nullif(s.mode, ''), c.mode) END AS mode,
        p.shortage, greatest(0, p.on_hand - p.reserved - coalesce(w.units, 0)) AS room,
        CASE WHEN p.shortage > 0 THEN 0
             ELSE greatest(0, p.on_hand - p.reserved - p.escrow - coalesce(w.units, 0)) END AS free,
        CASE WHEN EXISTS (SELECT 1 FROM stock_closure) THEN stock_closed(s.sku, s.channel_id) ELSE 0 END AS closed
    FROM stock_share s
    JOIN stock_channel c ON c.account_id = s.channel_id
    JOIN hub_account a ON a.id = c.account_id AND a.state <> 'retired'
    JOIN stock_pool p ON p.sku = s.sku
    LEFT JOIN (
        SELECT sku, sum(promised) AS units FROM stock_presale WHERE promised > 0 GROUP BY sku
    ) w ON w.sku = s.sku
    LEFT JOIN unnest(%(channels)s::bigint[], %(arrivals)s::int[]) AS t(channel_id, arrivals)
        ON t.channel_id = s.channel_id
), weighed AS (
    SELECT s.*, CASE WHEN s.mode = 'guaranteed' AND s.is_guarded AND s.is_offered
                     THEN s.weight * (1 + coalesce(d.units, 0)) ELSE 0 END AS pull
    FROM shared s LEFT JOIN stock_demand d ON d.sku = s.sku AND d.channel_id = s.channel_id
), summed AS (
    SELECT w.*, sum(w.pull) OVER (PARTITION BY w.sku) + %(own)s * (1 + coalesce(d.units, 0)) AS all_pull,
        sum(w.escrow) OVER (PARTITION BY w.sku ORDER BY w.weight, w.id) - w.escrow AS lighter
    FROM weighed w LEFT JOIN stock_demand d ON d.sku = w.sku AND d.channel_id IS NULL
), aimed AS (
    SELECT *, CASE
        WHEN mode = 'shared' AND NOT is_guarded THEN
            CASE WHEN is_offered THEN greatest(0, free - closed - buffer) ELSE 0 END
        WHEN shortage > 0 THEN CASE WHEN lighter < shortage THEN 0 ELSE escrow END
        WHEN all_pull = 0 OR pull = 0 THEN 0
        ELSE least(floor(room * pull / all_pull)::bigint, greatest(0, room - closed))
    END AS aim FROM summed
), compared AS (
    SELECT *, greatest(0, free - closed) / coalesce(arrivals, 1) AS headroom,
        greatest(0, free - closed + escrow) / coalesce(arrivals, 1) AS most,
        sum(aim) FILTER (WHERE pull > 0) OVER (PARTITION BY sku) AS aims,
        sum(greatest(0, aim - escrow)) FILTER (WHERE pull > 0) OVER (PARTITION BY sku) AS unmet,
        live IS NOT NULL OR EXISTS (
            SELECT 1 FROM stock_push u WHERE u.share_id = aimed.id AND u.closed_at IS NULL
            AND u.closes_at > clock_timestamp()) AS is_busy
    FROM aimed
), judged AS (
    SELECT *,
        least(aim, most) - escrow >= CASE WHEN headroom >= least(aim, most) THEN greatest(1, ceil(aim * %(least)s))
            ELSE greatest(2, ceil(aim * %(least_by_0)s)) END AS gains,
        escrow - aim >= greatest(2, ceil(escrow * %(least)s))
            AND (shortage > 0 OR pull = 0 OR free * 2 < room - aims OR unmet > free) AS gives_up
    FROM compared
), decided AS (
    SELECT id, sku, channel_id, aim, wish, CASE
        WHEN mode = 'shared' AND NOT is_guarded
            THEN CASE WHEN shown IS DISTINCT FROM aim OR shown_at < clock_timestamp() - %(again)s THEN aim END
        WHEN aim = 0 AND shown IS DISTINCT FROM 0 AND (shortage > 0 OR NOT is_busy) THEN 0
        WHEN is_busy THEN NULL
        WHEN NOT is_drained THEN 0
        WHEN gains OR gives_up THEN CASE WHEN headroom >= least(aim, most) THEN least(aim, most) ELSE 0 END
    END AS next FROM judged
), written AS (
    UPDATE stock_share s SET target = d.aim, wish = coalesce(d.next, s.wish)
    FROM decided d WHERE s.id = d.id AND (s.target <> d.aim OR s.wish <> coalesce(d.next, s.wish))
)
SELECT channel_id, sku FROM decided d
WHERE next IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM hub_outgoing o WHERE o.account_id = d.channel_id AND o.topic = %(topic)s AND o.key = d.sku
    AND o.delivered < o.wanted AND d.next = d.wish)
ORDER BY channel_id, sku COLLATE "C"
"""


def plan(topic: str, arrivals: Mapping[int, int]) -> dict[int, list[str]]:
    """Set what each share should show and what to send next; returns the SKUs with something to send, by channel: not
    those whose row of `topic` is on its way already.

    `arrivals`: of each channel that may guarantee, how often one figure sent may arrive. Others are shared.

    In the caller's transaction; locks no pool: what is planned is fitted when it is charged.
    """
    values: dict[str, Any] = {
        "own": Decimal(str(settings.WEFT_OWN_SHOP_WEIGHT)), "again": TELL_AGAIN,
        "least": LEAST, "least_by_0": LEAST_BY_0, "topic": topic,
        "channels": list(arrivals), "arrivals": list(arrivals.values()),
    }  # fmt: skip
    due: dict[int, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, values)
        for channel_id, sku in cursor.fetchall():
            due[channel_id].append(sku)
    return due


_COUNT = """
WITH sold AS (
    SELECT l.partner_sku AS sku, c.account_id AS channel_id, sum(l.quantity)::bigint AS units
    FROM order_order o JOIN order_line l ON l.order_id = o.id
    LEFT JOIN stock_channel c ON o.source_account = 'channel:' || c.account_id
    WHERE o.date_placed > now() - make_interval(days => %s) AND l.kind = 'goods'
      AND o.status NOT IN ('cancelled', 'expired') AND NOT o.is_test
      AND EXISTS (SELECT 1 FROM stock_share s WHERE s.sku = l.partner_sku)
    GROUP BY 1, 2
), gone AS (
    DELETE FROM stock_demand d WHERE NOT EXISTS (
        SELECT 1 FROM sold WHERE sold.sku = d.sku AND sold.channel_id IS NOT DISTINCT FROM d.channel_id)
)
INSERT INTO stock_demand AS d (sku, channel_id, units) SELECT sku, channel_id, units FROM sold
ORDER BY sku COLLATE "C", channel_id
ON CONFLICT (sku, channel_id) DO UPDATE SET units = excluded.units WHERE d.units <> excluded.units
"""


def count_demand() -> None:
    """Count anew what each source sold of each SKU that channels sell, in the last weeks."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [DEMAND_DAYS])
