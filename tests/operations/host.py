"""A host in a folder: docs/operations.md is run on it box by box, with its paths, names and ports put elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.core.files.storage import InMemoryStorage
from psycopg import sql

from runtime import cluster
from runtime.ports import LOOPBACK, any_free_port
from runtime.postgres import Server
from tests.operations import docs
from tests.operations.docs import ROOT

NAME = "shop.weft.test"
LOGIN = {"DJANGO_SUPERUSER_EMAIL": "boss@weft.test", "DJANGO_SUPERUSER_PASSWORD": "a-long-enough-pass"}
FETCHES = ("make venv", "git pull")
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", ".env", "backups", "secrets", "__pycache__", ".*_cache", ".hypothesis"
)


class Elsewhere(InMemoryStorage):
    """A storage that is no folder, and takes the options of the one in the documentation."""

    def __init__(self, bucket_name: str, endpoint_url: str, file_overwrite: bool) -> None:
        super().__init__()


@dataclass
class Host:
    """`folder` stands for the host's root. The database is a server of its own, with passwords and durable commits."""

    folder: Path
    server: Server = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        self.server = Server(cluster.ephemeral_places(ROOT), lambda text: None, durable=True)
        self.server.start()
        self.port = any_free_port()
        self.project = self.folder / "srv" / "weft"
        self.units = self.folder / "etc" / "systemd"
        self.bin = self.folder / "bin"
        for place in (self.units, self.bin, self.folder / "tmp"):
            place.mkdir(parents=True)
        shutil.copytree(ROOT, self.project, ignore=LEFT_OUT)
        (self.project / ".venv").symlink_to(ROOT / ".venv")
        systemctl = Path(__file__).with_name("systemctl.py")
        self._script("systemctl", f'exec "{sys.executable}" "{systemctl}" "{self.units}" "$@"')
        self._script("psql", f'exec "{cluster.installed_program() / "bin" / "psql"}" "$@"')
        self._forget_what_the_server_made()
        for unit in ("weft-web", "weft-workers"):
            (self.units / f"{unit}.service").write_text(self.moved(docs.boxes()[f"{unit}.service"]))

    def _script(self, name: str, line: str) -> None:
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)

    def _forget_what_the_server_made(self) -> None:
        """Role and database are made by the documentation's own commands."""
        with self.as_admin() as connection:
            connection.execute("DROP DATABASE weft")
            connection.execute("DROP ROLE weft")

    def as_admin(self) -> psycopg.Connection[Any]:
        return self.server._connect_as_admin("postgres")

    def moved(self, text: str) -> str:
        """A box with everything at this host's places."""
        at = str(self.folder)
        admin = f"env PGHOST={LOOPBACK} PGPORT={self.server.port} PGUSER={cluster.ADMIN} PGDATABASE=postgres"
        admin += f" PGPASSFILE='{self.server.places.admin_passfile}'"
        for old, new in {
            "/srv/weft": str(self.project),
            "/etc/weft": f"{at}/etc/weft",
            "/var/backups/weft": f"{at}/var/backups/weft",
            "/var/tmp/": f"{at}/tmp/",
            "/usr/local/bin/": f"{self.bin}/",
            "127.0.0.1:5432": f"{LOOPBACK}:{self.server.port}",
            "127.0.0.1:8000": f"{LOOPBACK}:{self.port}",
            "shop.example.com": NAME,
            " -o weft -g weft": "",
            " -o 10001 -g 10001": "",
            "runuser -u postgres -- psql": f"{admin} psql",
            "runuser -u weft -- ": "",
            "weft createsuperuser": "weft createsuperuser --noinput",
        }.items():
            text = text.replace(old, new)
        return "\n".join(line for line in text.splitlines() if not line.strip().startswith(("chown", *FETCHES))) + "\n"

    def run(self, box: str, *, ends_with: int = 0) -> str:
        """Run a box as a person would paste it; returns what it wrote."""
        return self.sh(self.moved(docs.boxes()[box]), ends_with=ends_with)

    def sh(self, script: str, *, ends_with: int = 0) -> str:
        done = subprocess.run(
            ["sh", "-eu"],
            input=script,
            text=True,
            capture_output=True,
            env=self.environment(),
            cwd=self.folder,
            timeout=300,
        )
        assert done.returncode == ends_with, f"{script}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def environment(self) -> dict[str, str]:
        """Nothing of the tests' own settings: what the shop knows stands in its `.env`."""
        kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
        return {**kept, **LOGIN, "PATH": f"{self.bin}:/usr/bin:/bin", "LANG": "en_GB.UTF-8"}

    def set_up(self) -> None:
        """Steps 1 to 4 of the documentation."""
        for box in ("code", "name", "secrets", "database", "settings"):
            self.run(box)
        dotenv = self.project / ".env"
        dotenv.write_text(
            self.moved(dotenv.read_text()) + f"WEFT_BIND={LOOPBACK}:{self.port}\nWEFT_WEB_PROCESSES=1\nWEFT_WORKERS=1\n"
        )
        self.run("prepare")

    def doctor(self, *arguments: str) -> dict[str, list[dict[str, str]]]:
        """What the doctor finds that is not well, by examination; its exit code must fit."""
        done = subprocess.run(
            [self.bin / "weft", "doctor", "--json", *arguments], capture_output=True, text=True, env=self.environment()
        )
        assert done.returncode in (0, 1), done.stderr
        said = json.loads(done.stdout)
        open_ones = [one for one in said["findings"] if one["level"] == "todo"]
        assert (done.returncode == 0) == said["ok"] == (not open_ones), done.stdout
        found: dict[str, list[dict[str, str]]] = {}
        for one in open_ones:
            assert one["what"] and one["means"] and one["action"], one
            found.setdefault(one["id"], []).append(one)
        return found

    def ask(self, query: str, database: str = "weft") -> list[tuple[Any, ...]]:
        """Rows, by a connection of our own."""
        with self.server._connect_as_admin(database) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def tell(self, statement: str, database: str = "weft") -> None:
        with self.server._connect_as_admin(database) as connection:
            connection.execute(sql.SQL(statement))  # type: ignore[arg-type]

    def stop(self) -> None:
        self.sh("systemctl stop weft-web weft-workers")
        self.server.stop()
