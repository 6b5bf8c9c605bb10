"""What is in a database, for the manifest: its migrations, and how many rows each table has."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

_TABLES = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname COLLATE "C"
"""


def tables() -> list[str]:
    """All tables of ours; those that an extension brought are its own."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [name for (name,) in cursor.fetchall()]


def count() -> dict[str, int]:
    """Rows by table, in the caller's transaction."""
    return {name: _one(sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name))) for name in tables()}


def _one(query: sql.Composed) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def applied_migrations() -> list[str]:
    """Those the database has, as "app.name"."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app || '.' || name FROM public.django_migrations ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def known_migrations() -> set[str]:
    """Those this code has, replaced ones included."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {pair for migration in loader.disk_migrations.values() for pair in migration.replaces}
    return {f"{app}.{name}" for app, name in [*loader.disk_migrations, *replaced]}


def assertion(rows: dict[str, int]) -> Iterable[str]:
    """SQL that fails unless these tables have so many rows."""
    for name, number in rows.items():
        query = sql.SQL(
            "DO $check$ BEGIN IF (SELECT count(*) FROM public.{}) <> {} THEN "
            "RAISE EXCEPTION '% has not the rows it had', {}; END IF; END $check$;\n"
        ).format(sql.Identifier(name), sql.Literal(number), sql.Literal(name))
        yield query.as_string()
