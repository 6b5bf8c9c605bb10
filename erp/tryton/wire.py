"""Talking to Tryton 8: REST with an application key where there is a route, a JSON-RPC session where there is none.

Answers become values, failures become the hub's errors by what to do next. Tryton's own words are kept: they are what
its users know. A request that Tryton refused was rolled back there, so only a cut line or a fault without words can
leave a write in doubt.
"""

from __future__ import annotations

import itertools
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from erp.tryton.values import dumps, loads, packed
from integrations.hub.errors import NONSENSE, HubError, Misconfigured, OutcomeUnknown, Rejected, TryAgain

if TYPE_CHECKING:
    from integrations.hub.http import Door, Reply

Row = dict[str, Any]
Domain = Sequence[Any]
SOON = timedelta(seconds=3)
JSON_TYPE = {"Content-Type": "application/json"}
LOCKED = ("database is locked", "could not serialize", "deadlock detected", "concurrency", "lock not available")


@contextmanager
def understood(operation: str) -> Iterator[None]:
    """What was only read and makes no sense is asked for again, and says so."""
    try:
        yield
    except NONSENSE as error:
        raise TryAgain(f"{operation}: Tryton's answer makes no sense ({type(error).__name__}: {error}).") from error


class Wire:
    """One account's line to one Tryton database. Keeps its JSON-RPC session, logs in again once when it has ended."""

    def __init__(self, http: Door, url: str, database: str, key: str, login: str, password: str) -> None:
        self._http = http
        self._server = url.rstrip("/")
        self._base = f"{self._server}/{quote(database, safe='')}"
        self._database, self._key, self._login, self._password = database, key, login, password
        self._session = ""
        self._numbers = itertools.count(1)
        self.context: Row = {"language": "en"}

    # ------------------------------------------------------------ REST

    def find(
        self,
        model: str,
        domain: Domain,
        fields: Iterable[str],
        *,
        operation: str,
        order: Domain = (),
        size: int | None = None,
        offset: int = 0,
        **context: Any,
    ) -> list[Row]:
        """The records in a domain. `fields` may reach through relations: `lines.product.code`."""
        query: list[tuple[str, str]] = [("d", packed(domain)), *(("f", field) for field in fields)]
        if order:
            query.append(("o", packed(order)))
        if size is not None:
            query += [("s", str(size)), ("p", str(offset))]
        found = self._rest("GET", f"{model}?{urlencode(query)}", None, operation, False, context)
        if not isinstance(found, list):
            raise TryAgain(f"{operation}: Tryton's answer is not a list.")
        return found

    def all(self, model: str, domain: Domain, fields: Sequence[str], *, operation: str, **context: Any) -> list[Row]:
        """Like `find`, page by page, in the order of the ids: pages neither overlap nor leave gaps."""
        page, rows = 1000, list[Row]()
        while True:
            last = [["id", ">", rows[-1]["id"]]] if rows else []
            got = self.find(
                model, [domain, last], fields, operation=operation, order=[["id", "ASC"]], size=page, **context
            )
            rows += got
            if len(got) < page:
                return rows

    def create(self, model: str, values: Row, fields: Iterable[str], *, operation: str) -> Row:
        """Create one record and read these fields of it."""
        return self._written(self._rest("POST", f"{model}?{_fields(fields)}", values, operation, True, {}), operation)

    def write(self, model: str, number: int, values: Row, *, operation: str) -> None:
        """Change one record."""
        self._rest("PUT", f"{model}/{number}?f=id", values, operation, True, {})

    def press(self, model: str, number: int, button: str, fields: Iterable[str], *, operation: str) -> Row:
        """Press a button on one record and read these fields of it, as they are before any queued work."""
        path = f"{model}/{number}/{button}?{_fields(fields)}"
        return self._written(self._rest("POST", path, {}, operation, True, {}), operation)

    def ask(self, model: str, method: str, values: Row, *, operation: str) -> Any:
        """Call a model's method that reads."""
        return self._rest("POST", f"{model}/{method}", values, operation, False, {})

    def _rest(
        self, verb: str, path: str, data: Row | None, operation: str, writes: bool, context: Mapping[str, Any]
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "X-Tryton-Context": packed({**self.context, **context})}
        body = None
        if data is not None:
            headers |= JSON_TYPE
            body = dumps(data).encode()
        reply = self._http.request(
            verb, f"{self._base}/rest/model/{path}", operation=operation, headers=headers, body=body, writes=writes
        )
        if reply.status == 401:
            raise Misconfigured(f"{operation}: Tryton does not accept the application key.")
        if reply.status == 404 and "/" in path.partition("?")[0]:
            raise TryAgain(f"{operation}: the record is gone from Tryton.", after=SOON)
        return self._content(reply, operation, writes)

    @staticmethod
    def _written(row: Any, operation: str) -> Row:
        if not isinstance(row, dict):
            raise OutcomeUnknown(f"{operation}: Tryton did not say what it wrote.")
        return row

    # ------------------------------------------------------------ JSON-RPC

    def version(self) -> str:
        """The server's series, e.g. 8.0. Needs no login."""
        body = {"id": next(self._numbers), "method": "common.server.version", "params": []}
        reply = self._http.request("POST", f"{self._server}/rpc/", operation="version", json=body, writes=False)
        try:
            series = loads(reply.body)["result"]
        except (ValueError, KeyError, TypeError):
            raise Misconfigured(f"This address does not answer like a Tryton server (HTTP {reply.status}).") from None
        return str(series)

    def log_in(self) -> None:
        """Open a session. Never Basic: it hashes the password anew for each call."""
        answer = self._post("common.db.login", [self._login, {"password": self._password}], "log in", False)
        if answer.status in (401, 403):
            raise Misconfigured("Tryton does not accept the user name or the password.")
        user, token, *_ = self._result(answer, "log in", False)
        self._session = "Session " + b64encode(f"{self._login}:{user}:{token}".encode()).decode()

    def call(self, method: str, *params: Any, operation: str, writes: bool = True, **context: Any) -> Any:
        """One call in the session; an ended session is renewed once."""
        whole = [*params, {**self.context, **context}]
        fresh = not self._session
        if fresh:
            self.log_in()
        reply = self._post(method, whole, operation, writes)
        if reply.status == 401 and not fresh:
            self.log_in()
            reply = self._post(method, whole, operation, writes)
        if reply.status == 401:
            raise Misconfigured(f"{operation}: Tryton does not accept the session of user {self._login!r}.")
        return self._result(reply, operation, writes)

    def run(self, wizard: str, form: str, values: Row, button: str, *, operation: str, record: tuple[str, int]) -> None:
        """Open a wizard on a record, fill in its form, press one button."""
        model, number = record
        on = {"active_model": model, "active_id": number, "active_ids": [number]}
        session, _start, _end = self.call(f"wizard.{wizard}.create", operation=operation, **on)
        try:
            self.call(f"wizard.{wizard}.execute", session, {form: values}, button, operation=operation, **on)
        finally:
            with suppress(HubError):  # only tidies up; must not hide what happened before
                self.call(f"wizard.{wizard}.delete", session, operation=operation)

    def _post(self, method: str, params: Sequence[Any], operation: str, writes: bool) -> Reply:
        headers = JSON_TYPE | ({"Authorization": self._session} if self._session else {})
        if method == "common.db.login":
            headers.pop("Authorization", None)
        body = dumps({"id": next(self._numbers), "method": method, "params": params}).encode()
        return self._http.request(
            "POST", f"{self._base}/rpc/", operation=operation, headers=headers, body=body, writes=writes
        )

    def _result(self, reply: Reply, operation: str, writes: bool) -> Any:
        answer = self._content(reply, operation, writes)
        if not isinstance(answer, dict) or not ({"result", "error"} & answer.keys()):
            raise _doubt(f"{operation}: the answer is not JSON-RPC.", writes)
        if error := answer.get("error"):
            raise _said(error, operation, writes)
        return answer.get("result")

    # ------------------------------------------------------------ failures

    @staticmethod
    def _content(reply: Reply, operation: str, writes: bool) -> Any:
        if 200 <= reply.status < 300:
            try:
                return loads(reply.body) if reply.body else None
            except (ValueError, TypeError, KeyError):
                raise _doubt(f"{operation}: the answer (HTTP {reply.status}) is not JSON.", writes) from None
        words = _words(reply)
        if reply.status in (400, 409, 422):
            raise Rejected(words or f"{operation}: refused (HTTP {reply.status}).")
        if reply.status == 423 or (reply.status >= 500 and any(sign in words.lower() for sign in LOCKED)):
            raise TryAgain(f"{operation}: Tryton is busy with the same records.", after=SOON)
        if reply.status >= 500:
            raise _doubt(f"{operation}: Tryton failed (HTTP {reply.status}): {words}", writes)
        raise Misconfigured(f"{operation}: Tryton refuses the request (HTTP {reply.status}). {words}".strip())


