"""The local Tryton's own life: starts from its snapshot, begins anew, ends with its parent, keeps its secrets."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from erp.local import tryton_server
from erp.local.passwords import Passwords, read_or_create
from erp.local.rpc import Session
from erp.local.tryton_server import DATABASE, ROOT, BringUpFailed, Home
from tests.erp.conftest import Live

pytestmark = [pytest.mark.tryton, pytest.mark.xdist_group("tryton")]

CATALOGUE = Path(__file__).with_name("catalogue.json")
SERVE = """
import json, sys
from pathlib import Path
from erp.local.tryton_server import Home, serve
base, instance, secrets, catalogue = map(Path, sys.argv[1:])
goods = json.loads(catalogue.read_text(encoding="utf-8"))
sys.exit(serve(Home(base, instance, secrets), goods, 18115, print, lambda server: None))
"""


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def home(live: Live, tmp_path: Path) -> Home:
    """A home of this test's own, with the built environment and snapshots of all."""
    return replace(live.server.home, instance=tmp_path / "instance")


@pytest.fixture
def runner(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """`erp up --foreground` in a process of its own."""
    argv = [sys.executable, "-c", SERVE, str(home.base), str(home.instance), str(home.secrets), str(CATALOGUE)]
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        until(lambda: home.state() == "ready")
        yield process
    finally:
        process.kill()
        process.wait()
        until(lambda: not answers(home))


def answers(home: Home) -> bool:
    """Whether this home's Tryton serves."""
    body = json.dumps({"id": 1, "method": "common.server.version", "params": []}).encode()
    request = urllib.request.Request(f"{home.url()}/rpc/", body, {"Content-Type": "application/json"})
    try:
        with tryton_server.direct.open(request, timeout=2) as answer:
            return bool(answer.read())
    except OSError:
        return False


def test_it_dies_with_a_parent_that_is_killed(home: Home, runner: subprocess.Popen[bytes]) -> None:
    assert answers(home)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    until(lambda: not answers(home), 15)
    assert tryton_server.status(home) == "down"


def test_it_begins_anew_and_ends_when_told(home: Home, runner: subprocess.Popen[bytes]) -> None:
    with Session(home.url(), DATABASE, "admin", home.passwords().admin) as admin:
        admin.create("party.party", [{"name": "Somebody", "code": "SOMEBODY"}])
    assert tryton_server.reset(home) is True
    with Session(home.url(), DATABASE, "admin", home.passwords().admin) as admin:
        assert admin.first("party.party", [["code", "=", "SOMEBODY"]]) is None
        assert admin.first("product.product", [["code", "=", "CHAIR-1"]]) is not None
    assert f"process {runner.pid}" in tryton_server.status(home)
    assert tryton_server.down(home) is True
    assert runner.wait(20) == 0
    assert (home.state(), tryton_server.down(home)) == ("stopped", False)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")
def test_no_password_is_to_be_seen(home: Home, runner: subprocess.Popen[bytes]) -> None:
    passwords = home.passwords()
    secrets = [getattr(passwords, name).encode() for name in Passwords.__slots__]
    seen = b""
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            try:
                seen += (process / file).read_bytes()
            except OSError:
                continue
    logs = b"".join(path.read_bytes() for path in (*home.instance.glob("*.log"), *home.base.glob("*.log")))
    assert not [secret for secret in secrets if secret in seen + logs]
    assert repr(passwords) == "Passwords(...)"


def test_secrets_are_made_once_for_the_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "a"
    first = read_or_create(file)
    assert len(first) > 40
    assert read_or_create(file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_an_old_write_ahead_log_does_not_come_back(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "instance", tmp_path / "secrets")
    home.data.mkdir(parents=True)
    snapshot = tmp_path / "snapshots" / "s.sqlite"
    # Held open, so that what is written stays in the log beside the file.
    with closing(sqlite3.connect(home.database)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE t (x)")
        database.commit()
        tryton_server.save_snapshot(home, snapshot)
        database.execute("INSERT INTO t VALUES (1)")
        database.commit()
        assert Path(f"{home.database}-wal").stat().st_size
        tryton_server.restore_snapshot(home, snapshot)
    with closing(sqlite3.connect(home.database)) as database:
        assert database.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_failure_is_left_as_one_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(where: Home) -> None:
        raise BringUpFailed("no\nroom on the disk")

    monkeypatch.setattr(tryton_server, "install", broken)
    with pytest.raises(BringUpFailed):
        tryton_server.bring_up(home, json.loads(CATALOGUE.read_text(encoding="utf-8")), 18115, lambda word: None)
    assert home.state() == "failed: no room on the disk"


def test_snapshots_are_named_by_all_they_are_made_from(home: Home) -> None:
    goods = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    assert tryton_server.provisioned_snapshot(home, goods) != tryton_server.provisioned_snapshot(home, goods | {"x": 1})
    other = replace(home, secrets=home.instance / "secrets")
    assert tryton_server.bare_snapshot(home).name != tryton_server.bare_snapshot(other).name
