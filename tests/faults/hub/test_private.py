"""Addresses that somebody set and that lead inside: refused, and nothing is sent, as a listening socket proves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from integrations.hub.errors import HubError, Misconfigured
from integrations.hub.http import Door
from tests.hub.remote import Remote

# One of each kind of address that is not meant for us. Those that could reach this machine name the listener's port.
HOSTILE = (
    "http://127.0.0.1:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://0.0.0.0:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://[fd00::1]/",
    "http://[64:ff9b::7f00:1]/",
    "file:///etc/passwd",
)
PUBLIC = "8.8.4.4"  # never called: the resolver below knows nobody of that number


class Listener:
    """Somebody on this machine, on both kinds of address, who would notice."""

    def __init__(self) -> None:
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self.sockets[0].getsockname()[1]
        if socket.has_dualstack_ipv6():
            self.sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))

    def was_called(self) -> bool:
        for each in self.sockets:
            each.settimeout(0.2)
            try:
                each.accept()
            except TimeoutError:
                continue
            return True
        return False

    def close(self) -> None:
        for each in self.sockets:
            each.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def refused(url: str) -> HubError:
    with pytest.raises(HubError) as caught:
        Door().request("POST", url, operation="call", json={"secret": 1}, timeout=1)
    return caught.value


def test_the_listener_notices(listener: Listener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5):
        assert listener.was_called()


@pytest.mark.parametrize("url", HOSTILE)
def test_an_address_inside_is_refused_and_nothing_is_sent(url: str, listener: Listener, settings: Any) -> None:
    settings.WEFT_PRIVATE_HOSTS = frozenset({"127.0.0.1:1"})
    refused(url.format(port=listener.port))
    assert not listener.was_called()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_inside_is_not_followed(remote: Remote, listener: Listener, status: int) -> None:
    redirected(remote, listener, status)
    assert not listener.was_called()


def redirected(remote: Remote, listener: Listener, status: int = 302) -> None:
    """A remote that may be called sends us to one that may not."""

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", f"http://127.0.0.1:{listener.port}/inside")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    remote.answers["/elsewhere"] = elsewhere
    try:
        reply = Door().request("GET", f"{remote.url}/elsewhere", operation="call", writes=False, timeout=2)
        assert reply.status == status
    except HubError:
        pass  # refused altogether


class Resolver:
    """Answers with these addresses, one after another, the last for ever; keeps which addresses were to be called."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0
        self.called: list[str] = []

    def __call__(self, host: str, port: int, *rest: Any, **more: Any) -> list[tuple[Any, ...]]:
        if host == "rebind.example":
            self.asked += 1
            host = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        else:
            self.called.append(host)
            if host == PUBLIC:
                raise socket.gaierror("nothing leaves this machine")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]


def test_a_name_that_is_public_when_asked_and_private_when_called(
    listener: Listener, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the address that was looked at is the one that is called."""
    settings.WEFT_PRIVATE_HOSTS = frozenset()
    resolver = Resolver(PUBLIC, "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    refused(f"http://rebind.example:{listener.port}/")
    assert (resolver.asked, resolver.called) == (1, [PUBLIC]), "what was looked at is what was to be called"
    assert not listener.was_called()


def test_a_name_that_is_private_is_refused_by_its_address(
    listener: Listener, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEFT_PRIVATE_HOSTS = frozenset()
    monkeypatch.setattr(socket, "getaddrinfo", Resolver("127.0.0.1"))
    assert isinstance(refused(f"http://rebind.example:{listener.port}/"), Misconfigured)
    assert not listener.was_called()


def test_a_listed_host_does_not_open_others_that_resolve_to_it(
    listener: Listener, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEFT_PRIVATE_HOSTS = frozenset({f"127.0.0.1:{listener.port}"})
    monkeypatch.setattr(socket, "getaddrinfo", Resolver("127.0.0.1"))
    refused(f"http://rebind.example:{listener.port}/")
    assert not listener.was_called()
