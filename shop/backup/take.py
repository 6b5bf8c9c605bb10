"""Taking a backup while the shop sells: the dump and the numbers beside it are of one moment."""

from __future__ import annotations

import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from runtime import pgprograms
from runtime.secretfiles import private_folder
from shop.backup import archive, media, rows
from shop.backup.archive import Manifest

PREFIX = "weft-"


class Failed(Exception):
    """The backup could not be taken; the text says why."""


def name_of(moment: datetime) -> str:
    """A name that sorts by time."""
    return f"{PREFIX}{moment:%Y%m%dT%H%M%SZ}.zip"


def backup(folder: Path, *, with_media: bool = True, say: Callable[[str], None] = print) -> Path:
    """Write an archive into `folder` (0700); returns it. Raises Failed or pgprograms.NoProgram.

    The database is dumped from one snapshot. Files are taken before and after it, so that whatever a row of that
    moment speaks of is there: a picture is written before its row and removed after it.
    """
    with connection.cursor() as cursor:
        server = int(cursor.connection.info.server_version) // 10000
    program = pgprograms.find("pg_dump", server)
    moment = datetime.now(UTC)
    file = private_folder(folder) / name_of(moment)
    if file.exists():
        raise Failed(f"{file} is there already; one backup a second is enough.")
    with archive.create(file) as writer:
        if with_media:
            media.add_settled(writer)
        with _snapshot() as name:
            say(f"dumping the database with {program}")
            writer.add(archive.DATABASE, _dump(program, name))
            migrations, counted = rows.applied_migrations(), rows.count()
        if with_media:
            media.add_others(writer)
        writer.close_with(
            Manifest(moment.isoformat(timespec="seconds"), _weft(), server, migrations, counted, writer.parts)
        )
    return file


def _weft() -> str:
    """This code's version."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


@contextmanager
def _snapshot() -> Iterator[str]:
    """The name of a snapshot that pg_dump can share with us."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def parameters() -> Mapping[str, object]:
    """Where our database is, in libpq's words."""
    return connection.get_connection_params()


def _dump(program: Path, snapshot: str) -> Iterator[bytes]:
    argv = [str(program), "--format=custom", "--no-owner", "--no-privileges", "--no-password", f"--snapshot={snapshot}"]
    with pgprograms.environment(parameters()) as env, tempfile.TemporaryFile() as said:
        with subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as process:
            assert process.stdout is not None
            yield from archive.chunks_of(process.stdout)
        if process.returncode:
            said.seek(0)
            raise Failed(f"pg_dump failed: {said.read().decode(errors='replace').strip()}")


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` archives of a folder; returns the removed ones."""
    old = sorted(folder.glob(f"{PREFIX}????????T??????Z.zip"))[:-keep]
    for file in old:
        file.unlink()
    return old
