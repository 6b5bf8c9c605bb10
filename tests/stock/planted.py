"""Known mistakes of others, put back on purpose. What does not catch them is no proof.

Of each: who made it (or the rule that forbids it), and how it is put into our code.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from shop.channels import sales
from shop.order import place
from shop.stock import escrow, holds, readings
from shop.stock.models import Hold
from shop.stock.readings import Figure

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]
RIGHT = import_module("shop.stock.migrations.0012_days_of_the_company").PROMISE


def _rewritten(sql: str, old: str, new: str) -> str:
    assert old in sql, old  # else the mistake is not there, and nothing is proven
    return sql.replace(old, new)


@contextmanager
def promise_function(*changes: tuple[str, str]) -> Iterator[None]:
    """The database's function of the promise, with a mistake in it."""
    wrong = RIGHT
    for old, new in changes:
        wrong = _rewritten(wrong, old, new)
    with connection.cursor() as cursor:
        cursor.execute(wrong)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(RIGHT)


UNASKED = (
    """        WHERE p.sku = want.sku AND p.shortage = 0
          AND p.on_hand - p.reserved - p.escrow - closed >= want.quantity + coalesce((
              SELECT sum(s.promised) FROM stock_presale s WHERE s.sku = want.sku AND s.promised > 0), 0);
""",
    """        WHERE p.sku = want.sku;
""",
)
UNSORTED = (
    """        SELECT w.sku, sum(w.quantity) AS quantity, array_agg(w.line) AS lines
        FROM jsonb_to_recordset(wanted) AS w(sku text, line bigint, quantity int)
        GROUP BY w.sku ORDER BY w.sku COLLATE "C"
""",
    """        SELECT w->>'sku' AS sku, sum((w->>'quantity')::int) AS quantity, array_agg((w->>'line')::bigint) AS lines
        FROM jsonb_array_elements(wanted) WITH ORDINALITY AS e(w, place) GROUP BY 1 ORDER BY min(place)
""",
)
# The update believes what a look a moment ago has seen.
LOOKED_AT_FIRST = (
    """        END IF;
        UPDATE stock_pool p
""",
    """        END IF;
        IF (SELECT p.on_hand - p.reserved < want.quantity FROM stock_pool p WHERE p.sku = want.sku) THEN
            short := short || want.lines;
            CONTINUE;
        END IF;
        PERFORM pg_sleep(0.002);
        UPDATE stock_pool p
""",
)


def no_recheck() -> AbstractContextManager[None]:
    """Reserve without asking again whether it is there (Vendure, Saleor: what was checked before is gone since)."""
    return promise_function(UNASKED)


def looked_at_first() -> AbstractContextManager[None]:
    """Look, then update: in between somebody else has bought it (stock Oscar, Saleor)."""
    return promise_function(LOOKED_AT_FIRST, UNASKED)


def unsorted() -> AbstractContextManager[None]:
    """Pools locked in the order in which they stand in the basket: two baskets wait for each other."""
    return promise_function(UNSORTED)


def trusted_twice(patch: Patch) -> None:
    """One order message of a channel makes two orders (marketplaces tell things again)."""
    again, draft = itertools.count(), sales._draft
    patch.setattr(sales, "_known", lambda channel, order: None)
    patch.setattr(sales, "_draft", lambda *a: replace(draft(*a), external_number=f"{a[1].number}-{next(again)}"))


def released_twice(patch: Patch) -> None:
    """What was released is released again (a task that runs twice)."""
    sql = _rewritten(holds._RELEASE, "h.quantity - h.consumed - h.released AS units", "h.quantity AS units")
    sql = _rewritten(sql, "AND h.quantity > h.consumed + h.released", "")
    sql = _rewritten(sql, "SET released = h.released + m.units", "SET released = h.quantity")
    patch.setattr(holds, "_RELEASE", sql)
    open_ones = Hold.objects.filter
    patch.setattr(
        Hold.objects, "filter", lambda *a, **k: open_ones(*a, **{x: y for x, y in k.items() if x != "open__gt"})
    )


def uncharged_retry(patch: Patch) -> None:
    """The same figure sent again costs nothing (a quota is thought to be replaced)."""
    sql = _rewritten(escrow._CHARGE, "busy_until IS NOT NULL OR NOT is_drained THEN NULL", "false THEN NULL")
    sql = _rewritten(
        sql, "SET escrow = s.escrow + d.figure", "SET escrow = s.escrow + (d.figure <> s.shown)::int * d.figure"
    )
    sql = _rewritten(
        sql, "SET escrow = p.escrow + d.figure", "SET escrow = p.escrow + (d.figure <> d.shown)::int * d.figure"
    )
    sql = _rewritten(sql, "SELECT s.id, s.sku, s.wish,", "SELECT s.id, s.sku, s.shown, s.wish,")
    sql = _rewritten(sql, "least(wish, free / %(arrivals)s) AS fit", "wish AS fit")
    patch.setattr(escrow, "_CHARGE", sql)


def granted_before_drained(patch: Patch) -> None:
    """A figure is believed as soon as it is acknowledged, whatever was sold before and is not told yet."""
    right = escrow.acknowledge

    def believe(channel_id: int, skus: Any, terms: Any) -> None:
        right(channel_id, skus, terms)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            escrow.drain(channel_id, cursor.fetchone()[0], holds.timedelta(0))

    patch.setattr(escrow, "acknowledge", believe)


def net_as_gross(patch: Patch) -> None:
    """The ERP's net figure, less our own orders, is taken for what lies there."""
    right = readings.apply

    def mixed(begun: Any, figures: Any) -> Any:
        ours = {hold.pool_id: 0 for hold in Hold.objects.filter(open__gt=0)}
        for hold in Hold.objects.filter(open__gt=0):
            ours[hold.pool_id] += hold.open
        return right(begun, [Figure(f.sku, f.warehouse, max(0, f.on_hand - ours.get(f.sku, 0))) for f in figures])

    patch.setattr(readings, "apply", mixed)


def generator_consumed_twice(patch: Patch) -> None:
    """The lines are an iterator that something looked at before the promise (Python's own trap)."""
    right = place._promise

    def looked_at(draft: Any, goods: Any, deadline: Any) -> None:
        lines = iter(goods)
        list(lines)
        right(draft, list(lines), deadline)

    patch.setattr(place, "_promise", looked_at)
