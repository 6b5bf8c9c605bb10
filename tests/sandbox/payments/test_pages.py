"""The cashier in a real browser: on a phone, by keyboard, for who pays, declines or waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from integrations.sandbox.payments import payer
from tests.chromium import chromium
from tests.sandbox.payments import clients
from tests.sandbox.payments.conftest import Gateways, Merchant

PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE)
    yield context.new_page()
    context.close()


def test_pay_on_a_phone(gateways: Gateways, page: Page, merchant: Merchant) -> None:
    number = clients.number("PHONE")
    back = f"{gateways.base}/?shop"  # any page of this machine
    query = clients.alipay(gateways).api_alipay_trade_wap_pay("一把<b>椅子</b>", number, "1234.50", return_url=back)
    page.goto(f"{gateways.alipay['gateway']}?{query}")
    for words in ("练习收银台", "PRACTICE", "1234.50", number, "一把<b>椅子</b>", payer.NAME, payer.CARD):
        expect(page.locator("body")).to_contain_text(words)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not [v["id"] for v in Axe().run(page).response["violations"]]
    page.get_by_role("button", name="确认付款").click()
    page.wait_for_url(f"{back}*")
    assert gateways.trade("alipay", number)["status"] == "TRADE_SUCCESS"
    page.go_back()
    page.reload()
    expect(page.locator("h1")).to_have_text("付款成功")


def test_decline_then_pay_after_all(gateways: Gateways, page: Page) -> None:
    number = clients.number("DECLINE")
    client = clients.wechatpay(gateways, clients.PUBLIC_KEY)
    code = json.loads(client.pay("椅子", number, {"total": 100})[1])["code_url"]
    page.goto(gateways.base)
    page.get_by_label("二维码内容").fill(code)
    page.get_by_role("button", name="扫一扫").press("Enter")
    page.get_by_role("button", name="不付款").press("Enter")
    expect(page.locator("h1")).to_have_text("您没有付款")
    assert gateways.trade("wechatpay", number)["status"] == "NOTPAY"
    assert not Axe().run(page).response["violations"]
    page.get_by_role("link", name="重新付款").click()
    page.get_by_role("button", name="10 秒后付款").click()
    expect(page.locator("h1")).to_have_text("将在几秒后付款")
    assert gateways.trade("wechatpay", number)["status"] == "NOTPAY"
    gateways.ask("clock", {"add": 11})
    assert gateways.trade("wechatpay", number)["status"] == "SUCCESS"


def test_what_waits_is_on_the_practice_phone(gateways: Gateways, page: Page) -> None:
    number = clients.number("LIST")
    clients.alipay(gateways).api_alipay_trade_precreate("椅子", number, "3.00")
    page.goto(gateways.base)
    assert not Axe().run(page).response["violations"]
    page.get_by_role("link", name=number).click()
    page.get_by_role("button", name="确认付款").click()
    expect(page.locator("h1")).to_have_text("付款成功")


def test_addresses_that_lead_nowhere(gateways: Gateways, page: Page) -> None:
    lost = urlencode({"code": "weixin://wxpay/bizpayurl?pr=none"})
    for path in ("/cashier/none", "/none", f"/scan?{lost}", "/wechatpay/h5?prepay_id=wxnone"):
        answer = page.goto(gateways.base + path)
        assert answer and answer.status == 404
        expect(page.locator("body")).to_contain_text("练习")


def test_a_decline_leads_back_to_the_shop(gateways: Gateways, page: Page) -> None:
    number = clients.number("QUIT")
    client = clients.alipay(gateways)
    quit_url = f"{gateways.base}/?quit"
    query = client.api_alipay_trade_wap_pay("椅子", number, "1.00", quit_url=quit_url)
    page.goto(f"{gateways.alipay['gateway']}?{query}")
    page.get_by_role("button", name="不付款").click()
    page.get_by_role("link", name="返回商户").click()
    page.wait_for_url(quit_url)
    assert gateways.trade("alipay", number)["status"] == "WAIT_BUYER_PAY"
