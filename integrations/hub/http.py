"""The one door out. Every request to a remote passes here.

A whole-call deadline, a size cap, no redirects, no private addresses (unless the operator listed the host), nothing
secret in a log, and never inside a database transaction. What went wrong is said by what to do next: `errors.py`.
"""

from __future__ import annotations

import json as jsonlib
import logging
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.db import connection
from django.utils import timezone
from requests_hardened import Config, Manager
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.exceptions import SSLError as TlsError

from integrations.hub.door.lines import Lines
from integrations.hub.errors import Misconfigured, NoTime, OutcomeUnknown, Scope, TryAgain
from integrations.hub.keeping.redaction import Exchange

log = logging.getLogger("weft.http")
logging.getLogger("urllib3").setLevel(logging.INFO)  # at DEBUG it writes whole addresses, and what they carry

CALL_SECONDS = 30.0
BODY_LIMIT = 32 * 1024 * 1024
EXCHANGES_KEPT = 3  # of one piece of work, the last ones
LONGEST_WAIT = 24 * 3600  # seconds; a Retry-After that asks for more is asked again after this
_threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="door")


@dataclass(frozen=True, slots=True)
class Reply:
    """A remote's answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self, *, writes: bool = True) -> Any:
        """The body as JSON. What is none is OutcomeUnknown of a call that writes, TryAgain of one that only reads."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            message = f"The answer (HTTP {self.status}) was not JSON."
            raise (OutcomeUnknown(message) if writes else TryAgain(message)) from None


class Door:
    """The way out for one account and one piece of work. `budget` bounds all its calls together, in seconds."""

    def __init__(self, budget: float = 75.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._closes_at = clock() + budget
        self.exchanges: deque[Exchange] = deque(maxlen=EXCHANGES_KEPT)
        self.barred = False  # called from another thread, on behalf of one that is inside a transaction

    def request(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        writes: bool = True,
        timeout: float = CALL_SECONDS,
    ) -> Reply:
        """One request; any HTTP status is returned but 429, and 503 that says when to come back.

        Raises TryAgain when surely nothing was sent (refused, no such host), on 429 (scope OPERATION, honouring
        Retry-After), and on a failure of a call that does not write; OutcomeUnknown when a writing call was perhaps
        carried out; Misconfigured for an address that may not be called. Retry-After of a 503 is honoured likewise.
        """
        _refuse_in_transaction(self.barred)
        seconds = min(timeout, self._closes_at - self._clock())
        if seconds <= 0:
            raise NoTime(f"No time left for {operation}; it goes on in the next try.")
        manager = _manager_for(url)
        started = self._clock()
        lines = Lines()
        future = _threads.submit(
            _fetch, manager, lines, method, url, dict(headers or {}), dict(params or {}), json, body, seconds
        )
        reply = None
        try:
            reply = _await(future, lines, operation, writes, seconds)
        finally:
            took = (self._clock() - started) * 1e3
            log.info("%s %s %s -> %s in %.0f ms", operation, method, _bare(url), reply and reply.status, took)
            self.exchanges.append(
                Exchange(
                    operation,
                    method,
                    _bare(url),
                    round(took),
                    body if json is None else json,
                    _type(headers),
                    reply.status if reply else 0,
                    reply.body if reply else b"",
                    reply.headers.get("content-type", "") if reply else "",
                )
            )
        if reply.status == 429:
            raise TryAgain(
                f"{operation}: the remote asks us to slow down.",
                after=_retry_after(reply.headers),
                scope=Scope.OPERATION,
            )
        if reply.status == 503 and (after := _retry_after(reply.headers)):
            words = f"{operation}: the remote is not there for a while."
            raise OutcomeUnknown(words, after=after) if writes else TryAgain(words, after=after, scope=Scope.OPERATION)
        return reply


def _type(headers: Mapping[str, str] | None) -> str:
    return next((value for name, value in (headers or {}).items() if name.lower() == "content-type"), "")


def _refuse_in_transaction(barred: bool) -> None:
    if (barred or connection.in_atomic_block) and not getattr(settings, "WEFT_ALLOW_HTTP_IN_TRANSACTION", False):
        raise RuntimeError("A remote was called inside a database transaction; do it before or after.")


def _await(future: Future[Reply], lines: Lines, operation: str, writes: bool, seconds: float) -> Reply:
    try:
        return future.result(timeout=seconds + 1)
    except FutureTimeout:
        lines.cut()
        return _perhaps_sent(f"{operation}: no answer within {seconds:.0f} s.", writes)
    except InvalidIPAddress:
        raise Misconfigured(
            f"{operation}: this address is private. If that is meant, list its host:port in WEFT_PRIVATE_HOSTS."
        ) from None
    except (socket.gaierror, requests.exceptions.ConnectTimeout):
        raise TryAgain(f"{operation}: the remote cannot be reached.", scope=Scope.ACCOUNT) from None
    except requests.exceptions.ConnectionError as error:
        if _never_connected(error):
            raise TryAgain(f"{operation}: the remote cannot be reached.", scope=Scope.ACCOUNT) from None
        return _perhaps_sent(f"{operation}: the connection broke.", writes)
    except (requests.exceptions.RequestException, _TooBig) as error:
        return _perhaps_sent(f"{operation}: {_plain(error)}", writes)


def _perhaps_sent(message: str, writes: bool) -> Reply:
    if writes:
        raise OutcomeUnknown(message) from None
    raise TryAgain(message) from None


class _TooBig(Exception):
    pass


def _fetch(
    manager: Manager,
    lines: Lines,
    method: str,
    url: str,
    headers: dict[str, str],
    params: dict[str, str],
    json: Any,
    body: bytes | None,
    seconds: float,
) -> Reply:
    ends = time.monotonic() + seconds
    with closing(lines), manager.get_session() as session:
        session.trust_env = False
        lines.watch(session)
        answer = session.request(
            method,
            url,
            headers=headers,
            params=params,
            json=json,
            data=body,
            timeout=(min(10.0, seconds), seconds),
            allow_redirects=False,
            stream=True,
        )
        chunks: list[bytes] = []
        size = 0
        for chunk in answer.iter_content(65536):
            size += len(chunk)
            if size > BODY_LIMIT:
                raise _TooBig(f"the answer is larger than {BODY_LIMIT} bytes")
            if time.monotonic() > ends:
                raise requests.exceptions.ReadTimeout("the answer came too slowly")
            chunks.append(chunk)
        return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, b"".join(chunks))


