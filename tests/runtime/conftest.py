"""Fixtures for the tests of `runtime/`: real servers, real processes, folders and ports of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.cluster import Places, project_places

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def private_project() -> Iterator[Path]:
    """A project folder that others may not enter, with a space in its name."""
    with tempfile.TemporaryDirectory(prefix="weft test ") as folder:
        project = Path(folder) / "my shop"
        project.mkdir(mode=0o700)
        yield project


@pytest.fixture
def places(private_project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """Where a lasting cluster of that project lies; as root its area stands outside the private folder."""
    with tempfile.TemporaryDirectory(prefix="weft-data-") as root:
        os.chmod(root, 0o755)  # as /var/lib is
        monkeypatch.setenv("WEFT_DATA_ROOT", root)
        yield project_places(private_project)
