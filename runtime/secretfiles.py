"""Secrets as files: a 0700 folder, 0600 files, each made exactly once."""

from __future__ import annotations

import os
from pathlib import Path


def private_folder(folder: Path) -> Path:
    """Make a folder only its owner can enter; an existing one of ours is closed to others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def write_new(file: Path, content: str) -> None:
    """Create a 0600 file; FileExistsError when it is there already (a link included)."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)


def write_once(file: Path, content: str) -> bool:
    """Create a secret if there is none yet; True when it was created now."""
    if file.is_file() and file.stat().st_size == 0:
        file.unlink()  # a start was killed between creating and writing it
    try:
        write_new(file, content)
    except FileExistsError:
        return False
    return True
