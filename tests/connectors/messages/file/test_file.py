"""Mail into a folder: no transport at all."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from integrations.hub.errors import Misconfigured
from integrations.messages.base import Letter
from integrations.messages.providers.file import FileMessages
from tests.connectors.contract import Contract

LETTER = Letter("W1:placed@shop.example", "buyer@example.com", "shop@shop.example", "订单", "文字", "<p>文字</p>")


class TestFile(Contract):
    connector = FileMessages
    settings = {"folder": "/nowhere"}
    transport = "files"

    def at(self, folder: Path) -> FileMessages:
        return FileMessages({"folder": str(folder)}, None, lambda: datetime(2026, 11, 22, tzinfo=UTC))  # type: ignore[arg-type]

    def test_a_letter_is_a_file_and_once(self, tmp_path: Path) -> None:
        made = self.at(tmp_path / "mail")
        assert made.health().version == ""
        assert made.send(LETTER) == made.send(LETTER)
        (file,) = (tmp_path / "mail").iterdir()
        letter = message_from_bytes(file.read_bytes(), policy=default)
        assert (letter["Message-ID"], letter["To"], letter["Subject"]) == (
            "<W1.placed@shop.example>", "buyer@example.com", "订单",
        )  # fmt: skip

    def test_a_folder_that_cannot_be_made_is_a_setting_to_mend(self, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("")
        for call in (lambda made: made.health(), lambda made: made.send(LETTER)):
            with pytest.raises(Misconfigured, match="cannot be written"):
                call(self.at(tmp_path / "taken" / "mail"))
