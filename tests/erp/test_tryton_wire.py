"""What the connector makes of answers no healthy Tryton gives, from a small server on the loopback address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import create_server

import pytest

from erp.providers.tryton import Tryton
from erp.tryton.values import dumps, loads
from erp.tryton.wire import Wire
from integrations.hub.errors import HubError, Misconfigured, OutcomeUnknown, Rejected, TryAgain
from tests.erp.door import LoopbackDoor

JSON, HTML = "application/json", "text/html"


class Script(ThreadingHTTPServer):
    """Answers with what `answers` holds, in order, the last one for ever; keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, str, str]] = []
        self.seen: list[tuple[str, str, str, dict]] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def wire(self) -> Wire:
        """A line to it."""
        return Wire(LoopbackDoor(), self.url, "shop", "the-key", "weft", "the-password")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Script

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        self.server.seen.append(
            (self.command, self.path, self.headers.get("authorization", ""), json.loads(body or b"{}"))
        )
        status, kind, text = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if status == 0:  # hang up without a word
            self.connection.close()
            return
        self.send_response(status)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_PUT = do_GET

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def script() -> Iterator[Script]:
    server = Script()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def said(message: str) -> str:
    return json.dumps({"status": 400, "message": message, "description": "Tryton's second line"})


WRITES = [
    ((401, HTML, "<p>no</p>"), Misconfigured, "application key"),
    ((403, HTML, "<p>The user may not.</p>"), Misconfigured, "The user may not"),
    ((302, HTML, ""), Misconfigured, "HTTP 302"),
    ((400, JSON, said("The code on party must be unique.")), Rejected, "must be unique. Tryton's second line"),
    ((409, JSON, said("Really?")), Rejected, "Really"),
    ((423, HTML, "<p>changed</p>"), TryAgain, "busy"),
    ((500, HTML, "<title>500</title><p>database is locked</p>"), TryAgain, "busy"),
    ((503, HTML, "<p>could not serialize access due to concurrent update</p>"), TryAgain, "busy"),
    ((500, HTML, "<p>&#39;nofield&#39;</p>"), OutcomeUnknown, "'nofield'"),
    ((502, HTML, "bad gateway"), OutcomeUnknown, "HTTP 502"),
    ((200, HTML, "<h1>Welcome to the hotel network</h1>"), OutcomeUnknown, "not JSON"),
    ((200, JSON, '{"__class__": "Decimal"}'), OutcomeUnknown, "not JSON"),
    ((200, JSON, "[]"), OutcomeUnknown, "did not say what it wrote"),
    ((404, HTML, "<p>no such database</p>"), Misconfigured, "no such database"),
    ((0, "", ""), OutcomeUnknown, ""),
]


@pytest.mark.parametrize(("answer", "kind", "words"), WRITES)
def test_a_write_fails_by_what_to_do_next(
    script: Script, answer: tuple[int, str, str], kind: type[HubError], words: str
) -> None:
    script.answers = [answer]
    with pytest.raises(kind) as caught:
        script.wire().create("party.party", {"name": "x"}, ["id"], operation="create customer")
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert "the-key" not in caught.value.message


@pytest.mark.parametrize(
    "answer", [(500, HTML, "<p>x</p>"), (502, HTML, ""), (200, HTML, "x"), (200, JSON, "{}"), (0, "", "")]
)
def test_a_read_that_fails_is_just_read_again(script: Script, answer: tuple[int, str, str]) -> None:
    script.answers = [answer]
    with pytest.raises(TryAgain):
        script.wire().find("party.party", [], ["id"], operation="find customer")


def test_a_record_that_is_gone_is_looked_for_again(script: Script) -> None:
    script.answers = [(404, HTML, "<p>Not Found</p>")]
    with pytest.raises(TryAgain, match="gone"):
        script.wire().write("party.party", 7, {"name": "x"}, operation="update customer")


def rpc(**answer: object) -> tuple[int, str, str]:
    return 200, JSON, json.dumps({"id": 1, **answer})


