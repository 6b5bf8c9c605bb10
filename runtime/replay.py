"""`make replay FILE=...`: real transactions, in a database of their own.

    python -m runtime.replay FILE [--limit ROWS] [--stock UNITS] [--tz ZONE] [--currency CODE]
    python -m runtime.replay --stop      end the database server that replays left running
    python -m runtime.replay --reset     ... and remove all its databases

Each file, read with each set of options, has a database of its own, so that the same command goes on where it
stopped and another one does not meet it. With DATABASE_URL the databases are made on that server; else on an embedded
one that stays running afterwards, so that the printed DATABASE_URL can be looked into.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from runtime import cluster, environment
from runtime.foreground import run_command
from runtime.owner import NoOwner
from runtime.postgres import Server
from runtime.processes import ProcessFailed, StopSignals, tail
from runtime.secretfiles import write_new

PORT = 5434  # the demo's own server has 5433
START_TIMEOUT = 90.0
FOR_THE_PERSON = (cluster.ClusterError, ProcessFailed, NoOwner)


class CannotReplay(Exception):
    """The text says what to do."""


# --- the server that stays ------------------------------------------------------------------------------------------


def places_of(project: Path) -> cluster.Places:
    """The lasting cluster of this checkout's replays."""
    return cluster.replay_places(project)


def note_of(project: Path) -> Path:
    """Where the running server says its process id and URL."""
    return project / "var" / "replay" / "server.json"


def serve(project: Path) -> int:
    """Be the server, until SIGTERM."""
    note = note_of(project)
    server = Server(places_of(project))
    with StopSignals() as signals:
        try:
            server.start(preferred_port=PORT)
            fresh = note.with_name("server.json.new")
            fresh.write_text(json.dumps({"pid": os.getpid(), "url": server.url}) + "\n", encoding="utf-8")
            fresh.replace(note)
            while signals.asked is None and server.child is not None and server.child.ended() is None:
                time.sleep(0.2)
        finally:
            note.unlink(missing_ok=True)
            server.stop()
    return 0


def running_url(project: Path) -> str | None:
    """URL of the server that runs; None when none does."""
    try:
        url: str = json.loads(note_of(project).read_text(encoding="utf-8"))["url"]
        psycopg.connect(url, connect_timeout=5).close()
    except (OSError, ValueError, KeyError, psycopg.Error):
        return None
    return url


def ensure_server(project: Path) -> str:
    """URL of the server, started in the background where it does not run."""
    if url := running_url(project):
        return url
    log = project / "var" / "log" / "replay.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print("starting PostgreSQL", file=sys.stderr, flush=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "runtime.replay", "--serve"],
            cwd=project, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if url := running_url(project):
            return url
        if process.poll() not in (None, 0) and not cluster.is_locked(places_of(project)):
            break
        time.sleep(0.2)
    raise CannotReplay(f"PostgreSQL did not start.\n{tail(log)}\nLog: {log}")


