"""A remote on loopback, in this process: real sockets, a journal of what it was asked and what it did.

PUT /things/<key>    makes a thing look like the body
POST /errands/<key>  does an errand: once per key if `dedupes`, else each time
GET /errands/<key>   whether it was done
GET /...             whatever `answers` holds for the path

`misbehave(path, *how)` queues how the next calls of that path end: an HTTP status such as "503", or
"cut" (connection closed before anything is done), "done, then cut", "hang" (no answer for a while), "done, then hang".
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Remote:
    """What it holds, and what happened to it."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    things: dict[str, Any] = field(default_factory=dict)
    puts: Counter[str] = field(default_factory=Counter)
    errands: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    dedupes: bool = True
    delay: float = 0.0
    hang: float = 2.0
    at_once: int = 0
    most_at_once: int = 0
    ends: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, Answer] = field(default_factory=dict)
    heard: Callable[[Any], None] = lambda _body: None
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def misbehave(self, path: str, *how: str) -> None:
        self.ends[path].extend(how)

    def start(self) -> ThreadingHTTPServer:
        remote = self

        class Handler(_Handler):
            pass

        Handler.remote = remote
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.server = server
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server


class _Handler(BaseHTTPRequestHandler):
    remote: Remote

    def log_message(self, *args: Any) -> None:
        return

    def _serve(self) -> None:
        remote = self.remote
        size = int(self.headers.get("Content-Length") or 0)
        self.raw = self.rfile.read(size) if size else b""
        body = json.loads(self.raw) if size else None
        with remote.lock:
            remote.asked.append((self.command, self.path))
            remote.heard(body)
            remote.at_once += 1
            remote.most_at_once = max(remote.most_at_once, remote.at_once)
            how = remote.ends[self.path].pop(0) if remote.ends[self.path] else "ok"
        try:
            time.sleep(remote.delay)
            self._end(how, body)
        except (BrokenPipeError, ConnectionResetError):
            return
        finally:
            with remote.lock:
                remote.at_once -= 1

    do_GET = do_PUT = do_POST = _serve

    def _end(self, how: str, body: Any) -> None:
        if self.path in self.remote.answers:
            self.remote.answers[self.path](self)
        elif how.isdecimal():
            self._say(int(how), {"why": how})
        elif how in ("cut", "hang"):
            self._go_silent(how)
        else:
            reply = self._do(body)
            if how == "ok":
                self._say(200, reply)
            else:
                self._go_silent(how.removeprefix("done, then "))

    def _go_silent(self, how: str) -> None:
        if how == "hang":
            time.sleep(self.remote.hang)
        self.close_connection = True

    def _do(self, body: Any) -> dict[str, Any]:
        remote = self.remote
        _, kind, key = self.path.split("/", 2)
        with remote.lock:
            if self.command == "GET":
                return {"done": remote.errands[key] > 0}
            remote.order.append(key)
            if kind == "things":
                remote.things[key] = body
                remote.puts[key] += 1
            elif not (remote.dedupes and remote.errands[key]):
                remote.errands[key] += 1
        return {"number": f"R-{key}"}

    def _say(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
