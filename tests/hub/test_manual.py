"""Manual mode: rows are taken, ticked off or given back, and the machine catches up without a double."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from integrations.hub import accounts, outgoing, topics
from integrations.hub.models import Account, Attempt, Outgoing, Taken
from integrations.hub.sending import claims, manual
from integrations.hub.sending.manual import Entered
from integrations.hub.values import Done, Lane, NotReady
from tests import factories
from tests.hub.conftest import send_due
from tests.hub.probe import Bill, Errand, Thing
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db

WHO = "staff:wei@example.com"


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    for topic in (Thing, Bill, Errand):
        monkeypatch.setattr(topic, "by_hand", True)


def wish(*keys: str, topic: str = "test.thing") -> None:
    with outgoing.recording():
        outgoing.ensure(topic, keys)


def row(key: str = "a", topic: str = "test.thing") -> Outgoing:
    return Outgoing.objects.get(topic=topic, key=key)


def take(*keys: str) -> Taken:
    (sheet,), left = manual.take(Outgoing.objects.filter(key__in=keys), WHO)
    assert not left
    return sheet


# --- taking ----------------------------------------------------------------------------------------------------------


def test_what_is_taken_is_not_sent(account: Account, remote: Remote) -> None:
    wish("a", "b")
    sheet = take("a")
    assert (sheet.account, sheet.actor) == (account, WHO)
    assert send_due(account) == 1
    wish("a")  # a new wish does not bring it back
    assert send_due(account) == 0
    assert claims.lanes_due() == []
    assert dict(remote.puts) == {"b": 1}


def test_a_worksheet_is_of_one_account(account: Account, remote: Remote) -> None:
    other = factories.account("probe", "probe", settings={"url": remote.url})
    wish("a", "b")
    sheets, left = manual.take(Outgoing.objects.all(), WHO)
    assert {sheet.account for sheet in sheets} == {account, other}
    assert left == {}
    assert [sheet.rows.count() for sheet in sheets] == [2, 2]


def test_what_may_not_be_taken_is_said(account: Account, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    wish("done", "flight", "perhaps", "taken", "free", "waits")
    remote.misbehave("/things/perhaps", "cut")
    Outgoing.objects.exclude(key__in=["done", "perhaps"]).update(parked_at="2026-01-01T00:00Z")
    send_due(account)
    Outgoing.objects.update(parked_at=None)
    Outgoing.objects.filter(key="waits").update(waits_topic="test.thing", waits_key="free")
    Outgoing.objects.filter(key="flight").update(lease_token="0" * 32, lease_until="2126-01-01T00:00Z")
    take("taken")
    wish("shelf", topic="test.shelf")
    monkeypatch.setattr(topics.find("test.shelf"), "by_hand", False)
    (sheet,), left = manual.take(Outgoing.objects.all(), WHO)
    assert [one.key for one in sheet.rows.all()] == ["free"]
    said = {row.key: left[row.pk] for row in Outgoing.objects.filter(pk__in=left)}
    assert set(said) == {"done", "flight", "perhaps", "taken", "waits", "shelf"}
    assert len(set(said.values())) == 6, "each for a reason of its own"


def test_a_command_that_was_perhaps_sent_is_not_taken(account: Account) -> None:
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="a")
    Attempt.objects.create(outgoing=Outgoing.objects.get(), lease_token="0" * 32, revision=1)
    sheets, left = manual.take(Outgoing.objects.all(), WHO)
    assert (sheets, len(left)) == ([], 1)
    assert not Taken.objects.exists(), "no empty worksheet"


def test_parked_work_can_be_taken_and_given_back(account: Account, remote: Remote) -> None:
    wish("a")
    remote.misbehave("/things/a", "422")
    send_due(account)
    sheet = take("a")
    assert row().parked_at is None
    assert manual.give_back(sheet.rows.all()) == 1
    assert send_due(account) == 1


def test_a_taken_command_holds_up_its_serial_only(account: Account, remote: Remote) -> None:
    with outgoing.recording():
        for key, serial in (("a1", "A"), ("a2", "A"), ("b1", "B")):
            outgoing.command("test.look", account, {}, key=key, serial=serial)
    sheet = take("a1")
    assert send_due(account) == 1
    assert remote.order == ["b1"]
    manual.finish(sheet, {row("a1", "test.look").pk: Entered("R-1")}, [], WHO)
    assert send_due(account) == 1
    assert remote.order == ["b1", "a2"]


@pytest.mark.django_db(transaction=True)
def test_two_people_take_each_row_once(account: Account) -> None:
    wish(*[f"k{number:02}" for number in range(40)])

    def take_all(who: str) -> int:
        try:
            sheets, _left = manual.take(Outgoing.objects.all(), who)
            return sum(sheet.rows.count() for sheet in sheets)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(take_all, "abcd")) == 40


# --- ticking off -----------------------------------------------------------------------------------------------------


def test_ticking_settles_as_if_it_had_been_sent(account: Account, remote: Remote) -> None:
    wish("a")
    sheet = take("a")
    result = manual.finish(sheet, {row().pk: Entered(" SO-7 ", note="by phone")}, [], WHO)
    assert (result.ticked, result.given_back, result.refused) == (1, 0, {})
    done = row()
    assert not done.is_open
    assert done.taken_id is None
    assert done.refs == [{"id": "", "number": "SO-7", "url": ""}]
    assert done.facts["by_hand"] == {"actor": WHO, "number": "SO-7", "amount": "", "note": "by phone"}
    assert Thing.wanted.settled == [("test.thing", "a")]
    assert send_due(account) == 0
    assert not remote.asked


def test_what_was_wished_since_is_still_sent(account: Account, remote: Remote) -> None:
    wish("a")
    sheet = take("a")
    wish("a")
    assert manual.finish(sheet, {row().pk: Entered("SO-7")}, [], WHO).ticked == 1
    assert (row().delivered, row().wanted) == (1, 2)
    assert send_due(account) == 1
    assert remote.puts["a"] == 1


def test_what_it_means_is_said_of_what_was_taken_only(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person entered it; it was cancelled here meanwhile. Nobody may conclude that it is cancelled there."""
    seen: list[Any] = []

    def worked(_self: Thing, doc: Any, done: Done) -> Done:
        seen.append(doc)
        return done

    monkeypatch.setattr(Thing, "worked", worked)
    wish("a", "b")
    sheet = take("a", "b")
    Thing.wanted.docs["a"] = {"value": "cancelled"}
    wish("a")
    manual.finish(sheet, {row("a").pk: Entered("1"), row("b").pk: Entered("2")}, [], WHO)
    assert seen == [None, {"value": 1}]


