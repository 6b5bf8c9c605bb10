"""Copies of a prepared database, and what stands in one, comparable between copies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, connections
from psycopg import sql

from tests.conftest import admin

# Wake-ups and signs of life: doubling them is harmless, and nothing is decided by them.
BOOKKEEPING = {
    "django_q_ormq",
    "django_q_task",
    "django_q_schedule",
    "django_migrations",
    "hub_pulse",
    "hub_laneclock",
    "hub_incomingclock",
}
BOOKKEEPING |= {"stock_reading"}  # that the ERP's figures were read: once more each time
# Whose lease and in whose trace, not what came of it; and a link that opens an order, drawn at random.
BOOKKEEPING_COLUMNS = {"lease_token", "guest_token", "token", "trace"}
# How often it was wished for; whether it is open is compared.
COUNTERS = {"hub_outgoing": ("wanted", "delivered"), "hub_attempt": ("revision",)}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+([+-]\d\d:\d\d|Z)")  # in JSON
SECONDS = re.compile(r"('|\")seconds\1: \d+")  # how late a flow was when somebody looked
NUMBER = re.compile(r"W\d{8}-[A-Z0-9]{8}")


@contextmanager
def copy_of(name: str, copy: str) -> Iterator[None]:
    """A database that is a copy of another one, in use inside; gone afterwards."""
    with admin() as server:
        _drop(server, copy)
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (copy, name))))
        with using(copy):
            yield
        _drop(server, copy)


def _drop(server: Any, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def using(name: str) -> Iterator[None]:
    """Django's connections are to this database inside, in every thread."""
    before = settings.DATABASES["default"]["NAME"]
    _use(name)
    try:
        yield
    finally:
        _use(before)


def _use(name: str) -> None:
    connections["default"].close()
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name


def contents(since: datetime) -> dict[str, list[str]]:
    """Every row of every table but the bookkeeping, as text: numbers drawn by the database count by their place, a
    moment later than `since` is *now*, order numbers drawn at random are those of their source."""
    tables = [t for t in connection.introspection.table_names() if t not in BOOKKEEPING]
    rows = {table: _rows(table) for table in tables}
    places = {table: {row["id"]: at for at, row in enumerate(rows[table])} for table in tables if _has_id(rows[table])}
    elsewhere = [row for row in rows["order_order"] if row["source_account"] != "web"]
    known = Known(places, {row["number"]: f"<{row['external_number']}>" for row in elsewhere}, since)
    return {table: sorted(known.plain(row, _links(table)) for row in rows[table]) for table in tables}


@dataclass(frozen=True)
class Known:
    """What a value is called that is another one in each copy."""

    places: dict[str, dict[Any, int]]
    numbers: dict[str, str]
    since: datetime

    def plain(self, row: dict[str, Any], links: dict[str, str]) -> str:
        parts = []
        for name, value in sorted(row.items()):
            if name in BOOKKEEPING_COLUMNS or name == "id":
                continue
            if name in links:
                value = self.places.get(links[name], {}).get(value, value)
            elif isinstance(value, datetime) and value > self.since:
                value = "now"
            parts.append(f"{name}={value}")
        text = NUMBER.sub(lambda found: self.numbers.get(found[0], found[0]), " ".join(parts))
        return SECONDS.sub("seconds", MOMENT.sub("then", text))


def _has_id(rows: list[dict[str, Any]]) -> bool:
    return bool(rows) and isinstance(rows[0].get("id"), int)


def _rows(table: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows if table in COUNTERS else ():
        counted = [row.pop(name) for name in COUNTERS[table]]
        row["is_open"] = len(counted) == 2 and counted[1] < counted[0]
    return rows


@cache
def _links(table: str) -> dict[str, str]:
    """Columns that name a row of another table."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_relations(cursor, table)
    return {column: other[1] for column, other in found.items()}
