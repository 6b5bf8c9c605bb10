"""What one historical order costs, beside writing the same rows bare, and whether it costs the same at the end."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from django.db import connection
from psycopg import sql

from bench.rows import FLAT, Row, flatness, judged
from shop.replay import catalogue, run, transactions
from shop.replay.sample import Sample, write

ORDERS = 1000
LINES = 19  # as real invoices have on average
SKUS = 2000
MOST = 6.0
# Table, and how its rows of one order are found.
TABLES = {
    "order_shippingaddress": "id = (SELECT shipping_address_id FROM order_order WHERE id = %(order)s)",
    "order_order": "id = %(order)s",
    "order_line": "order_id = %(order)s",
    "order_orderstatuschange": "order_id = %(order)s",
    "stock_hold": "line_id IN (SELECT id FROM order_line WHERE order_id = %(order)s)",
    "fulfilment_parcel": "order_id = %(order)s",
    "fulfilment_parcelline": "line_id IN (SELECT id FROM order_line WHERE order_id = %(order)s)",
    "stock_movement": "document = (SELECT concat('parcel:', id) FROM fulfilment_parcel WHERE order_id = %(order)s)",
    "order_intake": "external_number = (SELECT external_number FROM order_order WHERE id = %(order)s)",
}
BALANCES = {"stock_pool": "sku", "stock_level": "sku"}


def measure(say: Callable[[str], None]) -> list[Row]:
    """Replay a uniform sample, then write its rows again into bare copies of the tables."""
    say(f"{ORDERS} orders of {LINES} lines over {SKUS} SKUs")
    progress = _replay()
    bare = 1000 * statistics.median(_bare_costs())
    costs = [1000 * cost for cost in progress.costs]
    note = f"{len(costs) / progress.seconds:.0f} orders a second, one process (aim: 50 on 2 idle cores)"
    return [
        judged("replay.order", "ms", statistics.median(costs), bare, on="ratio", most=MOST, note=note),
        judged("replay.flat", "x", flatness(costs), None, on="measured", most=FLAT,
               note=f"last tenth over second tenth of {len(costs)} orders"),
    ]  # fmt: skip


def _replay() -> run.Progress:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sample.csv"
        with file.open("w", encoding="utf-8") as stream:
            write(stream, Sample(ORDERS, lines=LINES, skus=SKUS))
        found = transactions.read(file, ZoneInfo("Europe/London"))
        catalogue.build(found.invoices.values(), mark="bench", currency="GBP", stock=None)
        progress = run.drive(run.documents(found, "GBP"))
    if len(progress.costs) != ORDERS:
        raise RuntimeError(f"{len(progress.costs)} orders of {ORDERS} were placed")
    return progress


def _bare_costs() -> list[float]:
    """Seconds per order for the same rows in tables of the same form: one transaction, one statement a table."""
    with psycopg.connect(**_parameters()) as bare:
        for table in (*TABLES, *BALANCES):
            form = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)")
            bare.execute(form.format(sql.Identifier(f"bare_{table}"), sql.Identifier(table)))
        for table in BALANCES:
            fill = sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM {}")
            bare.execute(fill.format(sql.Identifier(f"bare_{table}"), sql.Identifier(table)))
        bare.commit()
        statements = [*map(_copying, TABLES), *map(_moving, BALANCES)]
        orders = [row[0] for row in bare.execute("SELECT id FROM order_order ORDER BY id").fetchall()]
        bare.commit()
        return [_write(bare, statements, order) for order in orders]


def _parameters() -> dict[str, object]:
    wanted = connection.get_connection_params()
    return {name: wanted[name] for name in ("host", "port", "user", "dbname", "passfile") if wanted.get(name)}


def _copying(table: str) -> sql.Composed:
    columns = _stored_columns(table)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    form = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} WHERE ")
    return form.format(sql.Identifier(f"bare_{table}"), names, names, sql.Identifier(table)) + sql.SQL(TABLES[table])


def _stored_columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER' "
            "ORDER BY ordinal_position",
            [table],
        )
        return [row[0] for row in cursor.fetchall()]


def _moving(table: str) -> sql.Composed:
    form = sql.SQL(
        "UPDATE {} SET on_hand = on_hand WHERE sku IN (SELECT partner_sku FROM order_line WHERE order_id = %(order)s)"
    )
    return form.format(sql.Identifier(f"bare_{table}"))


def _write(bare: psycopg.Connection[tuple[object, ...]], statements: list[sql.Composed], order: object) -> float:
    begun = time.perf_counter()
    for statement in statements:
        bare.execute(statement, {"order": order})
    bare.commit()
    return time.perf_counter() - begun