def stop(project: Path) -> int:
    """End the server; 0 also when none runs."""
    try:
        pid = int(json.loads(note_of(project).read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError):
        print("no server of a replay runs")
        return 0
    if running_url(project):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while cluster.is_locked(places_of(project)) and time.monotonic() < deadline:
            time.sleep(0.1)
    note_of(project).unlink(missing_ok=True)
    print("the server of the replays has ended; their data stay")
    return 0


def reset(project: Path) -> int:
    """End the server and remove every replay."""
    stop(project)
    if cluster.remove_area(places_of(project)):
        print("the databases of all replays are removed")
    return 0


# --- the database ---------------------------------------------------------------------------------------------------


def without_password(url: str, folder: Path) -> str:
    """The URL with its password, if any, moved into a passfile of our own."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    name = hashlib.sha256(url.encode()).hexdigest()[:12]
    passfile = folder / f"replay-{name}.pgpass"
    fields = [parts.hostname or "localhost", str(parts.port or 5432), "*", unquote(parts.username or "")]
    fields.append(unquote(parts.password))
    passfile.unlink(missing_ok=True)
    write_new(passfile, ":".join(field.replace("\\", "\\\\").replace(":", "\\:") if field != "*" else field
                                 for field in fields) + "\n")  # fmt: skip
    login = parts.netloc.rpartition("@")
    user = login[0].partition(":")[0]
    query = "&".join(filter(None, [parts.query, f"passfile={quote(str(passfile))}"]))
    return urlunsplit(parts._replace(netloc=f"{user}@{login[2]}", query=query))


def named(url: str, database: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def ensure_database(server: str, name: str) -> str:
    """URL of the database of that name, made where it is missing."""
    url = named(server, name)
    try:
        psycopg.connect(url, connect_timeout=5).close()
        return url
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise CannotReplay(f"{error}\nMend DATABASE_URL, or unset it to use the embedded server.") from None
    try:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.errors.DuplicateDatabase:
        pass  # another replay of the same file was faster
    except psycopg.errors.InsufficientPrivilege:
        raise CannotReplay(
            "The role of DATABASE_URL may not make databases. As its server's administrator: ALTER ROLE ... CREATEDB; "
            "or unset DATABASE_URL to use the embedded server."
        ) from None
    return url


def fingerprint(file: Path, options: argparse.Namespace) -> str:
    """Tells one replay from another: what is in the file, and how it is read."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    digest.update(repr((options.limit, options.stock, options.tz, options.currency)).encode())
    return digest.hexdigest()[:12]


# --- the run --------------------------------------------------------------------------------------------------------


def settings(project: Path) -> dict[str, str]:
    """What manage.py needs besides the database; kept in `.env` where there is none, for who looks afterwards."""
    environment.make_var(project)
    environment.make_secrets(project / "var" / "secrets")
    values = environment.demo_values(project, "http://127.0.0.1:8000", environment.Ports(8015, 8720, 8730), None)
    if not os.path.lexists(project / ".env"):
        environment.write_env(project / ".env", values)
    return values


def replay(project: Path, options: argparse.Namespace, signals: StopSignals) -> int:
    """Make the database, migrate it, run the command on it; its exit code."""
    file = Path(options.file).expanduser().resolve()
    if not file.is_file():
        raise CannotReplay(f"{file} is not there. Name a CSV of transactions: make replay FILE=path/to/file.csv.gz")
    values = settings(project)
    (project / "var" / "replay").mkdir(exist_ok=True)
    given = os.environ.get("DATABASE_URL")
    server = without_password(given, project / "var" / "secrets") if given else ensure_server(project)
    mark = fingerprint(file, options)
    url = ensure_database(server, f"weft_replay_{mark}")
    env = {**os.environ, **values, "DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
    manage = [sys.executable, str(project / "manage.py")]
    code = run_command([*manage, "migrate", "--noinput", "--verbosity", "0"], env, signals)
    if code == 0:
        out = Path("var") / "replay" / mark
        command = [*manage, "replay", str(file), "--mark", mark, "--out", str(out), "--tz", options.tz]
        command += ["--currency", options.currency]
        command += [part for name in ("limit", "stock") if getattr(options, name) is not None
                    for part in (f"--{name}", str(getattr(options, name)))]  # fmt: skip
        code = run_command(command, env, signals)
    print(f"DATABASE_URL={url}")
    if not given:
        print("Its server stays running, so that you can look: DATABASE_URL=... .venv/bin/python manage.py "
              "check_invariants. `make replay-stop` ends it.", file=sys.stderr)  # fmt: skip
    return code


def parser() -> argparse.ArgumentParser:
    """The command line."""

    def positive(text: str) -> int:
        if (number := int(text)) < 0:
            raise ValueError
        return number

    made = argparse.ArgumentParser(prog="make replay", description="Replay a CSV of transactions.")
    made.add_argument("file", nargs="?", help="CSV, plain or .gz")
    made.add_argument("--limit", type=positive, help="read the first rows only")
    made.add_argument("--stock", type=positive, help="opening units of each SKU (as many as the file needs)")
    made.add_argument("--tz", default="Europe/London", help="time zone of the file's dates")
    made.add_argument("--currency", default="GBP", help="currency of its prices")
    for flag in ("serve", "stop", "reset"):
        made.add_argument(f"--{flag}", action="store_true")
    return made


def main(argv: list[str]) -> int:
    """The command line."""
    options = parser().parse_args(argv)
    project = Path(__file__).resolve().parent.parent
    try:
        for flag, act in (("serve", serve), ("stop", stop), ("reset", reset)):
            if getattr(options, flag):
                return act(project)
        if not options.file:
            raise CannotReplay(
                "Which file? make replay FILE=path/to/transactions.csv.gz [LIMIT=] [STOCK=] [TZ=] [CURRENCY=]"
            )
        with StopSignals() as signals:
            return replay(project, options, signals)
    except (*FOR_THE_PERSON, CannotReplay) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main(sys.argv[1:]))