def _fields(fields: Iterable[str]) -> str:
    return urlencode([("f", field) for field in fields])


def _doubt(message: str, writes: bool) -> OutcomeUnknown | TryAgain:
    return OutcomeUnknown(message) if writes else TryAgain(message)


def _said(error: Any, operation: str, writes: bool) -> Exception:
    """A JSON-RPC error: [class, [words ...]] for what Tryton foresees, [text, traceback] for a fault."""
    kind = str(error[0]) if isinstance(error, list) and error else str(error)
    said = error[1] if isinstance(error, list) and len(error) > 1 and isinstance(error[1], list) else []
    words = " ".join(str(part) for part in said if part and isinstance(part, str))
    if kind == "ConcurrencyException" or any(sign in kind.lower() for sign in LOCKED):
        return TryAgain(f"{operation}: somebody else changed the same records in Tryton just now.", after=SOON)
    if kind in ("UserError", "UserWarning"):
        return Rejected(words or kind)
    if kind == "LoginException":
        return Misconfigured(f"{operation}: Tryton asks for another way to log in.")
    return _doubt(f"{operation}: Tryton failed: {kind[:300]}", writes)


def _words(reply: Reply) -> str:
    """What Tryton said, from JSON or from its plain error page."""
    try:
        said = loads(reply.body)
        return " ".join(part for part in (said.get("message"), said.get("description")) if part)[:500]
    except (ValueError, AttributeError, TypeError):
        text = reply.body[:4000].decode("utf-8", "replace")
    paragraphs = re.findall(r"<p>(.*?)</p>", text, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", " ".join(paragraphs))).strip()[:300]
