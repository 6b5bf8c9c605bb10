"""A kit, and goods that are not here yet, in the browser: said on every page, in the buyer's language."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from audit.person import CHINESE, ENGLISH, LANGUAGES
from tests.browser.conftest import Visit

KIT, PARTS = ("双人下午茶套装", "Tea for two, a set"), ("白瓷手绘茶壶", "Hand-painted porcelain teapot")
LANTERN = ("桑皮纸折叠灯笼", "Folding mulberry-paper lantern")
LATER = (re.compile(r"最晚\d+月\d+日发货"), re.compile(r"Ships by \d+ \w+"))


@pytest.mark.parametrize(("language", "phone", "scripts"), [(CHINESE, True, True), (ENGLISH, False, False)])
def test_a_kit_and_a_lantern_of_the_next_batch(visit: Visit, language: str, phone: bool, scripts: bool) -> None:
    person = visit(language, phone=phone, scripts=scripts)
    page, mine = person.page, LANGUAGES.index(language)
    person.open("/search/?q=KT-TEASET-01")
    page.get_by_role("link", name=KIT[mine]).click()
    expect(page.locator(".kit-parts li")).to_have_count(2)
    expect(page.locator(".kit-parts")).to_contain_text(f"1 × {PARTS[mine]}")
    person.button("add").click()
    expect(page.locator(".line .contents")).to_contain_text(PARTS[mine])
    person.open("/search/?q=LT-PAPER-01")
    expect(page.locator(".card .stock")).to_have_text(LATER[mine])
    page.get_by_role("link", name=LANTERN[mine]).click()
    expect(page.locator(".product-buy > .stock")).to_have_text(LATER[mine])
    person.button("add").click()
    expect(page.locator(".line", has_text=LANTERN[mine]).locator(".ahead")).to_have_text(LATER[mine])
    person.go_to_checkout()
    person.give_details()
    expect(page.locator(".short-lines .ahead")).to_have_text(LATER[mine])
    person.place()
    person.open_guest_order()
    kit, lantern = page.locator(".short-lines li:has(> .short-title)").all()
    expect(kit).to_contain_text(KIT[mine])
    expect(kit.locator(".contents li")).to_have_count(2)
    expect(lantern.locator(".ahead")).to_have_text(LATER[mine])
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"
