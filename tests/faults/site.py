"""The shop under fire: web server and workers as the demo runs them, each to be killed by its id."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from integrations.hub.sending.claims import LEASE_SECONDS
from runtime.demo import first_page
from runtime.ports import LOOPBACK, any_free_port
from runtime.processes import Child, Command
from tests import processes
from tests.faults import workers
from tests.faults.ground import ROOT, Ground
from tests.faults.points import Orders, Point
from tests.processes import wait_until

COMES_WITHIN = 90.0  # seconds for what must happen soon, on a machine that has other things to do
DIES_WITHIN = 15.0
BEGUN = """
SELECT a.id, o.topic || ' ' || o.key,
    o.lease_token IS NOT DISTINCT FROM a.lease_token AND o.lease_until > clock_timestamp() AS is_under_way
FROM hub_attempt a JOIN hub_outgoing o ON o.id = a.outgoing_id
WHERE a.finished_at IS NULL AND starts_with(o.topic, 'erp.')
"""
LEASES_END = "UPDATE {} SET lease_until = clock_timestamp() WHERE lease_until > clock_timestamp() RETURNING lease_token"


@dataclass
class Site:
    """A shop on a database of its own. It stays for the next run as long as nothing failed."""

    ground: Ground
    folder: Path
    database: str
    web: Child = field(init=False)
    workers: Child = field(init=False)
    cut_short: set[int] = field(init=False, default_factory=set)  # attempts

    def __post_init__(self) -> None:
        self.orders = Orders(self.folder / "orders")
        self.orders.folder.mkdir(parents=True)
        self.port = any_free_port()
        self.shop = f"http://{LOOPBACK}:{self.port}"
        self.environment = self.ground.environment(self.folder, self.database) | {"WEFT_SHOP_URL": self.shop}
        self.ground.create(self.database)
        self.start()
        try:
            self.wait_until_open()
        except BaseException:
            self.stop()
            raise

    # --- starting and ending -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Web server and workers, as `runtime/demo.py` starts them; only the application is ours."""
        argv = [sys.executable, "-m", "gunicorn", "tests.faults.wsgi:application", "--bind", f"{LOOPBACK}:{self.port}"]
        argv += ["--workers", "2", "--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "5"]
        argv += ["--access-logfile", "-", "--no-control-socket"]
        self.web = Child(self._command("web", argv))
        self.workers = Child(self._command("workers", [sys.executable, "manage.py", "supervise"]))

    def _command(self, name: str, argv: Sequence[str]) -> Command:
        log = self.folder / f"{name}.log"
        return Command(name=name, argv=argv, log=log, env=self.environment, cwd=ROOT, grace=15.0)

    def wait_until_open(self) -> None:
        """The shop answers, and both clusters are at work."""
        wait_until(lambda: first_page(f"{self.shop}/") == "200", COMES_WITHIN, "the shop answered")
        wait_until(self._are_at_work, COMES_WITHIN, "workers were there")

    def _are_at_work(self) -> bool:
        return all(workers.at_work(self.workers.pid, name) for name in ("weft", "weft-urgent"))

    def stop(self) -> None:
        """For good and at once."""
        self.kill_group()
        self.web.stop()
        self.workers.stop()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the shop, in a process of its own."""
        argv = [sys.executable, "manage.py", *arguments]
        return subprocess.run(argv, text=True, capture_output=True, cwd=ROOT, env=self.environment, timeout=120)

    # --- looking -----------------------------------------------------------------------------------------------------

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of its database, by a connection of our own."""
        with self.ground.connect(self.database) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The same, by name of column."""
        with self.ground.connect(self.database) as connection:
            return connection.cursor(row_factory=dict_row).execute(query).fetchall()  # type: ignore[arg-type]

    def on_their_way(self) -> int:
        """Orders for the ERP that it has not got yet; many while the database does not answer."""
        try:
            return len(self.ask("SELECT 1 FROM hub_outgoing WHERE topic = 'erp.order' AND delivered < wanted"))
        except psycopg.OperationalError:
            return 99

    def clusters(self) -> dict[str, int]:
        return workers.clusters(self.workers.pid)

    def talking(self) -> list[int]:
        """The worker processes that have the ERP on the line."""
        return processes.connected_to(self.ground.tryton.port, processes.members(self.clusters().values()))

    # --- killing -----------------------------------------------------------------------------------------------------

    def kill_web(self, point: Point, passes: int) -> str:
        """Have a web process kill itself at a point of a checkout; returns when it is dead."""
        self.orders.give(point, passes)
        what = f"a web process killed itself {point!s} (pass {passes})"
        note = wait_until(lambda: self.orders.taken(point), COMES_WITHIN, what)
        self._wait_for_death([note["process"]])
        self.orders.forget(point)
        return f"process {note['process']}, at {note['at']}"

    def kill_worker(self) -> str:
        """The worker that is sending something to the ERP right now."""

        def kill() -> str:
            (victim, *_) = self._wait_for_sending()
            processes.kill(victim)
            self._wait_for_death([victim])
            return f"process {victim}"

        return self._cut(kill)

    def kill_cluster(self) -> str:
        """The whole cluster of such a worker. Nobody is left then who holds a lease, so that they may end at once."""

        def kill() -> str:
            self._wait_for_sending()
            group = self.clusters()["weft"]
            processes.kill_group(group)
            self._wait_for_death(groups=[group])
            return f"group {group}"

        return self._cut(kill, self._let_leases_end)

    def _wait_for_sending(self) -> list[int]:
        def look() -> list[int]:
            return self.talking() if self.ask(BEGUN) else []

        return wait_until(look, LEASE_SECONDS + COMES_WITHIN, "a worker was sending something to the ERP")

    def _cut(self, kill: Callable[[], str], then: Callable[[], str] = str) -> str:
        """Kill until it is seen in the data that something was cut short: an attempt whose end nobody wrote.

        What is under way just before it may well be what is cut; what was left by others, or cut earlier, is not, and
        what a living worker has under way it will finish.
        """
        for _ in range(5):
            before = {attempt for attempt, _, is_under_way in self.ask(BEGUN) if not is_under_way}
            hit = kill()
            begun = {attempt for attempt, *_ in self.ask(BEGUN)} - before - self.cut_short
            wait_until(lambda: not self.talking(), COMES_WITHIN, "the ERP was off the line")
            cut = {attempt: what for attempt, what, _ in self.ask(BEGUN) if attempt in begun}
            after = then()
            if cut:
                self.cut_short |= cut.keys()
                return f"{hit}, sending {', '.join(cut.values())}" + (f"; {after}" if after else "")
        raise AssertionError("killed five workers, and none of them was sending anything")

    def stop_postgres(self, pause: float) -> str:
        """Stop it immediately and start it again. What was being sent then is given up by its worker: once the ERP is
        off the line, its lease ends."""
        self.ground.server.stop_immediately()
        stopped = time.monotonic()
        time.sleep(pause)
        self.ground.server.start_again()
        back = f"back after {time.monotonic() - stopped:.1f} s"
        wait_until(lambda: not self.talking(), COMES_WITHIN, "the ERP was off the line")
        return f"{back}; {self._let_leases_end()}"

    def kill_group(self) -> str:
        """Web, workers and supervisor, watchdogs included; then nobody is left who holds a lease."""
        supervisors = workers.supervisors(self.workers.pid)
        for supervisor in supervisors:
            processes.freeze(supervisor)  # it would start others while we look
        watchdogs = [dog for supervisor in supervisors for dog in processes.children(supervisor)]
        groups = [*self.clusters().values(), *processes.children(self.web.pid)]
        for pid in (*supervisors, *watchdogs):
            processes.kill(pid)
        for group in groups:
            processes.kill_group(group)
        self._wait_for_death([*supervisors, *watchdogs], groups)
        return f"groups {groups}, processes {[*supervisors, *watchdogs]}"

    def start_again(self, pause: float) -> str:
        """After the death of all of them."""
        leases = self._let_leases_end()
        time.sleep(pause)
        self.start()
        return leases

    def _wait_for_death(self, pids: Sequence[int] = (), groups: Sequence[int] = ()) -> None:
        def are_dead() -> bool:
            return not any(map(processes.is_alive, pids)) and not processes.members(groups)

        wait_until(are_dead, DIES_WITHIN, f"processes {[*pids]} and groups {[*groups]} were dead")

    def _let_leases_end(self) -> str:
        """Let the time go by for which a lease keeps its rows after the death of its holder."""
        rows = self.ask(LEASES_END.format("hub_outgoing"))
        self.ask(LEASES_END.format("hub_cursor"))
        return f"{len(rows)} rows were leased"
