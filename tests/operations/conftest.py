from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.host import Host
from tests.operations.mailbox import Mailbox


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as running:
        yield running


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Set up by the documentation's steps 1 to 4; nothing runs on it yet but its database."""
    made = Host(Path(tmp_path_factory.mktemp("host")))
    try:
        made.set_up()
        yield made
    finally:
        made.stop()
