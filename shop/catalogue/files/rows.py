"""Statements for many rows at once. One array for each column, however many rows: Django's own would be put together
row by row, which takes longer than PostgreSQL takes to answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

_SET = """
UPDATE {table} AS old SET {column} = t.value
FROM unnest(%s::bigint[], %s::{kind}[]) AS t(id, value) WHERE old.id = t.id
"""
_PUT = "INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}) ON CONFLICT ({unique}) DO {then}"


def put_column(model: type[Model], name: str, values: Mapping[int, Any]) -> None:
    """Set one column of the rows with these keys."""
    if not values:
        return
    column, kind = _column(model, name)
    statement = _SET.format(table=model._meta.db_table, column=column, kind=kind)
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(values), list(values.values())])


def put_rows(model: type[Model], unique: Sequence[str], value: str | None, rows: Iterable[Sequence[Any]]) -> None:
    """Add rows of the columns `unique`, which name each row, and of the column `value`; of a row there is already only
    the value changes. None: there is nothing but its names."""
    columns = [_column(model, name) for name in (*unique, *([value] if value else ()))]
    arrays = [list(array) for array in zip(*rows, strict=True)]
    if not arrays:
        return
    statement = _PUT.format(
        table=model._meta.db_table,
        columns=", ".join(column for column, _kind in columns),
        arrays=", ".join(f"%s::{kind}[]" for _column, kind in columns),
        unique=", ".join(column for column, _kind in columns[: len(unique)]),
        then=f"UPDATE SET {columns[-1][0]} = EXCLUDED.{columns[-1][0]}" if value else "NOTHING",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, arrays)


def _column(model: type[Model], name: str) -> tuple[str, str]:
    """A field's column, quoted, and its type."""
    found: Any = model._meta.get_field(name)
    kind = found.rel_db_type(connection) if found.primary_key else found.db_type(connection)
    return f'"{found.column}"', kind
