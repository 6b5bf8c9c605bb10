"""Files: secrets that only we may read, collected static files, uploads, room on the disk."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.utils.translation import gettext as _

from integrations.hub.doctor import Finding, ok, todo

LEAST_FREE = 1 << 30  # bytes
LEAST_SHARE = 0.05
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def _secret_files() -> Iterator[Path]:
    for name in ("SECRET_KEY_FILE", "WEFT_KEY_RING_FILE", "DATABASE_URL_FILE"):
        if file := os.environ.get(name):
            yield Path(file)
    if file := connection.settings_dict["OPTIONS"].get("passfile"):
        yield Path(file)


def secrets() -> Iterator[Finding]:
    """Who else may read them? A mounted secret of a container (/run/secrets) is its runtime's business."""
    files = [file for file in _secret_files() if not file.is_relative_to("/run/secrets")]
    for file in files:
        if not file.exists():
            yield todo(
                _("%(file)s is named in the settings and is not there.") % {"file": file},
                _("What has started still runs; the next start fails."),
                _("Put it back from your copy; docs/operations.md says how a new one is made."),
            )
    open_ones = [file for file in files if file.exists() and file.stat().st_mode & OTHERS]
    dotenv = settings.BASE_DIR / ".env"
    if dotenv.exists() and dotenv.stat().st_mode & stat.S_IRWXO and _tells_secrets(dotenv):
        open_ones.append(dotenv)
    for file in open_ones:
        yield todo(
            _("%(file)s can be read by other users of this host.") % {"file": file},
            _("It opens sessions, credentials or the database."),
            f"chmod 600 {file}",
        )
    if not open_ones:
        yield ok(_("%(count)s files with secrets, closed to others.") % {"count": len(files)})


def _tells_secrets(dotenv: Path) -> bool:
    """Does a line of `.env` hold a secret itself, not the name of a file?"""
    names = ("SECRET_KEY=", "WEFT_KEY_RING=", "DATABASE_URL=")
    lines = [line for line in dotenv.read_text(encoding="utf-8").splitlines() if line.startswith(names)]
    return any(not line.startswith("DATABASE_URL=") or _has_password(line) for line in lines)


def _has_password(url: str) -> bool:
    return ":" in url.partition("://")[2].rpartition("@")[0]


def static() -> Iterator[Finding]:
    """Are the files of pages there, all of them?"""
    known = getattr(staticfiles_storage, "hashed_files", None)
    if known is None:
        yield ok(_("Static files are not collected in this mode."))
        return
    wanted = {path for finder in get_finders() for path, _storage in finder.list([])}
    lacking = sorted(wanted - set(known))
    gone = [name for name in known.values() if not staticfiles_storage.exists(name)]
    if lacking or gone:
        yield todo(
            _("%(count)s static files are not collected, such as %(name)s.")
            % {"count": len(lacking) + len(gone), "name": [*lacking, *gone][0]},
            _("Pages fail, or come without their looks."),
            "manage.py collectstatic --noinput",
        )
    else:
        yield ok(_("%(count)s static files are collected.") % {"count": len(known)})


def uploads() -> Iterator[Finding]:
    """Can a picture be stored?"""
    if not isinstance(default_storage, FileSystemStorage):
        yield ok(_("Uploads go to %(storage)s.") % {"storage": default_storage.__class__.__name__})
        return
    folder = Path(default_storage.location)
    there = next(path for path in (folder, *folder.parents) if _is_there(path))
    if not os.access(there, os.W_OK | os.X_OK):
        yield todo(
            _("The folder of uploads cannot be written by user %(uid)s: %(folder)s")
            % {"folder": folder, "uid": os.geteuid()},
            _("Pictures of products cannot be uploaded."),
            f"install -d -o {os.geteuid()} -m 750 {folder} && chown -R {os.geteuid()} {folder}",
        )
    else:
        yield ok(_("Uploads go to %(storage)s.") % {"storage": folder})


def _is_there(path: Path) -> bool:
    """Also what we may not look at is there."""
    try:
        return path.exists()
    except PermissionError:
        return True


def disk() -> Iterator[Finding]:
    """Room where Weft writes. How full the database's own disk is, only its host knows."""
    places = {os.stat(path).st_dev: path for path in _written() if path.exists()}
    full = []
    for path in places.values():
        usage = shutil.disk_usage(path)
        if usage.free < min(LEAST_FREE, usage.total // 2) or usage.free < usage.total * LEAST_SHARE:
            full.append(path)
            yield todo(
                _("Only %(free)s MiB are free at %(path)s.") % {"free": usage.free >> 20, "path": path},
                _("When a disk is full, uploads and backups fail; if the database is on it, the shop stands still."),
                f"du -xh {path} | sort -h | tail",
            )
    if not full:
        yield ok(_("There is room on %(count)s disks.") % {"count": len(places)})


def _written() -> list[Path]:
    return [Path(settings.MEDIA_ROOT), settings.BASE_DIR / "backups", settings.BASE_DIR]
