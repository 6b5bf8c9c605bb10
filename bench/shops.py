"""Weft and stock Oscar side by side: same PostgreSQL, same gunicorn, same catalogue, each on a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import psycopg
from django.db import connection

from bench import catalogue, databases, weft
from bench.client import Browser, Failed, Page
from bench.web import PROJECT, Web

OSCAR = "bench_oscar"
Say = Callable[[str], None]
Ordered = tuple[tuple[str, int, Decimal], ...]  # an order's lines: SKU, units, price with tax

_OFFERS = """
SELECT s.partner_sku, p.id, p.slug FROM catalogue_product p JOIN partner_stockrecord s ON s.product_id = p.id
"""
_ORDERS = """
SELECT o.id, l.partner_sku, l.quantity, l.line_price_incl_tax
FROM order_order o JOIN order_line l ON l.order_id = o.id WHERE o.id > %s ORDER BY o.id, l.partner_sku
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a product is sold."""

    pk: int
    path: str


@dataclass
class Shop(ABC):
    """One of the two, running. `database` is its URL."""

    name: ClassVar[str]
    folders: ClassVar[tuple[str, str]]  # where products and categories stand
    card: ClassVar[str]  # what each product of a list begins with
    gone: ClassVar[tuple[str, ...]]  # how it says that something is sold out

    web: Web
    database: str

    def browser(self) -> Browser:
        return Browser(self.web.port)

    def offers(self) -> dict[str, Offer]:
        """SKU -> where it is sold."""
        with psycopg.connect(self.database) as db:
            return {sku: Offer(pk, f"{self.folders[0]}{slug}_{pk}/") for sku, pk, slug in db.execute(_OFFERS)}

    def categories(self) -> list[str]:
        """Paths of the top categories."""
        with psycopg.connect(self.database) as db:
            rows = db.execute("SELECT id, slug FROM catalogue_category WHERE depth = 1 ORDER BY path").fetchall()
        return [f"{self.folders[1]}{slug}_{pk}/" for pk, slug in rows]

    def cards(self, page: Page) -> int:
        """How many products a list shows."""
        return page.text.count(self.card)

    def last_order(self) -> int:
        with psycopg.connect(self.database) as db:
            row = db.execute("SELECT coalesce(max(id), 0) FROM order_order").fetchone()
        return int(row[0]) if row else 0

    def orders(self, after: int) -> list[Ordered]:
        """What was ordered since the order of that id, in no particular order."""
        lines: dict[int, list[tuple[str, int, Decimal]]] = {}
        with psycopg.connect(self.database) as db:
            for order, sku, units, price in db.execute(_ORDERS, [after]):
                lines.setdefault(order, []).append((sku, units, price.quantize(Decimal("0.01"))))
        return sorted(tuple(found) for found in lines.values())

    @abstractmethod
    def buy(self, browser: Browser, offer: Offer, token: str) -> bool:
        """One unit, as a guest, from the opened product page (whose form holds `token`) to the final answer:
        True where the order is placed, False where the buyer was told that it is sold out. Anything else raises.
        """

    @abstractmethod
    def set_stock(self, sku: str, units: int) -> None:
        """Leave that many units of a product nobody has bought yet."""

    @abstractmethod
    def promised(self, sku: str) -> int:
        """Units the stock figures say are promised to orders."""

    def _figure(self, query: str, sku: str) -> int:
        with psycopg.connect(self.database) as db:
            row = db.execute(query, [sku]).fetchone()  # type: ignore[call-overload]
        return int(row[0] or 0) if row else 0

    def _sold_out(self, page: Page) -> bool:
        """False: the answer to a try that came too late; raises where the page says nothing of the kind."""
        if not any(words in page.text for words in self.gone):
            raise Failed(200, page.path, "neither placed nor told that it is sold out")
        return False


class Weft(Shop):
    name = "Weft"
    folders = ("/products/", "/categories/")
    card = '<li class="card">'
    gone = ("sold out", "Sold out")
    details: ClassVar[dict[str, str]] = {
        "email": "guest@example.com",
        "name": "Wang Xiaoming",
        "phone": "13800138000",
        "country": "CN",
        "region": "Guangdong",
        "city": "Shenzhen",
        "district": "Nanshan",
        "street": "1 Keji South Road, building 3, 502",
        "postcode": "518057",
    }

    def buy(self, browser: Browser, offer: Offer, token: str) -> bool:
        page = self._review(browser, offer, token)
        if page.path != "/checkout/review/":
            return self._sold_out(page)
        page = browser.post(page.path, self._last(page))
        return page.path.startswith("/checkout/pay/") or self._sold_out(page)

    def at_the_button(self, offer: Offer) -> Callable[[], None]:
        """A new guest with the last page open; the call presses its button, and does not follow where that leads."""
        browser = self.browser()
        page = self._review(browser, offer, browser.get(offer.path).value("csrfmiddlewaretoken"))

        def press() -> None:
            if not browser.press(page.path, self._last(page)).startswith("/checkout/pay/"):
                raise Failed(200, page.path, "not placed")

        return press

    def _review(self, browser: Browser, offer: Offer, token: str) -> Page:
        """The last page before the order; or where else the buyer ended."""
        page = browser.post(f"/basket/add/{offer.pk}/", _form(token, quantity="1"))
        if page.path != "/basket/":
            return page
        page = browser.get("/checkout/")
        if page.path != "/checkout/":
            return page
        return browser.post("/checkout/", _form(page, **self.details))

    def _last(self, page: Page) -> dict[str, str]:
        return _form(page, token=page.value("token"), payment_method="bank_transfer", note="")

    def set_stock(self, sku: str, units: int) -> None:
        weft.set_stock(sku, units)

    def promised(self, sku: str) -> int:
        return self._figure("SELECT reserved FROM stock_pool WHERE sku = %s", sku)


class StockOscar(Shop):
    name = "stock Oscar"
    folders = ("/catalogue/", "/catalogue/category/")
    card = '<article class="product_pod">'
    gone = ("no stock available", "no longer available to buy")
    address: ClassVar[dict[str, str]] = {
        "first_name": "Xiaoming",
        "last_name": "Wang",
        "line1": "1 Keji South Road, building 3, 502",
        "line4": "London",
        "postcode": "N1 9RT",
        "country": "GB",
    }

    def buy(self, browser: Browser, offer: Offer, token: str) -> bool:
        page = browser.post(f"/basket/add/{offer.pk}/", _form(token, quantity="1"))  # leads back to the product
        if "has been added to your basket" not in page.text:
            return self._sold_out(page)
        browser.get("/basket/")
        page = browser.get("/checkout/")
        if page.path != "/checkout/":
            return self._sold_out(page)
        page = browser.post("/checkout/", _form(page, username="guest@example.com", options="anonymous"))
        if page.path != "/checkout/shipping-address/":
            return self._sold_out(page)
        page = browser.post(page.path, _form(page, **self.address))  # passes by the only shipping method
        if page.path != "/checkout/payment-details/":
            return self._sold_out(page)
        page = browser.get("/checkout/preview/")  # a link
        if page.path != "/checkout/preview/":
            return self._sold_out(page)
        page = browser.post("/checkout/preview/", _form(page, action="place_order"))
        return page.path == "/checkout/thank-you/" or self._sold_out(page)

    def set_stock(self, sku: str, units: int) -> None:
        with psycopg.connect(self.database) as db:
            db.execute("UPDATE partner_stockrecord SET num_in_stock = %s WHERE partner_sku = %s", [units, sku])

    def promised(self, sku: str) -> int:
        return self._figure("SELECT num_allocated FROM partner_stockrecord WHERE partner_sku = %s", sku)


def _form(page: Page | str, **fields: str) -> dict[str, str]:
    """The fields together with the page's token."""
    return {"csrfmiddlewaretoken": page if isinstance(page, str) else page.value("csrfmiddlewaretoken"), **fields}


