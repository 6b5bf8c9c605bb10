"""Topics whose remote takes many documents at once: one claim, one settlement, and each row its own fate."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from integrations.hub import outgoing
from integrations.hub.models import Account, Attempt, Outgoing, Pause
from integrations.hub.sending import claims, drains
from integrations.hub.values import Lane, NotReady, Unneeded
from tests import factories
from tests.hub.conftest import later, send_due
from tests.hub.probe import Shelf, Thing
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db

KEYS = [f"k{number:02}" for number in range(30)]


def wish(*keys: str, topic: str = "test.shelf") -> None:
    with outgoing.recording():
        outgoing.ensure(topic, keys)


def claimed(account: Account) -> claims.Claim:
    claim = claims.claim(account.pk, list(Lane))
    assert claim is not None
    return claim


def still_open() -> list[str]:
    return [row.key for row in Outgoing.objects.order_by("key") if row.is_open]


def test_a_claim_holds_one_full_delivery(account: Account, remote: Remote) -> None:
    wish(*KEYS, "more")
    claim = claimed(account)
    assert len(claim.rows) == 30 > claims.CLAIM_ROWS
    assert drains.work(claim) == 30
    assert Attempt.objects.filter(outcome="done").count() == 30
    assert send_due(account) == 1
    assert set(remote.puts.values()) == {1}


def test_other_rows_do_not_make_a_claim_larger(account: Account, remote: Remote) -> None:
    """Rows that are sent one by one take long: never more of them in one claim than before."""
    wish(*KEYS, topic="test.thing")
    wish(*KEYS)
    Outgoing.objects.filter(topic="test.thing").update(next_at=timezone.now() - timedelta(minutes=1))
    assert len(claimed(account).rows) == claims.CLAIM_ROWS
    later()
    Outgoing.objects.update(lease_token=None, lease_until=None)
    Outgoing.objects.filter(topic="test.shelf").update(next_at=timezone.now() - timedelta(hours=2))
    assert {row.topic for row in claimed(account).rows} == {"test.shelf"}


def test_a_claim_is_of_the_most_urgent_lane_only(account: Account, remote: Remote) -> None:
    wish("a")
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="refund")
    assert [row.key for row in claimed(account).rows] == ["refund"]


def test_many_rows_cost_no_more_statements_than_few(account: Account, remote: Remote) -> None:
    def statements(keys: list[str]) -> int:
        wish(*keys)
        with CaptureQueriesContext(connection) as captured:
            assert send_due(account) == len(keys)
        return len(captured)

    statements(KEYS)
    assert statements(KEYS) == statements(KEYS[:2])


def test_one_whose_news_fails_does_not_hold_up_the_others(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def settle(self: Shelf, of: Account, key: str, done: object) -> None:
        if key == "k07":
            raise ZeroDivisionError
        Account.objects.filter(pk=of.pk).update(problem=f"news of {key}")

    wish(*KEYS)
    with monkeypatch.context() as broken:
        broken.setattr(Shelf, "settle", settle)
        assert send_due(account) == 29
    account.refresh_from_db()
    assert account.problem == "news of k29"
    failed = Outgoing.objects.get(key="k07")
    assert (still_open(), failed.failures, failed.is_unknown) == (["k07"], 1, True)
    assert Attempt.objects.get(outgoing=failed).outcome == "bug"
    later()
    assert send_due(account) == 1


def test_one_whose_lease_was_lost_is_not_settled(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    sent = Shelf.deliver

    def deliver(self: Shelf, connector: object, docs: dict[str, object]) -> object:
        Outgoing.objects.filter(key="k07").update(lease_token="0" * 32)
        return sent(self, connector, docs)  # type: ignore[arg-type]

    def settle(self: Shelf, of: Account, key: str, done: object) -> None:
        factories.account(name=f"news of {key}")

    wish(*KEYS)
    monkeypatch.setattr(Shelf, "deliver", deliver)
    monkeypatch.setattr(Shelf, "settle", settle)
    assert drains.work(claimed(account)) == 29
    assert still_open() == ["k07"]
    assert Attempt.objects.get(finished_at=None).outgoing.key == "k07", "perhaps sent: whoever has the lease looks"
    assert Account.objects.filter(name__startswith="news").count() == 29
    assert not Account.objects.filter(name="news of k07").exists()


def test_those_wished_anew_are_given_back_and_the_others_sent(account: Account, remote: Remote, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    built = Shelf.build

    def build(self: Shelf, of: Account, keys: list[str]) -> object:
        docs = built(self, of, keys)
        if len(keys) == 30:
            wish("k03", "k05")
        return docs

    wish(*KEYS)
    monkeypatch.setattr(Shelf, "build", build)
    assert drains.work(claimed(account)) == 28
    assert still_open() == ["k03", "k05"]
    assert not Outgoing.objects.exclude(lease_token=None).exists()
    assert Attempt.objects.count() == 28
    assert send_due(account) == 2


def test_each_error_belongs_to_its_row(account: Account, remote: Remote) -> None:
    remote.misbehave("/things/k01", "503")
    remote.misbehave("/things/k02", "422")
    wish(*KEYS)
    assert send_due(account) == 28
    assert still_open() == ["k01", "k02"]
    assert Outgoing.objects.get(key="k01").failures == 1
    assert Outgoing.objects.get(key="k02").parked_at is not None


@pytest.mark.parametrize("step", ["lock", "charge"])
def test_a_bug_before_the_attempt_is_of_its_row_alone(
    account: Account, remote: Remote, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    """Nothing stays leased until the lease ends: the guilty row backs off, the others are sent."""
    right = getattr(Shelf, step)

    def wrong(self: Shelf, of: Account, keys: Collection[str]) -> object:
        if "k07" in keys:
            raise ZeroDivisionError
        return right(self, of, keys)

    wish(*KEYS)
    with monkeypatch.context() as broken:
        broken.setattr(Shelf, step, wrong)
        assert send_due(account) == 29
    guilty = Outgoing.objects.get(key="k07")
    assert (still_open(), guilty.failures, guilty.is_unknown) == (["k07"], 1, False)
    assert guilty.next_at > timezone.now() and "ZeroDivisionError" in guilty.last_error
    assert not Outgoing.objects.exclude(lease_token=None).exists()
    assert Attempt.objects.count() == 29, "it was not sent"
    assert [r.levelname for r in caplog.records if "bug while sending" in r.getMessage()] == ["ERROR"]
    later()
    assert send_due(account) == 1


def test_a_bug_before_the_attempt_of_all_leaves_no_row_leased(
    account: Account, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of another topic in the same claim: it is sent."""
    monkeypatch.setattr(Shelf, "charge", lambda *_: None)  # which is no answer
    wish(*KEYS[:3])
    wish("a", topic="test.thing")
    assert send_due(account) == 1
    assert list(Outgoing.objects.filter(topic="test.shelf").values_list("failures", flat=True)) == [1, 1, 1]
    assert not Outgoing.objects.exclude(lease_token=None).exists()
    assert not Attempt.objects.filter(outgoing__topic="test.shelf").exists()


