"""Mail into a folder, for the demo and for tests: one `.eml` file a letter."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integrations.hub.connector import Field
from integrations.hub.errors import Misconfigured
from integrations.hub.values import Done, Health, Ref
from integrations.messages.base import Letter, Messages
from integrations.messages.mime import message


class FileMessages(Messages):
    """Writes each letter whole or not at all; the same letter again is the same file."""

    name = "file"
    label = "Folder of .eml files"
    checks = "makes the folder, if it is missing"
    fields = (Field("folder", "Folder"),)

    def health(self) -> Health:
        with self._writing() as folder:
            folder.mkdir(parents=True, exist_ok=True)
        return Health()

    def send(self, letter: Letter) -> Done:
        name = f"{hashlib.sha256(letter.message_id.encode()).hexdigest()[:24]}.eml"
        with self._writing() as folder:
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f".{name}.{os.getpid()}"
            draft.write_bytes(bytes(message(letter, self.now())))
            draft.replace(folder / name)
        return Done(refs=(Ref(name),))

    @contextmanager
    def _writing(self) -> Iterator[Path]:
        folder = Path(self.settings["folder"])
        try:
            yield folder
        except OSError as error:
            raise Misconfigured(f"{folder} cannot be written: {error.strerror}.") from None
