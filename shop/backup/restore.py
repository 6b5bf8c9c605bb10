"""The way back: everything or nothing. The archive is read to its end and judged before anything is touched."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from django.db import connection

from runtime import pgprograms
from shop.backup import archive, media, rows
from shop.backup.archive import Archive
from shop.backup.take import parameters


class Refused(Exception):
    """Nothing was changed; the text says why, and what to do."""


# Whatever is ours in the schema; what an extension brought stays.
EMPTIED = """
DO $empty$ DECLARE it record; BEGIN
    FOR it IN SELECT format('DROP %s IF EXISTS %s CASCADE',
            CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                           WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass) AS command
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            AND NOT c.relispartition
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'a', 'i'))
        ORDER BY c.relkind = 'S'
    LOOP EXECUTE it.command; END LOOP;
    FOR it IN SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure) AS command
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE it.command; END LOOP;
    FOR it IN SELECT format('DROP TYPE IF EXISTS %s CASCADE', t.oid::regtype) AS command
        FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    LOOP EXECUTE it.command; END LOOP;
END $empty$;
"""
PAUSED = "UPDATE public.hub_account SET state = 'paused' WHERE state IN ('starting', 'active');\n"
# Newer pg_restore says this to every server, older servers do not know it.
UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"


def restore(
    file: Path, *, replace: bool = False, paused: bool = False, say: Callable[[str], None] = print
) -> list[str]:
    """Bring database and uploaded files to what the archive holds; returns the migrations it lacks of this code's.

    `replace`: what is there goes, in the same transaction. `paused`: nothing is sent to anybody until an account is
    resumed. Raises Refused, archive.Damaged or pgprograms.NoProgram; then everything is as it was.
    """
    with archive.read(file) as opened:
        say(f"checking {file}: taken {opened.manifest.taken_at}, {len(opened.manifest.media)} uploaded files")
        opened.verify()
        lacking = _judge(opened)
        _look_at_the_database(replace)
        missing, changed = media.differing(opened)
        if changed and not replace:
            raise Refused(
                f"{len(changed)} uploaded files are there with another content ({changed[0]} ...). Restore into an "
                "empty WEFT_MEDIA_ROOT, or say --replace."
            )
        with _added(opened, missing):
            say("restoring the database, in one transaction")
            _load(opened, replace, paused)
        for name in changed:
            media.remove(name)
            media.put(opened, name)
    return lacking


def _judge(opened: Archive) -> list[str]:
    known, has = rows.known_migrations(), set(opened.manifest.migrations)
    if newer := sorted(has - known):
        raise Refused(
            f"The backup is of a newer Weft: this code does not know {', '.join(newer[:5])}. Restore with the code "
            "that took it."
        )
    return sorted(known - has)


def _look_at_the_database(replace: bool) -> None:
    found = rows.tables()
    if found and not replace:
        raise Refused(
            f"The database {connection.settings_dict['NAME']} is not empty ({len(found)} tables). Restore into a new "
            "one (createdb), or say --replace: then everything in it is replaced."
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        others = cursor.fetchone()[0]
    connection.close()  # its locks and its cached plans are of what goes
    if found and others:
        raise Refused(f"{others} other connections use this database. Stop web and workers first.")


@contextmanager
def _added(opened: Archive, names: Iterable[str]) -> Iterator[None]:
    """The files that lacked; gone again when the rest fails."""
    put: list[str] = []
    try:
        for name in names:
            media.put(opened, name)
            put.append(name)
        yield
    except BaseException:
        for name in put:
            media.remove(name)
        raise


def _load(opened: Archive, replace: bool, paused: bool) -> None:
    """One transaction: empty, fill, count, commit. Whatever fails, no COMMIT is ever said."""
    with connection.cursor() as cursor:
        server = int(cursor.connection.info.server_version) // 10000
    connection.close()
    reader, writer = pgprograms.find("pg_restore", opened.manifest.server), pgprograms.find("psql", server)
    head = ["BEGIN;\n", EMPTIED if replace else ""]
    foot = [*rows.assertion(opened.manifest.rows), PAUSED if paused else "", "COMMIT;\n"]
    with pgprograms.environment(parameters()) as env, tempfile.TemporaryFile() as said:
        psql = _psql(writer, env, said)
        with closing(_script(reader, opened, server)) as script:
            _write(psql, [("".join(head)).encode()], script, ["".join(foot).encode()])
        if psql.returncode:
            said.seek(0)
            raise Refused(f"The database did not take it, and is as it was: {said.read().decode(errors='replace')}")


def _psql(program: Path, env: dict[str, str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    argv = [str(program), "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-"]
    return subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)


def _write(psql: subprocess.Popen[bytes], *scripts: Iterable[bytes]) -> None:
    """Say all this to psql, and wait for its end."""
    assert psql.stdin is not None
    try:
        for chunk in chain.from_iterable(scripts):
            psql.stdin.write(chunk)
        psql.stdin.close()
    except BrokenPipeError:
        return  # it ended early, and says why
    except BaseException:
        psql.kill()
        raise
    finally:
        psql.wait()


def _script(program: Path, opened: Archive, server: int) -> Iterator[bytes]:
    """The dump as SQL. Raises Damaged when pg_restore cannot read it."""
    argv = [str(program), "--no-owner", "--no-privileges", "--file=-"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
        assert process.stdin is not None and process.stdout is not None
        feeder = threading.Thread(target=_feed, args=(opened, process.stdin), daemon=True)
        feeder.start()
        try:
            first = process.stdout.read(archive.CHUNK)
            yield first.replace(UNKNOWN_BEFORE_17, b"", 1) if server < 17 else first
            yield from archive.chunks_of(process.stdout)
        finally:
            process.stdout.close()  # one that still writes ends by it
            feeder.join()
            process.wait()
        if process.returncode:
            said.seek(0)
            raise archive.Damaged(f"pg_restore cannot read the dump: {said.read().decode(errors='replace').strip()}")


def _feed(opened: Archive, pipe: IO[bytes]) -> None:
    try:
        with pipe, opened.open(archive.DATABASE) as dump:
            for chunk in archive.chunks_of(dump):
                pipe.write(chunk)
    except BrokenPipeError:
        return  # pg_restore ended early, and says why
