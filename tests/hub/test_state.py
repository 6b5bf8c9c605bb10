"""State topics: wishes are counted, sent as they stand, and every error is written down with what happens next."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.hub import outgoing, topics
from integrations.hub.models import Account, Attempt, Outgoing, Pause
from integrations.hub.sending import claims, drains
from integrations.hub.values import Absent, NotReady, Unneeded
from tests import factories
from tests.hub.conftest import later, send_due
from tests.hub.probe import Thing
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db


def wish(*keys: str, topic: str = "test.thing") -> None:
    with outgoing.recording():
        outgoing.ensure(topic, keys)


def row(key: str = "a", topic: str = "test.thing") -> Outgoing:
    return Outgoing.objects.get(topic=topic, key=key)


# --- recording -------------------------------------------------------------------------------------------------------


def test_wishes_are_written_inside_a_business_transaction_only(account: Account) -> None:
    with pytest.raises(RuntimeError, match="recording"):
        outgoing.ensure("test.thing", ["a"])
    with pytest.raises(RuntimeError, match="recording"):
        outgoing.command("test.look", account, {}, key="a")
    with outgoing.recording(), pytest.raises(RuntimeError, match="inside another"), outgoing.recording():
        pass
    assert not Outgoing.objects.exists()


def test_a_business_transaction_is_never_part_of_another() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"), outgoing.recording():
        pass


@pytest.mark.django_db(transaction=True)
def test_what_runs_after_the_commit_may_be_a_business_transaction_of_its_own(account: Account) -> None:
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a"])
        transaction.on_commit(lambda: wish("b"))
    assert set(Outgoing.objects.values_list("key", flat=True)) == {"a", "b"}


def test_what_is_rolled_back_leaves_no_row(account: Account) -> None:
    with pytest.raises(ZeroDivisionError), outgoing.recording():
        outgoing.ensure("test.thing", ["a"])
        outgoing.command("test.look", account, {}, key="a")
        raise ZeroDivisionError
    assert not Outgoing.objects.exists()
    wish("b")  # and the next transaction is not confused by it
    assert Outgoing.objects.count() == 1


def test_an_unknown_topic_and_the_wrong_sort_of_topic_are_refused(account: Account) -> None:
    with outgoing.recording(), pytest.raises(LookupError):
        outgoing.ensure("test.nobody", ["a"])
    with outgoing.recording(), pytest.raises(LookupError):
        outgoing.ensure("test.look", ["a"])
    with outgoing.recording(), pytest.raises(LookupError):
        outgoing.command("test.thing", account, {}, key="a")


def test_a_topic_name_belongs_to_one_class() -> None:
    class Other(Thing):
        pass

    with pytest.raises(ValueError, match="two topics"):
        topics.register(Other())


# --- wanted and delivered --------------------------------------------------------------------------------------------


def test_wishes_for_one_key_become_one_delivery(account: Account, remote: Remote) -> None:
    wish("a", "b")
    wish("a")
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a"])
        outgoing.ensure("test.thing", ["a"])
    assert (row().wanted, row().delivered) == (3, 0)
    assert send_due(account) == 2
    assert (row().wanted, row().delivered) == (3, 3)
    assert row().refs == [{"id": "R-a", "number": "", "url": ""}]
    assert dict(remote.puts) == {"a": 1, "b": 1}
    assert send_due(account) == 0
    wish("a")
    assert send_due(account) == 1
    assert remote.puts["a"] == 2


def test_every_account_that_cares_gets_its_row(account: Account) -> None:
    other = factories.account("probe", "probe")
    factories.account("probe", "probe", state="retired")
    wish("a")
    assert set(Outgoing.objects.values_list("account", flat=True)) == {account.pk, other.pk}


def test_a_wish_made_during_delivery_is_delivered_again(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    sent = Thing.deliver

    def deliver(self: Thing, connector: object, docs: dict[str, object]) -> object:
        if Thing.wanted.docs["a"] == {"value": 1}:
            Thing.wanted.docs["a"] = {"value": 2}
            wish("a")
        return sent(self, connector, docs)  # type: ignore[arg-type]

    monkeypatch.setattr(Thing, "deliver", deliver)
    Thing.wanted.docs["a"] = {"value": 1}
    wish("a")
    assert send_due(account) == 2
    assert remote.things["a"] == {"value": 2}
    assert remote.puts["a"] == 2
    assert not row().is_open


def test_a_wish_made_after_building_is_built_again_before_it_is_sent(
    account: Account, remote: Remote, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    built = Thing.build

    def build(self: Thing, for_account: Account, keys: list[str]) -> object:
        docs = built(self, for_account, keys)
        if Thing.wanted.docs.get("a") is None:
            Thing.wanted.docs["a"] = {"value": 2}
            wish("a")
        return docs

    monkeypatch.setattr(Thing, "build", build)
    wish("a")
    assert send_due(account) == 1
    assert remote.things["a"] == {"value": 2}
    assert remote.puts["a"] == 1


def test_unneeded_is_settled_without_a_call(account: Account, remote: Remote) -> None:
    Thing.wanted.docs["a"] = Unneeded()
    wish("a")
    assert send_due(account) == 1
    assert not row().is_open
    assert remote.asked == []
    assert not Attempt.objects.exists()


def test_what_the_builder_leaves_out_is_absent(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    seen = {}
    monkeypatch.setattr(Thing, "build", lambda *_: {})
    monkeypatch.setattr(Thing, "deliver", lambda self, connector, docs: seen.update(docs) or {})
    wish("a")
    send_due(account)
    assert seen == {"a": Absent()}


# --- waiting for another row -----------------------------------------------------------------------------------------


def test_not_ready_waits_and_is_woken(account: Account, remote: Remote) -> None:
    Thing.wanted.docs["bill"] = NotReady("test.thing", "a")
    wish("bill", topic="test.bill")
    claim = claims.claim(account.pk, [4])
    assert claim is not None
    drains.work(claim)
    assert (row("bill", "test.bill").waits_topic, row("bill", "test.bill").waits_key) == ("test.thing", "a")
    assert row().is_open, "what it waits for is wished for, if nobody did"
    assert not Attempt.objects.exists(), "waiting is no attempt"
    Thing.wanted.docs["bill"] = {"value": 1}
    assert send_due(account) == 2
    assert remote.order == ["a", "bill"]


def test_what_was_delivered_meanwhile_is_not_waited_for(account: Account, remote: Remote) -> None:
    """The awaited row is settled between building and waiting: the race that would wait for ever."""
    wish("a")
    send_due(account)
    wish("bill", topic="test.bill")
    Thing.wanted.docs["bill"] = NotReady("test.thing", "a")
    claim = claims.claim(account.pk, [4])
    assert claim is not None
    drains.work(claim)
    assert row("bill", "test.bill").waits_key == ""
    Thing.wanted.docs["bill"] = {"value": 1}
    assert send_due(account) == 1


def test_a_new_wish_ends_the_waiting(account: Account) -> None:
    Thing.wanted.docs |= {"bill": NotReady("test.thing", "a"), "a": NotReady("test.thing", "nobody")}
    wish("bill", topic="test.bill")
    send_due_once(account)
    wish("bill", topic="test.bill")
    assert row("bill", "test.bill").waits_key == ""


def send_due_once(account: Account) -> None:
    claim = claims.claim(account.pk, [0, 1, 2, 3, 4])
    assert claim is not None
    drains.work(claim)


# --- errors ----------------------------------------------------------------------------------------------------------


def is_postponed(seconds: float) -> Callable[[Outgoing], bool]:
    return lambda r: abs((r.next_at - timezone.now()).total_seconds() - seconds) < seconds * 0.15 + 2


ERRORS = {
    # how the remote ends it: (outcome of the attempt, failures, unknown, parked)
    "503": ("TryAgain", 1, False, False),
    "cut": ("OutcomeUnknown", 1, True, False),
    "done, then cut": ("OutcomeUnknown", 1, True, False),
    "409": ("Conflict", 0, False, True),
    "422": ("Rejected", 0, False, True),
    "418": ("bug", 1, True, False),
    "429": ("TryAgain", 0, False, False),
    "502": ("TryAgain", 0, False, False),
    "401": ("Misconfigured", 0, False, False),
}


@pytest.mark.parametrize("how", ERRORS)
def test_each_error_is_written_down(account: Account, remote: Remote, how: str) -> None:
    outcome, failures, unknown, parked = ERRORS[how]
    remote.misbehave("/things/a", how)
    wish("a")
    assert send_due(account) == 0
    after = row()
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.finished_at is not None) == (outcome, True)
    assert (after.failures, after.is_unknown, after.parked_at is not None) == (failures, unknown, parked)
    assert (after.lease_token, after.lease_until) == (None, None)
    assert after.last_error and attempt.message == after.last_error
    assert after.parked_reason == (after.last_error if parked else "")
    if failures:
        assert is_postponed(5)(after)
    later()
    if not parked:
        assert send_due(account) == 1
        assert (row().failures, row().last_error, row().is_unknown) == (0, "", False)


@pytest.mark.parametrize(("how", "topic", "seconds"), [("429", "test.thing", 5), ("502", "", 7200), ("401", "", 300)])
def test_what_concerns_all_pauses_the_account_or_the_operation(
    account: Account, remote: Remote, how: str, topic: str, seconds: float
) -> None:
    remote.misbehave("/things/a", how)
    wish("a")
    send_due(account)
    pause = Pause.objects.get()
    assert (pause.account, pause.topic, pause.times) == (account, topic, 1)
    assert abs((pause.until - timezone.now()).total_seconds() - seconds) < seconds * 0.15 + 2
    wish("b")
    assert send_due(account) == 0
    wish("bill", topic="test.bill")
    assert send_due(account) == (1 if topic else 0), "another operation goes on, another's account does not"
    later()
    wish("a")
    assert send_due(account) == (2 if topic else 3)
    assert not Pause.objects.exists(), "success ends it"


@pytest.mark.parametrize("how", ["429", "502", "401"])
def test_what_concerns_all_is_met_once_by_a_claim_of_many(account: Account, remote: Remote, how: str) -> None:
    """Twenty due rows must not knock twenty times at a door that says no, nor make the pause twenty times as long."""
    keys = [f"k{i:02}" for i in range(20)]
    for key in keys:
        remote.misbehave(f"/things/{key}", how)
    wish(*keys)
    send_due(account)
    assert len(remote.asked) == 1
    assert Pause.objects.get().times == 1
    assert Attempt.objects.count() == 1
    assert not Outgoing.objects.filter(failures__gt=0).exists()
    assert not Outgoing.objects.exclude(lease_token=None).exists()


def test_what_was_not_begun_in_time_is_given_back(account: Account, remote: Remote) -> None:
    """Twenty rows at a slow remote must not outlast the worker's timeout: its kill would look like a crash."""
    remote.delay = 0.2
    wish("a", "b", "c", "d", "e", "f")
    claim = claims.claim(account.pk, [4], time.monotonic() + 0.5)
    assert claim is not None and len(claim.rows) == 6
    settled = drains.work(claim)
    assert 1 <= settled <= 4
    assert Attempt.objects.count() == settled
    assert not Outgoing.objects.exclude(lease_token=None).exists()
    assert send_due(account) == 6 - settled


