"""`make demo`: the whole system on this machine, on the loopback address, until Ctrl-C.

    python -m runtime.demo            start (a second start keeps the data)
    python -m runtime.demo --reset    remove the demo's data

Every process started here ends with this one, even when it is killed (see `runtime/child.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from runtime import cluster, demolock, environment, prepared, replay
from runtime.owner import NoOwner
from runtime.ports import LOOPBACK, NoFreePort, next_free
from runtime.postgres import Server
from runtime.processes import Child, Command, Processes, ProcessFailed, Stopped, StopSignals, run_to_end

SHOP_PORT = 8000
TRYTON_PORT = 8015
MARKET_PORT = 8720
GATEWAYS_PORT = 8730
SECONDS_BETWEEN_BUYERS = 60  # on the practice market
READY_TIMEOUT = 120.0
ADVICE = "Mend the cause and run `make demo` again: it goes on where it stopped. `make demo-reset` begins anew."
FOR_THE_PERSON = (
    cluster.ClusterError,
    demolock.AlreadyRunning,
    environment.ForeignFile,
    NoFreePort,
    NoOwner,
    ProcessFailed,
)


class Refused(Exception):
    """The demo does not start like this."""


def loopback_host(host: str) -> str:
    """The address to bind, loopback only: the demo has known logins and no TLS."""
    if host == "localhost":
        return LOOPBACK
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or address.version != 4 or not address.is_loopback:
        raise Refused(
            f"The demo binds a loopback address (127.0.0.1) only, not {host}: it has no TLS. "
            "For other machines set up production as README says."
        )
    return host


class Demo:
    """One run of the demo."""

    def __init__(self, project: Path, host: str, port: int, signals: StopSignals, parent: int | None) -> None:
        self.project = project
        self.var = project / "var"
        self.host = host
        self.port = port
        self.signals = signals
        self.parent = parent  # end when this process is no longer our parent
        self.begun = time.monotonic()
        self.processes = Processes(say=self.say)
        self.server: Server | None = None
        self.gateways: Child | None = None
        self.lock: demolock.DemoLock | None = None
        self.env: dict[str, str] = {}
        self.shop_url = ""
        self.erp_state = ""

    def say(self, text: str) -> None:
        """One progress line with the time since the start."""
        print(f"[{time.monotonic() - self.begun:6.1f} s] {text}", flush=True)

    def check(self) -> None:
        """Raise Stopped when the demo is to end."""
        self.signals.check()
        if self.parent is not None and os.getppid() != self.parent:
            raise Stopped("make ended")

    def run(self) -> None:
        """Start everything, then stay until somebody ends the demo."""
        try:
            self.lock = demolock.acquire(self.var, self.say, self.check)
            self.start()
            while True:
                self.check()
                self.tend()
                self.tell_erp_state()
                time.sleep(0.3)
        finally:
            self.stop()

    def start(self) -> None:
        """All steps up to the shop that sells."""
        environment.make_secrets(self.var / "secrets")
        database_url, identity = self.start_database()
        self.check()
        self.set_environment(database_url)
        self.gateways = self.start_gateways()
        fingerprint = self.fingerprint()
        logins = self.var / "secrets" / "logins.json"
        if identity and logins.exists() and prepared.is_prepared(self.var, fingerprint, identity):
            self.say("database and static files are up to date")
            self.start_erp()
        else:
            self.prepare()
            if identity:
                prepared.note_prepared(self.var, fingerprint, identity)
        self.start_market()
        self.start_workers()
        self.wait_for(self.start_web(), f"{self.shop_url}/", "The shop does not answer")
        self.say(f"ready: the shop sells, {time.monotonic() - self.begun:.1f} s after the start")
        self.print_summary()

    def fingerprint(self) -> str:
        """The code, and the ports of what has an account here that remembers its address. (Tryton tells its own.)"""
        ports = (self.env[name] for name in ("WEFT_MARKET_PORT", "WEFT_GATEWAYS_PORT"))
        return ":".join((prepared.sources(self.project), *ports))

    def start_database(self) -> tuple[str | None, str]:
        """The embedded server's URL and identity; (None, "") when DATABASE_URL names a server already."""
        if os.environ.get("DATABASE_URL"):
            self.say("using the database that DATABASE_URL names; no embedded PostgreSQL")
            return None, ""
        hold = () if self.lock is None else (self.lock.children,)
        self.server = Server(cluster.project_places(self.project), self.say, hold)
        self.say("starting PostgreSQL")
        self.server.start(patience=30.0)
        self.say(f"database ready on {LOOPBACK}:{self.server.port}")
        return self.server.url, self.server.identity()

    def set_environment(self, database_url: str | None) -> None:
        """Choose the ports, write `.env` and make the children's environment."""
        self.port = next_free(self.port, "the shop", self.say, self.host)
        self.shop_url = f"http://{self.host}:{self.port}"
        env_file = self.project / ".env"
        tryton_port = self.kept_port("WEFT_TRYTON_PORT", TRYTON_PORT, "Tryton", {self.port})
        market_port = self.kept_port("WEFT_MARKET_PORT", MARKET_PORT, "the practice market", {self.port, tryton_port})
        gateways_port = self.kept_port(
            "WEFT_GATEWAYS_PORT", GATEWAYS_PORT, "the gateways' server", {self.port, tryton_port, market_port}
        )
        ports = environment.Ports(tryton_port, market_port, gateways_port)
        values = environment.demo_values(self.project, self.shop_url, ports, database_url)
        environment.write_env(env_file, values)
        inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
        self.env = {**inherited, **values, "PYTHONUNBUFFERED": "1"}
        if self.lock is not None:
            self.lock.tell(self.shop_url)

    def kept_port(self, name: str, usual: int, whose: str, avoid: set[int]) -> int:
        """The port of the last run, if it is free: the account there remembers its address."""
        former = environment.former_value(self.project / ".env", name) or ""
        return next_free(int(former) if former.isdigit() else usual, whose, self.say, avoid=avoid)

    def prepare(self) -> None:
        """Migrations, static files and seed; the ERP starts as soon as its tables are there."""
        static = self.child("collectstatic", self.manage("collectstatic", "--noinput", "--verbosity", "0"))
        try:
            self.step("migrate", "database migrated", self.manage("migrate", "--noinput"))
            self.start_erp()
            if self.gateways is not None:  # once they answer, their keys are on the disk, for the accounts
                self.wait_for(self.gateways, f"{self.gateways_url}/", "The practice gateways do not answer")
            self.step("seed", "products, stock and logins seeded", self.manage("seed"))
            self.step("announce", "the ERP's account is there; its work waits for it", self.manage("erp", "announce"))
            while static.ended() is None:
                self.check()
                time.sleep(0.05)
        finally:
            self.processes.forget(static)
            static.stop()
        if static.ended() != 0:
            raise ProcessFailed(f"collectstatic failed.\n{static.log_tail()}\nLog: {static.command.log}")

    def manage(self, *arguments: str) -> list[str]:
        """A manage.py command line."""
        return [sys.executable, str(self.project / "manage.py"), *arguments]

    def command(self, name: str, argv: list[str], restart: bool = False, grace: float = 10.0, nice: int = 0) -> Command:
        """A command of the demo with its log and environment."""
        return Command(
            name=name,
            argv=argv,
            log=self.var / "log" / f"{name}.log",
            env=self.env,
            cwd=self.project,
            grace=grace,
            restart=restart,
            nice=nice,
            hold=() if self.lock is None else (self.lock.children,),
        )

    def child(self, name: str, argv: list[str], restart: bool = False, grace: float = 10.0, nice: int = 0) -> Child:
        """Start a child that runs beside us."""
        return self.processes.start(self.command(name, argv, restart, grace, nice))

    def step(self, name: str, done: str, argv: list[str]) -> None:
        """Run one step to its end."""
        self.say(f"{name} ...")
        child = run_to_end(self.command(name, argv), self.check)
        self.say(f"{done} ({child.runtime():.1f} s)")

    def start_erp(self) -> None:
        """Install and start Tryton beside everything else; the shop comes first on a small machine."""
        # A word left from the last run would be told as if it were today's.
        (self.var / "tryton" / "state").unlink(missing_ok=True)
        self.child("erp", self.manage("erp", "up", "--foreground"), restart=True, grace=15.0, nice=5)
        self.say("ERP (Tryton) is starting in parallel; log: var/log/erp.log")

    def start_market(self) -> None:
        """A marketplace to practise with, at which somebody buys now and then."""
        argv = [sys.executable, "-m", "integrations.sandbox.market", "--port", self.env["WEFT_MARKET_PORT"]]
        argv += ["--key-file", self.env["WEFT_MARKET_KEY_FILE"], "--state", str(self.var / "market.json")]
        self.child("market", [*argv, "--every", str(SECONDS_BETWEEN_BUYERS)], restart=True)

    def start_gateways(self) -> Child:
        """Alipay and WeChat Pay to practise with. They make their keys while the database is migrated."""
        argv = [sys.executable, "-m", "integrations.sandbox.payments", "--port", self.env["WEFT_GATEWAYS_PORT"]]
        argv += ["--folder", self.env["WEFT_GATEWAYS_FOLDER"], "--state", str(self.var / "gateways.sqlite3")]
        return self.child("gateways", argv, restart=True)

    @property
    def gateways_url(self) -> str:
        """Where a person pays."""
        return f"http://{LOOPBACK}:{self.env['WEFT_GATEWAYS_PORT']}"

    def start_workers(self) -> None:
        """The queue's workers, under their own supervisor."""
        self.child("supervise", self.manage("supervise"), restart=True, grace=15.0)

    def start_web(self) -> Child:
        """The web server."""
        argv = [sys.executable, "-m", "gunicorn", "shop.wsgi:application", "--bind", f"{self.host}:{self.port}"]
        argv += ["--workers", "2", "--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "5"]
        argv += ["--access-logfile", "-", "--logger-class", "runtime.web.DiscreetLogger"]
        argv += ["--no-control-socket"]  # its socket would lie in HOME, which may be unset
        self.say("starting the web server and the workers")
        return self.child("web", argv, restart=True)

    def wait_for(self, child: Child, page: str, otherwise: str) -> None:
        """Wait until a child's page comes with 200."""
        deadline = time.monotonic() + READY_TIMEOUT
        answer = "no answer"
        while time.monotonic() < deadline and child.ended() is None:
            self.check()
            answer = first_page(page)
            if answer == "200":
                return
            time.sleep(0.1)
        raise ProcessFailed(f"{otherwise} with 200 but: {answer}.\n{child.log_tail()}\nLog: {child.command.log}")

    def tend(self) -> None:
        """Restart what ended; the database's end is ours."""
        self.processes.tend()
        if self.server is not None and self.server.child is not None and self.server.child.ended() is not None:
            raise ProcessFailed(f"PostgreSQL ended.\n{self.server.child.log_tail()}\nLog: {self.server.places.log}")

    def tell_erp_state(self) -> None:
        """One line whenever the ERP's state changes."""
        state = read_erp_state(self.var)
        if state and state != self.erp_state:
            self.erp_state = state
            self.say(f"ERP: {state}")

    def print_summary(self) -> None:
        """Where everything is, and the logins the first time."""
        self.erp_state = read_erp_state(self.var) or "starting"
        print(f"\n  Shop    {self.shop_url}/\n  Admin   {self.shop_url}/admin/")
        print(f"  Mail    {self.shop_url}/demo/mail/\n  API     {self.shop_url}/api/v1/docs/")
        print(f"  ERP     {self.erp_state}")
        print(
            f"  Market  {self.shop_url}/admin/stock/channel/ (a practice marketplace: somebody buys about every minute)"
        )
        print(f"  Pay     {self.gateways_url}/ (practice Alipay and WeChat Pay: scan a code, or pay what waits there)")
        file = self.var / "secrets" / "logins.json"
        shown = self.var / "secrets" / "logins.shown"
        lines = [] if shown.exists() else login_lines(file)
        print(f"  Logins  {'one per staff group; kept' if lines else 'are'} in {file}")
        for line in lines:
            print(f"          {line}")
        print(f"  Logs    {self.var / 'log'}\n\n  Ctrl-C ends everything.\n", flush=True)
        if lines:
            shown.touch(mode=0o600)

    def stop(self) -> None:
        """End the children, the database last."""
        self.processes.stop()
        if self.server is not None:
            self.server.stop()
        if self.lock is not None:
            self.lock.release()
            self.lock = None


def first_page(url: str) -> str:
    """The status the page comes with, after redirects, or what went wrong."""
    # Proxies of the environment are not for our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as response:
            return str(response.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except OSError as error:
        return str(error)


def read_erp_state(var: Path) -> str:
    """The word or line the ERP's runner left; empty when there is none."""
    try:
        lines = (var / "tryton" / "state").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[0].strip()[:200] if lines else ""


def login_lines(file: Path) -> list[str]:
    """The logins for the terminal, from {group: {"email": ..., "password": ...}}."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        rows = [(str(group), str(login["email"]), str(login["password"])) for group, login in known.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return [f"{group:<{widths[0]}}  {email:<{widths[1]}}  {password}" for group, email, password in rows]


def check_surroundings(project: Path, env: Mapping[str, str]) -> None:
    """Refuse what would turn the demo into something else."""
    mode = env.get("WEFT_MODE", "demo")
    if mode != "demo":
        raise Refused(f"WEFT_MODE={mode} is set in your environment. Unset it to run the demo: unset WEFT_MODE")
    environment.check_env_file(project / ".env")


def run(project: Path, host: str, port: int, parent: int | None) -> int:
    """Start the demo and stay; 0 when somebody ended it, 1 when something failed."""
    host = loopback_host(host)
    check_surroundings(project, os.environ)
    environment.make_var(project)
    with StopSignals() as signals:
        demo = Demo(project, host, port, signals, parent)
        try:
            demo.run()
        except Stopped as reason:
            demo.say(f"ended ({reason})")
        except demolock.AlreadyRunning as running:
            print(running)
        except ProcessFailed as error:
            print(f"\n{error}\n\n{ADVICE}", file=sys.stderr)
            return 1
    return 0


def reset(project: Path) -> int:
    """Remove the demo's data: only folders with our marker, never under a running demo."""
    var = project / "var"
    if not (var / environment.VAR_MARKER).is_file():
        print(f"{var} has no marker of the demo ({environment.VAR_MARKER}): nothing to remove.")
        return 0
    try:
        lock = demolock.acquire(var, print)
    except demolock.AlreadyRunning as running:
        print(f"{running}\nEnd it first (Ctrl-C in its terminal); nothing was removed.", file=sys.stderr)
        return 1
    try:
        replay.reset(project)
        places = cluster.project_places(project)
        if cluster.remove_area(places):
            print(f"removed {places.area}")
        environment.remove_var(project)
        print(f"removed what the demo made in {var}")
    finally:
        lock.release()
    return 0


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m runtime.demo", description="Weft on this machine.")
    parser.add_argument("--reset", action="store_true", help="remove the demo's data")
    parser.add_argument("--host", default=LOOPBACK, help="loopback address to bind")
    parser.add_argument("--port", type=int, default=SHOP_PORT, help="preferred port of the shop")
    parser.add_argument("--follow-parent", action="store_true", help="end when the starting process (make) ends")
    options = parser.parse_args(argv)
    project = Path(__file__).resolve().parent.parent
    parent = os.getppid() if options.follow_parent else None
    try:
        return reset(project) if options.reset else run(project, options.host, options.port, parent)
    except (*FOR_THE_PERSON, Refused) as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"{error}\nWas the demo started as another user before? Give the files to this user.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main(sys.argv[1:]))
