"""A remote on the loopback address that answers by a conversation's fixtures, and fails where it is told to.

Real sockets and the real door; only the address of each request is turned to this machine.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from django.test import override_settings

from integrations.hub.http import Door, Reply
from integrations.hub.testing.fixtures import Exchange, body_of, request_as_kept

LOOPBACK = "127.0.0.1"
SHORT = 0.2  # seconds until a call that is never answered is given up
HTML = b"<html><body><h1>Welcome to the hotel network</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call fails, from the exchange numbered `at` on: a reply in place of the fixture's, or

    `how`: "refused" (nobody listens), "unconnected" (no connection in time), "silent" (no answer in time), "cut" (the
    line breaks before the answer), "half" (within its body), "echo" (400, with all that was sent in the answer).
    """

    name: str
    at: int
    how: str = "reply"
    reply: Mapping[str, Any] = field(default_factory=dict)


class Remote(ThreadingHTTPServer):
    """`exchanges` are answered in their order, whatever is asked; what was asked stands in `asked`."""

    daemon_threads = True

    def __init__(self, exchanges: Sequence[Exchange], failure: Failure | None = None) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.exchanges, self.failure = exchanges, failure
        self.asked: list[dict[str, Any]] = []
        self.coming: list[tuple[str, bool]] = []  # the origin and `writes` of what the door sends next
        self.ending = threading.Event()

    def fails(self, number: int) -> str:
        """How the call of this number fails; '' when it does not."""
        return self.failure.how if self.failure and number >= self.failure.at else ""


class _Handler(BaseHTTPRequestHandler):
    server: Remote
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        number = len(self.server.asked)
        origin, writes = self.server.coming[number] if number < len(self.server.coming) else ("", True)
        asked = request_as_kept(self.command, origin + self.path, writes, dict(self.headers), body)
        self.server.asked.append(asked)
        self.close_connection = True
        match self.server.fails(number):
            case "silent":
                self.server.ending.wait()
            case "cut":
                self.connection.close()
            case "half":
                self._say({"status": 200, "headers": {"content-type": "application/json"}, "text": '{"x": '}, more=99)
            case "echo":
                self._say({"status": 400, "json": {"message": json.dumps(asked), "error": json.dumps(asked)}})
            case "reply":
                assert self.server.failure
                self._say(self.server.failure.reply)
            case _ if number < len(self.server.exchanges):
                self._say(self.server.exchanges[number].reply)
            case _:
                self._say({"status": 500, "json": {"error": "the fixture ends here"}})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _say(self, reply: Mapping[str, Any], more: int = 0) -> None:
        body = body_of(reply)
        self.send_response(int(reply["status"]))
        for name, value in {"content-type": "application/json", **reply.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body) + more))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


class LoopbackDoor(Door):
    """The hub's own door, to `remote` instead of where the connector means to call."""

    def __init__(self, remote: Remote, nobody: int, full: int) -> None:
        super().__init__(budget=60.0)
        self._remote, self._ports = remote, {"refused": nobody, "unconnected": full}
        self._number = 0

    def request(self, method: str, url: str, *, operation: str, **rest: Any) -> Reply:
        where = urlsplit(url)
        how = self._remote.fails(self._number)
        self._number += 1
        port = self._ports.get(how)
        if port is None:
            port = self._remote.server_port
            self._remote.coming.append((f"{where.scheme}://{where.netloc}", rest.get("writes", True)))
        if how in ("silent", "unconnected"):
            rest["timeout"] = SHORT
        here = f"http://{LOOPBACK}:{port}{where.path}{f'?{where.query}' if where.query else ''}"
        return super().request(method, here, operation=operation, **rest)


@contextmanager
def conversing(exchanges: Sequence[Exchange], failure: Failure | None = None) -> Iterator[tuple[Remote, LoopbackDoor]]:
    """A remote that runs, and the door to it; outside of any database transaction."""
    with Remote(exchanges, failure) as remote, _nobody() as nobody, _full() as full:
        thread = threading.Thread(target=remote.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        here = frozenset(f"{LOOPBACK}:{port}" for port in (remote.server_port, nobody, full))
        try:
            with override_settings(WEFT_PRIVATE_HOSTS=here):
                yield remote, LoopbackDoor(remote, nobody, full)
        finally:
            remote.ending.set()
            remote.shutdown()
            thread.join()


@contextmanager
def _nobody() -> Iterator[int]:
    """A port on which nobody listens, and nobody will."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        yield taken.getsockname()[1]


@contextmanager
def _full() -> Iterator[int]:
    """A port whose queue of connections is full: the next one is neither taken nor refused."""
    waiting: list[socket.socket] = []
    with socket.socket() as busy:
        busy.bind((LOOPBACK, 0))
        busy.listen(0)
        try:
            for _ in range(4):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(busy.getsockname())
                waiting.append(one)
            yield busy.getsockname()[1]
        finally:
            for one in waiting:
                one.close()