@contextmanager
def both(say: Say, *, lists: bool) -> Iterator[tuple[Weft, StockOscar]]:
    """The two shops with the catalogue in them, running and idle. `lists`: product lists will be asked for too."""
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        say("filling Weft")
        ours = filled(folder)
        say("filling stock Oscar")
        stack.callback(databases.drop, OSCAR)
        theirs = _oscar(folder, lists=lists)
        _settle(theirs["DATABASE_URL"])
        shops = (
            Weft(stack.enter_context(Web("weft", "shop.wsgi:application", ours, folder)), ours["DATABASE_URL"]),
            StockOscar(
                stack.enter_context(Web("oscar", "bench.oscar.wsgi:application", theirs, folder)),
                theirs["DATABASE_URL"],
            ),
        )
        for shop in shops:
            shop.web.wait(shop.categories()[0] if lists else next(iter(shop.offers().values())).path)
        yield shops


def filled(folder: Path) -> dict[str, str]:
    """Fill the database this process is set up for; returns the web server's environment: the demo's, without Redis."""
    weft.fill(folder / "mail")
    connection.close()
    env = {
        **os.environ,
        "WEFT_MODE": "demo",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "WEFT_SHOP_URL": "http://127.0.0.1",
        "WEFT_MAIL_FOLDER": str(folder / "mail"),
        "WEFT_MEDIA_ROOT": str(folder / "media"),
        "REDIS_URL": "",
    }
    argv = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(argv, cwd=PROJECT, env=env, check=True)
    _settle(env["DATABASE_URL"])
    return env


def _oscar(folder: Path, *, lists: bool) -> dict[str, str]:
    """A filled database for stock Oscar; returns its environment."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.oscar.settings", "BENCH_FOLDER": str(folder)}

    def load(what: str, url: str) -> None:
        argv = [sys.executable, "-W", "ignore", "-m", "bench.oscar.load", what]
        subprocess.run(argv, cwd=PROJECT, env={**env, "DATABASE_URL": url}, check=True)

    url = databases.copied(OSCAR, databases.OSCAR_TEMPLATE, lambda template: load("database", template))
    load("picture", url)
    if lists:
        load("index", url)
    return {**env, "DATABASE_URL": url}


def _settle(url: str) -> None:
    """What autovacuum would do soon, now: not in the middle of a measurement."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("VACUUM ANALYZE")


def products(count: int) -> list[str]:
    """SKUs to buy: all over the catalogue."""
    step = catalogue.PRODUCTS // count
    return [f"BENCH-{number * step + 1:04d}" for number in range(count)]
