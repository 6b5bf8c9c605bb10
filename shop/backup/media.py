"""Uploaded files, wherever the default storage keeps them: a folder, or an object store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.utils import validate_file_name
from django.utils import timezone

from shop.backup.archive import Archive, Part, Writer, chunks_of

YOUNG = timedelta(seconds=10)


class InTheWay(Exception):
    """Another file of that name is there already."""


def names(folder: str = "") -> Iterator[str]:
    """All files of the storage."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return  # nothing was ever uploaded
    prefix = f"{folder}/" if folder else ""
    yield from (prefix + file for file in sorted(files))
    for inner in sorted(folders):
        yield from names(prefix + inner)


def add_settled(writer: Writer) -> None:
    """Put all files into the archive but the youngest, which may still be being written."""
    before = timezone.now() - YOUNG
    for name in names():
        try:
            if default_storage.get_modified_time(name) < before:
                _add(writer, name)
        except FileNotFoundError:
            continue  # removed meanwhile


def add_others(writer: Writer) -> None:
    """Put those into it that it does not have yet."""
    for name in names():
        if f"media/{name}" not in writer.parts:
            try:
                _add(writer, name)
            except FileNotFoundError:
                continue  # removed meanwhile


def _add(writer: Writer, name: str) -> None:
    with default_storage.open(name) as file:
        writer.add(f"media/{name}", file.chunks())


def differing(archive: Archive) -> tuple[list[str], list[str]]:
    """The archive's files that the storage lacks, and those of which it has another content."""
    missing, changed = [], []
    for name, part in archive.manifest.media.items():
        validate_file_name(name, allow_relative_path=True)
        if not default_storage.exists(name):
            missing.append(name)
        elif _part(name) != part:
            changed.append(name)
    return missing, changed


def _part(name: str) -> Part:
    with default_storage.open(name) as file:
        return Part(file.size, _digest(file))


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks_of(file):
        digest.update(chunk)
    return digest.hexdigest()


def put(archive: Archive, name: str) -> None:
    """Save one file of the archive under its own name. Raises InTheWay."""
    with archive.media(name) as stream:
        saved = default_storage.save(name, File(stream))
    if saved != name:
        default_storage.delete(saved)
        raise InTheWay(name)


def remove(name: str) -> None:
    default_storage.delete(name)
