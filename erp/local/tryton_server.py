"""Bring up a real Tryton on this machine: its own environment, SQLite database and process, loopback only.

`Home` says where things lie; several servers (the demo's, one per test worker) may share a home's environment,
secrets and snapshots, each with an instance folder of its own. `bring_up` goes through

    installing -> initialising -> starting -> provisioning -> ready        (or: failed: <reason>)

and writes that word to the instance's `state` file. Building the database costs over a minute of CPU, so what it makes
is kept as a snapshot, named by a hash of all it was made from.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from erp.local import provision
from erp.local.passwords import Passwords, admin_file
from erp.local.rpc import Refused, direct
from runtime.ports import NoFreePort, next_free

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("tryton-requirements.txt")
WATCHDOG = ROOT / "runtime" / "child.py"
DATABASE = "tryton"
PORT = 8015
MODULES = (
    "company",
    "party",
    "currency",
    "country",
    "product",
    "account",
    "account_product",
    "account_invoice",
    "account_invoice_stock",
    "stock",
    "purchase",
    "purchase_request",
    "stock_supply",
    "production",
    "stock_supply_production",
    "sale",
    "sale_supply",
    "sale_supply_production",
    "sale_opportunity",
    "web_user",
    "web_shop",
)
# Our unit prices are net of tax and must give back our gross exactly: 8 decimals hold for quantities up to 8,000.
CONFIG = """\
[database]
uri = sqlite://
path = {data}
list = False
[cache]
transaction = 10
[session]
max_age = 86400
[product]
price_decimal = 8
"""
Say = Callable[[str], None]


class BringUpFailed(Exception):
    """Tryton could not be brought up; the text says why, in plain words."""


@dataclass(frozen=True, slots=True)
class Home:
    """`base` holds what may be shared (environment, snapshots); `instance` what belongs to one server."""

    base: Path
    instance: Path
    secrets: Path

    @classmethod
    def default(cls) -> Home:
        """The demo's home: var/tryton, or wherever WEFT_TRYTON_HOME says."""
        if elsewhere := os.environ.get("WEFT_TRYTON_HOME"):
            base = Path(elsewhere).resolve()
            return cls(base, base, base / "secrets")
        base = ROOT / "var" / "tryton"
        return cls(base, base, ROOT / "var" / "secrets")

    @property
    def venv(self) -> Path:
        return self.base / "venv"

    @property
    def data(self) -> Path:
        return self.instance / "data"

    @property
    def database(self) -> Path:
        return self.data / f"{DATABASE}.sqlite"

    @property
    def log(self) -> Path:
        return self.instance / "trytond.log"

    def passwords(self) -> Passwords:
        """The secrets of the servers of this home."""
        return Passwords.of(self.secrets)

    def state(self) -> str:
        """The word in the state file; empty when nothing was ever started."""
        try:
            return (self.instance / "state").read_text().strip()
        except FileNotFoundError:
            return ""

    def set_state(self, word: str) -> None:
        """Write the state file whole."""
        draft = self.instance / "state.new"
        draft.write_text(word + "\n")
        draft.replace(self.instance / "state")

    def url(self) -> str:
        """Where the server listens (or did, when it last ran)."""
        return (self.instance / "url").read_text().strip()


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock on this file; yields False when it is held by another process and we may not wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield True


def holder(path: Path) -> int | None:
    """The process that holds this lock, or None. Asking the lock, not the number, is proof against reused ids."""
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int(path.read_text() or 0) or None
    return None


# ---------------------------------------------------------------- environment and database


def _quiet_environment() -> dict[str, str]:
    """What a Tryton process may see of our environment: no database address, no keys."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"PYTHONUTF8": "1"}


def _watched(command: Sequence[str | Path], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a command that ends when we do, however we end: the watchdog sees the other end of its input close."""
    watchdog = [sys.executable, "-I", "-S", WATCHDOG, "--grace", "5", "--"]
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in (*watchdog, *command)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,  # Ctrl-C reaches us, and we end it in order
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(command: Sequence[str | Path], log: Path, environment: Mapping[str, str], doing: str) -> None:
    process = _watched(command, log, environment)
    try:
        code = process.wait()
    finally:
        _end(process)
    if code:
        tail = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise BringUpFailed(f"{doing} failed ({tail[0] if tail else code}); see {log}")


