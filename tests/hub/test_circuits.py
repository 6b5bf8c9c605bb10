"""Five failures in a row open the circuit of an (account, topic); one row goes first; the first success closes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.hub import outgoing
from integrations.hub.door import pauses
from integrations.hub.models import Account, Attempt, Outgoing, Pause
from integrations.hub.sending import claims, drains
from integrations.hub.values import Lane
from tests import factories
from tests.hub.conftest import send_due
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db

KEYS = [f"k{number}" for number in range(8)]


def wish(*keys: str, topic: str = "test.thing") -> None:
    with outgoing.recording():
        outgoing.ensure(topic, keys)


def time_goes_by() -> None:
    """The pause ends, and every row is due."""
    Pause.objects.update(until=timezone.now() - timedelta(seconds=1))
    Outgoing.objects.update(next_at=timezone.now() - timedelta(minutes=1))


def unwell(remote: Remote, *keys: str, how: str = "503", times: int = 20) -> None:
    for key in keys:
        remote.misbehave(f"/things/{key}", *[how] * times)


def well(remote: Remote) -> None:
    remote.ends.clear()


@pytest.mark.parametrize("how", ["503", "cut"])
def test_the_fifth_failure_in_a_row_opens_it_and_the_rest_is_not_tried(
    account: Account, remote: Remote, how: str
) -> None:
    wish(*KEYS)
    unwell(remote, *KEYS, how=how)
    assert send_due(account) == 0
    assert len(remote.asked) == pauses.CIRCUIT
    pause = Pause.objects.get()
    assert (pause.topic, pause.failures, pause.times) == ("test.thing", 5, 1)
    assert timedelta(seconds=26) < pause.until - timezone.now() < timedelta(seconds=34)
    untried = Outgoing.objects.filter(failures=0)
    assert untried.count() == 3
    assert not untried.exclude(lease_token=None).exists(), "given back"


def test_one_goes_first_and_the_first_success_closes_it(account: Account, remote: Remote) -> None:
    wish(*KEYS)
    unwell(remote, *KEYS)
    send_due(account)
    lengths = []
    for _try in range(5):
        time_goes_by()
        before = len(remote.asked)
        assert send_due(account) == 0
        assert len(remote.asked) == before + 1, "one of them asks whether it is well again"
        lengths.append((Pause.objects.get().until - timezone.now()).total_seconds())
    assert lengths == [pytest.approx(seconds, rel=0.12) for seconds in (60, 120, 240, 300, 300)]
    well(remote)
    time_goes_by()
    claim = claims.claim(account.pk, list(Lane))
    assert claim is not None
    assert len(claim.rows) == 1
    assert drains.work(claim) == 1
    assert not Pause.objects.exists()
    assert send_due(account) == 7


def test_a_success_between_failures_starts_the_count_anew(account: Account, remote: Remote) -> None:
    wish(*KEYS)
    for key in KEYS[:4] + KEYS[5:]:
        remote.misbehave(f"/things/{key}", "503")
    assert send_due(account) == 1  # the fifth
    assert len(remote.asked) == len(KEYS), "four, one that got through, three"
    assert Pause.objects.get().failures == 3


def test_what_the_remote_refuses_says_nothing_of_its_health(account: Account, remote: Remote) -> None:
    wish(*KEYS)
    for key in KEYS:
        remote.misbehave(f"/things/{key}", "422" if key != "k3" else "409")
    send_due(account)
    assert len(remote.asked) == len(KEYS)
    assert not Pause.objects.exists()
    assert Outgoing.objects.filter(parked_at__isnull=False).count() == len(KEYS)


def test_a_circuit_is_of_one_operation_of_one_account(account: Account, remote: Remote) -> None:
    other = factories.account("probe", "probe", settings={"url": remote.url})
    wish(*KEYS)
    unwell(remote, *KEYS, times=5)
    send_due(account)
    assert Pause.objects.count() == 1
    well(remote)
    assert send_due(other) == len(KEYS)
    wish("x", topic="test.bill")
    assert send_due(account) == 1


def test_a_pause_for_all_lets_one_go_first_as_well(account: Account, remote: Remote) -> None:
    wish(*KEYS)
    remote.misbehave("/things/k0", "502")
    send_due(account)
    assert len(remote.asked) == 1
    time_goes_by()
    remote.misbehave("/things/k0", "502")
    remote.misbehave("/things/k1", "502")
    send_due(account)
    assert len(remote.asked) == 2
    assert Attempt.objects.count() == 2
