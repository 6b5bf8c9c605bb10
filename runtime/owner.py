"""The unprivileged user that runs PostgreSQL when we are root (PostgreSQL refuses to run as root)."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from runtime.processes import Owner

NAME = "weft-postgres"
FALLBACK = "nobody"
BARE_ENV = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"}


class NoOwner(Exception):
    """Root, but no user to hand PostgreSQL to."""


def server_owner() -> Owner | None:
    """None for an ordinary user, who runs the server himself; for root a system user of its own."""
    if os.geteuid() != 0:
        return None
    found = _find(NAME) or _create() or _find(FALLBACK)
    if found is None:
        raise NoOwner(f"PostgreSQL does not run as root. Create a user for it: useradd --system {NAME}")
    return found


def _find(name: str) -> Owner | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    if entry.pw_uid == 0:
        return None
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create() -> Owner | None:
    """Create the user; None where the system has no useradd or does not let us."""
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    argv = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    argv += ["--shell", "/usr/sbin/nologin", "--comment", "Weft embedded PostgreSQL", NAME]
    subprocess.run(argv, env=BARE_ENV, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return _find(NAME)  # also there when another run created it in the same moment


def _tried(argv: list[str], owner: Owner | None) -> bool:
    """Whether a small command succeeds for the owner. Asked by trying: mode bits do not tell all."""
    try:
        done = subprocess.run(
            argv,
            user=None if owner is None else owner.uid,
            group=None if owner is None else owner.gid,
            extra_groups=None if owner is None else [],
            env=BARE_ENV,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def can_run(program: Path, owner: Owner | None) -> bool:
    """Whether the owner can start this program, its libraries included."""
    return _tried([str(program), "--version"], owner)


def can_read(file: Path, owner: Owner | None) -> bool:
    """Whether the owner can read this file."""
    return _tried(["/bin/sh", "-c", 'test -r "$1"', "sh", str(file)], owner)


def can_enter(folder: Path, owner: Owner | None) -> bool:
    """Whether the owner can pass through this folder."""
    return _tried(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)], owner)
