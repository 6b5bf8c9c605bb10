"""Every page a buyer meets: accessible, whole on a phone, and put together as pages should be."""

from __future__ import annotations

import pytest

from audit import axe, walk
from audit.person import CHINESE, DESKTOP, PHONE, Person
from tests.browser.conftest import Visit
from tests.browser.people import STAFF

PAGES = 22
STRUCTURE = """() => ({
    headings: [...document.querySelectorAll("h1")].map(h1 => h1.innerText.trim()),
    landmarks: ["header", "main", "footer"].map(name => document.querySelectorAll(`body > ${name}`).length),
    language: document.documentElement.lang,
    title: document.title,
    unlabelled: [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
        .filter(control => !control.labels.length && !control.ariaLabel && control.ariaHidden != "true")
        .map(control => control.outerHTML),
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
    """What is wrong with the page that is open, on this screen."""
    page = person.page
    found = page.evaluate(STRUCTURE)
    wrong: list[str] = []
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


def listen(person: Person) -> list[str]:
    """What its pages miss, fetch from elsewhere or complain of, from now on."""
    heard: list[str] = []
    page = person.page
    page.on("response", lambda answer: answer.status >= 400 and heard.append(f"{answer.status} {answer.url}"))
    page.on("request", lambda asked: _is_ours(asked.url) or heard.append(f"from elsewhere: {asked.url}"))
    page.on("console", lambda message: heard.append(f"console: {message.text}"))
    return heard


def _is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:"))


def test_all_pages_of_a_buyer(visit: Visit, language: str) -> None:
    """Each on a phone, by axe as well, and on a large screen."""
    person = visit(language, phone=True)
    heard = listen(person)
    wrong: list[str] = []
    seen = []
    for name in walk.pages(person, "亚麻" if language == CHINESE else "linen"):
        seen.append(name)
        wrong += [f"{name}: axe: {finding}" for finding in axe.findings(person.page) if finding.is_grave]
        wrong += faults(person, name)
        person.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
        wrong += faults(person, f"{name}, large")
        person.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if name == "not found":
            heard.clear()
    assert not wrong, "\n".join(wrong)
    assert heard == []
    assert len(seen) == len(set(seen)) == PAGES


@pytest.mark.deep
def test_the_main_pages_of_staff(visit: Visit) -> None:
    """Their frame is a library's, mended in our style sheet."""
    person = visit()
    person.open("/admin/login/")
    person.page.locator("[name=username]").fill(STAFF.email)
    person.page.locator("[name=password]").fill(STAFF.password)
    person.page.locator("form button").last.click()
    person.page.wait_for_url("**/admin/")
    wrong = []
    for path in ("/admin/", "/admin/order/order/", "/admin/stock/pool/", "/admin/catalogue/product/"):
        person.open(path)
        wrong += [f"{path}: {finding}" for finding in axe.findings(person.page) if finding.is_grave]
    assert not wrong, "\n".join(wrong)
