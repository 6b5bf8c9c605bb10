"""Escrow: channels that sell from their own copy of a figure, and cannot oversell. Exact rules: docs/stock.md.

charge(...)            # before each attempt to send figure N: N is set aside, or N is not sent
acknowledge(...)       # the channel said it shows N
sold(...)              # an order of the channel: from escrow to holds, one for one
drain(...)             # all orders up to a moment are in: what cannot be sold any more is free again
close_lapsed()         # what was sent so long ago that it cannot arrive any more

Each runs in the caller's transaction, after the order and before outgoing rows, and locks pools, then shares, by SKU.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import connection

from shop.stock import pools
from shop.stock.holds import Promisable
from shop.stock.models import Cause


@dataclass(frozen=True, slots=True)
class Terms:
    """What a connector declares of a figure it sends.

    `arrivals`: how often one call may take effect. `lands_within`: after this long it cannot take effect any more.
    """

    arrivals: int
    lands_within: timedelta


@dataclass(frozen=True, slots=True)
class Refused:
    """Not to be sent now: an earlier figure may still arrive until `until`; None: it does not fit, or 0 goes first."""

    until: datetime | None


def lock(channel_id: int, skus: Collection[str]) -> None:
    """Lock these pools, then the channel's shares of them: before any hub row."""
    pools.lock(skus)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT 1 FROM stock_share WHERE channel_id = %s AND sku = ANY(%s) ORDER BY sku COLLATE "C" FOR UPDATE""",
            [channel_id, sorted(set(skus))],
        )


# What somebody waits for is not a channel's. A figure that does not fit is cut to what does, unless that would lower
# what the channel shows though it should rise.
_CHARGE = """
WITH mine AS (
    SELECT s.id, s.sku, s.wish, s.escrow, s.is_drained,
        CASE WHEN p.shortage > 0 THEN 0
             ELSE greatest(0, p.on_hand - p.reserved - p.escrow - stock_closed(s.sku, s.channel_id)
                       - coalesce(stock_waited(s.sku), 0)) END AS free,
        (SELECT max(u.closes_at) FROM stock_push u
         WHERE u.share_id = s.id AND u.closed_at IS NULL AND u.closes_at > clock_timestamp()) AS busy_until
    FROM stock_share s JOIN stock_pool p USING (sku)
    WHERE s.channel_id = %(channel)s AND s.sku = ANY(%(skus)s)
), fitted AS (
    SELECT *, least(wish, free / %(arrivals)s) AS fit FROM mine
), decided AS (
    SELECT *, CASE
        WHEN wish = 0 THEN 0
        WHEN busy_until IS NOT NULL OR NOT is_drained THEN NULL
        WHEN fit = wish OR fit > escrow OR wish < escrow THEN fit
    END AS figure FROM fitted
), charged AS (
    UPDATE stock_share s
    SET escrow = s.escrow + d.figure * %(arrivals)s, shown = d.figure, shown_at = clock_timestamp(),
        live = NULL, live_at = NULL, sold_since = 0, is_drained = false
    FROM decided d WHERE s.id = d.id AND d.figure IS NOT NULL
), pooled AS (
    UPDATE stock_pool p
    SET escrow = p.escrow + d.figure * %(arrivals)s,
        shortage = greatest(0, p.reserved + p.escrow + d.figure * %(arrivals)s - p.on_hand)
    FROM decided d WHERE p.sku = d.sku AND d.figure > 0
), pushed AS (
    INSERT INTO stock_push (share_id, figure, charged, is_clean, started_at, closes_at)
    SELECT id, figure, figure * %(arrivals)s, busy_until IS NULL, clock_timestamp(),
           clock_timestamp() + %(lands_within)s
    FROM decided WHERE figure IS NOT NULL ORDER BY sku COLLATE "C"
)
SELECT sku, figure, busy_until FROM decided
"""


def charge(channel_id: int, skus: Collection[str], terms: Terms) -> dict[str, int | Refused]:
    """Set aside what each share wishes to show; returns the figure to send, or why none is. After `lock`.

    0 costs nothing and may always be sent; anything else only to a channel that is drained (so a failed attempt is
    followed by 0, which costs nothing however often it fails), as much of it as is free, and as many times as one call
    may take effect.
    """
    values: dict[str, Any] = {
        "channel": channel_id,
        "skus": sorted(set(skus)),
        "arrivals": terms.arrivals,
        "lands_within": terms.lands_within,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHARGE, values)
        return {sku: Refused(until) if figure is None else figure for sku, figure, until in cursor.fetchall()}


_TELL = """
UPDATE stock_share s
SET shown = CASE WHEN p.shortage > 0 OR NOT s.is_offered THEN 0 ELSE greatest(0,
        p.on_hand - p.reserved - p.escrow - stock_closed(s.sku, s.channel_id) - coalesce(stock_waited(s.sku), 0)
        - c.buffer) END,
    shown_at = clock_timestamp()
