"""The system's Chromium for tests: where there is none they are skipped, but not in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from runtime import chromium as system


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, closed behind us."""
    path = system.find()
    if path is None:
        missing = f"no Chromium here; install one: {system.how_to_install()}"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=system.FLAGS)
        yield browser
        browser.close()
