"""The hub's fixtures, and a bad line in front of the remote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F

from integrations.hub import outgoing
from integrations.hub.clock import Clock
from integrations.hub.models import Account, Attempt, Outgoing, Pause
from tests import factories
from tests.faults.proxy import HttpProxy
from tests.hub.conftest import _topics, account, remote
from tests.hub.remote import Remote

__all__ = ["_topics", "account", "far", "line", "remote"]


@pytest.fixture
def line(remote: Remote, settings, tmp_path: Path) -> Iterator[HttpProxy]:  # type: ignore[no-untyped-def]
    """In front of the remote, which keeps a journal."""
    remote.journal = tmp_path / "remote.jsonl"
    with HttpProxy(remote.port, seed=7) as made:
        settings.WEFT_PRIVATE_HOSTS = settings.WEFT_PRIVATE_HOSTS | {f"127.0.0.1:{made.port}"}
        yield made  # type: ignore[misc]


@pytest.fixture
def far(line: HttpProxy) -> Account:
    """An account whose remote stands behind the line."""
    return factories.account("probe", "probe", settings={"url": f"http://127.0.0.1:{line.port}"})


def wish(*keys: str, topic: str = "test.thing", account: Account | None = None) -> None:
    with outgoing.recording():
        if account is None:
            outgoing.ensure(topic, keys)
        else:
            outgoing.ensure_for(topic, account.pk, keys)


def errand(account: Account, *keys: str, topic: str = "test.look") -> None:
    with outgoing.recording():
        for key in keys:
            outgoing.command(topic, account, {"name": key}, key=key)


def row(key: str, topic: str = "test.thing") -> Outgoing:
    return Outgoing.objects.get(key=key, topic=topic)


def pass_time(seconds: float) -> None:
    """Let exactly so much time go by: whatever waits, waits so much less."""
    by = timedelta(seconds=seconds)
    Outgoing.objects.update(next_at=F("next_at") - by, lease_until=F("lease_until") - by)
    Attempt.objects.update(started_at=F("started_at") - by)
    Pause.objects.update(until=F("until") - by)


def hurry() -> None:
    """What waits for its next try or for a pause is due now; leases stay as they are, for there are living workers."""
    Outgoing.objects.filter(delivered__lt=F("wanted")).update(next_at=Clock())
    Pause.objects.update(until=Clock())
