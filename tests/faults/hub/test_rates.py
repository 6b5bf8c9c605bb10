"""F15: a remote that takes two requests a second, and a hundred pushes of two accounts of one app: never too often."""

from __future__ import annotations

import time

import pytest

from integrations.hub.models import Attempt, Outgoing
from integrations.hub.models import Budget as Bucket
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from tests import factories
from tests.faults.hub.conftest import errand, wish
from tests.hub.remote import Remote

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT, ROWS = 8, 24


def test_never_more_than_the_remote_takes_in_any_second(remote: Remote) -> None:
    """Scaled to seconds: eight a second, 2 x 24 rows and a refund, drained by as many threads as there are accounts.

    The bucket names what the remote names; nothing is refused, and everything arrives once.
    """
    remote.limit = LIMIT
    limit = {"url": remote.url, "app": "one-app", "per_second": str(LIMIT)}
    accounts = [factories.account("probe", "probe", settings=limit) for _ in range(2)]
    wish(*[f"k{number:02}" for number in range(ROWS)])
    ends = time.monotonic() + 60
    errand(accounts[1], "refund")
    while Outgoing.objects.filter(delivered=0).exists():
        assert time.monotonic() < ends, "it did not get through in time"
        drains.drain(Lane.CATALOGUE)
    assert not Attempt.objects.exclude(outcome="done").exists(), "no 429"
    assert Bucket.objects.get().learnt is None
    taken = sorted(remote.taken)
    assert len(taken) == 2 * ROWS + 1
    busiest = max(sum(0 <= other - at < 1 for other in taken) for at in taken)
    assert busiest <= LIMIT
