"""The test database: real PostgreSQL, migrated once per run into a template that every worker copies."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from erp.local import tryton_server
from erp.local.tryton_server import Home, TrytonServer

ROOT = Path(__file__).resolve().parent.parent


def _digest() -> str:
    """Of everything that decides the schema."""
    sources = [*ROOT.glob("*/*/migrations/*.py"), ROOT / "requirements.txt"]
    text = b"".join(path.read_bytes() for path in sorted(sources))
    return hashlib.sha256(text).hexdigest()[:12]


def admin() -> psycopg.Connection[Any]:
    """A connection to the server, outside any database under test."""
    options = connections["default"].get_connection_params()
    wanted = {k: options[k] for k in ("host", "port", "user", "password", "passfile") if options.get(k)}
    return psycopg.connect(dbname="postgres", autocommit=True, **wanted)


def _use(name: str) -> None:
    connections["default"].close()
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name


def template(server: psycopg.Connection[Any]) -> str:
    """The migrated template's name; made by the first worker, the others wait."""
    name = f"weft_template_{_digest()}"
    port = connections["default"].settings_dict["PORT"]
    with open(Path(tempfile.gettempdir()) / f"weft-template-{port}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return name
        draft = f"{name}_draft"
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(draft)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
        _use(draft)
        call_command("migrate", verbosity=0)
        connections["default"].close()
        server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name)))
    return name


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any, worker_id: str) -> Iterator[None]:
    with django_db_blocker.unblock(), admin() as server:
        migrated = template(server)
        mine = sql.Identifier(f"test_weft_{worker_id}")
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(mine))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(mine, sql.Identifier(migrated)))
        _use(f"test_weft_{worker_id}")
        yield
        connections["default"].close()
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(mine))


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    return getattr(request.config, "workerinput", {}).get("workerid", "main")


@pytest.fixture(autouse=True)
def _media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.WEFT_MAIL_FOLDER = tmp_path / "mail"


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """What pages remember for a minute is another test's catalogue."""
    cache.clear()


@pytest.fixture(scope="session")
def tryton(worker_id: str) -> Iterator[TrytonServer]:
    """A real Tryton, this worker's own, from the shared snapshot (built once: about two minutes)."""
    base = Path(os.environ.get("WEFT_TRYTON_HOME") or ROOT / "var" / "tryton-test").resolve()
    home = Home(base, base / f"instance-{worker_id}", base / "secrets")
    tryton_server.reset(home)
    server = tryton_server.bring_up(home, tryton_server.read_catalogue(), 8115, lambda word: None)
    yield server
    server.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long form runs in `make test-deep` only."""
    if settings.WEFT_DEEP:
        return
    for item in items:
        if item.get_closest_marker("deep"):
            item.add_marker(pytest.mark.skip(reason="the long form: run `make test-deep`"))
