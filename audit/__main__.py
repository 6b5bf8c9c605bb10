"""`make audit`: the demo's shop as it runs in production, by Lighthouse on a phone and by axe on every buyer's page.

Reports go to var/audit; it ends with 1 below the targets (see docs/audit.md).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from audit import axe, lighthouse, node, power, report, site, walk
from audit.lighthouse import Result
from audit.person import CHINESE, ENGLISH, PHONE, Person
from audit.report import Looked
from audit.site import PROJECT, Site
from runtime import chromium

FOLDER = PROJECT / "var" / "audit"
SHORT = {CHINESE: "zh", ENGLISH: "en"}
SEARCHED = {CHINESE: "亚麻", ENGLISH: "linen"}


@dataclass(frozen=True, slots=True)
class Target:
    """A page for Lighthouse, and what a browser has to send to see it so."""

    name: str
    path: str
    headers: dict[str, str]


def say(text: str) -> None:
    print(text, flush=True)


def look_with_axe(shop: Site, browser: Browser) -> Iterator[Looked]:
    """Every page a buyer meets, in both languages, on a phone."""
    for language, short in SHORT.items():
        context = browser.new_context(base_url=shop.url, locale=language, viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
        person = Person.at(context, language)
        for name in walk.pages(person, SEARCHED[language]):
            yield Looked(f"{name}, {short}", axe.findings(person.page))
        context.close()


def targets(shop: Site, browser: Browser) -> Iterator[Target]:
    """Home, a category, a product, and a basket with goods in it."""
    for language, short in SHORT.items():
        context = browser.new_context(base_url=shop.url, locale=language)
        person = Person.at(context, language)
        paths = {"home": "/"}
        person.open("/")
        person.open_category()
        paths["category"] = urlsplit(person.page.url).path
        person.open_first_product()
        paths["product"] = urlsplit(person.page.url).path
        person.put_into_basket()
        paths["basket"] = "/basket/"
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies())
        for name, path in paths.items():
            headers = {"Accept-Language": language} | ({"Cookie": cookies} if name == "basket" else {})
            yield Target(f"{name}, {short}", path, headers)
        context.close()


def look_with_lighthouse(program: Path, browser: Browser, shop: Site, target: Target, runs: int) -> Result:
    """Every run is kept: its number stands behind the page's name."""
    stem = target.name.replace(", ", "-")
    found = []
    for number in range(1, runs + 1):
        slowdown = power.slowdown(power.benchmark(program, browser))
        report_file = FOLDER / f"{stem}-{number}"
        found.append(lighthouse.look(program, shop.url + target.path, target.headers, report_file, slowdown))
    result = Result(target.name, found)
    say(f"  {target.name}: " + ", ".join(f"{category} {result.score(category)}" for category in report.SHOWN))
    for failed in sorted({title for run in found for title in run.failed}):
        say(f"    not accessible: {failed}")
    return result


def measure(program: Path, shop: Site, runs: int) -> int:
    """Everything; 0 when the targets are met."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        say("axe on every page of a buyer")
        looked = list(look_with_axe(shop, browser))
        chosen = list(targets(shop, browser))
        versions = f"Chromium {browser.version}, Lighthouse {node.version()}, axe {axe.version()}"
        say(f"Lighthouse, {runs} runs a page")
        results = [look_with_lighthouse(program, browser, shop, target, runs) for target in chosen]
        browser.close()
    file = report.keep(FOLDER, results, looked, versions)
    say(f"\n{file.read_text(encoding='utf-8')}\nKept in {FOLDER}")
    return 1 if report.misses(results, looked) else 0


def with_shop(then: Callable[[Site], int]) -> int:
    """The demo's company in the database that DATABASE_URL names (an empty one), and a web server on it."""
    with tempfile.TemporaryDirectory(prefix="weft-audit-") as name:
        folder = Path(name)
        env = site.environment(folder, os.environ) | {"DJANGO_SETTINGS_MODULE": "shop.settings"}
        say("filling the shop")
        site.run(env, "manage.py", "migrate", "--noinput", "--verbosity", "0")
        site.run(env, "-m", "audit.fill")
        with Site(folder, env) as shop:
            return then(shop)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m audit", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of Lighthouse for each page")
    runs = parser.parse_args(argv).runs
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    try:
        node.ensure()
        program = node.lighthouse(PROJECT / "var" / "lighthouse")
    except node.Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    return with_shop(lambda shop: measure(program, shop, runs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
