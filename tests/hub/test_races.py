"""Several workers, and workers that are killed or stopped: work is delayed, never lost, never doubled."""

from __future__ import annotations

import random
import time

import pytest
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.models import Account, Attempt, Outgoing
from integrations.hub.sending import claims, drains, outcomes
from integrations.hub.values import Lane, NotReady
from tests import factories
from tests.hub.conftest import Worker, later
from tests.hub.probe import POINTS, Thing
from tests.hub.remote import Remote
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _strict(remote: Remote, settings) -> None:  # type: ignore[no-untyped-def]
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False  # here nothing but our own code opens transactions


def wish(*keys: str, topic: str = "test.thing") -> None:
    with outgoing.recording():
        outgoing.ensure(topic, keys)


def errand(account: Account, key: str, topic: str = "test.look") -> None:
    with outgoing.recording():
        outgoing.command(topic, account, {"name": key}, key=key)


def row(key: str, topic: str = "test.thing") -> Outgoing:
    return Outgoing.objects.get(key=key, topic=topic)


# --- writing ---------------------------------------------------------------------------------------------------------


def test_twelve_threads_over_six_keys_do_not_deadlock(account: Account) -> None:
    """In the order of the wishes 12 threads deadlock within moments; sorted, in one statement, they never do."""
    keys = [f"sku-{i}" for i in range(6)]
    turns = 15

    def work(number: int) -> None:
        dice = random.Random(number)
        for _ in range(turns):
            with outgoing.recording():
                for key in dice.sample(keys, 6):
                    outgoing.ensure("test.thing", [key])

    assert [r for r in at_once(work, 12) if r is not None] == []
    assert set(Outgoing.objects.values_list("wanted", flat=True)) == {12 * turns}


# --- draining --------------------------------------------------------------------------------------------------------


def test_many_drains_at_once_are_one_effect(account: Account, remote: Remote) -> None:
    other = factories.account("probe", "probe", settings={"url": remote.url})
    remote.dedupes, remote.delay = False, 0.05
    wish("a", "b", "c")
    for each in (account, other):
        errand(each, f"refund-{each.pk}")
    results = at_once(lambda number: drains.drain(number % 5), 8)
    assert [r for r in results if not isinstance(r, int)] == []
    rest = drains.drain(Lane.CATALOGUE)  # a wake-up that met the account in flight is made good by the sweep
    assert rest + sum(r for r in results if isinstance(r, int)) == 8
    assert dict(remote.puts) == {"a": 2, "b": 2, "c": 2}, "once for each account"
    assert set(remote.errands.values()) == {1}
    assert remote.most_at_once <= 2, "one in flight per account"
    assert not Outgoing.objects.exclude(lease_token=None).exists()


def test_waiting_and_settling_race_without_a_row_left_asleep(account: Account, remote: Remote) -> None:
    """`bill` decides to wait for `a` while `a` is being settled: whoever is first, `bill` ends up due."""
    for turn in range(12):
        thing, bill = f"a{turn}", f"bill{turn}"
        wish(thing)
        claim = claims.claim(account.pk, [4])
        assert claim is not None and [r.key for r in claim.rows] == [thing]
        wish(bill, topic="test.bill")
        waiting = row(bill, "test.bill")
        waiter = claims.Claim(account, claim.token, (waiting,))
        Outgoing.objects.filter(pk=waiting.pk).update(lease_token=claim.token)

        def race(number: int, claim=claim, waiter=waiter, waiting=waiting, thing=thing) -> None:  # type: ignore[no-untyped-def]
            if number:
                drains.work(claim)
            else:
                outcomes.wait(waiter, waiting, NotReady("test.thing", thing))

        assert at_once(race, 2) == [None, None]
        assert not row(thing).is_open
        assert row(bill, "test.bill").waits_key == ""
        Outgoing.objects.filter(pk=waiting.pk).update(delivered=1, wanted=1)


# --- killed ----------------------------------------------------------------------------------------------------------


