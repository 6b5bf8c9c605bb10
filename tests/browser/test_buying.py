"""A purchase in the browser, as a guest and with an account; with JavaScript and without."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from audit.person import CHINESE, ENGLISH, LANGUAGES, Person
from tests.browser.conftest import Visit
from tests.browser.people import SHIRT

PASSWORD = "warp-and-weft-7"


def narrow(person: Person, label: str) -> None:
    """Tick a box of the filter and show what fits."""
    page = person.page
    if page.locator("#filters summary").first.is_visible():
        page.locator("#filters summary").first.click()
    page.locator("#filters").get_by_label(label).check()
    person.button("show").click()
    expect(page.locator(".chips.chosen")).to_contain_text(label)


@pytest.mark.parametrize(
    ("language", "phone", "scripts"),
    [(CHINESE, True, True), (CHINESE, False, False), (ENGLISH, True, False), (ENGLISH, False, True)],
)
def test_from_the_list_to_the_order_as_a_guest(visit: Visit, language: str, phone: bool, scripts: bool) -> None:
    person = visit(language, phone=phone, scripts=scripts)
    page = person.page
    person.open("/")
    person.open_category(2)
    before = page.locator(".card").count()
    narrow(person, "绿色系" if language == CHINESE else "Green")
    assert 0 < page.locator(".card").count() < before
    assert "f-color=color-green" in page.url
    page.get_by_role("link", name=SHIRT[LANGUAGES.index(language)]).click()
    sold_out = page.locator(".variant", has=page.locator(":disabled"))
    expect(sold_out).to_have_count(1)
    expect(sold_out).to_contain_text("已售完" if language == CHINESE else "Sold out")
    expect(page.locator(".variant.few, .variant:has(.few)")).to_contain_text("2")
    page.get_by_role("radio", name=re.compile(r"^\s*M\b")).last.check()
    person.button("add").click()
    expect(page.get_by_role("status").first).to_contain_text(SHIRT[LANGUAGES.index(language)])
    person.go_to_checkout()
    person.give_details()
    expect(page.get_by_role("main")).to_contain_text("科技园南路")
    number = person.place()
    page.get_by_role("button", name="我已转账" if language == CHINESE else "I have made the transfer").click()
    expect(page.get_by_role("status")).to_contain_text("告诉我们" if language == CHINESE else "You told us")
    person.open_guest_order()
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)
    expect(page.locator(".timeline li")).to_have_count(4)
    link = page.url
    stranger = visit(language)
    stranger.open(link)
    expect(stranger.page.get_by_role("heading", level=1)).to_contain_text(number)
    assert stranger.page.goto(re.sub(r":[^/]+/$", ":" + "A" * 43 + "/", link)).status == 404, "it cannot be guessed"
    assert stranger.page.goto(f"/account/orders/{number}/").url.count("/account/login/"), "nor by its number"


def test_an_account_and_its_orders(visit: Visit, language: str) -> None:
    email = f"{language.lower()}@example.com"
    person = visit(language, phone=True)
    person.register(email, PASSWORD)
    person.open("/products/")
    person.open_first_product()
    person.put_into_basket()
    person.go_to_checkout()
    person.give_details()
    number = person.place()
    person.open("/account/orders/")
    person.log_out()
    person.log_in(email.upper(), PASSWORD)
    person.page.get_by_role("link", name=number).click()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text(number)
    person.open("/account/addresses/")
    expect(person.page.get_by_role("main")).to_contain_text("科技园南路")


@pytest.mark.parametrize("scripts", [True, False])
def test_errors_come_with_links_to_the_fields_and_the_data_stays(visit: Visit, scripts: bool) -> None:
    """The browser's own checks are passed by: a postcode that is none is found by the shop."""
    person = visit(scripts=scripts)
    page = person.page
    person.open("/products/")
    person.open_first_product()
    person.put_into_basket()
    person.go_to_checkout()
    for name, value in (("email", "guest@example.com"), ("name", "Wang"), ("phone", "13800138000")):
        person.field(name).fill(value)
    for name, value in (("region", "Guangdong"), ("city", "Shenzhen"), ("street", "1 Keji Road"), ("postcode", "12")):
        person.field(name).fill(value)
    person.button("to_review").click()
    summary = page.locator("#problems")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    summary.get_by_role("link", name="12 is not a postcode in China").click()
    expect(person.field("postcode")).to_be_focused()
    expect(person.field("city")).to_have_value("Shenzhen")
    person.field("postcode").fill("518057")
    person.button("to_review").click()
    expect(page).to_have_url(re.compile("/review/(#.*)?$"))


def test_filters_are_taken_off_by_their_chips(visit: Visit) -> None:
    person = visit()
    person.open("/products/?sort=price&f-color=color-blue&f-material=material-cotton")
    chips = person.page.locator(".chips.chosen")
    chips.get_by_role("link", name="Take off: Colour: Blue").click()
    expect(chips).not_to_contain_text("Blue")
    assert "f-material=material-cotton" in person.page.url and "sort=price" in person.page.url
    chips.get_by_role("link", name="Clear all").click()
    expect(chips).to_have_count(0)
    assert person.page.url.endswith("/products/?sort=price")
    person.page.go_back()
    expect(chips).to_contain_text("Cotton")
