"""Databases for measuring: filled once into a template, copied for each area, gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

PROJECT = Path(__file__).resolve().parent.parent
TEMPLATE = "bench_template"
OSCAR_TEMPLATE = "bench_oscar_template"
UNFINISHED = "bench_unfinished"


def named(name: str) -> str:
    """DATABASE_URL with another database's name."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def server() -> psycopg.Connection[tuple[object, ...]]:
    """A connection outside any database under measurement."""
    return psycopg.connect(named("postgres"), autocommit=True)


def create(name: str, template: str | None = None) -> str:
    """Make a database, anew where it exists; returns its URL."""
    with server() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        source = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + source)
    return named(name)


def drop(name: str) -> None:
    with server() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def forget() -> None:
    """Templates of an earlier run, on a server that lasts, may be those of an older Weft."""
    for name in (TEMPLATE, OSCAR_TEMPLATE, UNFINISHED):
        drop(name)


def copied(name: str, template: str, fill: Callable[[str], object]) -> str:
    """A database as `fill(url)` makes it; it does so once per run, what it made is then copied."""
    with server() as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone()
        if not there:
            fill(create(UNFINISHED))
            renamed = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(renamed.format(sql.Identifier(UNFINISHED), sql.Identifier(template)))
    return create(name, template)


def migrated(name: str) -> str:
    """A database with all of Weft's tables."""
    return copied(name, TEMPLATE, _migrate)


def _migrate(url: str) -> None:
    argv = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    subprocess.run(argv, cwd=PROJECT, env={**os.environ, "DATABASE_URL": url}, check=True)


@contextmanager
def fresh(name: str) -> Iterator[str]:
    """A migrated database for the time of one area."""
    url = migrated(name)
    try:
        yield url
    finally:
        drop(name)
