"""A real shop (gunicorn, its own database) and a real browser (the system's Chromium), one of each for this folder.

Both end with it: while Playwright runs, its event loop keeps Django from using the database in this process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext
from psycopg import sql

from audit import site as sites
from audit.person import DESKTOP, ENGLISH, LANGUAGES, PHONE, Person
from audit.site import Site
from tests.chromium import chromium
from tests.conftest import admin, template
from tests.databases import database_url

PATIENCE_MS = 15_000
Visit = Callable[..., Person]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On one worker, so that there is one shop and one browser."""
    for item in items:
        if item.path.parent == item.config.rootpath / "tests" / "browser":
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def site(django_db_setup: None, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    name = f"test_browser_{worker_id}"
    mine = sql.Identifier(name)
    with admin() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(mine))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(mine, sql.Identifier(template(server))))
        env = sites.environment(folder, {**os.environ, "DATABASE_URL": database_url(name)})
        sites.run({**env, "DJANGO_SETTINGS_MODULE": "shop.settings"}, "-m", "tests.browser.fill")
        with Site(folder, env) as site:
            yield site
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(mine))


@pytest.fixture(scope="package")
def browser(site: Site) -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    """`visit(language, phone=True, scripts=False)`: somebody with a browser of their own, without cookies yet."""
    opened: list[BrowserContext] = []

    def visit(language: str = ENGLISH, *, phone: bool = False, scripts: bool = True) -> Person:
        context = browser.new_context(
            base_url=site.url,
            locale=language,
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
            has_touch=phone,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return Person.at(context, language)

    yield visit
    for context in opened:
        context.close()


@pytest.fixture(params=LANGUAGES)
def language(request: Any) -> str:
    return request.param
