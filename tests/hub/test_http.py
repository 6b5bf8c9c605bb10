"""The one door out: what happened is said by what to do next, and nothing private or endless gets through."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import transaction

from integrations.hub import http
from integrations.hub.errors import HubError, Misconfigured, OutcomeUnknown, Scope, TryAgain
from integrations.hub.http import Door, Reply
from tests.hub.remote import Remote


def call(url: str, *, writes: bool = True, timeout: float = 5, **more: object) -> Reply:
    return Door().request("POST" if writes else "GET", url, operation="call", writes=writes, timeout=timeout, **more)  # type: ignore[arg-type]


def problem(url: str, **more: object) -> HubError:
    with pytest.raises(HubError) as caught:
        call(url, **more)  # type: ignore[arg-type]
    return caught.value


def test_any_status_but_429_is_an_answer(remote: Remote) -> None:
    for status in ("400", "401", "404", "500", "503"):
        remote.misbehave("/things/a", status)
        assert call(f"{remote.url}/things/a").status == int(status)
    reply = call(f"{remote.url}/things/a", json={"x": 1})
    assert (reply.status, reply.json(), reply.headers["content-type"]) == (200, {"number": "R-a"}, "application/json")
    assert remote.things == {"a": {"x": 1}}


def test_a_refused_connection_is_surely_not_done(settings) -> None:  # type: ignore[no-untyped-def]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    settings.WEFT_PRIVATE_HOSTS = frozenset({f"127.0.0.1:{port}"})
    error = problem(f"http://127.0.0.1:{port}/")
    assert isinstance(error, TryAgain) and error.scope is Scope.ACCOUNT


def test_a_host_that_does_not_exist_is_surely_not_done() -> None:
    error = problem("http://no-such-host.invalid/")
    assert isinstance(error, TryAgain) and error.scope is Scope.ACCOUNT


def test_a_certificate_that_does_not_hold_is_surely_not_done(remote: Remote, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    assert remote.server is not None
    remote.server.socket = context.wrap_socket(remote.server.socket, server_side=True)
    error = problem(f"https://127.0.0.1:{remote.port}/things/a")
    assert isinstance(error, TryAgain) and error.scope is Scope.ACCOUNT
    assert remote.asked == []


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    signed = made.sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    file = folder / "remote.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize(("writes", "kind"), [(True, OutcomeUnknown), (False, TryAgain)])
@pytest.mark.parametrize("how", ["cut", "hang"])
def test_no_answer_to_a_write_is_unknown_and_to_a_read_is_nothing(
    remote: Remote, how: str, writes: bool, kind: type[HubError]
) -> None:
    remote.misbehave("/things/a", how)
    error = problem(f"{remote.url}/things/a", writes=writes, timeout=0.5)
    assert type(error) is kind
    if isinstance(error, TryAgain):
        assert error.scope is Scope.ROW


def drip(handler: BaseHTTPRequestHandler) -> None:
    """One byte every 50 ms: never silent long enough for a timeout between two bytes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "10000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def test_a_slow_drip_is_cut_at_the_deadline(remote: Remote) -> None:
    remote.answers["/drip"] = drip
    started = time.monotonic()
    assert isinstance(problem(f"{remote.url}/drip", timeout=0.5), OutcomeUnknown)
    assert time.monotonic() - started < 3


def test_an_answer_that_is_too_large_is_cut(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    monkeypatch.setattr(http, "BODY_LIMIT", 1_000_000)
    remote.answers["/endless"] = endless
    error = problem(f"{remote.url}/endless")
    assert isinstance(error, OutcomeUnknown) and "larger than 1000000" in error.message


def test_a_redirect_is_not_followed(remote: Remote) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/things/stolen")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    remote.answers["/elsewhere"] = elsewhere
    try:
        assert call(f"{remote.url}/elsewhere").status == 302
    except HubError as error:
        assert isinstance(error, OutcomeUnknown)  # refused altogether
    assert remote.asked == [("POST", "/elsewhere")]


def too_many(retry_after: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(429)
        handler.send_header("Retry-After", retry_after)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        ("in half an hour", 1800),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("\xb2", None),  # a digit to Python, not a number
        ("9" * 30, http.LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", http.LONGEST_WAIT),
    ],
)
def test_slow_down_is_obeyed_as_far_as_it_makes_sense(remote: Remote, said: str, seconds: int | None) -> None:
    if said == "in half an hour":
        said = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    remote.answers["/busy"] = too_many(said)
    error = problem(f"{remote.url}/busy")
    assert isinstance(error, TryAgain) and error.scope is Scope.OPERATION
    if seconds is None:
        assert error.after is None
    else:
        assert error.after is not None and abs(error.after.total_seconds() - seconds) < 120


# --- where it may go -------------------------------------------------------------------------------------------------

HOSTILE = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8000/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://127.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://user:secret@127.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "http:///nowhere",
    "http://127.0.0.1:99999/",
    "http://[::1/",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_private_address_is_refused(url: str, settings) -> None:  # type: ignore[no-untyped-def]
    settings.WEFT_PRIVATE_HOSTS = frozenset({"127.0.0.1:1"})
    error = problem(url, timeout=2)
    assert isinstance(error, (Misconfigured, TryAgain)), error
    if isinstance(error, TryAgain):  # a name no resolver knows, or no route: nothing was sent either
        assert "cannot be reached" in error.message
    assert "secret" not in error.message


@pytest.mark.parametrize("url", [u for u in HOSTILE if "[" not in u and "0.0.0.0" not in u])
def test_it_says_so_by_misconfigured(url: str, settings) -> None:  # type: ignore[no-untyped-def]
    settings.WEFT_PRIVATE_HOSTS = frozenset()
    assert isinstance(problem(url, timeout=2), Misconfigured)


def test_what_the_operator_listed_is_reached_and_its_other_ports_are_not(remote: Remote) -> None:
    assert call(f"{remote.url}/things/a").status == 200
    assert isinstance(problem(f"http://127.0.0.1:{remote.port + 1}/"), Misconfigured)
    assert isinstance(problem(f"http://localhost:{remote.port}/"), Misconfigured)


def test_proxies_of_the_environment_are_not_used(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert call(f"{remote.url}/things/a").status == 200


# --- how long, from where, and what is said --------------------------------------------------------------------------


def test_all_calls_of_one_piece_of_work_share_its_time(remote: Remote) -> None:
    now = [100.0]
    door = Door(budget=10, clock=lambda: now[0])
    assert door.request("GET", f"{remote.url}/things/a", operation="read", writes=False).status == 200
    now[0] += 10
    with pytest.raises(TryAgain, match="No time left"):
        door.request("GET", f"{remote.url}/things/a", operation="read", writes=False)
    assert len(remote.asked) == 1


@pytest.mark.django_db
def test_no_remote_is_called_inside_a_transaction(remote: Remote, settings) -> None:  # type: ignore[no-untyped-def]
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a database transaction"):
        call(f"{remote.url}/things/a")
    assert remote.asked == []


def test_nothing_secret_is_logged(remote: Remote, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        call(f"{remote.url}/things/a?token=hush-1", headers={"Authorization": "Bearer hush-2"}, json={"pw": "hush-3"})
        remote.misbehave("/things/b?token=hush-4", "cut")
        error = problem(f"{remote.url}/things/b?token=hush-4")
    assert "call POST" in caplog.text and "-> 200" in caplog.text
    assert "hush" not in caplog.text + error.message


def test_an_answer_that_is_not_json_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown, match="not JSON"):
        Reply(200, {}, b"<html>").json()
