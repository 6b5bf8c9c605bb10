"""Heeding what came in: each hint settled once, whatever dies, comes twice, or comes in another order."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ
from structlog.contextvars import get_contextvars

from integrations.hub import hearing, outgoing
from integrations.hub.errors import Conflict, Misconfigured, Rejected, Scope, TryAgain
from integrations.hub.incoming import claims as incoming_claims
from integrations.hub.incoming import heeding, parking
from integrations.hub.models import Account, Incoming, IncomingHint, Outgoing, Pause
from integrations.hub.sending import claims
from integrations.hub.values import Lane
from runtime.logs import trace
from tests import factories
from tests.hub.conftest import Hooked, Worker, heed_due, hook, later, news
from tests.hub.probe import HEARING_POINTS, Errands
from tests.hub.remote import Remote
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _strict(remote: Remote, settings: Any) -> Any:
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False
    yield
    OrmQ.objects.all().delete()


def effects(key: str) -> int:
    return sum(Outgoing.objects.filter(topic="test.thing", key=key).values_list("wanted", flat=True))


def kept(event: str = "evt-1") -> Incoming:
    return Incoming.objects.get(event=event)


# --- the three steps -------------------------------------------------------------------------------------------------


def test_a_message_is_parsed_looked_at_and_settled(hooked: Hooked) -> None:
    hooked.post(news("E1", "E2", "E1", amount="9.90"))
    assert heeding.hear(Lane.MONEY) == 1
    row = kept()
    assert (row.subject, row.failures, row.lease_token, row.done_at is not None) == ("errand:E1", 0, None, True)
    hints = row.hints.values_list("key", "applied", "facts", "subject")
    assert list(hints) == [(key, 1, {"amount": "9.90"}, f"errand:{key}") for key in ("E1", "E2")]
    assert [effects("E1"), effects("E2")] == [1, 1]
    assert heeding.hear(Lane.MONEY) == 0


def test_a_message_that_says_nothing_is_done(hooked: Hooked) -> None:
    hooked.post(b"[]")
    assert heed_due(hooked.account) == 1
    assert kept().done_at


def test_nothing_is_asked_of_the_remote_in_a_transaction_and_settling_is_one(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    look, settle = Errands.look, Errands.settle
    monkeypatch.setattr(Errands, "look", lambda *given: seen.append(connection.in_atomic_block) or look(*given))
    monkeypatch.setattr(Errands, "settle", lambda *given: seen.append(connection.in_atomic_block) or settle(*given))
    hooked.post(news("E1"))
    assert heed_due(hooked.account) == 1
    assert seen == [False, True]


def test_messages_about_one_thing_in_any_order_and_twice(hooked: Hooked) -> None:
    """Each is settled once, with the truth as it stands."""
    for event in ("b", "a", "b", "a"):
        hooked.post(news("E1"), event)
    assert heed_due(hooked.account) == 2
    assert set(IncomingHint.objects.values_list("applied", flat=True)) == {1}
    assert effects("E1") == 2


@pytest.mark.parametrize("understood", [False, True])
def test_two_rows_heeded_twice_at_once(hooked: Hooked, understood: bool) -> None:
    """D17. Where both were understood already, every worker comes as far as settling them."""
    hooked.post(news("E1"), "a")
    hooked.post(news("E2"), "b")
    batch = incoming_claims.claim(hooked.account.pk, list(Lane))
    assert batch is not None and len(batch.rows) == 2
    assert incoming_claims.claim(hooked.account.pk, list(Lane)) is None, "one batch in flight"
    for row in batch.rows if understood else ():
        heeding._parse(batch, row)
        row.parsed_at = timezone.now()
    results = at_once(lambda number: heeding.work(batch), 3)
    assert [each for each in results if not isinstance(each, int)] == []
    assert [effects("E1"), effects("E2")] == [1, 1]
    assert not Incoming.objects.filter(done_at=None).exists()


def test_what_another_understood_is_not_written_again_while_it_settles(hooked: Hooked) -> None:
    """Two with one batch: the slower one's hints would wait for the faster one's, and that for the row (a deadlock)."""
    hooked.post(news("E1"))
    slower = incoming_claims.claim(hooked.account.pk, list(Lane))
    assert slower is not None
    hint = heeding._parse(slower, kept())[0]
    with transaction.atomic():
        IncomingHint.objects.filter(pk=hint.pk).update(settled_at=timezone.now(), applied=1)
        assert at_once(lambda number: heeding.work(slower), 1) == [0]
        Incoming.objects.filter(pk=hint.incoming_id).update(done_at=timezone.now(), lease_token=None)
    assert (kept().failures, kept().attempts, kept().hints.get().applied) == (0, [], 1)


def test_many_workers_at_once_over_several_accounts(hooked: Hooked, remote: Remote) -> None:
    other = hook(factories.account("probe", "probe", settings={"url": remote.url}), "another")
    for number in range(6):
        hooked.post(news(f"E{number}"), str(number))
        other.post(news(f"F{number}"), str(number))
    remote.delay = 0.02
    results = at_once(lambda number: heeding.hear(Lane.MONEY), 6)
    assert [each for each in results if not isinstance(each, int)] == []
    heeding.hear(Lane.MONEY)
    assert not Incoming.objects.filter(done_at=None).exists()
    assert {key: effects(key) for key in ("E0", "F5")} == {"E0": 2, "F5": 2}, "one wish, to each of two accounts"
    assert set(IncomingHint.objects.values_list("applied", flat=True)) == {1}
    assert remote.most_at_once <= 2, "one in flight for each account"


def test_claims_of_outgoing_work_and_of_messages_do_not_get_in_each_others_way(hooked: Hooked) -> None:
    hooked.post(news("E1"))
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a"])
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=hooked.account.pk)
        assert at_once(lambda number: heed_due(hooked.account), 1) == [1]
    hooked.post(news("E2"), "evt-2")
    with transaction.atomic():
        list(Account.objects.raw(incoming_claims._MINE, [hooked.account.pk, incoming_claims.HEARD, key(hooked)]))
        assert at_once(lambda number: heed_due(hooked.account), 1) == [0], "another one claims messages just now"
        assert at_once(lambda number: claims.claim(hooked.account.pk, list(Lane)) is not None, 1) == [True]
    assert heed_due(hooked.account) == 1


def key(hooked: Hooked) -> int:
    return incoming_claims._LOCKS + hooked.account.pk


def test_the_urgent_cluster_leaves_what_is_not_urgent(hooked: Hooked) -> None:
    hooked.post(news("E1"))
    Incoming.objects.update(lane=Lane.STOCK)
    assert heeding.hear(Lane.MONEY) == 0
    assert heeding.hear(Lane.STOCK) == 1


# --- killed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", HEARING_POINTS)
def test_a_worker_killed_at_any_step_has_one_effect(hooked: Hooked, at: str) -> None:
    hooked.post(news("E1"))
    assert Worker(Lane.MONEY, at=at, task=heeding.hear).ended() == -9
    assert (kept().done_at is None) == (at != "settled")
    assert heeding.hear(Lane.MONEY) == 0, "its lease holds others off"
    later()
    assert heeding.hear(Lane.MONEY) == (0 if at == "settled" else 1)
    assert (effects("E1"), kept().hints.get().applied, kept().crashes) == (1, 1, 0)


def test_a_worker_stopped_past_its_lease_settles_nothing(hooked: Hooked) -> None:
    hooked.post(news("E1"))
    worker = Worker(Lane.MONEY, at="after the look", how="SIGSTOP", lease=1, task=heeding.hear)
    worker.stopped()
    time.sleep(1.1)
    assert heeding.hear(Lane.MONEY) == 1
    before = kept()
    worker.go_on()
    assert worker.ended() == 0
    assert effects("E1") == 1
    assert kept().done_at == before.done_at


def test_poison_is_set_aside_after_five_deaths_and_its_neighbours_get_through(hooked: Hooked) -> None:
    hooked.post(news("E1"), "poison")
    for _ in range(claims.MAX_CRASHES):
        assert Worker(Lane.MONEY, at="before the look", task=heeding.hear).ended() == -9
        later()
    hooked.post(news("E2"), "fine")
    heeding.hear(Lane.MONEY)
    assert "died five times" in kept("poison").parked_reason
    heeding.hear(Lane.MONEY)
    assert kept("fine").done_at
    assert (effects("E1"), effects("E2")) == (0, 1)


# --- what goes wrong -------------------------------------------------------------------------------------------------


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception, what: str = "look") -> None:
    def raises(*_: object) -> None:
        raise error

    monkeypatch.setattr(Errands, what, raises)


def test_unknown_news_is_parked_and_the_rest_of_the_message_settled(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.post(b'[{"kind": "nobody", "key": "N1"}, {"kind": "errand", "key": "E1"}]')
    assert heed_due(hooked.account) == 0
    row = kept()
    assert "hears news of 'nobody'" in row.parked_reason
    assert effects("E1") == 1

    class Nobody(Errands):
        name = "nobody"

    monkeypatch.setitem(hearing._hearings, ("probe", "nobody"), Nobody())
    assert parking.retry(Incoming.objects.all()).retried == 1
    assert heed_due(hooked.account) == 1
    assert (effects("N1"), effects("E1")) == (1, 1)


@pytest.mark.parametrize("error", [Rejected("No such thing."), Conflict("It is another's.")])
@pytest.mark.parametrize("step", ["look", "settle"])
def test_what_a_person_must_decide_is_parked(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch, error: Exception, step: str
) -> None:
    hooked.post(news("E1"))
    with monkeypatch.context() as patch:
        fail(patch, error, step)
        heed_due(hooked.account)
    row = kept()
    assert row.parked_reason == str(error)
    assert [one["message"] for one in row.attempts] == [str(error)]
    parking.retry(Incoming.objects.all())
    assert heed_due(hooked.account) == 1
    assert effects("E1") == 1


def test_what_cannot_be_understood_is_parked(hooked: Hooked) -> None:
    hooked.post(b"<xml/>", **{"content-type": "text/xml"})
    heed_due(hooked.account)
    assert kept().parked_reason == "It is not JSON."


def test_a_failure_backs_off_and_tells_of_itself_without_what_was_sent(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.post(b'[{"kind": "errand", "key": "E1", "facts": {}, "13800138000": 1}]')
    heed_due(hooked.account)
    row = kept()
    assert (row.failures, row.parked_at, row.next_at > timezone.now()) == (1, None, True)
    assert "TypeError at probe.py" in row.last_error
    assert "13800138000" not in f"{row.last_error}{row.attempts}"


def test_a_bug_parks_after_ten_failures_and_trouble_of_the_remote_only_if_others_get_through(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.post(news("E1"))
    with monkeypatch.context() as patch:
        fail(patch, TryAgain("Busy."))
        for _ in range(11):
            heed_due(hooked.account)
            later()
    row = kept()
    assert (row.failures, row.parked_at) == (11, None), "nobody gets through: it is the remote"
    hooked.post(b"[]", "other")
    heed_due(hooked.account)
    assert kept("other").done_at
    Incoming.objects.filter(event="evt-1").update(failures=9, done_at=None, parked_at=None)
    with monkeypatch.context() as patch:
        fail(patch, ValueError("oops"))
        IncomingHint.objects.update(settled_at=None)
        later()
        heed_due(hooked.account)
    row = kept()
    assert row.parked_reason.startswith("Failed 10 times. Last: An error in Weft: ValueError")


def test_one_that_fails_while_others_get_through_is_parked(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    hooked.post(news("E1"))
    with monkeypatch.context() as patch:
        fail(patch, TryAgain("Busy."))
        for _ in range(9):
            heed_due(hooked.account)
            later()
        hooked.post(b"[]", "other")
        heed_due(hooked.account)
        later()
        heed_due(hooked.account)
    assert "while others got through. Last: Busy." in kept().parked_reason


@pytest.mark.parametrize("scope", [Scope.OPERATION, Scope.ACCOUNT])
def test_a_refusal_of_all_pauses_looking_and_blames_no_row(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch, scope: Scope
) -> None:
    for number in range(3):
        hooked.post(news(f"E{number}"), str(number))
    asked: list[int] = []

    def busy(*_: object) -> None:
        asked.append(1)
        raise TryAgain("Slow down.", scope=scope, after=timedelta(minutes=2))

    with monkeypatch.context() as patch:
        patch.setattr(Errands, "look", busy)
        heed_due(hooked.account)
        assert heeding.hear(Lane.MONEY) == 0
    assert len(asked) == 1
    assert set(Incoming.objects.values_list("failures", "lease_token")) == {(0, None)}
    assert Pause.objects.get().topic == ("incoming" if scope is Scope.OPERATION else "")
    Pause.objects.update(until=timezone.now())
    assert heeding.hear(Lane.MONEY) == 3
    assert not Pause.objects.exists()


def test_wrong_settings_are_the_accounts_problem(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    hooked.post(news("E1"))
    fail(monkeypatch, Misconfigured("The key is refused."))
    heed_due(hooked.account)
    assert Account.objects.get().problem == "The key is refused."
    assert (kept().failures, kept().parked_at) == (0, None)


# --- whose request it was ---------------------------------------------------------------------------------------------


def test_a_message_bears_the_trace_of_its_request_and_so_does_what_it_brings_about(hooked: Hooked) -> None:
    """Two requests, heeded by one worker with a trace of its own; the same again does not change the first's."""
    told = [hooked.post(news("E1"), "evt-1")["X-Request-ID"], hooked.post(news("E2"), "evt-2")["X-Request-ID"]]
    hooked.post(news("E1"), "evt-1")
    assert list(Incoming.objects.order_by("event").values_list("trace", flat=True)) == told
    with trace.bound("the-trace-of-the-worker"):
        assert heed_due(hooked.account) == 2
        assert trace.current() == "the-trace-of-the-worker"
    wished = Outgoing.objects.filter(topic="test.thing").order_by("key").values_list("key", "trace")
    assert list(wished) == [("E1", told[0]), ("E2", told[1])]


def test_lines_written_while_a_message_is_heeded_bear_its_trace(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, Any]] = []
    given = hooked.post(news("E1"))["X-Request-ID"]

    class Hears(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            bound = get_contextvars()
            said.append((trace.current(), (bound.get("account"), bound.get("topic"), bound.get("rows"))))

    handler = Hears()
    monkeypatch.setattr(Errands, "look", lambda *_: 1 / 0)
    logging.getLogger("weft.hub").addHandler(handler)
    try:
        heed_due(hooked.account)
    finally:
        logging.getLogger("weft.hub").removeHandler(handler)
    assert said == [(given, (hooked.account.pk, "incoming", [Incoming.objects.get().pk]))]
    assert trace.current() == ""


def test_a_message_from_before_is_heeded_under_the_trace_of_the_worker(hooked: Hooked) -> None:
    """Kept by a Weft that wrote none."""
    hooked.post(news("E1"))
    Incoming.objects.update(trace="")
    with trace.bound("the-trace-of-the-worker"):
        heed_due(hooked.account)
    assert Outgoing.objects.get(topic="test.thing").trace == "the-trace-of-the-worker"
