"""Generated secrets of the local Tryton: one file each, readable by its owner only, made once."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path


def read_or_create(path: Path) -> str:
    """The secret in this file; a new one when there is no file yet. Safe against a second process doing the same."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # 0600 by definition
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(32))
            with contextlib.suppress(FileExistsError):  # a link is made whole or not at all, and never over a file
                os.link(draft, path)
        finally:
            os.unlink(draft)
    return path.read_text(encoding="ascii").strip()


@dataclass(frozen=True, slots=True)
class Passwords:
    """What opens the local Tryton. `repr` is kept empty so that no traceback or log shows them."""

    admin: str
    weft: str
    weft_key: str
    clerk: str

    def __repr__(self) -> str:
        return "Passwords(...)"

    @classmethod
    def of(cls, folder: Path) -> Passwords:
        """The secrets kept in this folder, made when missing."""
        return cls(
            admin=read_or_create(admin_file(folder)),
            weft=read_or_create(folder / "tryton_weft_password"),
            weft_key=read_or_create(folder / "tryton_weft_key"),
            clerk=read_or_create(folder / "tryton_clerk_password"),
        )


def admin_file(folder: Path) -> Path:
    """The file `trytond-admin` reads the administrator's password from."""
    return folder / "tryton_admin_password"
