"""The practice gateways as a process of their own, a merchant who listens for notices, and other people's clients."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.processes import wait_until

ROOT = Path(__file__).resolve().parents[3]


class Gateways:
    """The process; `alipay` and `wechatpay` are what the merchant got."""

    def __init__(self, folder: Path, state: Path | None = None) -> None:
        self.folder, self.state, self.port = folder, state, 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "integrations.sandbox.payments", "--folder", str(self.folder)]
        command += ["--port", str(self.port)] + (["--state", str(self.state)] if self.state else [])
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.base = self.process.stdout.readline().split()[-1]
        self.port = int(self.base.rpartition(":")[2])

    def stop(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def alipay(self) -> dict[str, Any]:
        return json.loads((self.folder / "alipay.json").read_text(encoding="utf-8"))

    @property
    def wechatpay(self) -> dict[str, Any]:
        return json.loads((self.folder / "wechatpay.json").read_text(encoding="utf-8"))

    def ask(self, path: str, data: Any = None, expect: int = 200) -> Any:
        """The control API: a GET, or a POST where there are data."""
        body = None if data is None else json.dumps(data).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.base}/control/{path}", body, headers)
        status, text = fetch(request)
        assert status == expect, text
        return json.loads(text)

    def trade(self, provider: str, number: str) -> dict[str, Any]:
        trades = self.ask(f"trades?provider={provider}&number={number}")["trades"]
        return trades[0] if trades else {}

    def pay(self, provider: str, number: str, **more: Any) -> dict[str, Any]:
        return self.ask("pay", {"provider": provider, "number": number, **more})

    def notices(self) -> list[dict[str, Any]]:
        return self.ask("notices")["notices"]


@dataclass
class Merchant:
    """Listens for notices; `answers` are given in turn, the last one for ever."""

    url: str = ""
    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "success")])
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, count: int, seconds: float = 10) -> list[tuple[dict[str, str], bytes]]:
        wait_until(lambda: len(self.heard) >= count, seconds, f"{count} notices came, not {len(self.heard)}")
        return self.heard

    def quiet(self, count: int, seconds: float = 0.6) -> None:
        """Nothing more comes."""
        time.sleep(seconds)
        assert len(self.heard) == count, f"{len(self.heard)} notices"


def fetch(request: urllib.request.Request | str) -> tuple[int, str]:
    """Status and text, whatever the status; redirects are not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *given: Any) -> None:
            return None

    try:
        with urllib.request.build_opener(Stay).open(request, timeout=20) as answer:
            return answer.status, _text(answer.read())
    except HTTPError as error:
        with error:
            text = error.headers.get("location") if error.code == 302 else error.read().decode()
        return error.code, str(text)


def _text(raw: bytes) -> str:
    """Alipay writes GBK where no charset was understood."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gbk")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of one session: making them takes a second or two."""
    folder = tmp_path_factory.mktemp("payments") / "keys"
    Gateways(folder).stop()
    return folder


@pytest.fixture(scope="session")
def _shared(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    folder = tmp_path_factory.mktemp("shared")
    shutil.copytree(keys, folder / "keys")
    started = Gateways(folder / "keys")
    yield started
    started.stop()


@pytest.fixture
def gateways(_shared: Gateways) -> Iterator[Gateways]:
    """One process for many tests; each has numbers of its own, and leaves nothing set."""
    yield _shared
    for path, data in (
        ("faults", {"clear": True}),
        ("refunds", {"by_hand": False}),
        ("notices", {"hold": False, "forget": True}),
        ("clock", {"offset": 0}),
    ):
        _shared.ask(path, data)


@pytest.fixture
def own(keys: Path, tmp_path: Path) -> Iterator[Gateways]:
    """A process of this test's own, which it may rotate, restart and kill."""
    shutil.copytree(keys, tmp_path / "keys")
    started = Gateways(tmp_path / "keys", tmp_path / "state.sqlite3")
    yield started
    started.stop()


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    listening = Merchant()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            listening.heard.append((dict(self.headers), body))
            status, text = listening.answers.pop(0) if len(listening.answers) > 1 else listening.answers[0]
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    listening.url = f"http://127.0.0.1:{server.server_port}/notices"
    yield listening
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def beijing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clients of Alipay write the time of the machine, and the gateway wants Beijing's."""
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    if before is None:
        monkeypatch.delenv("TZ")
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()
