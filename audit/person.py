"""What a person does in a browser, as they would: by links, labels and buttons. Chinese or English."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Locator, Page, expect

CHINESE, ENGLISH = "zh-CN", "en"
LANGUAGES = (CHINESE, ENGLISH)
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
ADDRESS = {
    "name": "王小明",
    "phone": "13800138000",
    "region": "广东省",
    "city": "深圳市",
    "district": "南山区",
    "street": "科技园南路 1 号 3 栋 502",
    "postcode": "518057",
}
WORDS = {  # of buttons and links that a person looks for
    "add": ("加入购物车", "Add to basket"),
    "to_checkout": ("去结账", "To the checkout"),
    "to_review": ("下一步：核对订单", "Continue to review"),
    "place": ("提交订单", "Place the order"),
    "see_order": ("查看订单", "See the order"),
    "filter": ("筛选", "Filter"),
    "show": ("应用", "Show"),
    "register": ("注册账户", "Create an account"),
    "log_in": ("登录", "Log in"),
    "log_out": ("退出登录", "Log out"),
}


@dataclass
class Person:
    """Somebody at a browser, in one language."""

    page: Page
    language: str

    @classmethod
    def at(cls, context: BrowserContext, language: str) -> Person:
        return cls(context.new_page(), language)

    def word(self, what: str) -> str:
        return WORDS[what][LANGUAGES.index(self.language)]

    def open(self, path: str) -> None:
        answer = self.page.goto(path)
        assert answer is not None and answer.status < 500, f"{path} answered {answer.status if answer else 'nothing'}"

    def button(self, what: str) -> Locator:
        return self.page.get_by_role("main").get_by_role("button", name=self.word(what), exact=True)

    def link(self, what: str) -> Locator:
        return self.page.get_by_role("main").get_by_role("link", name=self.word(what), exact=True)

    def field(self, name: str) -> Locator:
        return self.page.get_by_role("main").locator(f"[name={name}]")

    # --- shopping ----------------------------------------------------------------------------------------------------

    def open_category(self, number: int = 1) -> None:
        """The one of that place in the bar; 0 is all products."""
        self.page.locator(".categories a").nth(number).click()
        expect(self.page.get_by_role("main").locator(".cards").first).to_be_visible()

    def open_first_product(self) -> None:
        self.page.get_by_role("main").locator(".card a").first.click()
        expect(self.button("add")).to_be_visible()

    def put_into_basket(self) -> None:
        """What the product page shows; of variants the first that can be bought."""
        choices = self.page.locator("[name=variant]:enabled")
        if choices.count():
            choices.first.check()
        self.button("add").click()
        expect(self.page).to_have_url(re.compile(r"/basket/$"))

    def go_to_checkout(self) -> None:
        self.link("to_checkout").click()
        expect(self.page).to_have_url(re.compile(r"/checkout/$"))

    def give_details(self, email: str = "guest@example.com") -> None:
        if self.field("email").count():
            self.field("email").fill(email)
        for name, value in ADDRESS.items():
            self.field(name).fill(value)
        self.button("to_review").click()
        expect(self.page).to_have_url(re.compile(r"/checkout/review/$"))

    def place(self) -> str:
        """Place the order; returns its number."""
        self.button("place").click()
        expect(self.page).to_have_url(re.compile(r"/checkout/pay/"))
        return self.page.get_by_role("main").locator("strong").first.inner_text()

    def open_guest_order(self) -> None:
        self.link("see_order").click()
        expect(self.page).to_have_url(re.compile(r"/order/"))

    # --- account -----------------------------------------------------------------------------------------------------

    def register(self, email: str, password: str) -> None:
        self.open("/account/register/")
        self.field("email").fill(email)
        self.field("password").fill(password)
        self.button("register").click()
        expect(self.page).to_have_url(re.compile(r"/account/orders/$"))

    def log_out(self) -> None:
        self.button("log_out").click()
        expect(self.page).to_have_url(re.compile(r"/$"))

    def log_in(self, email: str, password: str) -> None:
        self.open("/account/login/")
        self.field("username").fill(email)
        self.field("password").fill(password)
        self.button("log_in").click()
        expect(self.page).to_have_url(re.compile(r"/account/orders/$"))
