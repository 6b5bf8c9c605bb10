from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from erp.local.tryton_server import TrytonServer
from tests.faults.ground import Ground
from tests.faults.journal import Journals
from tests.faults.site import Site


@dataclass
class Stage:
    """The site of all runs, and what its clients were told; after a failure the next run gets a new one."""

    ground: Ground
    folder: Path
    site: Site | None = None
    journals: Journals | None = None
    sites: int = 0

    def open(self) -> Site:
        if self.site is None:
            self.sites += 1
            self.site = Site(self.ground, self.folder / f"site-{self.sites}", f"site_{self.sites}")
        return self.site

    def next_journals(self, seed: int) -> Journals:
        self.journals = Journals(self.open().folder / f"journals-of-seed-{seed}", self.journals)
        return self.journals

    def close(self) -> None:
        if self.site is not None:
            self.site.stop()
        self.site = self.journals = None


@pytest.fixture(scope="module")
def stage(tryton: TrytonServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """PostgreSQL, Tryton and a shop, for all seeds."""
    folder = tmp_path_factory.mktemp("fire")
    ground = Ground(folder, tryton)
    stage = Stage(ground, folder)
    try:
        yield stage
    finally:
        stage.close()
        ground.stop()