def install(home: Home) -> None:
    """Tryton's own virtual environment, made anew whenever the pinned list changes."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    mark = home.venv / "weft-installed"
    if mark.exists() and mark.read_text() == wanted:
        return
    shutil.rmtree(home.venv, ignore_errors=True)
    log = home.base / "install.log"
    log.unlink(missing_ok=True)
    _run([sys.executable, "-m", "venv", "--without-pip", home.venv], log, os.environ, "making Tryton's environment")
    python = home.venv / "bin" / "python"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    try:
        if not uv:
            raise BringUpFailed("no uv")
        _run([uv, "pip", "install", "--python", python, "-r", REQUIREMENTS], log, os.environ, "installing Tryton")
    except BringUpFailed:  # pip knows settings (mirrors, certificates) that uv may not
        _run([python, "-m", "ensurepip"], log, os.environ, "installing pip for Tryton")
        _run([python, "-m", "pip", "install", "-r", REQUIREMENTS], log, os.environ, "installing Tryton")
    mark.write_text(wanted)


def _write_config(home: Home) -> Path:
    config = home.instance / "trytond.conf"
    config.write_text(CONFIG.format(data=home.data))
    return config


def initialise(home: Home) -> None:
    """An empty database with our modules. The administrator's password goes by file, never by argument."""
    home.data.mkdir(parents=True, exist_ok=True)
    _remove_database(home)
    home.database.touch(mode=0o600)
    environment = _quiet_environment() | {"TRYTONPASSFILE": str(admin_file(home.secrets))}
    binaries = home.venv / "bin"
    command = [binaries / "python", binaries / "trytond-admin", "-c", _write_config(home), "-d", DATABASE]
    command += ["-u", "ir", "res", *MODULES, "--activate-dependencies", "--email", "erp@example.com"]
    _run(command, home.instance / "initdb.log", environment, "making Tryton's database")


def _remove_database(home: Home) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{home.database}{ending}").unlink(missing_ok=True)


def save_snapshot(home: Home, snapshot: Path) -> None:
    """Copy the database through SQLite's backup: a plain file copy would miss what is still in the WAL."""
    snapshot.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = snapshot.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(home.database)) as source,
        contextlib.closing(sqlite3.connect(draft)) as target,
    ):
        source.backup(target)
    draft.chmod(0o600)
    draft.replace(snapshot)


def restore_snapshot(home: Home, snapshot: Path) -> None:
    """Begin with this snapshot. The server must not run; an old WAL would bring the old state back."""
    home.data.mkdir(parents=True, exist_ok=True)
    _remove_database(home)
    shutil.copyfile(snapshot, home.database)
    home.database.chmod(0o600)


def _snapshot(home: Home, name: str, *sources: bytes) -> Path:
    """The snapshot of this name made from just these sources. Its passwords are in it, so they are sources too."""
    passwords = home.passwords()
    secrets = "\n".join((passwords.admin, passwords.weft, passwords.weft_key, passwords.clerk)).encode()
    whole = hashlib.sha256()
    for source in (REQUIREMENTS.read_bytes(), CONFIG.encode(), " ".join(MODULES).encode(), secrets, *sources):
        whole.update(hashlib.sha256(source).digest())
    return home.base / "snapshots" / f"{name}-{whole.hexdigest()[:20]}.sqlite"


def bare_snapshot(home: Home) -> Path:
    """Modules only: survives a change of the catalogue."""
    return _snapshot(home, "bare")


def provisioned_snapshot(home: Home, catalogue: Mapping[str, Any]) -> Path:
    """Modules and our company. Named by the year too: the fiscal years are this one and the next."""
    code = Path(provision.__file__).read_bytes()
    goods = json.dumps(catalogue, sort_keys=True).encode()
    return _snapshot(home, "provisioned", code, goods, str(date.today().year).encode())