FROM stock_pool p, stock_channel c
WHERE s.channel_id = %s AND s.sku = ANY(%s) AND p.sku = s.sku AND c.account_id = s.channel_id
RETURNING s.sku, s.shown
"""


def tell(channel_id: int, skus: Collection[str]) -> dict[str, int]:
    """Shared mode: the figures to send, what is free less the buffer. Nothing is set aside. After `lock`."""
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [channel_id, list(skus)])
        return dict(cursor.fetchall())


# Of each share the push sent last. It is live for sure once it is closed too: at once, where a call arrives once only.
_ACKNOWLEDGE = """
WITH latest AS (
    SELECT DISTINCT ON (s.sku) u.* FROM stock_share s JOIN stock_push u ON u.share_id = s.id
    WHERE s.channel_id = %(channel)s AND s.sku = ANY(%(skus)s) ORDER BY s.sku, u.id DESC
), last AS (
    SELECT * FROM latest WHERE closed_at IS NULL AND acknowledged_at IS NULL
), heard AS (
    UPDATE stock_push u
    SET acknowledged_at = clock_timestamp(), closed_at = CASE WHEN %(once)s THEN clock_timestamp() END
    FROM last WHERE u.id = last.id
)
UPDATE stock_share s SET live = last.figure, live_at = clock_timestamp(), sold_since = 0
FROM last WHERE s.id = last.share_id AND last.is_clean AND %(once)s
"""


def acknowledge(channel_id: int, skus: Collection[str], terms: Terms) -> None:
    """The channel shows what was sent last. Only the sender that holds the lease may say so."""
    with connection.cursor() as cursor:
        cursor.execute(_ACKNOWLEDGE, {"channel": channel_id, "skus": list(skus), "once": terms.arrivals == 1})


_LAPSED = """
SELECT DISTINCT s.id, s.sku FROM stock_push u JOIN stock_share s ON s.id = u.share_id
WHERE u.closed_at IS NULL AND u.closes_at <= clock_timestamp()
"""
_CLOSE = """
WITH closed AS (
    UPDATE stock_push u SET closed_at = clock_timestamp()
    WHERE u.share_id = ANY(%s) AND u.closed_at IS NULL AND u.closes_at <= clock_timestamp() RETURNING u.id, u.share_id
)
UPDATE stock_share s SET live = u.figure, live_at = clock_timestamp(), sold_since = 0
FROM closed JOIN stock_push u USING (id)
WHERE s.id = u.share_id AND u.is_clean AND u.acknowledged_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM stock_push later WHERE later.share_id = s.id AND later.id > u.id)
"""


def close_lapsed() -> int:
    """Close what cannot arrive any more; of the last of each share it is known now that it is live, if it was ever
    acknowledged. Returns shares."""
    with connection.cursor() as cursor:
        cursor.execute(_LAPSED)
        shares = [row[0] for row in cursor.fetchall()]
        if shares:
            cursor.execute(
                """SELECT 1 FROM stock_share WHERE id = ANY(%s) ORDER BY sku COLLATE "C", id FOR UPDATE""", [shares]
            )
            cursor.execute(_CLOSE, [shares])
    return len(shares)


class Sold(Promisable, Protocol):
    """A line that a channel sold. As part of a kit it was not sold from the figure of its own SKU."""

    @property
    def in_kit(self) -> bool: ...


_SOLD = "SELECT stock_promise_sold(%s::jsonb, %s, %s::timestamptz, %s)"


def sold(lines: Sequence[Sold], *, channel_id: int, at: datetime, skew: timedelta) -> None:
    """Hold what a channel has sold at `at` (its clock, which may differ from ours by `skew`): out of its escrow, one
    for one, and beyond it all the same. It is sold already: what is not there becomes a shortage."""
    wanted = [
        {"sku": line.partner_sku, "line": line.pk, "quantity": line.quantity, "in_kit": line.in_kit} for line in lines
    ]
    values: list[Any] = [json.dumps(wanted), channel_id, at, skew]
    with connection.cursor() as cursor:
        cursor.execute(_SOLD, values)
        short = cursor.fetchone()[0]
    if short:
        pools.note_shortages(short, Cause.CHANNEL)


_DUE = """
SELECT sku FROM stock_share
WHERE channel_id = %(channel)s AND live IS NOT NULL AND live_at + %(skew)s <= %(watermark)s
"""
_DRAIN = """
WITH due AS (
    SELECT id, sku, escrow, least(escrow, greatest(0, live - sold_since)) AS left_, live, coalesce(nullif(s.mode, ''),
           c.mode) AS mode
    FROM stock_share s JOIN stock_channel c ON c.account_id = s.channel_id
    WHERE s.sku = ANY(%(skus)s) AND s.channel_id = %(channel)s AND s.live IS NOT NULL
      AND s.live_at + %(skew)s <= %(watermark)s
), drained AS (
    UPDATE stock_share s
    SET escrow = d.left_, live = NULL, live_at = NULL, sold_since = 0, is_drained = true,
        is_guarded = CASE WHEN d.live = 0 THEN d.mode = 'guaranteed' ELSE s.is_guarded END
    FROM due d WHERE s.id = d.id
)
UPDATE stock_pool p
SET escrow = p.escrow - (d.escrow - d.left_),
    shortage = greatest(0, p.reserved + p.escrow - (d.escrow - d.left_) - p.on_hand)
