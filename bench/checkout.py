"""What a guest's purchase costs, and what happens when 32 buyers want the same 100 pieces, beside stock Oscar."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench import shops, weft
from bench.client import Browser, Failed
from bench.rows import Row, judged
from bench.shops import Offer, Say, Shop
from bench.web import Spent, percentile

# checkout.cost
CALM = 2  # buyers at once
PURCHASES = 12  # of one round, on each shop
ROUNDS = 5
PRODUCTS = 6
AIM = 120  # milliseconds a purchase
OTHERS = "Vendure 249 ms, Saleor 1,464 ms (measured before, on another day)"

# checkout.hot_sku
BUYERS = 32
TRIES = 400
STOCK = 100
LATEST = 5.0  # seconds, of 99 tries in 100


@dataclass(frozen=True, slots=True)
class Bought:
    """A round of purchases: `spent` per purchase in milliseconds, `requests` of each, `seconds` of each."""

    spent: Spent
    requests: list[int]
    seconds: list[float]


def purchase(shop: Shop, offer: Offer) -> tuple[int, float]:
    """A new guest opens the product's page and buys one; returns requests and seconds."""
    begun, browser = time.monotonic(), shop.browser()
    token = browser.get(offer.path).value("csrfmiddlewaretoken")
    if not shop.buy(browser, offer, token):
        raise AssertionError(f"{shop.name}: {offer.path} is sold out, which it is not")
    return browser.requests, time.monotonic() - begun


def play(shop: Shop, offers: Sequence[Offer]) -> Bought:
    """One purchase of each offer, a few buyers at once."""
    before = shop.web.spent()
    with ThreadPoolExecutor(CALM) as pool:
        done = list(pool.map(lambda offer: purchase(shop, offer), offers))
    spent = (shop.web.spent() - before).each(len(done))
    return Bought(spent, [requests for requests, _ in done], [seconds for _, seconds in done])