LOGIN = rpc(result=[7, "token", None])
FAULTS = [
    (rpc(error=["UserError", ["Not enough stock.", "in SZ"]]), Rejected, "Not enough stock. in SZ"),
    (rpc(error=["UserWarning", ["late_1", "This move is late.", ""]]), Rejected, "This move is late."),
    (rpc(error=["ConcurrencyException", ["sale.sale"]]), TryAgain, "somebody else"),
    (rpc(error=["database is locked", "Traceback ..."]), TryAgain, "somebody else"),
    (rpc(error=["'nofield'", "Traceback (secret path)"]), OutcomeUnknown, "'nofield'"),
    (rpc(error=["LoginException", ["code", "Code?"]]), Misconfigured, "another way to log in"),
    (rpc(), OutcomeUnknown, "not JSON-RPC"),
    ((504, HTML, "<p>timeout</p>"), OutcomeUnknown, "HTTP 504"),
    ((403, HTML, "<p>no</p>"), Misconfigured, "HTTP 403"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), FAULTS)
def test_a_call_fails_by_what_to_do_next(
    script: Script, answer: tuple[int, str, str], kind: type[HubError], words: str
) -> None:
    script.answers = [LOGIN, answer]
    with pytest.raises(kind) as caught:
        script.wire().call("model.sale.sale.cancel", [1], operation="cancel order")
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert "secret path" not in caught.value.message


def test_a_session_that_ended_is_renewed_once_and_never_sent_as_basic(script: Script) -> None:
    wire = script.wire()
    script.answers = [LOGIN, rpc(result=1), (401, HTML, ""), LOGIN, rpc(result=2)]
    assert wire.call("model.a.b", operation="x") == 1
    assert wire.call("model.a.b", operation="x") == 2
    kinds = [authorization.split(" ")[0] for _, _, authorization, _ in script.seen]
    assert kinds == ["", "Session", "Session", "", "Session"]


def test_a_session_refused_twice_is_a_setting_to_mend(script: Script) -> None:
    script.answers = [LOGIN, rpc(result=1), (401, HTML, ""), LOGIN, (401, HTML, "")]
    wire = script.wire()
    wire.call("model.a.b", operation="x")
    with pytest.raises(Misconfigured, match="session of user 'weft'"):
        wire.call("model.a.b", operation="x")
    assert len(script.seen) == 5


def test_a_wrong_password_is_said_without_it(script: Script) -> None:
    script.answers = [(401, HTML, "")]
    with pytest.raises(Misconfigured) as caught:
        script.wire().call("model.a.b", operation="x")
    assert "the-password" not in caught.value.message


def connector(url: str) -> Tryton:
    """With an address that answers, or not."""
    settings = {"url": url, "database": "shop", "web_shop": "weft", "key": "k", "user": "weft", "password": "p"}
    return Tryton(settings, LoopbackDoor(), lambda: datetime.now(UTC))


@pytest.mark.parametrize("series", ["7.8", "6.0"])
def test_an_old_tryton_is_refused(script: Script, series: str) -> None:
    script.answers = [rpc(result=series)]
    with pytest.raises(Misconfigured, match=f"Tryton {series} is too old"):
        connector(script.url).health()
    assert [path for _, path, _, _ in script.seen] == ["/rpc/"]  # no key was sent to it


@pytest.mark.parametrize("answer", [(200, HTML, "<h1>hello</h1>"), (404, HTML, ""), (200, JSON, "[]")])
def test_what_is_not_a_tryton_is_said(script: Script, answer: tuple[int, str, str]) -> None:
    script.answers = [answer]
    with pytest.raises(Misconfigured, match="does not answer like a Tryton"):
        connector(script.url).health()


def test_nobody_there_is_a_try_later() -> None:
    with closing(create_server(("127.0.0.1", 0))) as socket:
        port = socket.getsockname()[1]
    with pytest.raises(TryAgain):
        connector(f"http://127.0.0.1:{port}").health()


def test_values_survive_the_journey() -> None:
    value = {
        "price": Decimal("19.90265487"),
        "day": date(2026, 11, 22),
        "at": datetime(2026, 11, 22, 13, 44, 22, 945127),
        "lead": timedelta(days=2),
        "name": "椅子",
    }
    assert loads(dumps(value)) == value
    with pytest.raises(TypeError):
        dumps({"x": object()})
