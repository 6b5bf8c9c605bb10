"""The shop by keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

FOCUSED = """() => {
    const at = document.activeElement, box = at.getBoundingClientRect(), style = getComputedStyle(at);
    const around = getComputedStyle(at.closest("form.search") || at);
    return {
        name: (at.innerText || at.ariaLabel || at.name || at.value || "").trim(),
        tag: at.tagName,
        top: box.top + scrollY,
        left: box.left,
        seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight,
        marked: parseFloat(style.outlineWidth) >= 2 && style.outlineStyle != "none" || around.boxShadow != "none",
    }
}"""


def tab(page: Page) -> dict:
    page.keyboard.press("Tab")
    return page.evaluate(FOCUSED)


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until something of that name is focused."""
    passed = []
    for _ in range(most):
        focused = tab(page)
        passed.append(focused["name"])
        if re.fullmatch(name, focused["name"], re.DOTALL):
            return
    raise AssertionError(f"no {name} within {most} stops: {passed}")


def test_the_skip_link_comes_first_and_leads_to_the_content(visit: Visit) -> None:
    page = visit().page
    page.goto("/products/")
    first = tab(page)
    assert first["name"] == "Skip to the content" and first["seen"] and first["marked"]
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert page.evaluate("document.activeElement.contains(document.querySelector('h1'))")
    assert tab(page)["name"] == "Home", "the breadcrumbs are the first stop in the content"


def test_every_stop_is_seen_and_marked_and_they_go_down_the_page(visit: Visit) -> None:
    page = visit().page
    for path in ("/", "/products/", "/account/login/"):
        page.goto(path)
        stops = []
        while (stop := tab(page))["tag"] != "BODY" and len(stops) < 150:
            stops.append(stop)
        assert len(stops) > 15, path
        assert [stop for stop in stops if not (stop["seen"] and stop["marked"])] == [], path
        assert stops[0]["top"] < 100 and stops[-1]["top"] > stops[len(stops) // 2]["top"], path


def test_buying_by_keyboard(visit: Visit) -> None:
    page = visit().page
    page.goto("/search/?q=poplin")
    tab_to(page, "Poplin shirt.*")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Poplin shirt")
    tab_to(page, "variant")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[name=variant]:checked")).to_have_count(1)
    tab_to(page, "Add to basket", 5)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/basket/$"))
    tab_to(page, "To the checkout")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/checkout/$"))
    tab_to(page, "email")
    for text in ("keys@example.com", None, "Wang", "13800138000", None, "Guangdong", "Shenzhen", "Nanshan", "518057"):
        if text:
            page.keyboard.type(text)
        tab(page)
    page.keyboard.type("1 Keji Road")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/review/$"))
    tab_to(page, "Place the order")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/checkout/pay/"))
