"""The supervisor with real django-q2 clusters: whatever dies is replaced, and at the end nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ

from integrations.hub.models import Account, LaneClock, Outgoing
from integrations.hub.workers import beats, wakeups
from integrations.hub.workers import supervisor as supervisors
from tests import factories
from tests.databases import database_url
from tests.hub.conftest import wait_until
from tests.processes import children, members

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc"),
]

SCRIPT = """
import django
django.setup()
from integrations.hub.workers import supervisor
supervisor.STALL_SECONDS = 8
supervisor.ASK_SECONDS = 1.0
supervisor.GRACE_SECONDS = 3.0
from integrations.hub.sending import claims
from integrations.hub.workers import beats
beats.register("hub.sweep", seconds=1, task="integrations.hub.tasks.sweep", work=claims.due)
watched = supervisor.Supervisor()
watched.clusters = watched.clusters[:1]
watched.run()
"""


def of_group(group: int) -> list[int]:
    return members([group])


def leaders(pid: int) -> list[int]:
    """The clusters of a supervisor: its children are watchdogs, theirs are the clusters."""
    return [leader for watchdog in children(pid) for leader in children(watchdog)]


@pytest.fixture
def supervisor() -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "WEFT_WORKERS": "1",
        "WEFT_LOG_LEVEL": "ERROR",
    }
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=settings.BASE_DIR, env=environment)
    groups: set[int] = set()
    try:
        yield process
        groups.update(leaders(process.pid))
    finally:
        groups.update(leaders(process.pid))
        if process.poll() is None:
            process.kill()
        process.wait()
        for group in groups:
            if of_group(group):
                os.killpg(group, signal.SIGKILL)


def cluster(supervisor: subprocess.Popen[bytes]) -> int:
    """The group of the cluster that is up: a parent with its guard, worker, pusher and monitor."""
    wait_until(lambda: any(len(of_group(leader)) >= 4 for leader in leaders(supervisor.pid)), 120)
    return next(leader for leader in leaders(supervisor.pid) if len(of_group(leader)) >= 4)


def work_is_done() -> None:
    """A task queued now is run: the account is asked, or the lane looked at."""
    asked = timezone.now()
    Account.objects.update(checked_at=None, problem="")
    wait_until(lambda: Account.objects.filter(checked_at__gte=asked).exists(), 120)


def test_what_dies_is_replaced_and_nothing_is_left(supervisor: subprocess.Popen[bytes]) -> None:
    account = factories.account("nobody", "nobody")  # no such connector: asking it writes down a problem
    first = cluster(supervisor)
    work_is_done()

    for victim in [pid for pid in of_group(first) if pid != first][-2:]:  # a worker, the monitor or the pusher
        os.kill(victim, signal.SIGKILL)
    work_is_done()

    parent = cluster(supervisor)
    os.kill(parent, signal.SIGKILL)
    wait_until(lambda: not of_group(parent), 30)
    second = cluster(supervisor)
    assert second != parent, "its orphans were killed, and a new group works"
    work_is_done()

    os.killpg(second, signal.SIGSTOP)  # alive, and doing nothing: only the lanes tell
    due = timezone.now() - timedelta(minutes=9)
    Outgoing.objects.create(account=account, topic="test.none", key="a", subject="x:a", lane=4, next_at=due)
    LaneClock.objects.all().delete()
    wait_until(lambda: not of_group(second), 120)
    assert cluster(supervisor) != second
    wakeups.wake([4])
    wait_until(lambda: Outgoing.objects.filter(parked_at__isnull=False).exists(), 120)

    last = cluster(supervisor)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(30) == 0
    assert of_group(last) == []
    OrmQ.objects.all().delete()


def test_killed_while_they_wait_the_others_go_on(supervisor: subprocess.Popen[bytes]) -> None:
    """django-q2 #23: worker and monitor wait with their queue's lock in hand. Killed there, each of them would leave
    whoever replaces it waiting: no work is done, or none is said to be done."""
    account = factories.account("nobody", "nobody")
    group = cluster(supervisor)
    (guard,) = children(group)
    work_is_settled(account, 60)
    random = Random(7)
    for _ in range(4):
        for victim in random.sample(staff := of_guard(guard), len(staff)):  # the worker, the monitor, the pusher
            time.sleep(random.uniform(0, 0.3))
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda victim=victim: victim not in of_guard(guard), 5)  # type: ignore[misc]
            work_is_settled(account, 5)
    assert leaders(supervisor.pid) == [group], "nothing was restarted for it"


def work_is_settled(account: Account, seconds: float) -> None:
    """A row that is due now is claimed, and its wake-up is gone: the monitor heard that it was heeded."""
    before = set(OrmQ.objects.values_list("pk", flat=True))
    row = Outgoing.objects.create(account=account, topic="test.none", key=uuid.uuid4().hex, subject="x:a", lane=4,
                                  next_at=timezone.now())  # fmt: skip
    wakeups.wake([4])
    ours = set(OrmQ.objects.values_list("pk", flat=True)) - before
    wait_until(lambda: Outgoing.objects.filter(pk=row.pk, parked_at__isnull=False).exists(), seconds)
    wait_until(lambda: not OrmQ.objects.filter(pk__in=ours).exists(), seconds)


def of_guard(guard: int) -> list[int]:
    """Once all are there."""
    wait_until(lambda: len(children(guard)) == 3, 5)
    return sorted(children(guard))


def test_kill_9_of_the_supervisor_leaves_nothing(supervisor: subprocess.Popen[bytes]) -> None:
    group = cluster(supervisor)
    watchdogs = children(supervisor.pid)
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not of_group(group) and not [pid for pid in watchdogs if Path(f"/proc/{pid}").exists()], 30)
    OrmQ.objects.all().delete()


def test_beats_do_not_pile_up_on_a_queue_that_nobody_empties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "_beats", {})
    beats.register("test.beat", seconds=0.01, task="integrations.hub.tasks.sweep")
    watch = supervisors.Supervisor(clusters=[])
    monkeypatch.setattr(supervisors, "QUEUE_LIMIT", 3)
    for _ in range(20):
        watch._beat()
        time.sleep(0.02)
    assert OrmQ.objects.count() == 4

    OrmQ.objects.update(lock=timezone.now() + timedelta(minutes=30))  # taken by somebody who died since
    time.sleep(0.02)
    watch._beat()
    assert OrmQ.objects.count() == 5
    OrmQ.objects.all().delete()
