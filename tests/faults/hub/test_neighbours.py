"""D14, D18: one remote that is dead, one document that harms: the others go on, and the guilty one is set aside."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from integrations.hub import http
from integrations.hub.models import Account, Attempt, Outgoing
from integrations.hub.sending import claims, drains
from integrations.hub.values import Lane
from tests import factories
from tests.faults.hub import business
from tests.faults.hub.conftest import pass_time, row, wish
from tests.hub.conftest import Worker, wait_until
from tests.hub.remote import Remote
from tests.processes import is_alive
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _business(settings: Any, remote: Remote) -> None:
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False
    business.found()
    business.register()


# --- D14 -------------------------------------------------------------------------------------------------------------


def test_a_thousand_rows_and_one_remote_that_never_answers(remote: Remote, settings: Any) -> None:
    """Five accounts, two hundred rows each. The dead one holds its request open until everything else has arrived."""
    over = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        over.wait(120)

    accounts = [factories.account("probe", "probe", settings={"url": remote.url}) for _ in range(4)]
    deaf = Remote()
    server = deaf.start()
    settings.WEFT_PRIVATE_HOSTS = settings.WEFT_PRIVATE_HOSTS | {f"127.0.0.1:{deaf.port}"}
    dead = factories.account("probe", "probe", settings={"url": deaf.url})
    keys = [f"k{number:03}" for number in range(200)]
    for key in keys:
        deaf.answers[f"/things/{key}"] = silent
    wish(*keys)
    assert Outgoing.objects.count() == 1000
    drained = threading.Thread(target=lambda: at_once(lambda _: drains.drain(Lane.CATALOGUE), 1))
    drained.start()
    try:
        wait_until(lambda: not _open(accounts).exists(), 120)
        assert len(deaf.asked) == 1, "one in flight at the dead one, and it is still in flight"
        assert drained.is_alive()
        claimed = Outgoing.objects.filter(account=dead).exclude(lease_token=None)
        assert 1 <= claimed.count() <= claims.CLAIM_ROWS, "the rest of its rows is not even claimed"
        assert Attempt.objects.filter(outgoing__account=dead).count() == 1
        wish("more")
        assert drains.drain(Lane.CATALOGUE) == 4, "another worker serves the healthy ones meanwhile"
    finally:
        over.set()
        drained.join(60)
        server.shutdown()
        server.server_close()
    assert remote.puts["k000"] == 4 and not _open(accounts).exists()
    per_account = [Attempt.objects.filter(outgoing__account=one).count() for one in accounts]
    assert per_account == [201] * 4, "no row was tried twice"


def test_a_refused_connection_is_knocked_at_once_per_pause(remote: Remote, settings: Any) -> None:
    healthy = factories.account("probe", "probe", settings={"url": remote.url})
    dead = factories.account("probe", "probe", settings={"url": "http://127.0.0.1:9"})
    settings.WEFT_PRIVATE_HOSTS = settings.WEFT_PRIVATE_HOSTS | {"127.0.0.1:9"}
    wish(*[f"k{number:03}" for number in range(200)])
    for turn in range(1, 4):
        drains.drain(Lane.CATALOGUE)
        assert Attempt.objects.filter(outgoing__account=dead).count() == turn
        pass_time(3600)
    assert not _open([healthy]).exists()
    assert not Outgoing.objects.filter(failures__gt=0).exists(), "no row is to blame"


def _open(accounts: list[Account]) -> Any:
    return Outgoing.objects.filter(account__in=accounts, delivered=0)


# --- D18 -------------------------------------------------------------------------------------------------------------

GOOD = [f"good{number}" for number in range(6)]


def test_poison_is_set_aside_and_the_others_go_on(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """What kills or hangs its worker: parked after five lonely deaths. What raises, or is answered with 100 MB: after
    ten failures while others get through. Nobody else is ever blamed."""
    remote.answers["/things/large"] = hundred_megabytes
    monkeypatch.setattr(http, "BODY_LIMIT", 1_000_000)
    business.change(["kills", "hangs", "raises", "large", *GOOD], topic="fault.poison")
    arrived = 0
    for turn in range(60):
        worker = Worker(Lane.CATALOGUE, seconds=1.5)
        worker.ended()
        assert not is_alive(worker.pid)
        if not arrived and all(not row(key, "fault.poison").is_open for key in GOOD):
            arrived = turn
        if Outgoing.objects.filter(parked_at__isnull=False).count() == 4:
            break
        pass_time(3600)
        if arrived:
            business.change(GOOD[:1], topic="fault.poison")  # neighbours that get through
    for key in ("kills", "hangs"):
        assert "died five times" in row(key, "fault.poison").parked_reason
        assert row(key, "fault.poison").crashes == claims.MAX_CRASHES
    assert "ZeroDivisionError: poison" in row("raises", "fault.poison").parked_reason
    assert "larger than" in row("large", "fault.poison").parked_reason
    assert not Attempt.objects.filter(outgoing__key__in=["kills", "hangs", "raises"]).exists(), "nothing was sent"
    assert 0 < arrived <= 16, "the good ones arrived while the bad ones were found out"
    assert not Outgoing.objects.filter(key__in=GOOD, crashes__gt=0).exists()
    pass_time(3600)
    business.change(GOOD, topic="fault.poison")
    assert Worker(Lane.CATALOGUE).ended() == 0
    assert not Outgoing.objects.filter(key__in=GOOD, delivered=0).exists()


def hundred_megabytes(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(100 * 1024 * 1024))
    handler.end_headers()
    for _ in range(1600):
        handler.wfile.write(b"x" * 65536)


def test_a_document_that_cannot_be_built_holds_up_no_other(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """One of a claim raises: it alone is put off."""
    monkeypatch.setattr(business.Poison, "home", 0)
    business.change(["raises", *GOOD], topic="fault.poison")
    assert drains.drain(Lane.CATALOGUE) == 6
    assert row("raises", "fault.poison").failures == 1
    assert not Outgoing.objects.filter(key__in=GOOD, failures__gt=0).exists()
