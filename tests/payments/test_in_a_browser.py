"""Buyers pay in a real browser: shop, workers and practice gateways are processes; the pages turn by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from audit.person import CHINESE, ENGLISH, Person
from tests.chromium import chromium
from tests.payments.paying import Paying, paying
from tests.payments.test_payer import told

pytestmark = pytest.mark.xdist_group("paying")
# What the app around the page does when its script asks for a payment: opens the gateway's page, then says how it went.
BRIDGE = """window.WeixinJSBridge = { invoke: (name, params, then) => {
    window.asked = { name, params };
    window.answer = (word) => then({ err_msg: `get_brand_wcpay_request:${word}` });
} }"""
WIDER = """() => { const edge = document.documentElement.clientWidth;
    return document.documentElement.scrollWidth <= edge ? [] : [...document.querySelectorAll("main *")]
        .filter(element => element.getBoundingClientRect().right > edge)
        .map(element => element.outerHTML.slice(0, 200)) }"""


@pytest.fixture(scope="module")
def shop(django_db_setup: None, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paying]:
    with chromium() as browser, paying(tmp_path_factory.mktemp("paying"), f"test_paying_{worker_id}", browser) as made:
        yield made


@pytest.fixture(autouse=True)
def _leave(shop: Paying) -> Iterator[None]:
    """Whatever was paid: who paid it stands in no log."""
    yield
    shop.leave()
    logged = shop.logged()
    assert "POST" in logged or "payments" in logged
    assert told(logged) == []


def to_pay(person: Person) -> str:
    """Order something; the address of the page to choose how to pay."""
    person.open("/products/")
    person.open_first_product()
    person.put_into_basket()
    person.go_to_checkout()
    person.give_details()
    person.place()
    assert person.page.evaluate(WIDER) == []
    return person.page.url


def choose(person: Person, name: str) -> None:
    person.page.locator(".ways").get_by_role("button", name=name, exact=True).click()


def shows(page: Page, state: str) -> None:
    expect(page.locator("#payment")).to_have_attribute("data-state", state, timeout=20_000)
    assert page.evaluate(WIDER) == []


def number(page: Page) -> str:
    """Of the payment whose page is open."""
    found = re.search("/pay/([A-Z2-7]{26})/", page.url)
    assert found, page.url
    return found[1]


def status(shop: Paying, order: str) -> str:
    """Of the order whose page to pay is at this address."""
    rows = shop.ask("SELECT status FROM order_order WHERE number = %s", order.split("/pay/")[1].partition(":")[0])
    return str(rows[0][0])


def test_alipays_page_on_a_desktop(shop: Paying) -> None:
    """Declined first, then paid; the browser is back before the notice, and the page turns by itself."""
    person = shop.visit(CHINESE)
    page = person.page
    order = to_pay(person)
    choose(person, "支付宝")
    expect(page).to_have_url(re.compile("/cashier/"))
    page.get_by_role("button", name="不付款").click()
    page.go_back()
    page.goto(order)
    assert status(shop, order) == "pending_payment"
    choose(person, "支付宝")
    page.get_by_role("button", name="确认付款").click()
    shows(page, "paid")
    expect(page.get_by_role("heading", level=1)).to_have_text("付款成功，谢谢！")
    assert status(shop, order) == "paid"
    page.goto(order)
    expect(page.locator(".ways")).to_have_count(0)


def test_wechats_code_is_paid_with_another_device(shop: Paying) -> None:
    person = shop.visit(ENGLISH)
    page = person.page
    order = to_pay(person)
    choose(person, "WeChat Pay, by QR code")
    shows(page, "waiting")
    code = page.locator(".pay-code svg").bounding_box()
    assert code and code["width"] > 200 and abs(code["width"] - code["height"]) < 2
    expect(page.locator("#left b")).to_have_text(re.compile(r"\d\d:\d\d"))
    phone = shop.visit(CHINESE, "phone").page
    phone.goto(f"{shop.gateways.base}/")
    phone.get_by_role("link").filter(has_text=number(page)).click()
    phone.get_by_role("button", name="确认付款").click()
    shows(page, "paid")
    assert status(shop, order) == "paid"


def test_inside_wechat(shop: Paying) -> None:
    """The sign-in shows nothing; what WeChat's own script says is told, and only the provider's word counts."""
    person = shop.visit(CHINESE, "wechat")
    page = person.page
    page.add_init_script(BRIDGE)
    order = to_pay(person)
    first = page.locator(".ways button").first
    expect(first).to_have_text("微信支付")
    first.click()
    shows(page, "waiting")
    for word, shown in (("fail", "#pay-failed"), ("cancel", "#pay-cancelled")):
        page.locator("#pay-here").click()
        page.evaluate("word => window.answer(word)", word)
        expect(page.locator("#payment .message:visible")).to_have_attribute("id", shown[1:])
    page.locator("#pay-here").click()
    assert page.evaluate("window.asked.name") == "getBrandWCPayRequest"
    sheet = page.context.new_page()
    sheet.goto(
        f"{shop.gateways.base}/wechatpay/jsapi?" + page.evaluate("`${new URLSearchParams(window.asked.params)}`")
    )
    page.evaluate("window.answer('ok')")
    shows(page, "waiting")
    sheet.get_by_role("button", name="确认付款").click()
    shows(page, "paid")
    assert status(shop, order) == "paid"


def test_wechats_own_payment_opened_elsewhere(shop: Paying) -> None:
    person = shop.visit(ENGLISH, "wechat")
    to_pay(person)
    person.page.locator(".ways button").first.click()
    shows(person.page, "waiting")
    outside = shop.visit(ENGLISH, "phone").page
    outside.goto(person.page.url)
    expect(outside.locator("#payment .message")).to_contain_text("Open this page in WeChat")
    expect(outside.locator("#pay-here")).to_have_count(0)


def test_another_way_is_chosen(shop: Paying) -> None:
    """On a phone. The first payment is over, also at the provider; the second one counts."""
    person = shop.visit(ENGLISH, "phone")
    page = person.page
    order = to_pay(person)
    choose(person, "WeChat Pay, by QR code")
    shows(page, "waiting")
    first, left = number(page), page.url
    page.get_by_role("link", name="Pay in another way").click()
    choose(person, "Alipay")
    page.get_by_role("button", name=re.compile("Pay$")).first.click()
    shows(page, "paid")
    assert status(shop, order) == "paid"
    page.goto(left)
    shows(page, "over")
    assert shop.gateways.trade("wechatpay", first)["state"] == "closed"


def test_without_javascript(shop: Paying) -> None:
    """Its return page asks to be loaded again, and tells the truth then."""
    person = shop.visit(ENGLISH, scripts=False)
    page = person.page
    order = to_pay(person)
    choose(person, "Alipay")
    page.get_by_role("button", name=re.compile("Pay in 10")).click()
    page.get_by_role("link", name=re.compile("Back to the shop")).click()
    shows(page, "waiting")
    expect(page.get_by_role("link", name="I have not paid yet: go on")).to_be_visible()
    # Chromium, with scripts switched off from outside, does not show what stands in <noscript>.
    assert re.search(r'<noscript>(<|&lt;)meta http-equiv="refresh" content="10"', page.content())
    paid = page.locator("#payment[data-state=paid]")
    for _ in range(30):
        if paid.count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paid. Thank you!")
    assert status(shop, order) == "paid"


def test_the_language_is_changed_on_the_page_of_a_payment(shop: Paying) -> None:
    """Its forms are believed to be ours: the browser may say from where they come."""
    person = shop.visit(ENGLISH)
    to_pay(person)
    choose(person, "Alipay, by QR code")
    shows(person.page, "waiting")
    person.page.get_by_role("button", name="简体中文").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("支付 ¥299.00")


def test_what_works_no_more_is_given_anew(shop: Paying) -> None:
    """The page notices by itself that its code ended; going on makes another payment and closes this one."""
    person = shop.visit(CHINESE)
    page = person.page
    to_pay(person)
    choose(person, "微信支付（扫码）")
    shows(page, "waiting")
    first = number(page)
    ended = (
        'UPDATE payments_attempt SET action = action || \'{"until": "2020-01-01T00:00:00+00:00"}\' WHERE number = %s'
    )
    shop.ask(ended, first)
    shows(page, "stale")
    page.get_by_role("button", name="继续付款").click()
    shows(page, "waiting")
    assert number(page) != first
    expect(page.locator(".pay-code svg")).to_be_visible()