def test_who_waited_for_it_goes_on(account: Account, remote: Remote) -> None:
    wish("a")
    wish("a", topic="test.bill")
    Thing.wanted.docs["a"] = NotReady("test.thing", "a")
    (sheet,), _left = manual.take(Outgoing.objects.filter(topic="test.thing"), WHO)
    assert send_due(account) == 0
    assert row("a", "test.bill").waits_key == "a"
    Thing.wanted.docs.pop("a")
    manual.finish(sheet, {row("a").pk: Entered("SO-7")}, [], WHO)
    assert row("a", "test.bill").waits_key == ""
    assert send_due(account) == 1


def test_what_has_to_be_entered(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Errand, "needs", ("amount",))
    wish("a")
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="refund")
    sheet = take("a", "refund")
    refund = row("refund", "test.look").pk
    result = manual.finish(sheet, {row().pk: Entered(""), refund: Entered("R-1")}, [], WHO)
    assert result.ticked == 0
    assert set(result.refused) == {row().pk, refund}
    assert manual.finish(sheet, {refund: Entered("R-1", "12.00")}, [], WHO).ticked == 1


def test_one_that_cannot_be_settled_stays_on_the_worksheet(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(_self: Thing, _account: Account, key: str, _done: Done) -> None:
        if key == "b":
            raise ValueError("no")

    monkeypatch.setattr(Thing, "settle", settle)
    wish("a", "b", "c")
    sheet = take("a", "b", "c")
    result = manual.finish(sheet, {row(key).pk: Entered("1") for key in "abc"}, [], WHO)
    assert result.ticked == 2
    assert list(result.refused) == [row("b").pk]
    assert row("b").taken_id == sheet.pk
    assert row("b").lease_token is None
    monkeypatch.undo()
    monkeypatch.setattr(Thing, "by_hand", True)
    assert manual.finish(sheet, {row("b").pk: Entered("1")}, [], WHO).ticked == 1


@pytest.mark.django_db(transaction=True)
def test_twice_at_once_settles_once(account: Account) -> None:
    keys = [f"k{number:02}" for number in range(20)]
    wish(*keys)
    sheet = take(*keys)
    done = {one.pk: Entered("1") for one in sheet.rows.all()}

    def finish(_number: int) -> int:
        try:
            return manual.finish(sheet, done, [], WHO).ticked
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(finish, range(4)))
    assert sorted(key for _topic, key in Thing.wanted.settled) == keys
    assert not Outgoing.objects.exclude(taken=None).exists()