def test_wrong_settings_are_shown_on_the_account(account: Account, remote: Remote) -> None:
    remote.misbehave("/things/a", "401")
    wish("a")
    send_due(account)
    account.refresh_from_db()
    assert account.problem == "The token is wrong."


def test_a_builder_that_fails_costs_no_attempt(account: Account, remote: Remote) -> None:
    Thing.wanted.docs["a"] = ZeroDivisionError("oops")
    wish("a")
    assert send_due(account) == 0
    assert (row().failures, row().is_unknown) == (1, False)
    assert "ZeroDivisionError" in row().last_error
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("answer", [None, {"a": NotReady("test.nobody", "a")}])
def test_a_builder_whose_answer_is_none_fails_as_one_that_raises(
    account: Account, remote: Remote, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    """No answer at all, or a wait for what nobody can send."""
    monkeypatch.setattr(Thing, "build", lambda *_: answer)
    wish("a")
    assert send_due(account) == 0
    assert (row().failures, row().lease_token, row().waits_key) == (1, None, "")
    assert not Attempt.objects.exists()


def test_what_was_perhaps_sent_stays_so_while_the_next_try_cannot_begin(
    account: Account, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.misbehave("/things/a", "done, then cut")
    wish("a")
    send_due(account)
    for step in ("build", "charge"):
        later()
        with monkeypatch.context() as broken:
            broken.setattr(Thing, step, lambda *_: 1 / 0)
            assert send_due(account) == 0
        assert row().is_unknown, "else a person could take it, and do it a second time"
    assert (row().failures, remote.puts["a"]) == (3, 1)


def test_a_settle_that_fails_leaves_nothing_half_written(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def settle(self: Thing, of: Account, key: str, done: object) -> None:
        Account.objects.filter(pk=of.pk).update(problem="half")
        raise ZeroDivisionError

    wish("a")
    with monkeypatch.context() as broken:
        broken.setattr(Thing, "settle", settle)
        assert send_due(account) == 0
    account.refresh_from_db()
    assert account.problem == ""
    assert row().is_open and row().failures == 1
    later()
    assert send_due(account) == 1
    assert remote.puts["a"] == 2, "state may be sent again"


def test_it_waits_longer_each_time_and_never_gives_up_alone(account: Account, remote: Remote) -> None:
    remote.misbehave("/things/a", *["503"] * 15)
    wish("a")
    waits = []
    for _ in range(15):
        send_due(account)
        waits.append((row().next_at - timezone.now()).total_seconds())
        later()
    assert row().parked_at is None
    assert all(later_one > earlier for earlier, later_one in zip(waits[:7], waits[1:8], strict=True))
    assert max(waits) <= 990
    assert send_due(account) == 1


def test_one_that_fails_ten_times_while_neighbours_get_through_is_parked(account: Account, remote: Remote) -> None:
    remote.misbehave("/things/a", *["503"] * 20)
    wish("a")
    for turn in range(10):
        wish("b")
        send_due(account)
        assert (row().parked_at is not None) == (turn == 9)
        later()
    assert "Failed 10 times while others got through" in row().parked_reason
    assert not row("b").is_open, "the neighbour never waited"
    remote.ends.clear()
    wish("a")  # a new wish is another chance
    assert row().parked_at is None
    assert send_due(account) == 1


def test_a_topic_nobody_knows_is_parked(account: Account, remote: Remote) -> None:
    wish("a", "b")
    Outgoing.objects.filter(key="a").update(topic="test.gone")
    assert send_due(account) == 1
    assert "'test.gone'" in row("a", "test.gone").parked_reason


def test_a_paused_or_starting_account_sends_nothing(account: Account, remote: Remote) -> None:
    wish("a")
    for state in ("paused", "starting", "retired"):
        Account.objects.update(state=state)
        assert claims.accounts_due([4]) == []
        assert send_due(account) == 0
    Account.objects.update(state="active")
    assert claims.accounts_due([4]) == [account.pk]
    assert send_due(account) == 1


def test_urgent_lanes_first_and_the_oldest_first(account: Account, remote: Remote) -> None:
    wish("b")
    wish("a")
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="refund")
    assert send_due(account) == 3
    assert remote.order == ["refund", "b", "a"]
    assert claims.lanes_served(0) == [0, 1]
    assert claims.lanes_served(4) == [0, 1, 2, 3, 4]


def test_lanes_that_stand_still_are_seen(account: Account) -> None:
    wish("a")
    assert claims.stalled_lanes(120) == []
    Outgoing.objects.update(next_at=timezone.now() - timedelta(minutes=5))
    assert claims.stalled_lanes(120) == [4]
    send_due(account)
    assert claims.stalled_lanes(120) == []


def test_a_row_whose_worker_died_is_taken_alone_and_parked_after_five_crashes(account: Account) -> None:
    wish("a", "b", "c")
    first = claims.claim(account.pk, [4])
    assert first is not None and len(first.rows) == 3
    later()
    for crash in range(5):
        alone = claims.claim(account.pk, [4])
        assert alone is not None and len(alone.rows) == 1
        assert alone.rows[0].crashes == crash
        Outgoing.objects.exclude(pk=alone.rows[0].pk).update(lease_token=None)
        Outgoing.objects.exclude(pk=alone.rows[0].pk).update(next_at=timezone.now() + timedelta(hours=9))
        later()
    last = claims.claim(account.pk, [4])
    assert last is not None
    drains.work(last)
    last.rows[0].refresh_from_db()
    assert "died five times" in last.rows[0].parked_reason