def cost(pair: Sequence[Shop]) -> Row:
    """CPU time of a purchase, measured in turns; afterwards both must have the same orders in their books."""
    wanted = [sku for _ in range(PURCHASES // PRODUCTS) for sku in shops.products(PRODUCTS)]
    offers = {shop.name: [shop.offers()[sku] for sku in wanted] for shop in pair}
    for shop in pair:
        play(shop, offers[shop.name])
    begun = {shop.name: shop.last_order() for shop in pair}
    rounds: dict[str, list[Bought]] = {shop.name: [] for shop in pair}
    for _ in range(ROUNDS):
        for shop in pair:
            rounds[shop.name].append(play(shop, offers[shop.name]))
    ordered = [shop.orders(begun[shop.name]) for shop in pair]
    equal = ordered[0] == ordered[1] and len(ordered[0]) == ROUNDS * PURCHASES
    if not equal:
        raise AssertionError(f"The shops did not place equal orders: {ordered[0][:3]} ..., {ordered[1][:3]} ...")
    mine, other = (Spent.median([one.spent for one in rounds[shop.name]]).both for shop in pair)
    note = "; ".join(_said(name, played) for name, played in rounds.items())
    note += f". {len(ordered[0])} equal orders in each. {_letters(pair[0])}. Aim {AIM} ms. {OTHERS}"
    return judged("checkout.cost", "CPU ms", mine, other, on="ratio", most=1 / 3, note=note)


def _letters(ours: Shop) -> str:
    """Stock Oscar makes the buyer's letter while the buyer waits; Weft's workers do it afterwards. Their share."""
    database, own = ours.web.spent().database, time.process_time()
    sent = weft.send_letters()
    own, database = time.process_time() - own, ours.web.spent().database - database
    return f"Not in Weft's figure: the letter a worker sends later, {Spent(own, database).each(sent).both:.0f} ms"


def _said(name: str, rounds: Sequence[Bought]) -> str:
    spent = Spent.median([one.spent for one in rounds])
    requests = statistics.median(one for played in rounds for one in played.requests)
    seconds = [one for played in rounds for one in played.seconds]
    return f"{name}: {spent} in {requests:.0f} requests, p50 {percentile(seconds, 50):.0f} ms"


@dataclass(frozen=True, slots=True)
class Rush:
    """What became of the tries on one SKU: `sold` and `promised` as in the books, `spent` per try in milliseconds."""

    placed: int
    errors: list[str]
    sold: int
    promised: int
    seconds: list[float]
    elapsed: float
    spent: Spent

    @property
    def rate(self) -> float:
        """Final answers a second."""
        return len(self.seconds) / self.elapsed

    @property
    def p99(self) -> float:
        """In seconds."""
        return percentile(self.seconds, 99) / 1000

    @property
    def exact(self) -> bool:
        """Every piece sold once, every buyer answered, and the books agree."""
        return not self.errors and self.placed == self.sold == self.promised == STOCK

    def __str__(self) -> str:
        oversold = f", oversold {self.sold - STOCK}" if self.sold > STOCK else ""
        errors = f", {len(self.errors)} errors (first: {self.errors[0]})" if self.errors else ""
        return f"sold {self.sold} (books {self.promised}){oversold}{errors}, p99 {self.p99:.1f} s, {self.spent} a try"


def attempt(shop: Shop, offer: Offer, opened: Browser, token: str) -> tuple[bool | str, float]:
    """A new guest's try: placed or not, or what went wrong; seconds."""
    begun, guest = time.monotonic(), Browser(shop.web.port, opened.cookies, seen=offer.path)
    answer: bool | str
    try:
        answer = shop.buy(guest, offer, token)
    except (Failed, OSError) as error:
        answer = f"{type(error).__name__}: {error}"[:200]
    return answer, time.monotonic() - begun


def rush(shop: Shop, sku: str) -> Rush:
    """400 guests, 32 at a time, each trying to buy one of 100 pieces.

    All have the product's page open before it begins: a guest brings the page's cookie and token, nothing else. The
    clock of a try runs from putting it into the basket to the final answer: placed, or told that it is sold out.
    """
    offer = shop.offers()[sku]
    shop.set_stock(sku, STOCK)
    opened = shop.browser()
    token = opened.get(offer.path).value("csrfmiddlewaretoken")
    last, spent, begun = shop.last_order(), shop.web.spent(), time.monotonic()
    with ThreadPoolExecutor(BUYERS) as pool:
        answers = list(pool.map(lambda _: attempt(shop, offer, opened, token), range(TRIES)))
    return Rush(
        elapsed=time.monotonic() - begun,
        spent=(shop.web.spent() - spent).each(TRIES),
        placed=sum(answer is True for answer, _ in answers),
        errors=[answer for answer, _ in answers if isinstance(answer, str)],
        sold=sum(units for order in shop.orders(last) for found, units, _ in order if found == sku),
        promised=shop.promised(sku),
        seconds=[seconds for _, seconds in answers],
    )


def hot_sku(pair: Sequence[Shop]) -> Row:
    """The same rush on both; on Weft before and after stock Oscar's, so that what else the machine does hits both."""
    ours, theirs = pair
    mine = [rush(ours, "BENCH-1111")]
    other = rush(theirs, "BENCH-1111")
    mine.append(rush(ours, "BENCH-1222"))
    p99 = max(one.p99 for one in mine)
    note = f"{BUYERS} buyers, {TRIES} tries on {STOCK}. Weft: {mine[0]}; {mine[1]}. Stock Oscar: {other}."
    note += f" Also wanted of Weft: exact, no error, p99 <= {LATEST:g} s"
    return judged(
        "checkout.hot_sku",
        "tries/s",
        statistics.fmean(one.rate for one in mine),
        other.rate,
        on="ratio",
        least=3,
        also=all(one.exact for one in mine) and p99 <= LATEST,
        note=note,
    )


def measure(say: Say) -> list[Row]:
    with shops.both(say, lists=False) as pair:
        say("checkout.cost")
        rows = [cost(pair)]
        say("checkout.hot_sku")
        rows.append(hot_sku(pair))
    return rows
