"""Keeps the workers at work: runs django-q2's clusters in process groups of their own, starts the beats, and restarts
a group whose lanes stand still. django-q2 is only the alarm clock; what is to be done stands in our rows."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django_q.models import OrmQ

from integrations.hub import beats, claims, wakeups

log = logging.getLogger("weft.supervisor")

STALL_SECONDS = 120
CHECK_SECONDS = 15.0
GRACE_SECONDS = 10.0
QUEUE_LIMIT = 200  # beats are not queued on top of a queue that nobody empties


@dataclass
class Cluster:
    """One django-q2 cluster as a process group. Killing only its parent would leave workers that go on (M7)."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        manage = Path(settings.BASE_DIR) / "manage.py"
        # By the environment, not --name: django-q2 reads its configuration when it is imported, before arguments.
        env = {**os.environ, "Q_CLUSTER_NAME": self.name}
        self.process = subprocess.Popen([sys.executable, str(manage), "qcluster"], env=env, start_new_session=True)
        self.starts += 1
        log.info("cluster %s started as group %s", self.name, self.process.pid)

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        """End the whole group: ask, wait, then kill what is left."""
        if self.process is None:
            return
        group = self.process.pid
        _signal(group, signal.SIGTERM)
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("cluster %s did not stop in %.0f s", self.name, GRACE_SECONDS)
        _signal(group, signal.SIGKILL)
        self.process.wait()
        self.process = None


def _signal(group: int, what: signal.Signals) -> None:
    try:
        os.killpg(group, what)
    except ProcessLookupError:
        return


@dataclass
class Supervisor:
    """`run()` returns after `stop()`, or SIGTERM or SIGINT, with no process of its own left."""

    clusters: list[Cluster] = field(
        default_factory=lambda: [Cluster(settings.Q_CLUSTER["name"]), Cluster(settings.WEFT_URGENT_CLUSTER)]
    )
    stopping: bool = False
    _next_beat: dict[str, float] = field(default_factory=dict)
    _next_check: float = 0.0

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        for cluster in self.clusters:
            cluster.start()
        self._next_check = time.monotonic() + STALL_SECONDS
        try:
            while not self.stopping:
                self._turn()
                time.sleep(0.5)
        finally:
            for cluster in self.clusters:
                cluster.stop()

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _turn(self) -> None:
        for cluster in self.clusters:
            if cluster.has_died():
                log.error("cluster %s died; starting it again", cluster.name)
                cluster.stop()
                time.sleep(min(cluster.starts, 10))
                cluster.start()
        try:
            close_old_connections()
            self._beat()
            self._check()
        except DatabaseError as error:
            log.warning("the database does not answer: %s", error)
            time.sleep(2)

    def _beat(self) -> None:
        now = time.monotonic()
        due = [beat for beat in beats.registered() if self._next_beat.get(beat.name, 0.0) <= now]
        if not due or OrmQ.objects.count() > QUEUE_LIMIT:
            return
        for beat in due:
            self._next_beat[beat.name] = now + beat.seconds
            wakeups.queue(beat.task)

    def _check(self) -> None:
        if time.monotonic() < self._next_check:
            return
        self._next_check = time.monotonic() + CHECK_SECONDS
        stalled = claims.stalled_lanes(STALL_SECONDS)
        if stalled:
            log.error("nothing was claimed in lanes %s for %s s; restarting the workers", stalled, STALL_SECONDS)
            for cluster in self.clusters:
                cluster.stop()
                cluster.start()
            self._next_check = time.monotonic() + STALL_SECONDS
