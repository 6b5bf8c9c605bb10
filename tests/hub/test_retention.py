"""Tries are kept for a month after delivery; what was asked and answered goes; erasing blanks what is done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.keeping import retention
from integrations.hub.models import Account, Attempt, Outgoing
from tests.hub.conftest import send_due
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db


def history(account: Account, remote: Remote) -> None:
    """`a` got through at the second try, `b` is parked, `c` was sent today."""
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a", "b"])
    remote.misbehave("/things/a", "503")
    remote.misbehave("/things/b", "422")
    send_due(account)
    Outgoing.objects.update(next_at=timezone.now())
    send_due(account)


def aged(days: float) -> None:
    past = timedelta(days=days)
    for attempt in Attempt.objects.all():
        Attempt.objects.filter(pk=attempt.pk).update(
            started_at=attempt.started_at - past, finished_at=attempt.finished_at and attempt.finished_at - past
        )
    for row in Outgoing.objects.all():
        Outgoing.objects.filter(pk=row.pk).update(delivered_at=row.delivered_at and row.delivered_at - past)


def test_after_a_month_the_tries_of_what_was_delivered_go(account: Account, remote: Remote) -> None:
    history(account, remote)
    aged(29)
    assert retention.purge() == 0
    aged(2)
    with outgoing.recording():
        outgoing.ensure("test.thing", ["c"])
    send_due(account)
    assert retention.purge() == 2
    assert set(Attempt.objects.values_list("outgoing__key", flat=True)) == {"b", "c"}
    assert outgoing.attempted("thing:a", ["test.thing"]), "that it was sent is not forgotten"
    assert outgoing.attempted_keys("test.thing", account, ["a", "b", "c", "d"]) == {"a", "b", "c"}
    assert retention.purge() == 0


def test_of_what_stays_open_the_contents_go_after_half_a_year(account: Account, remote: Remote) -> None:
    history(account, remote)
    aged(179)
    retention.purge()
    parked = Attempt.objects.get(outgoing__key="b")
    assert parked.exchanges
    aged(2)
    assert retention.purge() == 1
    parked.refresh_from_db()
    assert (parked.exchanges, parked.message, parked.outcome) == ([], "", "Rejected")


def test_what_was_perhaps_sent_is_never_forgotten(account: Account) -> None:
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="a")
    row = Outgoing.objects.get()
    Attempt.objects.create(outgoing=row, lease_token="0" * 32, revision=1)
    aged(400)
    retention.purge()
    assert Attempt.objects.count() == 1


def test_batches(account: Account, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    with outgoing.recording():
        outgoing.ensure("test.thing", [f"k{number}" for number in range(7)])
    assert send_due(account) == 7
    aged(31)
    assert retention.purge() == 7


def test_erasing_blanks_what_is_done_and_says_what_is_open(account: Account, remote: Remote) -> None:
    with outgoing.recording():
        outgoing.command("test.look", account, {"name": "张伟"}, key="a")
        outgoing.command("test.safe", account, {"name": "张伟"}, key="a")
    remote.misbehave("/errands/a", "ok", "422")
    assert send_due(account) == 1
    assert retention.erase("errand:a") == 1
    done, still = Outgoing.objects.order_by("topic")
    assert (done.payload, still.payload) == ({}, {"name": "张伟"})
    assert done.refs == [{"id": "R-a", "number": "", "url": ""}], "documents' numbers stay"
    assert retention.erase("errand:nobody") == 0
