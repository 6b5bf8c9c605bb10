"""A person's session in Tryton over JSON-RPC, with nothing but the standard library: for provisioning and the clerk.

The connector does not use this; its requests go through the hub's one door.
"""

from __future__ import annotations

import itertools
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from erp.tryton.values import dumps, loads

Row = dict[str, Any]
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # proxies are not for our own machine


class Refused(Exception):
    """Tryton did not do it; the text is Tryton's own."""


class Session:
    """Logged in as `login`. Use as a context manager: the session ends in Tryton too."""

    def __init__(self, url: str, database: str, login: str, password: str, timeout: float = 120.0) -> None:
        self._url, self._database, self._timeout = url.rstrip("/"), database, timeout
        self._numbers = itertools.count(1)
        self._authorization = ""
        self.context: Row = {}
        self.calls = 0
        self.user_id, token, *_ = self.call("common.db.login", login, {"password": password})
        self._authorization = "Session " + b64encode(f"{login}:{self.user_id}:{token}".encode()).decode()
        self.refresh()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.call("common.db.logout")

    def refresh(self) -> None:
        """Take over the user's preferences (company, language) as the context of all calls."""
        self.context = self.call("model.res.user.get_preferences", True, {})

    def call(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call."""
        self.calls += 1
        body = dumps({"id": next(self._numbers), "method": method, "params": params}).encode()
        headers = {"Content-Type": "application/json"}
        if self._authorization:
            headers["Authorization"] = self._authorization
        request = urllib.request.Request(f"{self._url}/{self._database}/rpc/", body, headers)
        try:
            with direct.open(request, timeout=self._timeout) as answer:
                reply = loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(f"{method}: HTTP {error.code}") from None
        if error := reply.get("error"):
            raise Refused(f"{method}: {_words(error)}")
        return reply.get("result")

    def do(self, model: str, method: str, *params: Any, **context: Any) -> Any:
        """Call a model's method; Tryton wants the context as the last parameter."""
        return self.call(f"model.{model}.{method}", *params, {**self.context, **context})

    def find(self, model: str, domain: Sequence[Any], fields: Iterable[str] = ("id",), **context: Any) -> list[Row]:
        """The records in this domain."""
        return list(self.do(model, "search_read", domain, 0, None, None, list(fields), **context))

    def first(self, model: str, domain: Sequence[Any], **context: Any) -> int | None:
        """The id of the first record in this domain."""
        ids = self.do(model, "search", domain, 0, 1, None, **context)
        return int(ids[0]) if ids else None

    def create(self, model: str, rows: Sequence[Row], **context: Any) -> list[int]:
        """Create many records in one call."""
        return list(self.do(model, "create", rows, **context)) if rows else []

    def run(self, wizard: str, steps: Sequence[tuple[str, Row]], **context: Any) -> None:
        """Click through a wizard: each step is the state to go to, and what the form before it says."""
        whole = {**self.context, **context}
        number, _start, _end = self.call(f"wizard.{wizard}.create", whole)
        try:
            for state, data in steps:
                self.call(f"wizard.{wizard}.execute", number, data, state, whole)
        finally:
            self.call(f"wizard.{wizard}.delete", number, whole)


def _words(error: Any) -> str:
    if isinstance(error, Mapping) or not isinstance(error, (list, tuple)):
        return str(error)[:500]
    if len(error) > 1 and isinstance(error[1], (list, tuple)):
        return f"{error[0]}: {' '.join(str(part) for part in error[1] if part)}"[:500]
    return str(error[0])[:500]