def test_a_worker_killed_at_any_point_loses_no_state(account: Account, remote: Remote) -> None:
    for at in POINTS:
        key = at.replace(" ", "-")
        wish(key)
        assert Worker(Lane.CATALOGUE, at=at).ended() == -9
        assert row(key).is_open == (at != "settled")
        assert drains.drain(Lane.CATALOGUE) == 0, "its lease holds others off"
        later()
        assert drains.drain(Lane.CATALOGUE) == (0 if at == "settled" else 1)
        assert not row(key).is_open
        assert remote.things[key] == {"value": 1}
        assert not Attempt.objects.filter(finished_at=None).exists()
        assert row(key).crashes == 0


def test_a_worker_killed_at_any_point_doubles_nothing_that_can_be_looked_up(account: Account, remote: Remote) -> None:
    remote.dedupes = False
    for at in POINTS[1:]:
        key = at.replace(" ", "-")
        errand(account, key)
        assert Worker(Lane.MONEY, at=at).ended() == -9
        later()
        drains.drain(Lane.MONEY)
        later()
        drains.drain(Lane.MONEY)
        assert not row(key, "test.look").is_open, at
        assert remote.errands[key] == 1, at


def test_a_worker_killed_at_any_point_doubles_nothing_that_cannot_be_looked_up(
    account: Account, remote: Remote
) -> None:
    remote.dedupes = False
    for at in POINTS[1:]:
        key = at.replace(" ", "-")
        errand(account, key, "test.never")
        assert Worker(Lane.MONEY, at=at).ended() == -9
        later()
        drains.drain(Lane.MONEY)
        after = row(key, "test.never")
        if at == "settled":
            assert not after.is_open
        else:
            assert after.is_unknown and "Check by hand" in after.parked_reason
        assert remote.errands[key] == (0 if at == "before the wire" else 1)


# --- stopped ---------------------------------------------------------------------------------------------------------


def test_a_worker_stopped_past_its_lease_before_the_attempt_sends_nothing(account: Account, remote: Remote) -> None:
    wish("a")
    worker = Worker(Lane.CATALOGUE, at="built", how="SIGSTOP", lease=1)
    worker.stopped()
    time.sleep(1.1)
    assert drains.drain(Lane.CATALOGUE) == 1
    settled = row("a")
    worker.go_on()
    assert worker.ended() == 0
    assert remote.puts == {"a": 1}
    assert Attempt.objects.count() == 1
    assert row("a").delivered_at == settled.delivered_at, "nothing was written by the one that lost its lease"


def test_a_worker_stopped_past_its_lease_before_the_wire_sends_nothing(account: Account, remote: Remote) -> None:
    """The time for its calls began before its lease, and is shorter: when the lease is lost, the door is closed."""
    remote.dedupes = False
    errand(account, "refund")
    worker = Worker(Lane.MONEY, at="before the wire", how="SIGSTOP", lease=2, budget=1.5)
    worker.stopped()
    time.sleep(2.1)
    later()  # and what could still arrive has arrived
    assert drains.drain(Lane.MONEY) == 1
    worker.go_on()
    assert worker.ended() == 0
    assert remote.errands == {"refund": 1}
    after = row("refund", "test.look")
    assert (after.is_open, after.is_unknown, after.failures, after.parked_at) == (False, False, 0, None)


def test_a_worker_stopped_past_its_lease_after_the_wire_writes_nothing(account: Account, remote: Remote) -> None:
    errand(account, "refund")
    worker = Worker(Lane.MONEY, at="after the wire", how="SIGSTOP", lease=1)
    worker.stopped()
    time.sleep(1.1)
    assert drains.drain(Lane.MONEY) == 1
    before = row("refund", "test.look")
    worker.go_on()
    assert worker.ended() == 0
    after = row("refund", "test.look")
    assert remote.errands == {"refund": 1}
    assert (after.delivered_at, after.delivered) == (before.delivered_at, 1)


def test_a_row_wished_anew_while_its_worker_was_dead_is_sent_as_it_stands_now(account: Account, remote: Remote) -> None:
    wish("a")
    assert Worker(Lane.CATALOGUE, at="before the wire").ended() == -9
    Thing.wanted.docs["a"] = {"value": 2}
    wish("a")
    Outgoing.objects.update(lease_until=timezone.now())
    assert drains.drain(Lane.CATALOGUE) == 1
    assert remote.things == {"a": {"value": 2}}
