"""Models out of the rows of a statement that is written out, for the few that every page of the shop runs: Django
takes ten times as long to put such a statement together as PostgreSQL takes to answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Field, Model

LONG = ("search", "description", "meta_")  # texts of products that lists and baskets do not show


@dataclass(frozen=True, slots=True)
class _Part:
    model: type[Model]
    names: tuple[str, ...]
    start: int
    end: int


class Rows:
    """`Rows(record=StockRecord, pool=Pool)`: the columns to select from tables of these aliases, and what they mean."""

    def __init__(self, **models: type[Model]) -> None:
        columns: list[str] = []
        self._parts: dict[str, _Part] = {}
        for alias, model in models.items():
            fields = [field for field in model._meta.concrete_fields if _is_read(field)]
            names = tuple(field.attname for field in fields)
            self._parts[alias] = _Part(model, names, len(columns), len(columns) + len(fields))
            columns += [f'{alias}."{field.column}"' for field in fields]
        self.columns = ", ".join(columns)

    def read(self, row: Sequence[Any]) -> dict[str, Any]:
        """Alias -> model, as Django would have read it; None where nothing was joined."""
        return {alias: _model(part, row[part.start : part.end]) for alias, part in self._parts.items()}


def _model(part: _Part, values: Sequence[Any]) -> Any:
    return None if values[0] is None else part.model.from_db(connection.alias, part.names, values)


def _is_read(field: Field[Any, Any]) -> bool:
    """What is left out is read when somebody asks for it: long texts, and what Django would have to convert."""
    return not field.name.startswith(LONG) and not hasattr(field, "from_db_value")
