"""A shop where browsers pay: web server, workers and practice gateways as processes, and people at their browsers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser, BrowserContext
from psycopg import sql

from audit import site as sites
from audit.person import CHINESE, DESKTOP, PHONE, Person
from audit.site import PROJECT, Site
from runtime.processes import Child, Command
from tests.conftest import admin, template
from tests.databases import database_url
from tests.sandbox.payments.conftest import Gateways

PATIENCE_MS = 20_000
AGENTS = {
    "phone": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
    "wechat": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.50",
    "alipay": "Mozilla/5.0 (Linux; U; Android 14) UCBrowser/15 AliApp(AP/10.6) AlipayClient/10.6 Language/zh-Hans",
}


@dataclass
class Paying:
    """What a test needs of it: the shop's address, the gateways, its database, browsers."""

    url: str
    gateways: Gateways
    database: str
    browser: Browser
    folder: Path
    opened: list[BrowserContext] = field(default_factory=list)

    def visit(self, language: str = CHINESE, where: str = "desktop", *, scripts: bool = True) -> Person:
        """Somebody at a desktop or phone, or inside an app of the phone (`AGENTS`), without cookies yet."""
        more: dict[str, Any] = {"user_agent": AGENTS[where]} if where in AGENTS else {}
        context = self.browser.new_context(
            base_url=self.url, locale=language, viewport=DESKTOP if where == "desktop" else PHONE,  # type: ignore[arg-type]
            has_touch=where != "desktop", java_script_enabled=scripts, reduced_motion="reduce", **more,
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        self.opened.append(context)
        return Person.at(context, language)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the shop's database; nothing where the statement gives none."""
        with psycopg.connect(database_url(self.database), autocommit=True) as connection:
            cursor = connection.execute(query, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def logged(self) -> str:
        """All that the shop's processes said so far."""
        return "\n".join(log.read_text() for log in sorted(self.folder.rglob("*.log")))

    def leave(self) -> None:
        """All browsers are closed."""
        while self.opened:
            self.opened.pop().close()


@contextmanager
def paying(folder: Path, name: str, browser: Browser) -> Iterator[Paying]:
    """All of it, on a database of that name, ended with the block."""
    gateways = Gateways(folder / "keys")
    mine = sql.Identifier(name)
    try:
        with admin() as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(mine))
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(mine, sql.Identifier(template(server))))
            env = sites.environment(folder, {**os.environ, "DATABASE_URL": database_url(name)})
            env |= {"WEFT_PRIVATE_HOSTS": f"127.0.0.1:{gateways.port}", "DJANGO_SETTINGS_MODULE": "shop.settings"}
            sites.run(env, "-m", "tests.payments.fill", str(folder / "keys"))
            with Site(folder, env) as site:
                workers = _workers(folder, {**env, "WEFT_SHOP_URL": site.url})
                try:
                    yield Paying(site.url, gateways, name, browser, folder)
                finally:
                    workers.stop()
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(mine))
    finally:
        gateways.stop()


def _workers(folder: Path, env: dict[str, str]) -> Child:
    argv = [sys.executable, "manage.py", "supervise"]
    return Child(Command(name="workers", argv=argv, log=folder / "workers.log", env=env, cwd=PROJECT, grace=10.0))
