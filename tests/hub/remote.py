"""A remote on loopback, in this process: real sockets, a journal of what it was asked and what it did.

PUT /things/<key>    makes a thing look like the body
POST /errands/<key>  does an errand: once per key if `dedupes`, else each time
GET /errands/<key>   whether it was done
GET /...             whatever `answers` holds for the path

`misbehave(path, *how)` queues how the next calls of that path end: an HTTP status such as "503", or
"cut" (connection closed before anything is done), "done, then cut", "hang" (no answer for a while), "done, then hang".

`journal` is a file to which each call is appended and synced before it is answered: what it was, and whether it took
effect. `limit` is the most requests it takes within any second; more are answered 429 with Retry-After.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
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
    journal: Path | None = None
    limit: int | None = None
    taken: list[float] = field(default_factory=list)
    port: int = 0
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def misbehave(self, path: str, *how: str) -> None:
        self.ends[path].extend(how)

    def note(self, method: str, path: str, body: Any, effect: bool) -> None:
        """One line, on the disk before the answer. Under the lock: lines stand in the order of what they tell."""
        if self.journal is None:
            return
        line = {"at": time.time(), "method": method, "path": path, "body": body, "effect": effect}
        file = os.open(self.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, (json.dumps(line, ensure_ascii=False) + "\n").encode())
            os.fsync(file)
        finally:
            os.close(file)

    def is_over_limit(self) -> bool:
        """Count this request, unless this second is full already."""
        if self.limit is None:
            return False
        with self.lock:
            now = time.monotonic()
            full = sum(now - at < 1 for at in self.taken) >= self.limit
            if not full:
                self.taken.append(now)
            return full

    def lines(self) -> list[dict[str, Any]]:
        """The journal, in order."""
        if self.journal is None or not self.journal.exists():
            return []
        return [json.loads(line) for line in self.journal.read_text(encoding="utf-8").splitlines()]

    def effects(self, kind: str = "errands") -> Counter[str]:
        """How often each key took effect, by the journal."""
        done = [line["path"].split("/") for line in self.lines() if line["effect"]]
        return Counter(parts[2] for parts in done if parts[1] == kind)

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
        if self.remote.is_over_limit():
            self._say(429, {"why": "too many"}, retry_after=1)
        elif self.path in self.remote.answers:
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
            effect = kind == "things" or not (remote.dedupes and remote.errands[key])
            remote.note(self.command, self.path, body, effect)
            if kind == "things":
                remote.things[key] = body
                remote.puts[key] += 1
            elif effect:
                remote.errands[key] += 1
        return {"number": f"R-{key}"}

    def _say(self, status: int, body: dict[str, Any], retry_after: int = 0) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if retry_after:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(text)
