"""Whether the database and the static files were prepared by exactly this code: then a start skips those steps."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

SKIPPED = frozenset({"var", "tests", "docs", "node_modules", "__pycache__"})


def sources(project: Path) -> str:
    """A fingerprint of all project files (path, size, time of change), hidden folders and `var` left out."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(project):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(files):
            if name.startswith("."):
                continue
            path = os.path.join(folder, name)
            try:
                known = os.stat(path)
            except FileNotFoundError:  # an editor's temporary file, or a dangling link
                continue
            digest.update(os.fsencode(os.path.relpath(path, project)))
            digest.update(f"\0{known.st_size}\0{known.st_mtime_ns}\0".encode("ascii"))
    return digest.hexdigest()


def is_prepared(var: Path, fingerprint: str, database: str) -> bool:
    """Whether the last complete preparation had the same sources and the same database."""
    try:
        known = json.loads((var / "prepared.json").read_text(encoding="utf-8"))
        return bool(known == {"sources": fingerprint, "database": database})
    except (OSError, ValueError):
        return False


def note_prepared(var: Path, fingerprint: str, database: str) -> None:
    """Remember a complete preparation."""
    fresh = var / "prepared.json.new"
    fresh.write_text(json.dumps({"sources": fingerprint, "database": database}) + "\n", encoding="utf-8")
    fresh.replace(var / "prepared.json")
