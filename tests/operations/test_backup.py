"""Archives: of one moment although others write, refused when damaged, restored wholly or not at all."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from psycopg import sql

from runtime import pgprograms
from shop.backup import archive, media, restore, rows, take
from shop.order.models import Order
from tests import factories
from tests.databases import database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("backup")]
COPY = "weft_backup_copy"


@pytest.fixture
def copy() -> Iterator[str]:
    """URL of an empty database beside the test's own."""
    url = database_url().replace(f"/{connection.settings_dict['NAME']}", f"/{COPY}")
    with psycopg.connect(url.replace(f"/{COPY}", "/postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(COPY)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(COPY)))
        yield url
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(COPY)))


def manage(url: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DATABASE_URL": url, "WEFT_MEDIA_ROOT": str(folder), "DJANGO_SETTINGS_MODULE": "shop.settings"}
    argv = [sys.executable, "manage.py", *arguments]
    return subprocess.run(argv, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True)


def ask(url: str, query: str) -> Any:
    with psycopg.connect(url) as asked:
        return asked.execute(query).fetchone()[0]  # type: ignore[arg-type, index]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def quietly(text: str) -> None:
    """Nobody reads along."""


def test_what_is_sold_while_the_backup_is_taken_is_in_it_wholly_or_not(
    copy: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.china()
    factories.stock(SZ=10_000)
    factories.order()
    stop, dumping = threading.Event(), threading.Event()

    def sell() -> None:
        while not stop.is_set():
            factories.order()
        connection.close()

    counted = rows.count

    def count_later() -> dict[str, int]:
        """Between the dump and the counting, some more is sold."""
        before = ask(database_url(), "SELECT count(*) FROM order_order")
        while ask(database_url(), "SELECT count(*) FROM order_order") < before + 5:
            dumping.wait(0.05)
        return counted()

    monkeypatch.setattr(rows, "count", count_later)
    seller = threading.Thread(target=sell)
    seller.start()
    try:
        file = take.backup(folder, say=quietly)
    finally:
        stop.set()
        seller.join()
    done = manage(copy, tmp_path / "copy", "restore", str(file))
    assert done.returncode == 0, done.stderr  # it counts every table
    inside = ask(copy, "SELECT count(*) FROM order_order")
    assert 1 <= inside <= Order.objects.count() - 5
    proven = manage(copy, tmp_path / "copy", "check_invariants")
    assert proven.returncode == 0 and "BROKEN" not in proven.stdout, proven.stdout


def upload(name: str, content: bytes, *, ago: timedelta = timedelta()) -> None:
    default_storage.save(name, ContentFile(content))
    then = (datetime.now(UTC) - ago).timestamp()
    os.utime(default_storage.path(name), (then, then))


def test_files_are_taken_before_and_after_the_dump(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is there before its row, and goes after it: whatever a row of that moment speaks of is kept."""
    upload("images/old.webp", b"old", ago=timedelta(hours=1))
    upload("images/being-written.webp", b"hal", ago=timedelta())
    dump = take._dump

    def meanwhile(*arguments: Any) -> Iterator[bytes]:
        default_storage.delete("images/old.webp")
        Path(default_storage.path("images/being-written.webp")).write_bytes(b"half and half")
        upload("images/new.webp", b"new")
        yield from dump(*arguments)

    monkeypatch.setattr(take, "_dump", meanwhile)
    with archive.read(take.backup(folder, say=quietly)) as opened:
        found = {name: opened.media(name).read() for name in opened.manifest.media}
    assert found == {
        "images/old.webp": b"old",
        "images/being-written.webp": b"half and half",
        "images/new.webp": b"new",
    }


def test_uploads_may_be_kept_anywhere(folder: Path, settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    default_storage.save("images/2026/a.webp", ContentFile(b"a picture"))
    file = take.backup(folder, say=quietly)
    default_storage.delete("images/2026/a.webp")
    with archive.read(file) as opened:
        assert media.differing(opened) == (["images/2026/a.webp"], [])
        media.put(opened, "images/2026/a.webp")
        assert media.differing(opened) == ([], [])
    default_storage.delete("images/2026/a.webp")
    default_storage.save("images/2026/a.webp", ContentFile(b"another"))
    with archive.read(file) as opened:
        assert media.differing(opened) == ([], ["images/2026/a.webp"])


@pytest.fixture
def taken(folder: Path) -> Path:
    factories.warehouse()
    upload("images/a.webp", b"a picture")
    return take.backup(folder, say=quietly)


def test_an_archive_is_private_and_tells_what_it_holds(taken: Path) -> None:
    assert taken.stat().st_mode & 0o777 == 0o600
    assert taken.parent.stat().st_mode & 0o777 == 0o700
    with archive.read(taken) as opened:
        opened.verify()
        manifest = opened.manifest
    assert manifest.rows["stock_warehouse"] == 1 and manifest.rows["order_order"] == 0
    assert "hub.0001_initial" in manifest.migrations
    assert set(manifest.media) == {"images/a.webp"}
    assert [path.name for path in taken.parent.iterdir()] == [taken.name], "no draft is left"


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def without_manifest(file: Path) -> None:
    rebuilt(file, lambda name: name != archive.MANIFEST)


def with_another_picture(file: Path) -> None:
    rebuilt(file, lambda name: not name.startswith(archive.MEDIA), {"media/images/a.webp": b"another"})


def no_archive(file: Path) -> None:
    file.write_bytes(b"PGDMP" * 100)


def rebuilt(file: Path, keeps: Any, more: dict[str, bytes] | None = None) -> None:
    with zipfile.ZipFile(file) as old:
        kept = {name: old.read(name) for name in old.namelist() if keeps(name)}
    with zipfile.ZipFile(file, "w") as new:
        for name, content in {**kept, **(more or {})}.items():
            new.writestr(name, content)


def test_a_damaged_archive_is_refused_before_anything_is_touched(taken: Path) -> None:
    whole = taken.read_bytes()
    default_storage.delete("images/a.webp")
    for damage in (cut_short, flip_a_byte, without_manifest, with_another_picture, no_archive):
        taken.write_bytes(whole)
        damage(taken)
        with pytest.raises(archive.Damaged):
            restore.restore(taken, replace=True, say=quietly)
    assert ask(database_url(), "SELECT count(*) FROM stock_warehouse") == 1
    assert not default_storage.exists("images/a.webp")


def test_a_database_that_holds_or_serves_something_is_left_alone(taken: Path) -> None:
    with pytest.raises(restore.Refused, match="is not empty"):
        restore.restore(taken, say=quietly)
    # PostgreSQL may still be ending the one that counted rows a moment ago.
    with psycopg.connect(database_url()), pytest.raises(restore.Refused, match=r"\d other connections"):
        restore.restore(taken, replace=True, say=quietly)


def changed(file: Path, **values: Any) -> None:
    """The same archive under another manifest, whole by its own account."""
    with archive.read(file) as opened:
        manifest = dataclasses.replace(opened.manifest, **values)
    with zipfile.ZipFile(file) as old:
        kept = {name: old.read(name) for name in old.namelist() if name != archive.MANIFEST}
    file.unlink()
    with archive.create(file) as writer:
        for name, content in kept.items():
            writer.add(name, [content])
        writer.close_with(manifest)


def test_a_backup_of_a_newer_weft_is_refused(taken: Path) -> None:
    changed(taken, migrations=["hub.0001_initial", "hub.9999_of_tomorrow"])
    with pytest.raises(restore.Refused, match=r"newer Weft.*hub\.9999_of_tomorrow"):
        restore.restore(taken, replace=True, say=quietly)


def test_one_of_an_older_weft_says_that_migrations_follow(taken: Path, copy: str, tmp_path: Path) -> None:
    with archive.read(taken) as opened:
        older = [name for name in opened.manifest.migrations if not name.startswith("thumbnail.")]
    changed(taken, migrations=older)
    done = manage(copy, tmp_path / "copy", "restore", str(taken), "--paused")
    assert done.returncode == 0, done.stderr
    assert "1 migrations are newer than the backup" in done.stdout


def test_what_fails_half_way_leaves_everything_as_it_was(taken: Path, copy: str, tmp_path: Path) -> None:
    """One row too few is found at the very end: tables, rows and files are gone again."""
    media_folder = tmp_path / "copy"
    with archive.read(taken) as opened:
        counted = dict(opened.manifest.rows)
    changed(taken, rows={**counted, "stock_warehouse": 2})
    done = manage(copy, media_folder, "restore", str(taken))
    assert done.returncode == 1
    assert "is as it was" in done.stderr and "stock_warehouse has not the rows it had" in done.stderr
    assert ask(copy, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0
    assert [path for path in media_folder.rglob("*") if path.is_file()] == []


def test_paused_means_that_no_account_sends(copy: str, folder: Path, tmp_path: Path) -> None:
    factories.account(name="open")
    factories.account(name="gone", state="retired")
    done = manage(copy, tmp_path / "copy", "restore", str(take.backup(folder, say=quietly)), "--paused")
    assert done.returncode == 0, done.stderr
    assert ask(copy, "SELECT string_agg(name || ' ' || state, ', ' ORDER BY name) FROM hub_account") == (
        "gone retired, open paused"
    )


def test_names_that_lead_out_of_the_storage_are_refused(folder: Path, taken: Path) -> None:
    with zipfile.ZipFile(taken) as old:
        kept = {name: old.read(name) for name in old.namelist() if name != archive.MANIFEST}
    with archive.read(taken) as opened:
        manifest = opened.manifest
    evil = folder / "evil.zip"
    with archive.create(evil) as writer:
        for name, content in {**kept, "media/../../outside.txt": b"x"}.items():
            writer.add(name, [content])
        writer.close_with(dataclasses.replace(manifest, parts=writer.parts))
    with archive.read(evil) as opened, pytest.raises(Exception, match="path traversal|Detected path"):
        media.differing(opened)


def test_old_archives_are_removed_and_nothing_else(folder: Path) -> None:
    folder.mkdir()
    for day in range(1, 6):
        (folder / take.name_of(datetime(2026, 11, day, tzinfo=UTC))).touch()
    (folder / "weft-precious.zip").touch()
    assert len(take.prune(folder, 2)) == 3
    assert sorted(path.name for path in folder.iterdir()) == [
        "weft-20261104T000000Z.zip",
        "weft-20261105T000000Z.zip",
        "weft-precious.zip",
    ]


def test_what_is_missing_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(pgprograms.NoProgram, match=r"(?s)pg_dump of PostgreSQL 99 .*install -y postgresql-client-99"):
        pgprograms.find("pg_dump", 99)
    assert pgprograms.major(pgprograms.find("pg_dump", 18)) >= 18


def test_a_password_reaches_the_programs_by_a_file_only() -> None:
    parameters = {"host": "db", "port": 5432, "user": "weft", "dbname": "weft", "password": "pa:ss\\word"}
    with pgprograms.environment({**parameters, "sslmode": "verify-full", "application_name": "weft"}) as env:
        passfile = Path(env["PGPASSFILE"])
        assert passfile.read_text() == "*:*:*:*:pa\\:ss\\\\word\n"
        assert passfile.stat().st_mode & 0o777 == 0o600
        assert "pa:ss" not in "".join(env.values()) and "SECRET_KEY_FILE" not in env
        assert {name: env[name] for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSSLMODE")} == {
            "PGHOST": "db",
            "PGPORT": "5432",
            "PGUSER": "weft",
            "PGDATABASE": "weft",
            "PGSSLMODE": "verify-full",
        }
    assert not passfile.exists()