# ---------------------------------------------------------------- the process


class TrytonServer:
    """A running trytond, child of this process: it ends when we do, however we end."""

    def __init__(self, home: Home, process: subprocess.Popen[bytes], port: int) -> None:
        self.home, self.process, self.port = home, process, port
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    def start(cls, home: Home, preferred_port: int, say: Say, seconds: float = 60.0) -> TrytonServer:
        """Start it on the preferred port or the next free one, and wait until it answers."""
        port = next_free(preferred_port, "Tryton", say)
        config = _write_config(home)
        # One request at a time: on SQLite, Tryton reads outside its transactions and locks nothing, so two requests
        # at once can do the same work twice (seen: two invoices of one sale). PostgreSQL has no such need.
        python = home.venv / "bin" / "python"
        command = [python, "-m", "waitress", f"--listen=127.0.0.1:{port}", "--threads=1", "trytond.application:app"]
        environment = {"TRYTOND_CONFIG": str(config), "TRYTOND_DATABASE_NAMES": DATABASE}
        process = _watched(command, home.log, _quiet_environment() | environment)
        server = cls(home, process, port)
        try:
            server._wait(seconds)
        except BaseException:
            server.stop()
            raise
        (home.instance / "url").write_text(server.url + "\n")
        return server

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.answers():
            if self.process.poll() is not None:
                raise BringUpFailed(f"Tryton ended at its start; see {self.home.log}")
            if time.monotonic() > deadline:
                raise BringUpFailed(f"Tryton did not answer within {seconds:.0f} s; see {self.home.log}")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether it serves requests."""
        body = json.dumps({"id": 1, "method": "common.server.version", "params": []}).encode()
        request = urllib.request.Request(f"{self.url}/rpc/", body, {"Content-Type": "application/json"})
        try:
            with direct.open(request, timeout=5.0) as answer:
                return bool(json.loads(answer.read()).get("result"))
        except (urllib.error.URLError, OSError, ValueError):
            return False

    def wait(self) -> int:
        """Block until it ends."""
        return self.process.wait()

    def stop(self) -> None:
        """End it in order; returns when it is gone."""
        _end(self.process)


def bring_up(home: Home, catalogue: Mapping[str, Any], preferred_port: int, say: Say) -> TrytonServer:
    """A provisioned Tryton that answers, whatever was there before. The state file follows; so does `say`."""
    home.instance.mkdir(mode=0o700, parents=True, exist_ok=True)

    def step(word: str) -> None:
        home.set_state(word)
        say(word)

    server: TrytonServer | None = None
    try:
        with locked(home.base / "build.lock"):
            step("installing")
            install(home)
            fresh = _prepare_database(home, catalogue, step)
            step("starting")
            server = TrytonServer.start(home, preferred_port, say)
            _provision(home, server, catalogue, fresh, step)
        step("ready")
        return server
    except BaseException as error:
        if server:
            server.stop()
        if not isinstance(error, (BringUpFailed, Refused, NoFreePort, OSError)):
            raise
        step(f"failed: {' '.join(str(error).split())}")
        raise BringUpFailed(str(error)) from error


def _prepare_database(home: Home, catalogue: Mapping[str, Any], step: Say) -> bool:
    """A database file to start with; True when it holds nobody's work yet."""
    if home.database.exists() and (home.instance / "provisioned").exists():
        return False
    (home.instance / "provisioned").unlink(missing_ok=True)
    ready, bare = provisioned_snapshot(home, catalogue), bare_snapshot(home)
    if ready.exists():
        ready.touch()  # so that it is not the next to be forgotten
        restore_snapshot(home, ready)
        (home.instance / "provisioned").write_text(ready.stem)
    elif bare.exists():
        bare.touch()
        restore_snapshot(home, bare)
    else:
        step("initialising")
        initialise(home)
        save_snapshot(home, bare)
    return True


