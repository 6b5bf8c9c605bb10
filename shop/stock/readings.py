"""The ERP's figures, read back. The exact rules, model-checked, stand in docs/stock.md ("ERP feedback").

reading = start(account)               # committed before the first request to the ERP
figures = ... ask the ERP ...
apply(reading, figures)                # refuses every row that changed here meanwhile
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models.functions import Now

from integrations.hub.models import Account
from shop.stock import pools
from shop.stock.models import Cause, Level, Pool, Reading, Shortage, Warehouse

_Place = tuple[str, int]  # sku, warehouse id


@dataclass(frozen=True, slots=True)
class Begun:
    """A reading under way: its sequence number, and what `on_hand_rev` of each level was when it began."""

    seq: int
    account_id: int
    warehouses: dict[str, int]
    noted: dict[_Place, int]


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
    with transaction.atomic(durable=True):
        reading = Reading.objects.create(account=account)
        warehouses = dict(Warehouse.objects.filter(erp_account=account).values_list("code", "id"))
        levels = Level.objects.filter(warehouse__in=warehouses.values())
        noted = {(sku, wh): rev for sku, wh, rev in levels.values_list("pool_id", "warehouse_id", "on_hand_rev")}
    return Begun(reading.pk, account.pk, warehouses, noted)


_APPLY = """
WITH figures AS (
    SELECT sku COLLATE "C" AS sku, warehouse_id, on_hand, noted
    FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) AS f(sku, warehouse_id, on_hand, noted)
), taken AS (
    UPDATE stock_level l SET on_hand = f.on_hand, reading_seq = %s
    FROM figures f, stock_level old
    WHERE l.sku = f.sku AND l.warehouse_id = f.warehouse_id AND old.id = l.id
      AND l.on_hand_rev = f.noted AND l.reading_seq < %s
    RETURNING l.sku, l.warehouse_id, l.on_hand - old.on_hand AS delta
), moved AS (
    INSERT INTO stock_movement (sku, warehouse_id, quantity, reason, document, actor, note)
    SELECT sku, warehouse_id, delta, 'reading', %s, 'erp', '' FROM taken WHERE delta <> 0
), changed AS (
    SELECT t.sku, sum(CASE WHEN w.is_sellable THEN t.delta ELSE 0 END)::bigint AS delta
    FROM taken t JOIN stock_warehouse w ON w.id = t.warehouse_id WHERE t.delta <> 0 GROUP BY t.sku
), pooled AS (
    UPDATE stock_pool p
    SET on_hand = p.on_hand + c.delta, shortage = greatest(0, p.reserved + p.escrow - (p.on_hand + c.delta))
    FROM changed c WHERE p.sku = c.sku
)
SELECT count(*), count(*) FILTER (WHERE delta <> 0), coalesce(array_agg(sku) FILTER (WHERE delta <> 0), '{}')
FROM taken
"""


def apply(begun: Begun, figures: Iterable[Figure]) -> Applied:
    """Set levels to what the ERP said where nothing changed here since the reading began; never touches `reserved`.

    A level the ERP did not name is 0 there. SKUs Weft does not know are counted as `unknown` and left alone.
    """
    said: dict[_Place, int] = {}
    for figure in figures:
        if (warehouse := begun.warehouses.get(figure.warehouse)) is not None:
            said[figure.sku, warehouse] = figure.on_hand
    with transaction.atomic(durable=True):
        known = set(Pool.objects.filter(sku__in={sku for sku, _ in said}).values_list("sku", flat=True))
        rows = {place: said.get(place, 0) for place in begun.noted} | {p: n for p, n in said.items() if p[0] in known}
        _make_levels([place for place in rows if place not in begun.noted])
        touched = {sku for sku, _ in rows}
        pools.lock(touched)
        pools.lock_levels(touched)
        taken, changed, skus = _write(begun, rows)
        pools.note_shortages(skus, Cause.READING, reading=begun.seq)
        result = Applied(len(rows), changed, len(rows) - taken, len({s for s, _ in said} - known))
        Reading.objects.filter(pk=begun.seq).update(
            finished_at=Now(), rows=result.rows, changed=result.changed, refused=result.refused
        )
    return result


def _write(begun: Begun, rows: dict[_Place, int]) -> tuple[int, int, list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _APPLY,
            [
                [sku for sku, _ in rows],
                [warehouse for _, warehouse in rows],
                list(rows.values()),
                [begun.noted.get(place, 0) for place in rows],
                begun.seq,
                begun.seq,
                f"reading:{begun.seq}",
            ],
        )
        taken, changed, skus = cursor.fetchone()
    return taken, changed, skus


def _make_levels(places: list[_Place]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO stock_level (sku, warehouse_id, on_hand, on_hand_rev, reading_seq)
               SELECT sku, warehouse_id, 0, 0, 0 FROM unnest(%s::text[], %s::bigint[]) AS n(sku, warehouse_id)
               ORDER BY sku COLLATE "C", warehouse_id ON CONFLICT DO NOTHING""",
            [[sku for sku, _ in places], [warehouse for _, warehouse in places]],
        )


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
