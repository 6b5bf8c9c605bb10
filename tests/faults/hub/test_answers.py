"""D13, F8, F9, F10: answers of remotes in trouble. Never early, one effect, and the worker is free again."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler

import pytest
from django.utils import timezone

from integrations.hub import http
from integrations.hub.errors import HubError, OutcomeUnknown, TryAgain
from integrations.hub.http import Door
from integrations.hub.models import Account, Attempt, Outgoing, Pause
from tests.faults.hub.conftest import errand, pass_time, row, wish
from tests.faults.proxy import Does, Fault, HttpProxy, answers
from tests.hub.conftest import send_due
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db

WAIT = 120


def as_date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


def dated(skew: timedelta = timedelta(0)) -> dict[str, str]:
    """Retry-After as a date, by a remote whose clock is this much wrong; the answer says what it shows."""
    there = datetime.now(UTC) + skew
    return {"retry_after": as_date(there + timedelta(seconds=WAIT)), "date": as_date(there)}


def in_seconds() -> dict[str, str]:
    return {"retry_after": str(WAIT)}


SAID: dict[str, Callable[[], dict[str, str]]] = {
    "seconds": in_seconds,
    "date": dated,
    "date, their clock 10 min slow": partial(dated, -timedelta(minutes=10)),
    "date, their clock 10 min fast": partial(dated, timedelta(minutes=10)),
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("topic", ["test.thing", "test.look"])
def test_retry_after_is_never_cut_short(
    line: HttpProxy, remote: Remote, far: Account, topic: str, status: int, said: str
) -> None:
    """D13. Nothing of the operation is sent before the time, not even other rows; after it, everything once."""
    line.next(answers(status, **SAID[said]()))
    make = wish if topic == "test.thing" else lambda *keys: errand(far, *keys)
    make("a")
    assert send_due(far) == 0
    make("b")
    for step in (0, WAIT - 5):
        pass_time(step)
        assert send_due(far) == 0
        assert remote.lines() == [], "it was asked to wait"
    pass_time(10)
    send_due(far)
    pass_time(3600)  # what was perhaps done is looked for once it can have arrived
    send_due(far)
    assert not [each for each in Outgoing.objects.all() if each.is_open]
    assert [entry["path"].rsplit("/", 1)[1] for entry in remote.lines()].count("a") == 1
    assert not Pause.objects.exists()


def test_three_in_ten_answers_are_refusals_and_everything_arrives_once(
    line: HttpProxy, remote: Remote, far: Account
) -> None:
    """F8. 500, 503 and 429 among 120 deliveries; a row that failed is never tried again before its time."""
    line.sometimes(0.3, answers(500), answers(503), answers(429))
    keys = [f"k{number:03}" for number in range(80)]
    wish(*keys)
    errand(far, *[f"e{number:02}" for number in range(40)], topic="test.safe")
    for _ in range(40):
        before = {each.pk: each.next_at for each in Outgoing.objects.all() if each.is_open}
        tried = set(Attempt.objects.values_list("pk", flat=True))
        send_due(far)
        early = [
            attempt
            for attempt in Attempt.objects.exclude(pk__in=tried)
            if attempt.started_at < before[attempt.outgoing_id]
        ]
        assert not early, "tried before its time"
        if not [each for each in Outgoing.objects.all() if each.is_open]:
            break
        pass_time(3600)
    assert not [each for each in Outgoing.objects.all() if each.is_open]
    assert len(line.hit) > 20 and {fault.status for _, fault in line.hit} == {500, 503, 429}
    assert remote.effects("things").keys() == set(keys)
    assert set(remote.effects().values()) == {1}
    assert not Outgoing.objects.filter(parked_at__isnull=False).exists()


@pytest.mark.parametrize("does", [Does.LOSE, Does.RESET, Does.CORRUPT, Does.HALF_CLOSE])
@pytest.mark.parametrize("topic", ["test.look", "test.safe"])
def test_done_without_an_answer_is_one_effect(
    line: HttpProxy, remote: Remote, far: Account, does: Does, topic: str
) -> None:
    """F9. A remote that dedupes nothing is looked at before anything is sent again; one that does gets the same key."""
    remote.dedupes = topic == "test.safe"
    line.next(Fault(does))
    errand(far, "refund", topic=topic)
    send_due(far)
    for _ in range(3):
        pass_time(3600)
        send_due(far)
    after = row("refund", topic)
    assert (after.is_open, after.is_unknown, after.parked_at) == (False, False, None)
    assert remote.effects() == {"refund": 1}
    asked = [path for method, path in remote.asked if method == "GET"]
    unreadable = [a for a in Attempt.objects.all() if a.outcome == "OutcomeUnknown"]
    assert len(asked) == (len(unreadable) if topic == "test.look" else 0)


def test_a_time_out_after_the_work_is_one_effect(remote: Remote, account: Account, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """F9, the slow way: no reset, just silence until our own time is over."""
    monkeypatch.setattr(http, "CALL_SECONDS", 0.3)
    monkeypatch.setitem(Door.request.__kwdefaults__, "timeout", 0.3)
    remote.dedupes = False
    remote.misbehave("/errands/refund", "done, then hang")
    errand(account, "refund")
    assert send_due(account) == 0
    assert row("refund", "test.look").is_unknown
    pass_time(3600)
    assert send_due(account) == 1
    assert remote.errands == {"refund": 1}


# --- F10: answers without an end -------------------------------------------------------------------------------------


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door's only thread: what it does not give back, nobody has."""
    monkeypatch.setattr(http, "_threads", ThreadPoolExecutor(1))
    monkeypatch.setattr(http, "BODY_LIMIT", 4 * 1024 * 1024)