def test_unneeded_and_waiting_rows_are_no_part_of_the_delivery(account: Account, remote: Remote) -> None:
    Thing.wanted.docs |= {"k00": Unneeded(), "k01": Unneeded(), "k02": NotReady("test.thing", "a")}
    wish(*KEYS)
    assert drains.work(claimed(account)) == 29
    assert Attempt.objects.count() == 27
    assert still_open() == ["a", "k02"]


def test_documents_once_named_are_kept(account: Account, remote: Remote) -> None:
    wish("a", topic="test.thing")
    send_due(account)
    Thing.wanted.docs["a"] = Unneeded()
    wish("a", topic="test.thing")
    send_due(account)
    assert Outgoing.objects.get().refs == [{"id": "R-a", "number": "", "url": ""}]


# --- wake-ups and pauses ---------------------------------------------------------------------------------------------


def test_a_worker_is_woken_only_where_something_waited(
    account: Account, remote: Remote, django_capture_on_commit_callbacks
) -> None:  # type: ignore[no-untyped-def]
    wish(*KEYS)
    with django_capture_on_commit_callbacks(execute=True):
        send_due(account)
    assert OrmQ.objects.count() == 0, "what is due in the lane is claimed by the drain that is at it"
    Thing.wanted.docs["bill"] = NotReady("test.shelf", "k00")
    wish("k00")
    Outgoing.objects.update(next_at=timezone.now())
    wish("bill", topic="test.bill")
    Outgoing.objects.filter(topic="test.bill").update(next_at=timezone.now() - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        drains.work(claimed(account))  # the bill, which waits, and the shelf's
    if still_open() != ["bill"]:
        send_due(account)
    assert OrmQ.objects.count() > 0


def test_success_ends_only_what_was_refused_before(account: Account, remote: Remote) -> None:
    remote.misbehave("/things/k01", "429")
    wish("k00", "k01", "k02")
    assert send_due(account) == 2
    assert Pause.objects.get().topic == "test.shelf", "the others were answered in the same call, not after it"
    later()
    assert send_due(account) == 1
    assert not Pause.objects.exists()


def refuse_bad(remote: Remote, *bad: str, status: int = 422) -> list[list[str]]:
    """The remote refuses a box as a whole when one of these is in it. Returns what it was asked, box by box."""
    boxes: list[list[str]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler._say(status if set(bad) & set(boxes[-1]) else 200, {"number": "R-1"})  # type: ignore[attr-defined]

    remote.answers["/things/all"] = answer
    remote.heard = lambda body: boxes.append(sorted(body))
    return boxes


@pytest.mark.parametrize(("status", "outcome"), [(422, "Rejected"), (409, "Conflict"), (418, "bug")])
def test_what_is_refused_as_a_whole_is_sent_in_halves(
    account: Account, remote: Remote, status: int, outcome: str
) -> None:
    boxes = refuse_bad(remote, "k07", "k21", status=status)
    wish(*KEYS, topic="test.box")
    assert send_due(account) == 28
    assert still_open() == ["k07", "k21"]
    assert len(boxes) <= 1 + 2 * 2 * 5, "halving, not one by one"
    assert [box for box in boxes if box in (["k07"], ["k21"])] == [["k07"], ["k21"]]
    guilty = Outgoing.objects.filter(key__in=["k07", "k21"])
    assert guilty.filter(parked_at__isnull=False).count() == (0 if outcome == "bug" else 2)
    ends = Attempt.objects.filter(outgoing__in=guilty).values_list("outcome", flat=True)
    assert set(ends) == {outcome}
    assert not Attempt.objects.filter(finished_at=None).exists()


def test_a_remote_that_is_unwell_is_not_asked_in_halves(account: Account, remote: Remote) -> None:
    remote.misbehave("/things/all", "503", "cut", "429")
    wish(*KEYS, topic="test.box")
    for _try in range(3):
        assert send_due(account) == 0
        later()
    assert len(remote.asked) == 3
    assert send_due(account) == 30
    assert len(remote.asked) == 5, "after a pause one goes first, then the rest"
