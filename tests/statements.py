"""Counting statements: everything that goes to the database, BEGIN, COMMIT, SAVEPOINT and RELEASE included.

Django logs BEGIN and COMMIT beside the statements, so nothing is left out but the SELECT 1 by which a server looks
whether a kept connection still lives (at most one per request; `CONN_HEALTH_CHECKS`). Only outside a test's own
transaction is this the truth: inside one a BEGIN would be a SAVEPOINT, and nothing that waits for a commit would run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass
class Statements:
    """What went to the database, in order; `str()` numbers it."""

    what: str
    sql: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sql)

    def __str__(self) -> str:
        lines = (f"{number:3} {' '.join(sql.split())[:200]}" for number, sql in enumerate(self.sql, 1))
        return "\n".join([f"{self.what}: {len(self)} statements", *lines])

    def naming(self, table: str) -> list[str]:
        """Those in which the table's name occurs."""
        return [sql for sql in self.sql if table in sql]


@contextmanager
def counted(what: str) -> Iterator[Statements]:
    """Collect the statements of the block."""
    assert not connection.in_atomic_block, "count outside a transaction: django_db(transaction=True)"
    found = Statements(what)
    with CaptureQueriesContext(connection) as captured:
        yield found
    found.sql = [query["sql"] for query in captured.captured_queries]


@contextmanager
def budget(most: int, what: str) -> Iterator[Statements]:
    """At most `most` statements in the block; else the test fails with all of them, numbered."""
    with counted(what) as found:
        yield found
    assert len(found) <= most, f"at most {most} are allowed for {found}"


def same(first: Statements, other: Statements) -> None:
    """As many statements in both; else the test fails with both lists."""
    assert len(first) == len(other), f"not the same number of statements\n{first}\n\n{other}"