def _provision(home: Home, server: TrytonServer, catalogue: Mapping[str, Any], fresh: bool, step: Say) -> None:
    """Make the company of the catalogue, unless just that was done before."""
    snapshot = provisioned_snapshot(home, catalogue)
    mark = home.instance / "provisioned"
    if mark.exists() and mark.read_text() == snapshot.stem:
        return
    step("provisioning")
    provision.provision(server.url, DATABASE, home.passwords(), catalogue)
    if fresh:
        save_snapshot(home, snapshot)
        _forget_old_snapshots(snapshot)
    mark.write_text(snapshot.stem)


def _forget_old_snapshots(newest: Path, keep: int = 6) -> None:
    others = sorted(newest.parent.glob("*.sqlite"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[keep:]:
        path.unlink(missing_ok=True)


# ---------------------------------------------------------------- up, down, reset


class _Leave(BaseException):
    """We are told to end."""


class _BeginAnew(BaseException):
    """We are told to forget everything and start again."""


def serve(home: Home, catalogue: Mapping[str, Any], port: int, say: Say, ready: Callable[[TrytonServer], None]) -> int:
    """Bring Tryton up and stay with it until it ends or we are told to. SIGHUP resets it."""
    with locked(home.instance / "server.lock", wait=False) as ours:
        if not ours:
            raise BringUpFailed(f"Tryton is up already (process {holder(home.instance / 'server.lock')})")
        for number, order in ((signal.SIGTERM, _Leave), (signal.SIGINT, _Leave), (signal.SIGHUP, _BeginAnew)):
            signal.signal(number, partial(_obey, order))
        while True:
            try:
                return _serve_once(home, catalogue, port, say, ready)
            except _Leave:
                home.set_state("stopped")
                return 0
            except _BeginAnew:
                say("beginning anew")
                _forget(home)


def _obey(order: type[BaseException], number: int, frame: object) -> None:
    raise order


def _serve_once(
    home: Home, catalogue: Mapping[str, Any], port: int, say: Say, ready: Callable[[TrytonServer], None]
) -> int:
    server = bring_up(home, catalogue, port, say)
    try:
        ready(server)
        code = server.wait()
        home.set_state(f"failed: Tryton ended with code {code}; see {home.log}")
        return 1
    except Exception as error:
        home.set_state(f"failed: {' '.join(str(error).split())}")
        raise
    finally:
        server.stop()


def down(home: Home, seconds: float = 30.0) -> bool:
    """End the server of this home; False when none runs."""
    lock = home.instance / "server.lock"
    process = holder(lock)
    if process is None:
        return False
    os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while holder(lock) == process:
        if time.monotonic() > deadline:
            raise BringUpFailed(f"process {process} does not end")
        time.sleep(0.1)
    return True


def status(home: Home) -> str:
    """One line for people."""
    running = holder(home.instance / "server.lock")
    if running is None:
        return "down" if home.database.exists() else "never built"
    where = f" at {home.url()}" if home.state() == "ready" else ""
    return f"{home.state()}{where} (process {running})"


def reset(home: Home, seconds: float = 180.0) -> bool:
    """Forget all that was done in this Tryton; a running one begins anew at once (True)."""
    process = holder(home.instance / "server.lock")
    if process is None:
        _forget(home)
        return False
    home.set_state("resetting")
    os.kill(process, signal.SIGHUP)
    deadline = time.monotonic() + seconds
    while (state := home.state()) != "ready":
        if state.startswith("failed") or time.monotonic() > deadline:
            raise BringUpFailed(f"Tryton did not come back: {state}")
        time.sleep(0.2)
    return True


def _forget(home: Home) -> None:
    (home.instance / "provisioned").unlink(missing_ok=True)
    _remove_database(home)


def read_catalogue(path: Path = ROOT / "shop" / "seed" / "catalogue.json") -> dict[str, Any]:
    """The one source of the shop's seed and of Tryton's."""
    if not path.exists():
        raise BringUpFailed(f"there is no {path.relative_to(ROOT)}")
    return dict(json.loads(path.read_text(encoding="utf-8")))
