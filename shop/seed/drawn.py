"""Drawing the catalogue's pictures on several cores at once. Imported by the drawing processes: no models here."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from shop.catalogue.pictures import Prepared, prepare
from shop.seed.pictures import draw

PROCESSES = 2
PIXELS = 800  # the largest size a page shows


def draw_one(spec: Mapping[str, Any]) -> Prepared:
    return prepare(draw(spec, PIXELS))


def draw_all(specs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Prepared]]:
    """(key, picture) for each spec, as they get ready. Fresh processes, so that no database connection is shared."""
    if not specs:
        return
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        keys = {pool.submit(draw_one, spec): key for key, spec in specs.items()}
        for done in as_completed(keys):
            yield keys[done], done.result()
