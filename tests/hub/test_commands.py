"""Commands: done once, in order within a serial, and after an unknown outcome only what their topic allows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.models import Account, Attempt, Outgoing
from integrations.hub.sending import claims, plans
from tests.hub.conftest import later, send_due
from tests.hub.probe import Errand, NewErrand
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db


def run(account: Account, key: str, *, topic: str = "test.look", serial: str = "", **more: Any) -> None:
    payload = more.pop("payload", {"name": key})
    with outgoing.recording():
        outgoing.command(topic, account, payload, key=key, serial=serial, **more)


def row(key: str) -> Outgoing:
    return Outgoing.objects.get(key=key)


def test_the_same_command_again_is_the_same_command(account: Account, remote: Remote) -> None:
    run(account, "a", payload={"name": "first"})
    run(account, "a", payload={"name": "second"})
    assert send_due(account) == 1
    run(account, "a")
    assert send_due(account) == 0
    assert remote.errands == {"a": 1}
    assert Errand.settled == ["first"]
    assert row("a").payload == {"name": "first"}
    assert row("a").expires_at is not None


def test_one_serial_goes_strictly_in_order(account: Account, remote: Remote) -> None:
    for key in ("z", "y", "x"):
        run(account, key, serial="refund:1")
    run(account, "other", serial="refund:2")
    Outgoing.objects.filter(key="x").update(next_at=timezone.now() - timedelta(hours=1))  # due the longest
    remote.misbehave("/errands/z", "503")
    assert send_due(account) == 1
    assert [k for k in remote.order if k != "other"] == []
    later()
    assert send_due(account) == 3
    assert [k for k in remote.order if k != "other"] == ["z", "y", "x"]


def test_a_parked_one_blocks_its_serial_and_no_other(account: Account, remote: Remote) -> None:
    for key in ("a", "b"):
        run(account, key, serial="refund:1")
    run(account, "c", serial="refund:2")
    run(account, "d")
    remote.misbehave("/errands/a", "422")
    assert send_due(account) == 2
    assert row("a").parked_reason == "It is too long."
    assert row("b").is_open and row("b").parked_at is None
    later()
    assert send_due(account) == 0
    Outgoing.objects.filter(key="a").update(parked_at=None)
    assert send_due(account) == 2


def test_what_could_not_be_sent_in_time_is_parked(account: Account, remote: Remote) -> None:
    run(account, "a", expires_at=timezone.now() - timedelta(seconds=1))
    assert send_due(account) == 0
    assert row("a").parked_reason.startswith("Too late")
    assert not row("a").is_unknown
    assert remote.asked == []


def test_a_command_that_fails_ten_times_is_parked(account: Account, remote: Remote) -> None:
    run(account, "a", expires_at=timezone.now() + timedelta(days=30))
    remote.misbehave("/errands/a", *["503"] * 20)
    for turn in range(10):
        assert row("a").parked_at is None, turn
        send_due(account)
        later()
    assert "Failed 10 times" in row("a").parked_reason


# --- after an unknown outcome ----------------------------------------------------------------------------------------


def test_look_finds_what_was_done(account: Account, remote: Remote) -> None:
    run(account, "a")
    remote.dedupes = False
    remote.misbehave("/errands/a", "done, then cut")
    assert send_due(account) == 0
    assert row("a").is_unknown
    later(0.1)
    assert send_due(account) == 1
    assert remote.errands == {"a": 1}
    assert remote.asked[-1] == ("GET", "/errands/a")
    assert Errand.settled == ["a"]
    assert not row("a").is_unknown


def test_not_there_counts_only_when_nothing_can_still_arrive(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(Errand, "visibility_delay", timedelta(minutes=10))
    remote.dedupes = False
    run(account, "a")
    remote.misbehave("/errands/a", "cut")
    send_due(account)
    for _ in range(2):
        Outgoing.objects.update(next_at=timezone.now())
        assert send_due(account) == 0, "it may still be on its way"
        assert remote.asked[-1] == ("GET", "/errands/a")
        wait = row("a").next_at - timezone.now()
        lease = timedelta(seconds=claims.LEASE_SECONDS)
        assert timedelta(minutes=10) < wait <= timedelta(minutes=10) + lease
        assert row("a").is_unknown and row("a").failures == 1, "looking is no failure"
    later()
    assert send_due(account) == 1
    assert remote.errands == {"a": 1}


def test_pending_is_looked_at_again(account: Account, remote: Remote) -> None:
    run(account, "a", payload={"pending": True})
    remote.misbehave("/errands/a", "cut")
    send_due(account)
    later(0.1)
    assert send_due(account) == 0
    assert row("a").next_at - timezone.now() <= plans.LOOK_AGAIN
    assert row("a").parked_at is None


def test_safe_is_sent_again_under_the_same_key(account: Account, remote: Remote) -> None:
    run(account, "a", topic="test.safe")
    remote.misbehave("/errands/a", "done, then cut", "cut", "done, then cut")
    for _ in range(3):
        assert send_due(account) == 0
        later(0.1)
    assert send_due(account) == 1
    assert remote.errands == {"a": 1}
    assert ("GET", "/errands/a") not in remote.asked


@pytest.mark.parametrize("then", ["503", "422"])
def test_perhaps_done_stays_so_whatever_comes_of_the_next_try(account: Account, remote: Remote, then: str) -> None:
    run(account, "a", topic="test.safe")
    remote.misbehave("/errands/a", "done, then cut", then)
    send_due(account)
    later(0.1)
    assert send_due(account) == 0
    assert row("a").is_unknown and bool(row("a").parked_at) == (then == "422")


def test_never_is_left_to_a_person(account: Account, remote: Remote) -> None:
    run(account, "a", topic="test.never")
    remote.misbehave("/errands/a", "done, then cut")
    send_due(account)
    later(0.1)
    assert send_due(account) == 0
    assert "Check by hand" in row("a").parked_reason
    assert row("a").is_unknown
    assert remote.errands == {"a": 1}


def test_never_is_tried_again_when_it_was_surely_not_done(account: Account, remote: Remote) -> None:
    run(account, "a", topic="test.never")
    remote.misbehave("/errands/a", "503", "503")
    for _ in range(2):
        assert send_due(account) == 0
        later(0.1)
    assert send_due(account) == 1


def test_a_mail_is_sent_once_more_and_not_twice(account: Account, remote: Remote) -> None:
    run(account, "a", topic="test.mail")
    remote.dedupes = False
    remote.misbehave("/errands/a", *["done, then cut"] * 5)
    for _ in range(4):
        send_due(account)
        later(0.1)
    assert remote.errands == {"a": 2}
    assert row("a").is_unknown and row("a").parked_reason


def test_tries_that_surely_did_nothing_do_not_use_up_the_resend(account: Account, remote: Remote) -> None:
    run(account, "a", topic="test.mail")
    remote.misbehave("/errands/a", "503", "503", "503", "cut")
    for _ in range(4):
        assert send_due(account) == 0
        later(0.1)
    assert send_due(account) == 1


# --- unknown and late ------------------------------------------------------------------------------------------------


def crashed_while_sending(account: Account, key: str) -> None:
    """As a worker killed after its attempt was committed leaves it: leased, the attempt unfinished."""
    claim = claims.claim(account.pk, [0])
    assert claim is not None
    Attempt.objects.create(outgoing=row(key), lease_token=claim.token, revision=1)
    later()


@pytest.mark.parametrize("topic", ["test.look", "test.safe", "test.never", "test.mail"])
def test_perhaps_done_is_never_called_just_too_late(account: Account, remote: Remote, topic: str) -> None:
    """ "Do it by hand" would double it: it is looked up, and where it cannot be, *check by hand* is said."""
    run(account, "a", topic=topic, expires_at=timezone.now() + timedelta(minutes=1))
    crashed_while_sending(account, "a")
    remote.errands["a"] = 1
    Outgoing.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    settled = send_due(account)
    after = row("a")
    if topic == "test.look":
        assert settled == 1 and not after.is_open
    else:
        assert after.is_unknown and "Check by hand" in after.parked_reason
    assert remote.errands == {"a": 1}


def test_looked_up_too_late_and_not_there_is_too_late(account: Account, remote: Remote) -> None:
    run(account, "a")
    crashed_while_sending(account, "a")
    Outgoing.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert send_due(account) == 0
    assert row("a").parked_reason.startswith("Too late")
    assert not row("a").is_unknown
    assert remote.errands == {}


# --- versions --------------------------------------------------------------------------------------------------------


def test_an_old_payload_is_upgraded_step_by_step(account: Account, remote: Remote) -> None:
    run(account, "a", topic="test.new")
    Outgoing.objects.update(version=1)
    assert send_due(account) == 1
    assert Errand.settled == ["a from 1 from 2"]


def test_a_newer_payload_is_left_alone(account: Account, remote: Remote) -> None:
    run(account, "a", topic="test.new")
    Outgoing.objects.update(version=4)
    assert send_due(account) == 0
    assert "newer Weft (version 4)" in row("a").parked_reason
    assert remote.asked == []


@pytest.mark.parametrize("perhaps_sent", [False, True])
def test_an_upgrade_that_fails_is_a_bug_of_its_row(
    account: Account, remote: Remote, monkeypatch: pytest.MonkeyPatch, perhaps_sent: bool
) -> None:
    """It is given back and counted; the others of its claim go on. What was perhaps sent stays so."""
    run(account, "a", topic="test.new")
    run(account, "b")
    Outgoing.objects.filter(key="a").update(version=2, is_unknown=perhaps_sent)
    monkeypatch.setattr(NewErrand, "upgrade", lambda *_: 1 / 0)
    assert send_due(account) == 1
    after = row("a")
    assert (after.failures, after.lease_token, after.is_unknown) == (1, None, perhaps_sent)
    assert "ZeroDivisionError" in after.last_error
    assert not after.attempts.exists()
