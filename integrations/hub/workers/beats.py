"""What happens again and again: named, with its interval, started by the supervisor, run by a worker.

A beat may say where its work stands. Then it is only started when there is some, and the supervisor asks for all of
them in one statement: an installation with nothing to do does next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.postgresql.psycopg_any import mogrify
from django.db.models import QuerySet

# What finds a row when there is something to do: a queryset, or a statement with its values.
Question = QuerySet[Any] | tuple[str, Sequence[Any] | Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Beat:
    """`task` is a dotted name. It may run twice at once and must not mind."""

    name: str
    seconds: float
    task: str
    args: tuple[str, ...] = ()
    cluster: str | None = None  # the main one
    work: Callable[[], Question] | None = None


_beats: dict[str, Beat] = {}


def register(
    name: str, *, seconds: float, task: str, args: tuple[str, ...] = (), cluster: str | None = None,
    work: Callable[[], Question] | None = None,
) -> None:  # fmt: skip
    """Have `task` run about every `seconds`, by the workers of a cluster; with `work`, only when that finds a row."""
    _beats[name] = Beat(name, seconds, task, args, cluster, work)


def registered() -> tuple[Beat, ...]:
    """All beats."""
    return tuple(_beats.values())


def with_work(among: Collection[Beat]) -> list[Beat]:
    """Those that have something to do, or do not say where that stands. One statement, or none."""
    asked = {beat.name: _exists(beat.work()) for beat in among if beat.work}
    if not asked:
        return list(among)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(asked.values())}")
        found = dict(zip(asked, cursor.fetchone(), strict=True))
    return [beat for beat in among if found.get(beat.name, True)]


def _exists(question: Question) -> str:
    if isinstance(question, QuerySet):
        try:
            question = question.order_by().values("pk")[:1].query.sql_with_params()
        except EmptyResultSet:
            return "false"
    sql, values = question
    return f"EXISTS ({mogrify(sql, values, connection)})"
