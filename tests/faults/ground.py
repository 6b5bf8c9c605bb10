"""What all sites stand on: a PostgreSQL whose commits are durable, a prepared database in it, and a real Tryton."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from erp.local.provision import API_USER, SHIPPING_SKU, WEB_SHOP
from erp.local.tryton_server import DATABASE, TrytonServer
from runtime import cluster
from runtime.postgres import Server
from tests.faults.points import FOLDER

ROOT = Path(__file__).resolve().parents[2]
PREPARED = "prepared"
LOGIN = {"username": "cashier@weft.test", "password": "a-long-enough-pass"}


@dataclass
class Ground:
    """`pages` are the pages of the goods on sale, by SKU."""

    folder: Path
    tryton: TrytonServer
    server: Server = field(init=False)
    pages: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.server = Server(cluster.ephemeral_places(ROOT), lambda text: None, durable=True)
        self.server.start()
        try:
            self._check_commits()
            self.pages = self._prepare()
        except BaseException:
            self.server.stop()
            raise

    def _check_commits(self) -> None:
        """They must be as safe as in production, or nothing here would mean anything."""
        with self.connect("postgres") as connection:
            durable = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]
        assert durable == [("on",), ("on",)], durable

    def _prepare(self) -> dict[str, str]:
        """Fill the database that every site begins with."""
        self.create(PREPARED, "template1")
        out = self.folder / "pages.json"
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.prepare", str(out)],
            input=json.dumps({"login": LOGIN, "erp": self._erp()}),
            env=self.environment(self.folder, PREPARED),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(out.read_text()))

    def _erp(self) -> dict[str, str]:
        """The account of this Tryton."""
        passwords = self.tryton.home.passwords()
        own = {"url": self.tryton.url, "database": DATABASE, "web_shop": WEB_SHOP, "user": API_USER}
        return own | {"key": passwords.weft_key, "password": passwords.weft, "shipping_sku": SHIPPING_SKU}

    def environment(self, folder: Path, database: str) -> dict[str, str]:
        """Of all processes of one site: the tests' own settings, this database, this folder."""
        inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
        return inherited | {
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "DATABASE_URL": self.url(database),
            "WEFT_PRIVATE_HOSTS": self.tryton.url.removeprefix("http://"),
            "WEFT_MAIL_FOLDER": str(self.folder / "mail"),  # the mail account, and so every site, knows this one
            "WEFT_MEDIA_ROOT": str(folder / "media"),
            "PYTHONUNBUFFERED": "1",
            FOLDER: str(folder / "orders"),
        }

    def url(self, database: str) -> str:
        return urlunsplit(urlsplit(self.server.url)._replace(path=f"/{database}"))

    def connect(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=5)

    def create(self, database: str, template: str = PREPARED) -> None:
        """A database that is a copy of another one, which nobody is using."""
        with self.connect("postgres") as connection:
            names = (sql.Identifier(database), sql.Identifier(template))
            # Copied file by file and written out, so that a crash later has little to recover.
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(*names))

    def stop(self) -> None:
        self.server.stop()
