"""A run of the swarm: a business, remotes behind bad lines, workers as processes, and what befalls them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.models import F

from integrations.hub.models import Account, Attempt, Outgoing
from runtime.processes import Child, Command
from shop import invariants
from tests import factories, processes
from tests.databases import database_url
from tests.faults import workers
from tests.faults.ground import ROOT
from tests.faults.hub import business
from tests.faults.hub.apps import LEASE
from tests.faults.hub.conftest import hurry
from tests.faults.hub.swarm_schedule import LOAD, Event, Kind, Schedule
from tests.faults.journal import Journals
from tests.faults.postgres import PostgresProxy
from tests.faults.proxy import Does, Fault, HttpProxy
from tests.hub.remote import Remote
from tests.processes import wait_until

LEASE_SECONDS = 6.0
COMES_WITHIN = 60.0
LEAST_HITS = 10
QUIET_WITHIN = 75.0
THINGS = [f"thing-{number}" for number in range(12)]
# account -> the command it is sent, and whether its remote dedupes keys
ACCOUNTS = {"safe": ("fault.safe", True), "look": ("fault.look", False), "blind": ("fault.never", False)}


@dataclass
class Party:
    """A remote, the line to it, and its account here."""

    topic: str
    remote: Remote
    line: HttpProxy
    account: Account


@dataclass
class Swarm:
    """`load`, `heal`, `check`. `say` prints with the time of the run."""

    schedule: Schedule
    folder: Path
    postgres: PostgresProxy
    workers: Child
    parties: dict[str, Party]
    journals: Journals
    asked: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    over: threading.Event = field(default_factory=threading.Event)
    failures: list[BaseException] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(f"  [{self.journals.now():5.1f} s] {text}", flush=True)

    # --- load --------------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """The business goes on for a while; what is on the schedule befalls the others meanwhile."""
        self.journals.begin()
        for party in self.parties.values():
            party.line.sometimes(self.schedule.share, *self.schedule.lines)
        people = [threading.Thread(target=self._live, args=(number,), daemon=True) for number in range(2)]
        for person in people:
            person.start()
        for event in self.schedule.events:
            time.sleep(max(0.0, event.at - self.journals.now()))
            self.say(f"{event.kind}: {self._commit(event)}")
        time.sleep(max(0.0, LOAD - self.journals.now()))
        wait_until(lambda: self._hits() >= LEAST_HITS, COMES_WITHIN, "enough had gone wrong")
        self.over.set()
        for person in people:
            person.join(COMES_WITHIN)
            assert not person.is_alive(), "somebody is still not told"
        assert self.failures == []

    def _hits(self) -> int:
        return sum(len(party.line.hit) for party in self.parties.values())

    def _live(self, number: int) -> None:
        try:
            self._person(number)
        except BaseException as error:
            self.failures.append(error)
        finally:
            connection.close()

    def _person(self, number: int) -> None:
        """Asks for things to be done until the time is over; who gets no answer asks again for the same."""
        dice = Random(f"{self.schedule.seed}/{number}")
        with self.journals.of(f"person {number}") as journal:
            turn = 0
            while not self.over.is_set():
                turn += 1
                name = dice.choice(list(self.parties))
                key = f"{name}-{number}-{turn}"
                journal.note("asked", key=key)
                party = self.parties[name]
                self._until_told(partial(business.order, party.topic, party.account, [key]))
                self.asked[name].add(key)
                journal.note("told", key=key)
                self._until_told(partial(business.change, dice.sample(THINGS, 3)))
                time.sleep(dice.uniform(0.05, 0.25))

    def _until_told(self, ask: Callable[[], None]) -> None:
        for _ in range(300):
            try:
                return ask()
            except DatabaseError:
                connection.close()
                time.sleep(0.2)
        raise AssertionError("the database never answered again")

    def _commit(self, event: Event) -> str:
        match event.kind:
            case Kind.CHILD:
                return self._kill_child()
            case Kind.CLUSTER:
                return self._kill_cluster(self._group())
            case Kind.PARENT:
                return self._kill_parent(self._group())
            case Kind.FREEZE:
                return self._freeze(event.lasts)
            case Kind.CUT:
                return f"{self.postgres.cut_all()} connections"
            case Kind.COMMITS:
                self.postgres.lose_commits(5, passing=2)
                return "the next five but two"
            case Kind.SLOW:
                self.postgres.slow_down(0.05, 0.2)
                return self._over(event.lasts, self.postgres.heal)
            case Kind.FULL:
                self.postgres.refuse()
                return self._over(event.lasts, self.postgres.heal)
            case Kind.HOLE:
                name = Random(self.schedule.seed).choice(sorted(self.parties))
                line = self.parties[name].line
                line.always(Fault(Does.HOLE))
                return f"{name}, {self._over(event.lasts, lambda: setattr(line.plan, 'always', None))}"

    def _over(self, seconds: float, end: Callable[[], object]) -> str:
        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        return f"over in {seconds:.0f} s"

    def _talking(self) -> list[int]:
        """Workers that have a remote on the line."""
        alive = processes.members(workers.clusters(self.workers.pid).values())
        return sorted({pid for p in self.parties.values() for pid in processes.connected_to(p.line.port, alive)})

    def _wait_for_talk(self) -> list[int]:
        try:
            return wait_until(self._talking, COMES_WITHIN, "a worker had a remote on the line")
        except AssertionError as error:
            error.add_note("\n".join(map(str, self._open()[:20])))
            raise

    def _group(self) -> int:
        wait_until(lambda: workers.at_work(self.workers.pid, "weft"), COMES_WITHIN, "the cluster was at work")
        return workers.clusters(self.workers.pid)["weft"]

    def _kill_child(self) -> str:
        (victim, *_) = self._wait_for_talk()
        processes.kill(victim)
        wait_until(lambda: not processes.is_alive(victim), 15, "it was dead")
        return f"process {victim}"

    def _kill_cluster(self, group: int) -> str:
        processes.kill_group(group)
        wait_until(lambda: not processes.members([group]), 15, "the group was dead")
        return f"group {group}"

    def _kill_parent(self, group: int) -> str:
        """F3: orphans would go on beside the cluster that is started next."""
        processes.kill(group)
        wait_until(lambda: not processes.members([group]), 20, "no orphan was left")
        return f"process {group}, and no orphan is left"

    def _freeze(self, seconds: float) -> str:
        (victim, *_) = self._wait_for_talk()
        processes.freeze(victim)
        self._over(seconds, lambda: _go_on(victim))
        return f"process {victim}, for {seconds:.0f} s"

    # --- heal --------------------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """Nothing goes wrong any more; what was begun ends. Backing off is cut short, leases are not."""
        self.postgres.heal()
        for party in self.parties.values():
            party.line.heal()
        ends = time.monotonic() + QUIET_WITHIN
        while open_rows := self._open():
            assert time.monotonic() < ends, "still open:\n" + "\n".join(map(str, open_rows))
            with suppress(DatabaseError):
                hurry()
            time.sleep(1)
        self.say(f"nothing is left to be sent ({Attempt.objects.count()} attempts)")

    def _open(self) -> list[tuple[Any, ...]]:
        columns = ("account__name", "topic", "key", "failures", "is_unknown", "lease_until", "last_error")
        return list(Outgoing.objects.filter(delivered__lt=F("wanted"), parked_at=None).values_list(*columns))

    # --- check -------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        wrong = [*self._wrong_commands(), *self._wrong_things(), *self._wrong_rows()]
        assert not wrong, "\n".join(wrong)
        effects = sum(sum(party.remote.effects().values()) for party in self.parties.values())
        hits = self._hits()
        wanted = sum(map(len, self.asked.values()))
        lost = self.postgres.lost
        self.say(f"all holds: {wanted} wanted, {effects} effects, {hits} calls and {lost} commits went wrong")
        assert wanted >= 20 and hits >= LEAST_HITS, "too little happened"

    def _wrong_commands(self) -> Iterator[str]:
        """Each wanted effect exactly once; where that cannot be known, at most once and said to be unknown."""
        told = business.news()
        for name, party in self.parties.items():
            effects = party.remote.effects()
            rows = {row.key: row for row in Outgoing.objects.filter(account=party.account, topic=party.topic)}
            for key in sorted(self.asked[name] | effects.keys() | rows.keys()):
                row, times = rows.get(key), effects[key]
                if row is None:
                    yield f"{key}: asked for, and there is no row"
                elif key not in self.asked[name]:
                    yield f"{key}: nobody asked for it"
                elif row.parked_at is not None:
                    if party.topic != "fault.never" or not row.is_unknown or times > 1:
                        yield f"{key}: parked ({row.parked_reason}), {times} effects"
                elif times != 1:
                    yield f"{key}: {times} effects, and it is said to be done"
                elif told.get((party.account.pk, party.topic, key)) != 1:
                    yield f"{key}: its news was written {told.get((party.account.pk, party.topic, key), 0)} times"

    def _wrong_things(self) -> Iterator[str]:
        """The last version is there, and none came after a higher one."""
        ours = business.versions()
        for name, party in self.parties.items():
            there = {key: doc["version"] for key, doc in party.remote.things.items()}
            if there != ours:
                yield f"{name} shows {there}, wanted {ours}"
            shown: dict[str, int] = {}
            for entry in (line for line in party.remote.lines() if line["path"].startswith("/things/")):
                if entry["body"]["version"] < shown.get(entry["path"], 0):
                    yield f"{name}: {entry['path']} went back to {entry['body']['version']}"
                shown[entry["path"]] = entry["body"]["version"]

    def _wrong_rows(self) -> Iterator[str]:
        for each in invariants.registered(quiet_time=True):
            yield from map(str, invariants.broken(each))
        for row in Outgoing.objects.exclude(lease_token=None):
            yield f"{row} is still leased"
        for attempt in Attempt.objects.filter(finished_at=None).exclude(outgoing__parked_at__isnull=False):
            yield f"attempt {attempt.pk} of {attempt.outgoing} was never ended"


def _go_on(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@contextmanager
def made(schedule: Schedule, folder: Path) -> Iterator[Swarm]:
    """Everything up and at work; everything down afterwards."""
    with ExitStack() as stack:
        business.found()
        business.register()
        postgres = stack.enter_context(PostgresProxy(int(connection.settings_dict["PORT"]), schedule.seed))
        parties = {name: _party(stack, name, folder, schedule.seed) for name in ACCOUNTS}
        child = Child(_command(postgres, parties, folder))
        stack.callback(child.stop)
        wait_until(lambda: all(workers.at_work(child.pid, n) for n in ("weft", "weft-urgent")), COMES_WITHIN, "at work")
        swarm = Swarm(schedule, folder, postgres, child, parties, Journals(folder / "journals"))  # type: ignore[arg-type]
        with _behind(postgres):
            yield swarm


def _party(stack: ExitStack, name: str, folder: Path, seed: int) -> Party:
    topic, dedupes = ACCOUNTS[name]
    remote = Remote(dedupes=dedupes, journal=folder / f"{name}.jsonl", delay=0.05)
    server = remote.start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    line = stack.enter_context(HttpProxy(remote.port, seed))
    account = factories.account("probe", "probe", name=name, settings={"url": f"http://127.0.0.1:{line.port}"})
    return Party(topic, remote, line, account)  # type: ignore[arg-type]


def _command(postgres: Any, parties: dict[str, Party], folder: Path) -> Command:
    url = database_url().replace(f":{connection.settings_dict['PORT']}/", f":{postgres.port}/")
    hosts = ",".join(f"127.0.0.1:{party.line.port}" for party in parties.values())
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.faults.hub.settings",
        "WEFT_PRIVATE_HOSTS": hosts,
        "WEFT_LOG_LEVEL": "WARNING",
        LEASE: str(LEASE_SECONDS),
    }
    argv = [sys.executable, "manage.py", "supervise"]
    return Command(name="workers", argv=argv, log=folder / "workers.log", env=environment, cwd=ROOT, grace=15.0)


@contextmanager
def _behind(postgres: Any) -> Iterator[None]:
    """The business stands behind the same line as the workers."""
    dicts = (settings.DATABASES["default"], connections["default"].settings_dict)
    right = [each["PORT"] for each in dicts]
    connection.close()
    for each in dicts:
        each["PORT"] = postgres.port
    try:
        yield
    finally:
        connection.close()
        for each, port in zip(dicts, right, strict=True):
            each["PORT"] = port
