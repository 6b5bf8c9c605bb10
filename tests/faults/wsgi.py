"""The shop's own application, in a process that kills itself at a named point of a checkout when it is told to.

Nothing of the shop is replaced: the points lie on what goes to the database and to the client. `gunicorn` serves this
module in place of `shop.wsgi` while the tests of `tests/faults` run, and never else.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from shop.wsgi import application as shop
from tests.faults.points import FOLDER, Orders, Point

ORDERS = Orders(Path(os.environ[FOLDER]))
WRITES = re.compile(r'(?:INSERT INTO "?|SELECT (?=stock_))(order_order|stock_promise|hub_outgoing)\b')
POINTS = {"order_order": Point.ORDER, "stock_promise": Point.HOLD, "hub_outgoing": Point.OUTGOING}
_request = threading.local()  # one thread answers a request from its beginning to its end


def _watched(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """A statement of the web process; the first three points lie behind those of a checkout."""
    result = execute(sql, params, many, context)
    if written := WRITES.search(sql):
        database = context["connection"]
        point = POINTS[written[1]]
        database.places_order |= point is Point.ORDER
        if database.places_order:
            ORDERS.passed(point, _request.path)
    return result


def _watch(connection: Any, **_: Any) -> None:
    connection.places_order = False
    if _watched not in connection.execute_wrappers:
        connection.execute_wrappers.append(_watched)


def _commit(connection: Any) -> None:
    places_order, connection.places_order = connection.places_order, False
    if places_order:
        ORDERS.passed(Point.BEFORE_COMMIT, _request.path)
    commit(connection)
    if places_order:
        _request.has_placed = True
        ORDERS.passed(Point.AFTER_COMMIT, _request.path)


def _rollback(connection: Any) -> None:
    connection.places_order = False
    rollback(connection)


class Answer:
    """The shop's answer. The server closes it once all of it has gone out."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.answer)

    def close(self) -> None:
        if hasattr(self.answer, "close"):
            self.answer.close()
        if _request.has_placed:
            ORDERS.passed(Point.ANSWER, _request.path)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    _request.path, _request.has_placed = environ["PATH_INFO"], False
    return Answer(shop(environ, start_response))


commit, rollback = BaseDatabaseWrapper._commit, BaseDatabaseWrapper._rollback
BaseDatabaseWrapper._commit, BaseDatabaseWrapper._rollback = _commit, _rollback
connection_created.connect(_watch)