def problem(url: str, timeout: float = 1.0) -> HubError:
    with pytest.raises(HubError) as caught:
        Door().request("POST", url, operation="call", timeout=timeout)
    return caught.value


def is_free_again(remote: Remote) -> bool:
    return Door().request("POST", f"{remote.url}/errands/next", operation="call", timeout=5).status == 200


def test_a_byte_now_and_then_ends_at_the_deadline_and_holds_no_thread(
    line: HttpProxy, remote: Remote, one_thread: None
) -> None:
    """Headers and body come drop by drop: never silent for long, and never finished."""
    line.next(Fault(Does.SLOW, rate=5))
    started = time.monotonic()
    error = problem(f"http://127.0.0.1:{line.port}/errands/a")
    assert isinstance(error, OutcomeUnknown) and "no answer within" in error.message
    assert time.monotonic() - started < 10
    assert is_free_again(remote)


def test_a_drip_after_the_headers_holds_no_thread_either(remote: Remote, one_thread: None) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        for _ in range(600):
            handler.wfile.write(b"x")
            time.sleep(0.1)

    remote.answers["/drip"] = drip
    assert isinstance(problem(f"{remote.url}/drip"), OutcomeUnknown)
    assert is_free_again(remote)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65536)


def fifty_megabytes(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(50 * 1024 * 1024))
    handler.end_headers()
    for _ in range(800):
        handler.wfile.write(b"x" * 65536)


BOMB = gzip.compress(bytes(64 * 1024 * 1024))


def bomb(handler: BaseHTTPRequestHandler) -> None:
    """Four members of 64 MB each, in a few hundred kB."""
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", str(4 * len(BOMB)))
    handler.end_headers()
    handler.wfile.write(BOMB * 4)


@pytest.mark.parametrize("answer", [endless, fifty_megabytes, bomb])
def test_an_answer_without_measure_is_cut_at_the_limit(remote: Remote, one_thread: None, answer) -> None:  # type: ignore[no-untyped-def]
    remote.answers["/much"] = answer
    tracemalloc.start()
    try:
        error = problem(f"{remote.url}/much", timeout=10)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(error, OutcomeUnknown) and "larger than" in error.message
    assert peak < 4 * http.BODY_LIMIT, "what is beyond the limit was never held"
    assert is_free_again(remote)


def test_what_only_reads_is_tried_again(remote: Remote, one_thread: None) -> None:
    remote.answers["/much"] = endless
    with pytest.raises(TryAgain):
        Door().request("GET", f"{remote.url}/much", operation="call", writes=False, timeout=10)
    assert is_free_again(remote)


def test_an_account_behind_a_hole_costs_its_own_time_only(line: HttpProxy, far: Account, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setitem(Door.request.__kwdefaults__, "timeout", 0.3)
    line.always(Fault(Does.HOLE))
    wish("a")
    assert send_due(far) == 0
    assert row("a").is_unknown and row("a").next_at > timezone.now()
    line.heal()
    pass_time(3600)
    assert send_due(far) == 1
