"""The work for measuring, in workers that are processes of their own; and how many statements they run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

COUNTED = "BENCH_STATEMENTS"  # the file in which each statement leaves a letter: q django-q2's own, w Weft's


class BenchConfig(AppConfig):
    name = "bench.bare_hub"
    label = "bench"

    def ready(self) -> None:
        from bench.bare_hub import work

        work.register()
        if file := os.environ.get(COUNTED):
            handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            connection_created.connect(lambda connection, **_: _count(connection, handle), weak=False)


def _count(connection: Any, handle: int) -> None:
    """Once, however often it was connected anew: its wrappers stay."""
    if COUNTED in {wrapper.__name__ for wrapper in connection.execute_wrappers}:
        return

    def counted(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        os.write(handle, b"q" if "django_q_" in sql else b"w")
        return execute(sql, *rest)

    counted.__name__ = COUNTED
    connection.execute_wrappers.append(counted)
