"""The ERP's figures, read back. The exact rules, model-checked, stand in docs/stock.md ("ERP feedback").

reading = start(account)               # committed before the first request to the ERP
figures = ... ask the ERP ...
apply(reading, figures)                # refuses every row that changed here meanwhile
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from integrations.hub.models import Account
from shop.stock import pools
from shop.stock.models import Cause, Reading, Shortage, Warehouse


@dataclass(frozen=True, slots=True)
class Begun:
    """A reading under way: its sequence number, and what `on_hand_rev` of each level was when it began.

    `levels` (ids) and `revisions` are two arrays as PostgreSQL writes them, of `rows` numbers: nobody else looks into
    them, and there may be a hundred thousand.
    """

    seq: int
    account_id: int
    warehouses: dict[str, int]
    rows: int
    levels: str
    revisions: str


@dataclass(frozen=True, slots=True)
class Figure:
    """`on_hand` units of `sku` in the warehouse of that code, gross of our own sales."""

    sku: str
    warehouse: str
    on_hand: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What a reading did. `refused` rows changed here meanwhile: read again."""

    rows: int
    changed: int
    refused: int
    unknown: int


def start(account: Account) -> Begun:
    """Take a sequence number and note the revisions, committed before the first request."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        reading = Reading.objects.create(account=account)
        warehouses = dict(Warehouse.objects.filter(erp_account=account).values_list("code", "id"))
        cursor.execute(
            """SELECT count(*), coalesce(array_agg(id), '{}')::text, coalesce(array_agg(on_hand_rev), '{}')::text
               FROM stock_level WHERE warehouse_id = ANY(%s)""",
            [list(warehouses.values())],
        )
        return Begun(reading.pk, account.pk, warehouses, *cursor.fetchone())


def apply(begun: Begun, figures: Iterable[Figure]) -> Applied:
    """Set levels to what the ERP said where nothing changed here since the reading began; never touches `reserved`.

    A level the ERP did not name is 0 there. SKUs Weft does not know are counted as `unknown` and left alone.
    """
    said: dict[str, dict[str, int]] = {code: {} for code in begun.warehouses}
    for figure in figures:
        if (place := said.get(figure.warehouse)) is not None:
            place[figure.sku] = figure.on_hand
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        owned = _lock_warehouses(cursor, begun)
        _stage(cursor, begun, said)
        cursor.execute(_COMPARE, {"owned": owned, "levels": begun.levels, "revisions": begun.revisions})
        cursor.execute(_ANALYZE)
        cursor.execute(_LOCK)
        cursor.execute(_MAKE)
        cursor.execute(_APPLY, _values(begun))
        rows, refused, changed, unknown, short = cursor.fetchone()
        pools.note_shortages(short, Cause.READING, reading=begun.seq)
        Reading.objects.filter(pk=begun.seq).update(finished_at=Now(), rows=rows, changed=changed, refused=refused)
    return Applied(rows, changed, refused, unknown)


def _lock_warehouses(cursor: Any, begun: Begun) -> list[int]:
    """Those that are still this ERP's.

    The readings of one ERP are applied one at a time: a level that a reading leaves alone, because its figure stands
    here already, is not written, so nothing else would keep an older reading from changing it at the same moment.
    """
    cursor.execute(
        "SELECT id FROM stock_warehouse WHERE id = ANY(%s) AND erp_account_id = %s ORDER BY id FOR NO KEY UPDATE",
        [list(begun.warehouses.values()), begun.account_id],
    )
    return [row[0] for row in cursor.fetchall()]


def _values(begun: Begun) -> dict[str, Any]:
    """For `_APPLY`. A newer reading that was applied looked at every level, also where it wrote nothing."""
    newer = Reading.objects.filter(account=begun.account_id, pk__gt=begun.seq, finished_at__isnull=False)
    return {
        "seq": begun.seq,
        "rows": begun.rows,
        "is_newest": not newer.exists(),
        "document": f"reading:{begun.seq}",
    }


def _stage(cursor: Any, begun: Begun, said: dict[str, dict[str, int]]) -> None:
    cursor.execute(_TABLES)
    with cursor.copy("COPY reading_said FROM STDIN") as copy:
        copy.set_types(("text", "int8", "int8"))  # else psycopg looks at every value for its type
        for code, figures in said.items():
            warehouse = begun.warehouses[code]
            for sku, on_hand in figures.items():
                copy.write_row((sku, warehouse, on_hand))


_TABLES = """
SET LOCAL work_mem = '64MB';
DROP TABLE IF EXISTS reading_said, reading_news;
CREATE TEMP TABLE reading_said (sku text COLLATE "C", warehouse_id bigint, on_hand bigint) ON COMMIT DROP;
CREATE TEMP TABLE reading_news (
    sku text COLLATE "C", warehouse_id bigint, level_id bigint, noted_rev bigint, stood bigint, on_hand bigint,
    is_said boolean
) ON COMMIT DROP;
"""

# Each level beside what was noted when the reading began, and what was said of it. What stands as it was said is not
# written: that this reading was applied is the mark that refuses older ones. Where a provisional shortage stands it is,
# for `confirm_standing` asks.
_COMPARE = """
INSERT INTO reading_news
SELECT coalesce(l.sku, s.sku), coalesce(l.warehouse_id, s.warehouse_id), l.id, n.on_hand_rev,
    coalesce(l.on_hand, 0), coalesce(s.on_hand, 0), s.sku IS NOT NULL
