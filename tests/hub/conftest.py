"""Fixtures for the hub: a remote on loopback, an account for it, topics, and worker processes that may be killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from integrations.hub import http, registry
from integrations.hub.incoming import addresses, heeding, refusals
from integrations.hub.incoming import claims as incoming_claims
from integrations.hub.models import Account, Attempt, Incoming, Outgoing, Pause
from integrations.hub.sending import claims, drains, plans
from integrations.hub.values import Lane
from tests import factories
from tests.hub import probe
from tests.hub.probe import Errand, Probe, Thing
from tests.hub.remote import Remote


@pytest.fixture(autouse=True)
def _topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.connectors(), (Probe.kind, Probe.name), Probe)
    probe.register()
    monkeypatch.setattr(Thing, "wanted", probe.Wanted())
    monkeypatch.setattr(Errand, "settled", [])
    refusals.forget()


@pytest.fixture
def remote(settings: object) -> Iterator[Remote]:
    made = Remote()
    server = made.start()
    settings.WEFT_PRIVATE_HOSTS = frozenset({f"127.0.0.1:{made.port}"})  # type: ignore[attr-defined]
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True  # type: ignore[attr-defined]  # the test itself is one
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def account(remote: Remote) -> Account:
    return factories.account("probe", "probe", settings={"url": remote.url})


SIGNING = "a-secret-of-the-account"


@pytest.fixture
def hooked(account: Account) -> Hooked:
    """The account with an address that messages come to."""
    return hook(account, SIGNING)


@dataclass(frozen=True)
class Hooked:
    """An account and the path of its address."""

    account: Account
    path: str
    secret: str

    def post(self, content: bytes, event: str = "evt-1", **headers: str) -> Any:
        """Send it as the remote does, signed, on a connection of the caller's."""
        return self.send(content, {**probe.signed(self.secret, content, event), **headers})

    def send(self, content: bytes, headers: dict[str, str]) -> Any:
        sent = {"content-type": "application/json", **headers}
        kind = sent.pop("content-type")
        return Client(raise_request_exception=False).post(self.path, content, content_type=kind, headers=sent)


def hook(account: Account, secret: str) -> Hooked:
    account.credentials = {"signing": secret}
    account.save()
    return Hooked(account, urlsplit(addresses.make(account)).path, secret)


def news(*keys: str, kind: str = "errand", **facts: Any) -> bytes:
    """A message of these hints."""
    return json.dumps([{"kind": kind, "key": key, "facts": facts} for key in keys]).encode()


def heed_due(account: Account) -> int:
    """What a worker does for one account, in the caller's connection."""
    done = 0
    while batch := incoming_claims.claim(account.pk, tuple(Lane)):
        done += heeding.work(batch)
    return done


def send_due(account: Account, lanes: tuple[int, ...] = tuple(Lane)) -> int:
    """What a drain does for one account, in the caller's connection (which a test's transaction may own)."""
    settled = 0
    while claim := claims.claim(account.pk, lanes):
        settled += drains.work(claim)
    return settled


def later(hours: float = 1) -> None:
    """Let time pass for everything that waits: next tries, pauses, leases, and how long ago attempts were."""
    past = timedelta(hours=hours)
    for row in Outgoing.objects.all():
        Outgoing.objects.filter(pk=row.pk).update(
            next_at=row.next_at - past, lease_until=row.lease_until and row.lease_until - past
        )
    for message in Incoming.objects.all():
        Incoming.objects.filter(pk=message.pk).update(
            next_at=message.next_at - past, lease_until=message.lease_until and message.lease_until - past
        )
    for attempt in Attempt.objects.all():
        Attempt.objects.filter(pk=attempt.pk).update(started_at=attempt.started_at - past)
    Pause.objects.update(until=timezone.now() - timedelta(seconds=1))


class Worker:
    """A worker process of its own: a fork that works on one lane (`task`: sending, or heeding what came in).

    `at` is where it is killed or stopped; after `seconds` it is killed wherever it is, as a cluster's guard would.
    """

    def __init__(
        self,
        lane: Lane,
        *,
        at: str = "",
        how: str = "SIGKILL",
        lease: float = 90,
        budget: float = 75,
        task: Callable[[int], int] = drains.drain,
        seconds: float = 60,
    ) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            self._work(lane, at, how, lease, budget, task, seconds)

    def _work(
        self, lane: Lane, at: str, how: str, lease: float, budget: float, task: Callable[[int], int], seconds: float
    ) -> None:
        status = 1
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)  # never outlives its test by much
            connection.connection = None  # the parent's socket; psycopg leaves it alone in a fork
            http._threads = ThreadPoolExecutor(4)
            claims.LEASE_SECONDS = plans.LEASE_SECONDS = lease  # type: ignore[assignment]
            incoming_claims.LEASE_SECONDS = lease  # type: ignore[assignment]
            registry.connect.__kwdefaults__["budget"] = budget  # type: ignore[index]
            os.environ["WEFT_TEST_POINT"], os.environ["WEFT_TEST_SIGNAL"] = at, how
            task(lane)
            status = 0
        finally:
            os._exit(status)

    def ended(self) -> int:
        """Wait for its end; returns the exit code, or minus the signal."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def stopped(self) -> None:
        """Wait until it has been stopped."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


def wait_until(true: Callable[[], object], seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.1)
