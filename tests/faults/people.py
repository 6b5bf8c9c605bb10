"""Who uses the shop while it is shot at: buyers, and a member of staff who confirms what was paid."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from erp.local.visitor import Lost, Page
from tests.faults.browser import PAUSE, Browser, again_and_again
from tests.faults.journal import Journal, Journals

NUMBER = re.compile(r"W\d{8}-[0-9A-Z]{8}")
AMOUNT = re.compile(r"Amount \D*([\d,]+\.\d\d)")
PAYS = 0.7  # of the orders; the others stay as they are
LEAST_PAID = 3  # in a run, come what may
MOST_ON_THEIR_WAY = 2  # more would only wait for the ERP
ADDRESS = {
    "name": "林晓",
    "phone": "13800138000",
    "region": "广东省",
    "city": "深圳市",
    "district": "南山区",
    "street": "科技路 1 号",
    "postcode": "518057",
}


@dataclass(frozen=True, slots=True)
class Goods:
    """What can be bought: its page, and whether there is little of it."""

    sku: str
    page: str
    is_scarce: bool


@dataclass
class Shift:
    """What all people of one run share."""

    seed: int
    shop: str
    goods: Sequence[Goods]
    journals: Journals
    over: threading.Event = field(default_factory=threading.Event)  # nothing new is begun after it


class Person(threading.Thread):
    """Runs until the shift is over and what was begun is finished; `failure` is what went wrong, if anything."""

    def __init__(self, shift: Shift, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.shift = shift
        self.random = Random(f"{shift.seed} {name}")
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with self.shift.journals.of(self.name) as journal:
                self.work(journal)
        except BaseException as failure:
            self.failure = failure

    def work(self, journal: Journal) -> None:
        raise NotImplementedError

    def think(self) -> None:
        time.sleep(self.random.uniform(0.1, 0.5))


class Buyer(Person):
    """Buys as a guest, purchase after purchase, each in a browser of its own."""

    def work(self, journal: Journal) -> None:
        for purchase in range(1, 1000):
            if self.shift.over.is_set():
                return
            Purchase(self, journal, f"{self.name.replace(' ', '')}-{self.shift.seed}-{purchase}@example.test").make()


class Purchase:
    """One purchase, from an empty basket to a number, or to the word that the goods are gone."""

    def __init__(self, buyer: Buyer, journal: Journal, email: str) -> None:
        self.buyer, self.journal, self.email = buyer, journal, email
        self.browser = Browser(buyer.shift.shop)

    def make(self) -> None:
        random, goods = self.buyer.random, self.buyer.shift.goods
        scarce = [random.choice([one for one in goods if one.is_scarce])] if random.random() < 0.6 else []
        plenty = [random.choice([one for one in goods if not one.is_scarce])] if random.random() < 0.7 else []
        for wanted in scarce + plenty:
            self.put_into_basket(wanted, random.randint(1, 2 if wanted.is_scarce else 3))
            self.buyer.think()
        page = self.browser.open("/checkout/")
        if "/checkout/" not in page.url:
            self.journal.note("turned away", basket=self.browser.basket, email=self.email)
            return
        if self.give_details(page):
            self.buyer.think()
            self.place()

    def put_into_basket(self, goods: Goods, quantity: int) -> None:
        """Press until told. After a lost answer the basket is looked at first, as a person would."""
        for _ in again_and_again():
            page = self.browser.open(goods.page)
            try:
                form = page.form(to="/basket/add/")
            except Lost:  # sold out
                self.journal.note("sold out", sku=goods.sku)
                return
            facts = {"sku": goods.sku, "quantity": quantity}
            led_to = self.browser.press(page, form, quantity=str(quantity))
            if led_to is not None:
                what = "added" if led_to == "/basket/" else "not added"
                self.journal.note(what, basket=self.browser.basket, **facts)
                return
            self.journal.note("perhaps added", basket=self.browser.basket, **facts)
            if goods.page in self.browser.open("/basket/").links:
                self.journal.note("seen in basket", basket=self.browser.basket, sku=goods.sku)
                return
        raise AssertionError(f"{self.email}: {goods.sku} was never put into the basket")

    def give_details(self, page: Page) -> bool:
        """Who buys and where it goes. False: what is in the basket was sold meanwhile."""
        for _ in again_and_again():
            led_to = self.browser.press(page, page.form(with_field="street"), email=self.email, **ADDRESS)
            if led_to == "/checkout/review/":
                return True
            if led_to:
                self.journal.note("turned away", basket=self.browser.basket, email=self.email)
                return False
            assert led_to is None, f"{self.email}: the details were not accepted"
        raise AssertionError(f"{self.email}: the details were never taken")

    def place(self) -> None:
        """Press the button until told: a number, or that it cannot be had."""
        basket = self.browser.basket
        page = self.browser.open("/checkout/review/")
        for _ in again_and_again():
            if "/checkout/review/" not in page.url:
                self.journal.note("turned away", basket=basket, email=self.email)
                return
            form = page.form(with_field="token")
            self.journal.note("pressed", basket=basket, email=self.email)
            led_to = self.browser.press(page, form, payment_method="bank_transfer")
            if led_to is None:
                continue
            if number := NUMBER.search(led_to):
                self.told(number[0], basket, led_to)
                return
            assert led_to, f"{self.email}: the button did nothing"
            page = self.browser.open(led_to)  # the sums have changed, or somebody was faster
        raise AssertionError(f"{self.email}: pressed again and again and was never told anything")

    def told(self, number: str, basket: int | None, pay: str) -> None:
        """The answer names the order: whatever happens from here on, it exists."""
        self.journal.note("placed", number=number, basket=basket, email=self.email)
        page = self.browser.open(pay)
        assert number in page.text, f"{self.email}: the page of {number} says {page.text[:300]}"
        if amount := AMOUNT.search(page.text):  # not any more once it is paid
            self.journal.note("shown", number=number, total=amount[1].replace(",", ""))


class Cashier(Person):
    """Confirms bank transfers in the admin, one after the other, as fast as the ERP takes the orders."""

    def __init__(self, shift: Shift, login: Mapping[str, str], on_their_way: Callable[[], int]) -> None:
        super().__init__(shift, "cashier")
        self.login, self.on_their_way = login, on_their_way
        self.pays: dict[str, bool] = {}  # of the orders seen so far: will its buyer pay?
        self.paid: set[str] = set()

    def work(self, journal: Journal) -> None:
        browser = self.logged_in()
        while not self.shift.over.is_set() or len(self.paid) < LEAST_PAID:
            number = self.next_one()
            if number is None:
                time.sleep(PAUSE)
                continue
            self.confirm(browser, journal, number)
            self.paid.add(number)

    def logged_in(self) -> Browser:
        browser = Browser(self.shift.shop)
        for _ in again_and_again():
            page = browser.open("/admin/login/?next=/admin/")
            if "/login/" not in page.url:
                return browser
            browser.press(page, page.form(with_field="password"), **self.login)
        raise AssertionError("the cashier could not log in")

    def next_one(self) -> str | None:
        """An order that somebody was told of; none while enough are on their way to the ERP."""
        for line in self.shift.journals.lines("placed"):
            self.pays.setdefault(line["number"], self.random.random() < PAYS)
        due = [number for number, pays in self.pays.items() if pays and number not in self.paid]
        is_slack = len(self.paid) < LEAST_PAID or self.on_their_way() < MOST_ON_THEIR_WAY
        return due[0] if due and is_slack else None

    def confirm(self, browser: Browser, journal: Journal, number: str) -> None:
        """Press until told. After a lost answer the order is looked at first: is it still to be confirmed?"""
        for attempt in again_and_again():
            page = browser.open(f"/admin/order/order/by-number/{number}/")
            try:
                asked = browser.open(page.link("confirm-payment"))
            except Lost:
                assert attempt, f"{number} cannot be confirmed: {page.text[:300]}"
                journal.note("paid", number=number, said="the page")
                return
            journal.note("confirms", number=number)
            led_to = browser.press(asked, asked.form(with_field="reference"), reference=f"statement {attempt + 1}")
            if led_to is not None:
                assert led_to, f"{number}: the confirmation was refused"
                journal.note("paid", number=number, said="the answer")
                return
        raise AssertionError(f"{number}: never confirmed")
