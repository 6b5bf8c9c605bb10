"""The test's own database, for other processes, and how to hold them at its door."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connection


def database_url(name: str | None = None) -> str:
    """DATABASE_URL with the database of that name in it, by default this test's (this worker's) own."""
    database = name or connection.settings_dict["NAME"]
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}"))


@contextmanager
def held_at(table: str, *, until: int, seconds: float = 120) -> Iterator[None]:
    """No other connection passes this table before so many stand at it; then they go on together."""
    with psycopg.connect(database_url()) as lock:
        lock.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        deadline = time.monotonic() + seconds
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
        while lock.execute(waiting, [table]).fetchone() != (until,):
            assert time.monotonic() < deadline, f"{until} connections never met at {table}"
            time.sleep(0.02)
