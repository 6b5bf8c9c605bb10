"""Budgets: one bucket of tokens per key, a fifth of it kept for money and parcels; a 429 lowers the rate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.door import budgets
from integrations.hub.models import Account, Attempt, Outgoing
from integrations.hub.models import Budget as Bucket
from integrations.hub.values import Budget
from tests import factories
from tests.hub.conftest import send_due
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db

HOUR = 3600.0


def slow(burst: int = 4) -> Budget:
    """Refills in hours: what a test takes is taken."""
    return Budget("app", 1 / HOUR, burst)


def ago(seconds: float) -> None:
    """So long ago the bucket was last filled, and the rate learnt."""
    then = timezone.now() - timedelta(seconds=seconds)
    Bucket.objects.update(filled_at=then)
    Bucket.objects.exclude(learnt=None).update(learnt_at=then)


def taken(budget: Budget, *, urgent: bool = False) -> int:
    """How many deliveries may go now."""
    count = 0
    while not budgets.take(budget, urgent=urgent):
        count += 1
        assert count < 200
    return count


def test_a_burst_then_as_fast_as_it_fills() -> None:
    assert taken(slow()) == 4
    ago(2.5 * HOUR / budgets.HEADROOM)
    assert taken(slow()) == 2
    ago(1000 * HOUR)
    assert taken(slow()) == 4, "it never holds more than a burst"


def test_a_fifth_is_kept_for_money_and_parcels() -> None:
    assert taken(slow()) == 4
    assert taken(slow(), urgent=True) == 1
    ago(1000 * HOUR)
    assert taken(slow(), urgent=True) == 5


def test_the_wait_is_as_long_as_it_takes() -> None:
    assert taken(slow()) == 4
    wait = budgets.take(slow(), urgent=False)
    assert timedelta(hours=1) < wait < timedelta(hours=1.2)
    ago(wait.total_seconds() + 1)
    assert taken(slow()) == 1


def test_what_costs_more_calls_takes_more_tokens() -> None:
    assert taken(Budget("app", 1 / HOUR, 6, cost=3)) == 2
    with pytest.raises(ValueError, match="not a budget"):
        Budget("app", 1, burst=1, cost=2)


def test_a_429_halves_the_rate_and_it_comes_back() -> None:
    fast = Budget("app", 10 / budgets.HEADROOM, 100)
    budgets.slow_down(fast)
    budgets.slow_down(fast)
    assert Bucket.objects.get().learnt == pytest.approx(2.5)
    Bucket.objects.update(
        learnt_at=timezone.now() + timedelta(seconds=1), filled_at=timezone.now() - timedelta(seconds=12.1)
    )
    assert taken(fast, urgent=True) == 30
    for _again in range(20):
        budgets.slow_down(fast)
    assert Bucket.objects.get().learnt == pytest.approx(budgets.SLOWEST), "however often it complains"
    ago(100 * budgets.RECOVERS)
    assert taken(fast, urgent=True) == 125, "the configured rate, never more"


def test_taking_is_one_statement() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert not budgets.take(slow(), urgent=False)
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        assert not budgets.take(None, urgent=False)
    assert len(queries) == 0


@pytest.mark.django_db(transaction=True)
def test_no_token_is_taken_twice() -> None:
    def take(_number: int) -> bool:
        try:
            return not budgets.take(slow(20), urgent=False)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(64))) == 20


# --- in a delivery ---------------------------------------------------------------------------------------------------


def limited(remote: Remote, **settings: str) -> Account:
    return factories.account(
        "probe",
        "probe",
        settings={"url": remote.url, "app": "a1", "per_second": str(1 / HOUR), "burst": "3", **settings},
    )


def test_what_may_not_go_waits_untried(remote: Remote) -> None:
    account = limited(remote)
    with outgoing.recording():
        outgoing.ensure("test.thing", [f"k{number}" for number in range(10)])
    assert send_due(account) == 3
    assert len(remote.asked) == 3
    assert Attempt.objects.count() == 3
    waiting = Outgoing.objects.filter(delivered=0)
    assert waiting.count() == 7
    assert not waiting.exclude(lease_token=None, failures=0, last_error="").exists()
    assert not waiting.filter(next_at__lt=timezone.now() + timedelta(minutes=50)).exists()


def test_accounts_of_one_app_share_its_limit(remote: Remote) -> None:
    first, second, other = limited(remote), limited(remote), limited(remote, app="a2")
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a", "b"])
    assert (send_due(first), send_due(second), send_due(other)) == (2, 1, 2)


def test_money_goes_when_the_catalogue_has_used_its_share(remote: Remote) -> None:
    account = limited(remote, burst="4")
    with outgoing.recording():
        outgoing.ensure("test.thing", [f"k{number}" for number in range(10)])
    assert send_due(account) == 4
    with outgoing.recording():
        outgoing.command("test.look", account, {}, key="refund-1")
        outgoing.command("test.look", account, {}, key="refund-2")
    assert send_due(account) == 1
    assert remote.order[-1] == "refund-1"


def test_a_429_teaches(remote: Remote) -> None:
    account = limited(remote, per_second="100", burst="50")
    with outgoing.recording():
        outgoing.ensure("test.thing", ["a", "b"])
    remote.misbehave("/things/a", "429")
    assert send_due(account) == 0
    assert Bucket.objects.get().learnt == pytest.approx(45)
