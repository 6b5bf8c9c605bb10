"""F14: our clock is wrong, or crosses an odd day: leases, due times and pauses go by the database's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from integrations.hub import clock
from integrations.hub.models import Account, Attempt, Cursor, Outgoing, Pause
from integrations.hub.reading import cursors
from integrations.hub.sending import claims, parking
from integrations.hub.values import Lane
from integrations.hub.workers import beats
from integrations.hub.workers import supervisor as supervisors
from tests.faults.hub.conftest import errand, pass_time, row, wish
from tests.hub.conftest import send_due
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db

NEW_YORK = ZoneInfo("America/New_York")
ODD = {
    "spring forward": datetime(2027, 3, 14, 1, 59, 58, tzinfo=NEW_YORK),
    "fall back, first": datetime(2026, 11, 1, 1, 59, 58, tzinfo=NEW_YORK, fold=0),
    "fall back, second": datetime(2026, 11, 1, 1, 59, 58, tzinfo=NEW_YORK, fold=1),
    "leap day": datetime(2028, 2, 29, 23, 59, 58, tzinfo=UTC),
    "month end": datetime(2027, 1, 31, 23, 59, 58, tzinfo=UTC),
    "year end": datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC),
}


@contextmanager
def our_clock(monkeypatch: pytest.MonkeyPatch, wrong: timedelta) -> Iterator[None]:
    """This host's clock is wrong by so much; the database's is not."""
    right = timezone.now
    with monkeypatch.context() as mine:
        mine.setattr(timezone, "now", lambda: right() + wrong)
        yield


def skews() -> dict[str, timedelta]:
    now = datetime.now(UTC)
    return {
        "10 min slow": timedelta(minutes=-10),
        "10 min fast": timedelta(minutes=10),
        **{name: moment - now for name, moment in ODD.items()},
    }


@pytest.fixture(params=sorted(skews()))
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[timedelta]:
    skew = skews()[request.param]
    with our_clock(monkeypatch, skew), timezone.override(NEW_YORK):
        yield skew


def due_in(moment: datetime) -> float:
    """Seconds until then, by the database's clock."""
    return (moment - clock.now()).total_seconds()


def test_a_failure_is_tried_again_when_it_should_be(wrong_clock: timedelta, account: Account, remote: Remote) -> None:
    remote.misbehave("/things/a", "503")
    wish("a")
    assert send_due(account) == 0
    assert 3 < due_in(row("a").next_at) < 6
    assert send_due(account) == 0
    pass_time(6)
    assert send_due(account) == 1
    assert remote.puts == {"a": 1}


@pytest.mark.parametrize(("how", "seconds"), [("429", 5), ("502", 7200)])
def test_a_pause_is_as_long_as_it_was_meant(
    wrong_clock: timedelta, account: Account, remote: Remote, how: str, seconds: float
) -> None:
    remote.misbehave("/things/a", how)
    wish("a")
    send_due(account)
    assert abs(due_in(Pause.objects.get().until) - seconds) < seconds * 0.11 + 2
    assert send_due(account) == 0
    pass_time(seconds * 1.2)
    assert send_due(account) == 1


def test_a_lease_holds_for_its_time_and_no_longer(wrong_clock: timedelta, account: Account, remote: Remote) -> None:
    wish("a")
    claim = claims.claim(account.pk, list(Lane))
    assert claim is not None
    assert abs(due_in(row("a").lease_until) - claims.LEASE_SECONDS) < 2
    pass_time(claims.LEASE_SECONDS - 5)
    assert claims.claim(account.pk, list(Lane)) is None, "the same row to nobody else: no double"
    pass_time(10)
    assert claims.claim(account.pk, list(Lane)) is not None


def test_one_reader_at_a_time(wrong_clock: timedelta, account: Account) -> None:
    with cursors.reading(account, "orders") as mine:
        assert mine is not None
        assert abs(due_in(Cursor.objects.get().lease_until) - 90) < 2
        with cursors.reading(account, "orders") as other:
            assert other is None
    with cursors.reading(account, "orders") as again:
        assert again is not None


def test_not_there_counts_no_earlier(wrong_clock: timedelta, account: Account, remote: Remote) -> None:
    """With a fast clock of ours a look-up would believe too early that nothing can arrive any more, and send again."""
    remote.dedupes = False
    errand(account, "refund")
    Outgoing.objects.update(expires_at=None)
    remote.misbehave("/errands/refund", "cut")
    send_due(account)
    pass_time(20)
    assert send_due(account) == 0
    assert remote.asked[-1] == ("GET", "/errands/refund")
    assert 60 < due_in(row("refund", "test.look").next_at) <= claims.LEASE_SECONDS
    assert Attempt.objects.count() == 1
    pass_time(claims.LEASE_SECONDS)
    assert send_due(account) == 1
    assert remote.errands == {"refund": 1}


def test_what_a_person_retries_is_due_at_once(wrong_clock: timedelta, account: Account, remote: Remote) -> None:
    remote.misbehave("/things/a", "422")
    wish("a")
    send_due(account)
    Outgoing.objects.filter(parked_at__isnull=False).update(next_at=clock.now() + timedelta(hours=1))
    assert parking.retry(Outgoing.objects.all()).retried == 1
    assert due_in(row("a").next_at) <= 0
    assert send_due(account) == 1


def test_beats_go_by_no_calendar(wrong_clock: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps queues nothing twice, and nothing too late."""
    queued: list[str] = []
    monkeypatch.setattr(beats, "_beats", {})
    monkeypatch.setattr(supervisors.wakeups, "queue", lambda task, *args, **more: queued.append(task))
    beats.register("test.beat", seconds=600, task="a.task")
    watch = supervisors.Supervisor(clusters=[])
    for skew in skews().values():
        with our_clock(monkeypatch, skew):
            watch._beat()
    assert queued == ["a.task"]
