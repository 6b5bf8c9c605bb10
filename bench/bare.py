"""What the database can do by itself: plain psycopg, plain statements, on rows of the same shape in the same server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import psycopg

RESERVE = "UPDATE stock_pool SET reserved = reserved + 1 WHERE sku = %s AND on_hand - reserved - escrow >= 1"
LEVELS = "bench_level"
STAGE = 'CREATE TEMP TABLE said (sku text COLLATE "C", warehouse_id bigint, on_hand bigint) ON COMMIT DROP'
FEED = f"""
UPDATE {LEVELS} l SET on_hand = s.on_hand FROM said s
WHERE l.sku = s.sku AND l.warehouse_id = s.warehouse_id AND l.on_hand IS DISTINCT FROM s.on_hand
"""

SHARES = "bench_share"
STAGE_WISHES = 'CREATE TEMP TABLE wished (sku text COLLATE "C", channel_id bigint, wish bigint) ON COMMIT DROP'
WISH = f"""
UPDATE {SHARES} s SET target = w.wish, wish = w.wish FROM wished w
WHERE s.sku = w.sku AND s.channel_id = w.channel_id AND s.wish IS DISTINCT FROM w.wish
"""


def connect(*, autocommit: bool = False) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=autocommit)


def reserve(sku: str, *, autocommit: bool = False) -> Iterator[None]:
    """One unit in each step, committed: in a transaction, as psycopg does it by itself, or without one."""
    with connect(autocommit=autocommit) as connection:
        while True:
            if connection.execute(RESERVE, [sku]).rowcount != 1:
                raise RuntimeError("not reserved")
            connection.commit()
            yield


def make_levels(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """A copy of the levels: same columns, indices, rows, and room on its pages."""
    connection.execute(f"CREATE TABLE {LEVELS} (LIKE stock_level INCLUDING ALL) WITH (fillfactor = 70)")
    connection.execute(f"INSERT INTO {LEVELS} SELECT * FROM stock_level")
    connection.commit()


def feed(connection: psycopg.Connection[tuple[object, ...]], figures: Sequence[tuple[str, int, int]]) -> int:
    """Stage the figures and update what differs; returns how many."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy("COPY said FROM STDIN") as copy:
            for figure in figures:
                copy.write_row(figure)
        return cursor.execute(FEED).rowcount


def make_shares(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """A copy of the shares, as of the levels."""
    connection.execute(f"CREATE TABLE {SHARES} (LIKE stock_share INCLUDING ALL) WITH (fillfactor = 70)")
    connection.execute(f"INSERT INTO {SHARES} SELECT * FROM stock_share")
    connection.commit()


def wish(connection: psycopg.Connection[tuple[object, ...]], wishes: Sequence[tuple[str, int, int]]) -> int:
    """Stage what each share should show and update what differs; returns how many."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(STAGE_WISHES)
        with cursor.copy("COPY wished FROM STDIN") as copy:
            for row in wishes:
                copy.write_row(row)
        return cursor.execute(WISH).rowcount
