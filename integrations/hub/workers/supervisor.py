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
from django.utils import timezone
from django_q.models import OrmQ

from integrations.hub.incoming import claims as incoming_claims
from integrations.hub.models import Pulse
from integrations.hub.sending import claims
from integrations.hub.workers import beats, wakeups
from integrations.hub.workers.beats import Beat

log = logging.getLogger("weft.supervisor")

STALL_SECONDS = 120
ASK_SECONDS = 15.0  # how often it is asked whether there is anything to do
GRACE_SECONDS = 6.0
STEADY_SECONDS = 60.0  # a cluster that ran so long did not die of how it was started
SWEEP = "hub.sweep"  # the beats that find work waiting
QUEUE_LIMIT = 200  # beats are not queued on top of a queue that nobody takes from


@dataclass
class Cluster:
    """One django-q2 cluster under a watchdog, which ends the whole group with us, however we end.

    Killing only a cluster's parent would leave workers that go on.
    """

    name: str
    watchdog: subprocess.Popen[bytes] | None = None
    deaths: int = 0  # in quick succession
    _started_at: float = 0.0
    _start_at: float = 0.0

    def keep_running(self) -> None:
        """Start it again if it died: at once, but after deaths in quick succession a little later each time."""
        now = time.monotonic()
        if self.has_died():
            log.error("cluster %s died; starting it again", self.name)
            self.stop()
            self.deaths = self.deaths + 1 if now - self._started_at < STEADY_SECONDS else 0
            self._start_at = now + min(self.deaths, 10)
        if self.watchdog is None and now >= self._start_at:
            self.start()

    def start(self) -> None:
        root = Path(settings.BASE_DIR)
        command = [sys.executable, "-I", "-S", str(root / "runtime" / "child.py"), "--grace", str(GRACE_SECONDS)]
        # By the environment, not --name: django-q2 reads its configuration when it is imported, before arguments.
        self.watchdog = subprocess.Popen(
            [*command, "--", sys.executable, str(root / "manage.py"), "qcluster"],
            env={**os.environ, "Q_CLUSTER_NAME": self.name},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._started_at = time.monotonic()
        log.info("cluster %s started under watchdog %s", self.name, self.watchdog.pid)

    def has_died(self) -> bool:
        return self.watchdog is not None and self.watchdog.poll() is not None

    def ask_to_stop(self) -> None:
        """Closing the watchdog's pipe makes it end its group: politely first, then for good."""
        if self.watchdog is not None and self.watchdog.stdin is not None:
            self.watchdog.stdin.close()

    def stop(self) -> None:
        """Returns when the group is gone."""
        self.ask_to_stop()
        if self.watchdog is not None:
            self.watchdog.wait()
            self.watchdog = None


@dataclass
class Supervisor:
    """`run()` returns after `stop()`, or SIGTERM or SIGINT, with no process of its own left."""

    clusters: list[Cluster] = field(
        default_factory=lambda: [Cluster(settings.Q_CLUSTER["name"]), Cluster(settings.WEFT_URGENT_CLUSTER)]
    )
    stopping: bool = False
    _next_ask: float = 0.0
    _next_beat: dict[str, float] = field(default_factory=dict)
    _next_check: float = 0.0
    _is_announced: bool = False

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
            self.stop_clusters()

    def stop_clusters(self) -> None:
        """All at once: a worker in the middle of something may take the whole grace."""
        for cluster in self.clusters:
            cluster.ask_to_stop()
        for cluster in self.clusters:
            cluster.stop()

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _turn(self) -> None:
        for cluster in self.clusters:
            cluster.keep_running()
        try:
            close_old_connections()
            self._ask()
        except DatabaseError as error:
            log.warning("the database does not answer: %s", error)
            time.sleep(2)

    def _ask(self) -> None:
        """Now and then: start the beats that are due and have work; where work waits, see that it moves."""
        if time.monotonic() < self._next_ask:
            return
        self._next_ask = time.monotonic() + ASK_SECONDS
        if not self._is_announced:
            self._announce()
        started = self._beat()
        if any(beat.name.startswith(SWEEP) for beat in started):
            self._check()

    def _announce(self) -> None:
        """A cluster that never gives a sign of life is silent since now."""
        expected = [Pulse(cluster=cluster.name) for cluster in self.clusters]
        Pulse.objects.bulk_create(expected, ignore_conflicts=True)
        self._is_announced = True

    def _beat(self) -> list[Beat]:
        """Queue what is due and has work; returns that."""
        now = time.monotonic()
        due = [beat for beat in beats.registered() if self._next_beat.get(beat.name, 0.0) <= now]
        self._next_beat.update({beat.name: now + beat.seconds for beat in due})
        started = beats.with_work(due)
        if not started or _waiting() > QUEUE_LIMIT:
            return started
        for beat in started:
            wakeups.queue(beat.task, *beat.args, cluster=beat.cluster)
        return started

    def _check(self) -> None:
        """Work waits that could be claimed: are there lanes of which none was claimed for long?"""
        if time.monotonic() < self._next_check:
            return
        stalled = sorted({*claims.stalled_lanes(STALL_SECONDS), *incoming_claims.stalled_lanes(STALL_SECONDS)})
        if stalled:
            log.error("nothing was claimed in lanes %s for %s s; restarting the workers", stalled, STALL_SECONDS)
            self.stop_clusters()
            for cluster in self.clusters:
                cluster.start()
            self._next_check = time.monotonic() + STALL_SECONDS


def _waiting() -> int:
    """What nobody took. What the dead had taken is left out: it stays for half an hour, and must not stop the beats."""
    return OrmQ.objects.filter(lock__lte=timezone.now()).count()