def test_a_clerk_who_dies_over_it_holds_it_for_a_lease(account: Account) -> None:
    wish("a")
    sheet = take("a")
    Outgoing.objects.update(lease_token="1" * 32, lease_until="2126-01-01T00:00Z")
    assert manual.finish(sheet, {row().pk: Entered("1")}, [], WHO).ticked == 0
    assert manual.give_back(sheet.rows.all()) == 0
    Outgoing.objects.update(lease_until="2026-01-01T00:00Z")
    assert manual.finish(sheet, {row().pk: Entered("1")}, [], WHO).ticked == 1


# --- what the remote says of it --------------------------------------------------------------------------------------


def test_what_can_be_asked_is_unconfirmed_until_the_remote_knows_it(account: Account, remote: Remote) -> None:
    with outgoing.recording():
        for key in ("refund", "typo"):
            outgoing.command("test.look", account, {}, key=key)
    sheet = take("refund", "typo")
    manual.finish(sheet, {one.pk: Entered("R-1") for one in sheet.rows.all()}, [], WHO)
    assert Outgoing.objects.filter(is_unconfirmed=True).count() == 2
    assert manual.confirm() == 0
    remote.errands["refund"] = 1  # the person did it there
    assert manual.confirm() == 1
    assert [one.key for one in Outgoing.objects.filter(is_unconfirmed=True)] == ["typo"]
    remote.misbehave("/errands/typo", "hang")
    assert manual.confirm() == 0


def test_catching_up_doubles_nothing(account: Account, remote: Remote) -> None:
    """The account was paused for a day: half was done by hand there, the rest the machine does now."""
    accounts.pause(account)
    with outgoing.recording():
        for number in range(12):
            outgoing.command("test.look", account, {}, key=f"e{number:02}")
    assert send_due(account) == 0
    sheet = take(*[f"e{number:02}" for number in range(8)])
    by_hand = [f"e{number:02}" for number in range(5)]
    for key in by_hand:
        remote.errands[key] += 1
    done = {row(key, "test.look").pk: Entered("R") for key in by_hand}
    not_done = [row(f"e{number:02}", "test.look").pk for number in (5, 6)]
    result = manual.finish(sheet, done, not_done, WHO)
    assert (result.ticked, result.given_back) == (5, 2)
    accounts.resume(account)
    account.refresh_from_db()
    assert accounts.check(account)
    assert send_due(account, (Lane.MONEY,)) == 6
    assert set(remote.errands.values()) == {1}
    assert sorted(remote.errands) == [f"e{number:02}" for number in range(12) if number != 7], "7 is still taken"
    assert manual.confirm() == 5
