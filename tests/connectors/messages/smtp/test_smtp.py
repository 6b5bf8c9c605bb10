"""Mail by SMTP, against a small server on the loopback address that refuses and hangs up where it is told to."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from integrations.hub.errors import HubError, Misconfigured, OutcomeUnknown, Rejected, TryAgain
from integrations.hub.testing import watching
from integrations.messages.base import Letter
from integrations.messages.providers import smtp
from integrations.messages.providers.smtp import SmtpMessages
from tests.connectors.contract import Contract

LETTER = Letter("W1:placed@shop.example", "buyer@example.com", "shop@shop.example", "订单", "文字", "<p>文字</p>")
WORDS = {"EHLO": "250-here\r\n250 AUTH PLAIN", "DATA": "354 go on", "AUTH": "235 in", "QUIT": "500 what?"}
HANG_UP = ""
SILENT = "..."


class Session(socketserver.StreamRequestHandler):
    """Says 250 to everything but what `server.says` has for a verb; "." is the end of a letter. Knows no farewell."""

    server: Server

    def handle(self) -> None:
        if not self._say("CONNECT", "220 here"):
            return
        while line := self.rfile.readline():
            verb = line.split(maxsplit=1)[0].decode().upper()
            ok = {"EHLO": "250-here\r\n250 AUTH PLAIN", "DATA": "354 go on", "AUTH": "235 in", "QUIT": "500 what?"}.get(
                verb, "250 ok"
            )
            if not self._say(verb, ok):
                return
            if verb == "DATA" and "DATA" not in self.server.says:
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.letters.append(letter)
                if not self._say(".", "250 kept"):
                    return

    def _say(self, verb: str, ok: str) -> bool:
        words = self.server.says.get(verb, ok)
        if words == SILENT:
            self.server.ending.wait()
        elif words:
            self.wfile.write(words.encode() + b"\r\n")
        return bool(words) and words != SILENT


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, says: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.says = says
        self.letters: list[bytes] = []
        self.ending = threading.Event()


@contextmanager
def serving(**says: str) -> Iterator[Server]:
    with Server({"." if verb == "END" else verb: words for verb, words in says.items()}) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.ending.set()
        server.shutdown()


Call = Callable[[SmtpMessages], object]


def health(made: SmtpMessages) -> object:
    return made.health()


def send(made: SmtpMessages) -> object:
    return made.send(LETTER)


FAILURES = [
    (health, {"AUTH": "535 no"}, Misconfigured),
    (send, {"AUTH": "535 no"}, Misconfigured),
    (health, {"CONNECT": "421 closed"}, TryAgain),
    (health, {"CONNECT": HANG_UP}, TryAgain),
    (health, {"CONNECT": SILENT}, TryAgain),
    (health, {"NOOP": HANG_UP}, TryAgain),
    (health, {"NOOP": SILENT}, TryAgain),
    (send, {"EHLO": HANG_UP}, TryAgain),
    (send, {"MAIL": "451 later"}, TryAgain),
    (send, {"MAIL": "552 too large"}, Rejected),
    (send, {"RCPT": "550 nobody of that name"}, Rejected),
    (send, {"DATA": "451 later"}, TryAgain),
    (send, {"DATA": "554 no"}, Rejected),
    (send, {"END": "452 full"}, TryAgain),
    (send, {"END": "554 spam"}, Rejected),
    (send, {"END": HANG_UP}, OutcomeUnknown),
    (send, {"END": SILENT}, OutcomeUnknown),
]


class TestSmtp(Contract):
    connector = SmtpMessages
    settings = {"host": "127.0.0.1", "port": "25", "security": "none", "user": "shop", "password": "a-mail-password"}
    transport = "SMTP"

    def at(self, number: int, **others: str) -> SmtpMessages:
        now = datetime(2026, 11, 22, tzinfo=UTC)
        return SmtpMessages({**self.settings, "port": str(number), **others}, None, lambda: now)  # type: ignore[arg-type]

    @pytest.fixture(autouse=True)
    def _patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(smtp, "SECONDS", 0.3)

    def test_a_letter_is_handed_over(self) -> None:
        with serving() as server:
            self.at(server.server_address[1]).health()
            assert self.at(server.server_address[1]).send(LETTER).refs[0].id == LETTER.message_id
        (letter,) = server.letters
        assert b"Message-ID: <W1.placed@shop.example>" in letter

    @pytest.mark.parametrize(("call", "says", "kind"), FAILURES)
    def test_a_failure_says_what_to_do_next(self, call: Call, says: dict[str, str], kind: type[HubError]) -> None:
        with serving(**says) as server, watching.logs() as watcher, pytest.raises(HubError) as raised:
            call(self.at(server.server_address[1]))
        assert type(raised.value) is kind, raised.value
        assert watching.leaked(self.secrets(), *watcher.lines, watching.shown(raised.value)) == []

    def test_nobody_there_is_a_try_later(self) -> None:
        with socket.socket() as taken, pytest.raises(TryAgain):
            taken.bind(("127.0.0.1", 0))
            self.at(taken.getsockname()[1]).health()

    @pytest.mark.parametrize(("name", "value"), [("port", "no number"), ("security", "perhaps")])
    def test_a_setting_that_cannot_be_is_said(self, name: str, value: str) -> None:
        with serving() as server, pytest.raises(Misconfigured):
            self.at(server.server_address[1], **{name: value}).health()

    def test_a_server_without_encryption_is_sent_nothing(self) -> None:
        with serving() as server, pytest.raises(HubError):
            self.at(server.server_address[1], security="starttls").send(LETTER)
        assert server.letters == []
