"""Taking the pictures, and the sheet on which they are looked at together."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from runtime import chromium
from tests.screenshots.places import Place

LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
WIDTHS = {1280: 860, 390: 844}  # width -> least height of a picture
TALLEST = 6000  # px
PATIENCE = 20_000  # ms
# Texts and fields that begin within the window and go on beyond it, where nobody can scroll to them.
CUT_OFF = """() => {
  const scrolls = (element) => element && (["auto", "scroll"].includes(getComputedStyle(element).overflowX)
    || getComputedStyle(element).textOverflow === "ellipsis" || scrolls(element.parentElement));
  const edge = document.documentElement.clientWidth;
  return [...document.querySelectorAll("label, p, span, a, td, th, dd, h1, h2, input, button, textarea")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .filter((element) => { const box = element.getBoundingClientRect();
      return box.width > 1 && box.left >= 0 && box.left < edge && box.right > edge + 1 && !scrolls(element); })
    .map((element) => (element.innerText || element.name || element.className).trim().slice(0, 40));
}"""

# Who -> the cookies of a session of theirs.
Cookies = Callable[[str], list[dict[str, str]]]


def photograph(
    places: Sequence[Place], site: str, cookies: Cookies, folder: Path, say: Callable[[str], None]
) -> list[str]:
    """A picture of each place, language and width; returns what went wrong, one line each."""
    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for language, locale in LANGUAGES.items():
            for width, height in WIDTHS.items():
                say(f"{language}, {width} px: {len(places)} pages")
                for who in dict.fromkeys(place.who for place in places):
                    context = browser.new_context(
                        locale=locale, viewport={"width": width, "height": height}, base_url=site,
                        timezone_id="Asia/Shanghai", reduced_motion="reduce",
                    )  # fmt: skip
                    context.add_cookies([{**cookie, "url": site} for cookie in cookies(who)])  # type: ignore[typeddict-item,list-item]
                    theirs = [place for place in places if place.who == who]
                    troubles += _shoot(context, theirs, folder, f"{language}-{width}", width)
                    context.close()
        browser.close()
    return troubles


def _shoot(context: BrowserContext, places: Iterable[Place], folder: Path, suffix: str, width: int) -> list[str]:
    troubles = []
    for place in places:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error).splitlines()[0]))
        try:
            answer = page.goto(place.address, timeout=PATIENCE)
            if answer is not None and answer.status >= 400 and "404" not in place.name:
                errors.append(f"HTTP {answer.status}")
            _press(page, place, width)
            if wider := page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"):
                errors.append(f"{wider} px wider than the window")
            if cut := page.evaluate(CUT_OFF):
                errors.append(f"cut off at the right edge: {cut[:3]}")
            # As tall as the page, so that bars which stick to the window's edge stand where they belong.
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": min(max(height, WIDTHS[width]), TALLEST)})
            page.screenshot(path=folder / f"{place.name}--{suffix}.png", timeout=PATIENCE)
        except BrowserError as error:
            errors.append(str(error).splitlines()[0])
        troubles += [f"{place.name} ({suffix}): {error}" for error in errors]
        page.close()
    return troubles


def _press(page: Page, place: Place, width: int) -> None:
    page.wait_for_load_state("load", timeout=PATIENCE)
    page.evaluate("document.fonts.ready")
    page.locator(place.awaits).first.wait_for(timeout=PATIENCE)
    for selector in place.press:
        there = page.locator(selector).first
        if not there.is_visible():  # on a phone it may stand behind a menu
            continue
        there.click(timeout=PATIENCE)
        if place.type_:
            there.press_sequentially(place.type_, delay=30)
        page.wait_for_timeout(900)
    page.wait_for_timeout(150)


def sheet(folder: Path, places: Sequence[Place]) -> Path:
    """index.html: each page in a row, both languages and widths beside each other."""
    kinds = [f"{language}-{width}" for width in WIDTHS for language in LANGUAGES]
    rows = []
    for place in places:
        cells = "".join(
            f'<a href="{name}"><img loading="lazy" alt="{kind}" src="{name}"></a>'
            for kind in kinds
            if (folder / (name := f"{place.name}--{kind}.png")).exists()
        )
        rows.append(
            f"<section><h2>{html.escape(place.name)} <small>{html.escape(place.address)}</small></h2>{cells}</section>"
        )
    file = folder / "index.html"
    file.write_text(_SHEET.replace("ROWS", "\n".join(rows)), encoding="utf-8")
    return file


_SHEET = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Screenshots</title><style>
body { background: #eceae4; font: 14px/1.4 sans-serif; margin: 16px; }
section { border-bottom: 1px solid #c2c0bb; margin-bottom: 20px; padding-bottom: 20px; }
h2 { font-size: 15px; margin: 0 0 8px; } small { color: #626a80; font-weight: 400; }
img { background: #fff; border: 1px solid #c2c0bb; height: 340px; margin-right: 8px; object-fit: cover;
  object-position: top; }
</style></head><body>
ROWS
</body></html>
"""
