"""`make replay` as a person runs it: a checkout of its own, an embedded server that stays, a database to look into."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runtime import replay
from runtime.replay import CannotReplay, ensure_database, without_password
from shop.replay.sample import Sample, write
from tests.runtime.conftest import PROJECT

PARTS = ("erp", "integrations", "locale", "runtime", "shop", "static", "templates", "manage.py")


@pytest.fixture
def checkout() -> Iterator[tuple[Path, dict[str, str]]]:
    """A copy of the project that others may not enter, and an environment in which it keeps its data apart."""
    with tempfile.TemporaryDirectory(prefix="weft test ") as home, tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)  # as /var/lib is
        project = Path(home) / "my shop"
        project.mkdir(mode=0o700)
        for part in PARTS:
            source, skip = PROJECT / part, shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, project / part, ignore=skip) if source.is_dir() else shutil.copy(source, project)
        dropped = ("DATABASE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DJANGO_SETTINGS_MODULE")
        env = {n: v for n, v in os.environ.items() if not n.startswith(("WEFT_", "SECRET_KEY")) and n not in dropped}
        env["WEFT_DATA_ROOT"] = root
        try:
            yield project, env
        finally:
            run(project, env, "--reset")


def run(project: Path, env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "runtime.replay", *arguments]
    return subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, check=False, timeout=300)


def line(output: str, name: str) -> str:
    """The value of the line NAME=value."""
    return next(text.partition("=")[2] for text in output.splitlines() if text.startswith(f"{name}="))


def test_replay_look_again_and_leave_nothing(checkout: tuple[Path, dict[str, str]]) -> None:
    project, env = checkout
    sample = project / "my sample.csv"
    with sample.open("w", encoding="utf-8") as stream:
        write(stream, Sample(30, skus=20))
    done = run(project, env, str(sample))
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"balanced": true' in done.stdout

    url = line(done.stdout, "DATABASE_URL")
    passfile = project / "var" / "secrets" / "postgres.pgpass"
    assert passfile.read_text().strip().rsplit(":", 1)[1] not in done.stdout + done.stderr
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    checked = subprocess.run(
        [sys.executable, "manage.py", "check_invariants"],
        cwd=project, env={**env, "DATABASE_URL": url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr

    again = run(project, env, str(sample))
    assert (again.returncode, line(again.stdout, "DATABASE_URL")) == (0, url)
    assert '"new_orders": 0' in again.stdout

    assert run(project, env, "--reset").returncode == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=5)
    assert list(Path(env["WEFT_DATA_ROOT"]).iterdir()) == []


def test_what_is_missing_is_said(checkout: tuple[Path, dict[str, str]]) -> None:
    project, env = checkout
    for arguments, words in (((), "Which file?"), (("nowhere.csv",), "is not there")):
        done = run(project, env, *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_a_given_url_is_printed_without_its_password(tmp_path: Path) -> None:
    url = without_password("postgres://me:p%40ss%3A1@db.example:6000/shop?sslmode=require", tmp_path)
    passfile = next(tmp_path.iterdir())
    assert url == f"postgres://me@db.example:6000/shop?sslmode=require&passfile={passfile}"
    assert passfile.read_text() == "db.example:6000:*:me:p@ss\\:1\n"
    assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
    assert without_password("postgres://me@db.example/shop", tmp_path) == "postgres://me@db.example/shop"


def test_a_database_of_its_own_on_a_given_server() -> None:
    url = ensure_database(os.environ["DATABASE_URL"], "weft_replay_test")
    try:
        assert ensure_database(os.environ["DATABASE_URL"], "weft_replay_test") == url
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("weft_replay_test",)
    finally:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("DROP DATABASE weft_replay_test")
    with pytest.raises(CannotReplay, match="Mend DATABASE_URL"):
        ensure_database("postgres://nobody@127.0.0.1:1/x", "weft_replay_test")


def test_each_way_to_read_a_file_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text("a")
    parse = replay.parser().parse_args
    marks = {replay.fingerprint(file, parse(["f", *more])) for more in ([], ["--limit", "5"], ["--currency", "EUR"])}
    file.write_text("b")
    assert len({*marks, replay.fingerprint(file, parse(["f"]))}) == 4