FROM due d WHERE p.sku = d.sku
RETURNING p.sku, d.escrow - d.left_
"""


def drain(channel_id: int, watermark: datetime, skew: timedelta) -> dict[str, int]:
    """Every order that the channel took before `watermark` (its clock) is in; returns the units that are free again.

    A figure that was live before that is all the channel can still sell, less what it is known to have sold since.
    """
    values: dict[str, Any] = {"channel": channel_id, "watermark": watermark, "skew": skew}
    with connection.cursor() as cursor:
        cursor.execute(_DUE, values)
        skus = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "UPDATE stock_channel SET watermark = greatest(watermark, %(watermark)s) WHERE account_id = %(channel)s",
            values,
        )
        if not skus:
            return {}
        lock(channel_id, skus)
        cursor.execute(_DRAIN, {**values, "skus": skus})
        freed = dict(cursor.fetchall())
    pools.note_shortages(freed.keys(), Cause.CHANNEL)
    return {sku: units for sku, units in freed.items() if units}


def abandon(channel_id: int) -> dict[str, int]:
    """The channel is closed, and all it sold is in: set nothing aside for it any more. Returns units by SKU."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sku FROM stock_share WHERE channel_id = %s AND escrow > 0", [channel_id])
        skus = [row[0] for row in cursor.fetchall()]
        lock(channel_id, skus)
        cursor.execute(_ABANDON, [channel_id, skus])
        freed = dict(cursor.fetchall())
    pools.note_shortages(freed.keys(), Cause.CHANNEL)
    return freed


_ABANDON = """
WITH mine AS (
    SELECT id, sku, escrow FROM stock_share WHERE channel_id = %s AND sku = ANY(%s) AND escrow > 0
), freed AS (
    UPDATE stock_share s SET escrow = 0, wish = 0, target = 0, is_drained = false, is_guarded = false, live = NULL,
        live_at = NULL
    FROM mine WHERE s.id = mine.id
)
UPDATE stock_pool p
SET escrow = p.escrow - m.escrow, shortage = greatest(0, p.reserved + p.escrow - m.escrow - p.on_hand)
FROM mine m WHERE p.sku = m.sku
RETURNING p.sku, m.escrow
"""
