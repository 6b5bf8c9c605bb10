"""The archive: a zip, 0600, with `database.dump`, `media/...` and, written last, `manifest.json`.

What was cut short has no table of contents and no manifest, so it is no archive at all; what was changed does not
have the manifest's digests. It never holds the key ring or SECRET_KEY.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

FORMAT = 1
DATABASE = "database.dump"
MEDIA = "media/"
MANIFEST = "manifest.json"
CHUNK = 1 << 20


class Damaged(Exception):
    """This file is no archive of ours, or no longer the one that was written; the text says how that is seen."""


@dataclass(frozen=True, slots=True)
class Part:
    """A member of the archive: its size in bytes and the SHA-256 of its content, in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the archive holds. `migrations` are "app.name"; `rows` the number of rows of each table of the dump."""

    taken_at: str
    weft: str
    server: int
    migrations: list[str]
    rows: dict[str, int]
    parts: dict[str, Part] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def media(self) -> dict[str, Part]:
        """The uploaded files, by their name in the storage."""
        return {name.removeprefix(MEDIA): part for name, part in self.parts.items() if name.startswith(MEDIA)}


class Writer:
    """Fills an archive, part by part."""

    def __init__(self, zipped: zipfile.ZipFile) -> None:
        self._zipped = zipped
        self.parts: dict[str, Part] = {}

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """One part, as it comes."""
        digest, size = hashlib.sha256(), 0
        with self._zipped.open(name, "w", force_zip64=True) as member:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                member.write(chunk)
        self.parts[name] = Part(size, digest.hexdigest())

    def close_with(self, manifest: Manifest) -> None:
        """The manifest, last."""
        self._zipped.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1, ensure_ascii=False))


@contextmanager
def create(file: Path) -> Iterator[Writer]:
    """A new archive; the file has its name only when everything is in it and on the disk."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as zipped:  # dump and pictures are compressed already
                yield Writer(zipped)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


class Archive:
    """An archive to read."""

    def __init__(self, zipped: zipfile.ZipFile) -> None:
        self._zipped = zipped
        self.manifest = _manifest(zipped)

    def open(self, name: str) -> IO[bytes]:
        """One part."""
        return self._zipped.open(name)

    def media(self, name: str) -> IO[bytes]:
        """One uploaded file."""
        return self.open(MEDIA + name)

    def verify(self) -> None:
        """Read all of it; raises Damaged when a part is not what the manifest says."""
        for name, part in self.manifest.parts.items():
            if self._digest(name) != part:
                raise Damaged(f"{name} is not what was written.")

    def _digest(self, name: str) -> Part | None:
        try:
            with self.open(name) as stream:
                digest = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type]
            return Part(self._zipped.getinfo(name).file_size, digest.hexdigest())
        except (KeyError, OSError, zipfile.BadZipFile):
            return None


@contextmanager
def read(file: Path) -> Iterator[Archive]:
    """An archive, its manifest read. Raises Damaged, or OSError when the file cannot be opened."""
    try:
        with zipfile.ZipFile(file) as zipped:
            yield Archive(zipped)
    except zipfile.BadZipFile as error:
        raise Damaged(f"It is no archive, or only a piece of one ({error}).") from None


def _manifest(zipped: zipfile.ZipFile) -> Manifest:
    try:
        known: dict[str, Any] = json.loads(zipped.read(MANIFEST))
        if known["format"] != FORMAT:
            raise Damaged(f"Its format is {known['format']}; this Weft reads format {FORMAT}.")
        parts = {name: Part(**part) for name, part in known.pop("parts").items()}
        return Manifest(**known, parts=parts)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(f"Its manifest is missing or not ours ({error}).") from None


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """A file's content, piece by piece."""
    return iter(lambda: stream.read(CHUNK), b"")