FROM (SELECT * FROM stock_level WHERE warehouse_id = ANY(%(owned)s)) l
FULL JOIN (SELECT * FROM reading_said WHERE warehouse_id = ANY(%(owned)s)) s
    ON s.sku = l.sku AND s.warehouse_id = l.warehouse_id
LEFT JOIN unnest(%(levels)s::bigint[], %(revisions)s::bigint[]) AS n (level_id, on_hand_rev) ON n.level_id = l.id
WHERE l.on_hand IS DISTINCT FROM coalesce(s.on_hand, 0)
    OR l.sku IN (SELECT sku FROM stock_shortage WHERE closed_at IS NULL AND provisional)
"""
_ANALYZE = "ANALYZE reading_news"  # five rows, or all: the plans that follow differ
_LOCK = """
SELECT count(*) FROM (
    SELECT 1 FROM stock_pool WHERE sku IN (SELECT sku FROM reading_news) ORDER BY sku COLLATE "C" FOR UPDATE
) AS locked
"""
# A level that somebody else made meanwhile stays without an id here: it changed since the reading began.
_MAKE = """
WITH made AS (
    INSERT INTO stock_level (sku, warehouse_id, on_hand, on_hand_rev, reading_seq)
    SELECT sku, warehouse_id, 0, 0, 0 FROM reading_news n
    WHERE level_id IS NULL AND EXISTS (SELECT 1 FROM stock_pool p WHERE p.sku = n.sku)
    ORDER BY sku COLLATE "C", warehouse_id ON CONFLICT DO NOTHING
    RETURNING id, sku, warehouse_id
)
UPDATE reading_news n SET level_id = m.id FROM made m WHERE n.sku = m.sku AND n.warehouse_id = m.warehouse_id
"""
# The pools are locked: a level is what it was when it was compared, or it has another revision now.
_APPLY = """
WITH news AS MATERIALIZED (
    SELECT w.*, w.level_id IS NOT NULL OR EXISTS (SELECT 1 FROM stock_pool p WHERE p.sku = w.sku) AS is_known
    FROM reading_news w WHERE w.noted_rev IS NOT NULL OR w.is_said
), taken AS (
    UPDATE stock_level l SET on_hand = n.on_hand, reading_seq = %(seq)s
    FROM news n
    WHERE l.id = n.level_id AND l.on_hand_rev = coalesce(n.noted_rev, 0) AND l.reading_seq < %(seq)s AND %(is_newest)s
    RETURNING l.sku, l.warehouse_id, n.on_hand - n.stood AS delta
), moved AS (
    INSERT INTO stock_movement (sku, warehouse_id, quantity, reason, document, actor, note)
    SELECT sku, warehouse_id, delta, 'reading', %(document)s, 'erp', '' FROM taken WHERE delta <> 0
), changed AS (
    SELECT t.sku, sum(CASE WHEN w.is_sellable THEN t.delta ELSE 0 END)::bigint AS delta
    FROM taken t JOIN stock_warehouse w ON w.id = t.warehouse_id WHERE t.delta <> 0 GROUP BY t.sku
), pooled AS (
    UPDATE stock_pool p
    SET on_hand = p.on_hand + c.delta, shortage = greatest(0, p.reserved + p.escrow - (p.on_hand + c.delta))
    FROM changed c WHERE p.sku = c.sku
    RETURNING p.sku, p.shortage
), counts AS (
    SELECT count(*) FILTER (WHERE is_known) AS known, count(*) FILTER (WHERE is_known AND noted_rev IS NULL) AS added
    FROM news
), done AS (
    SELECT count(*) AS taken, count(*) FILTER (WHERE delta <> 0) AS changed FROM taken
)
SELECT %(rows)s + c.added, c.known - d.taken, d.changed, (
    SELECT count(DISTINCT sku) FROM news WHERE NOT is_known
), (
    SELECT coalesce(array_agg(sku), '{}') FROM pooled
    WHERE shortage > 0 OR sku IN (SELECT sku FROM stock_shortage WHERE closed_at IS NULL))
FROM counts c, done d
"""


def confirm_standing(account: Account, before: int) -> int:
    """Shortages opened by readings before number `before` that still stand become real; returns how many.

    Called by a poll that has processed shipments, with the number of its own reading.
    """
    return Shortage.objects.filter(
        closed_at=None,
        provisional=True,
        opened_by_reading__lt=before,
        pool__levels__warehouse__erp_account=account,
        pool__levels__reading_seq=before,
    ).update(provisional=False, confirmed_at=Now())
