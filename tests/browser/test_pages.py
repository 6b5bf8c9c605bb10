"""Every page a buyer meets: accessible, whole on a phone, and put together as pages should be."""

from __future__ import annotations

import pytest

from audit import axe, walk
from audit.person import CHINESE, Person
from tests.browser.conftest import Visit
from tests.browser.people import STAFF

PAGES = 22
STRUCTURE = """() => ({
    headings: [...document.querySelectorAll("h1")].map(h1 => h1.innerText.trim()),
    landmarks: ["header", "main", "footer"].map(name => document.querySelectorAll(`body > ${name}`).length),
    language: document.documentElement.lang,
    title: document.title,
    unlabelled: [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
        .filter(control => !control.labels.length && !control.ariaLabel).map(control => control.outerHTML),
    shifting: [...document.images].filter(image => !image.hasAttribute("width") || !image.hasAttribute("height"))
        .map(image => image.outerHTML),
    small: [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
        .filter(target => target.checkVisibility() && !target.closest("p, .unseen, .skip, iframe"))
        .filter(target => { const box = target.getBoundingClientRect(); return box.height < 23.5 || box.width < 23.5 })
        .filter(target => !(target.type == "checkbox" || target.type == "radio"))
        .map(target => target.outerHTML.slice(0, 120)),
})"""
WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


def faults(person: Person, name: str) -> list[str]:
    """What is wrong with the page that is open."""
    page = person.page
    found = page.evaluate(STRUCTURE)
    wrong = [f"{name}: axe: {finding}" for finding in axe.findings(page) if finding.is_grave]
    scrolled, there = page.evaluate(WIDTHS)
    if scrolled > there:
        wrong.append(f"{name}: {scrolled} wide on a screen of {there}")
    if len(found["headings"]) != 1 or not found["headings"][0]:
        wrong.append(f"{name}: h1 {found['headings']}")
    if found["landmarks"] != [1, 1, 1]:
        wrong.append(f"{name}: header, main and footer are there {found['landmarks']} times")
    if found["language"] != ("zh-Hans" if person.language == CHINESE else "en"):
        wrong.append(f"{name}: language {found['language']}")
    if not found["title"].strip(" –"):
        wrong.append(f"{name}: no title")
    for what in ("unlabelled", "shifting", "small"):
        wrong += [f"{name}: {what}: {element}" for element in found[what]]
    return wrong


@pytest.mark.parametrize("phone", [True, False])
def test_all_pages_of_a_buyer(visit: Visit, language: str, phone: bool) -> None:
    person = visit(language, phone=phone)
    wrong: list[str] = []
    seen = []
    for name in walk.pages(person, "亚麻" if language == CHINESE else "linen"):
        seen.append(name)
        wrong += faults(person, name)
    assert not wrong, "\n".join(wrong)
    assert len(seen) == len(set(seen)) == PAGES


def test_nothing_is_missing_and_nothing_comes_from_elsewhere(visit: Visit) -> None:
    person = visit()
    broken: list[str] = []
    foreign: list[str] = []
    home = person.page.context
    home.on("response", lambda answer: answer.status >= 400 and broken.append(f"{answer.status} {answer.url}"))
    home.on(
        "request", lambda asked: not asked.url.startswith(("http://127.0.0.1:", "data:")) and foreign.append(asked.url)
    )
    said: list[str] = []
    person.page.on("console", lambda message: said.append(message.text))
    for name in walk.pages(person, "linen"):
        if name == "not found":
            broken.clear()
            said.clear()
    assert (broken, foreign, said) == ([], [], [])


def test_the_pages_of_staff_are_accessible_where_they_are_ours(visit: Visit) -> None:
    """The admin's frame is a library's; what stands in it is ours. Told, and held to no grave finding in the page."""
    person = visit()
    person.open("/admin/login/")
    person.page.locator("[name=username]").fill(STAFF.email)
    person.page.locator("[name=password]").fill(STAFF.password)
    person.page.locator("form [type=submit], form button").last.click()
    person.page.wait_for_url("**/admin/")
    for path in ("/admin/", "/admin/order/order/", "/admin/stock/pool/", "/admin/catalogue/product/"):
        person.open(path)
        for finding in axe.findings(person.page):
            print(path, finding)