@cache
def _manager(*, private: bool) -> Manager:
    return Manager(
        Config(
            default_timeout=(10, CALL_SECONDS),
            never_redirect=True,
            ip_filter_enable=not private,
            ip_filter_allow_loopback_ips=False,
            user_agent_override="Weft",
        )
    )


def _manager_for(url: str) -> Manager:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:  # a port that is none, an IPv6 address that is none
        raise Misconfigured("That is not an http(s) address.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured(f"{_bare(url)!r} is not an http(s) address.")
    return _manager(private=f"{parts.hostname}:{port}" in settings.WEFT_PRIVATE_HOSTS)


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    """No such host, nobody listening, or a certificate that does not hold: nothing of ours has left."""
    reason = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    if isinstance(reason, TlsError) and reason.args:
        return isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, (NewConnectionError, NameResolutionError)) or isinstance(error.__cause__, socket.gaierror)


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long to wait; a date is understood by the clock that wrote it, where the answer says what that one shows."""
    value = headers.get("retry-after")
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), LONGEST_WAIT))
    until, at = _date(value), _date(headers.get("date", "")) or timezone.now()
    if until is None:
        return None
    return timedelta(seconds=min(max((until - at).total_seconds(), 0), LONGEST_WAIT))


def _date(value: str) -> datetime | None:
    """A date of HTTP, which is in GMT; None for anything else."""
    try:
        found = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _bare(url: str) -> str:
    """The address without user, password and query: fit for a log."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _plain(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, requests.exceptions.RequestException) else str(error)
