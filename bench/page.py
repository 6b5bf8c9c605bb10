"""Pages a second, and the CPU time of one page, beside stock Oscar."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench import catalogue, shops
from bench.client import Page
from bench.rows import Row, judged
from bench.shops import Say, Shop
from bench.web import Spent, percentile

VISITORS = 4
ROUNDS = 3
SECONDS = 4.0  # of one round
WARM = 16  # pages before the first round: both processes have seen every template
PRODUCTS = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of page: its paths in a shop, what must be on it, and how many times stock Oscar's rate is wanted."""

    id: str
    paths: Callable[[Shop], Sequence[str]]
    check: Callable[[Shop, Page], bool]
    least: float


def _full_list(shop: Shop, page: Page) -> bool:
    return shop.cards(page) == catalogue.PER_PAGE


def _sold(shop: Shop, page: Page) -> bool:
    return "/basket/add/" in page.text


def _product_paths(shop: Shop) -> list[str]:
    offers = shop.offers()
    return [offers[sku].path for sku in shops.products(PRODUCTS)]


KINDS = (
    Kind("page.category", Shop.categories, _full_list, 5),
    Kind("page.search", lambda shop: [f"/search/?q={catalogue.SEARCHED}"], _full_list, 3),
    Kind("page.product", _product_paths, _sold, 1.25),
)


@dataclass(frozen=True, slots=True)
class Round:
    """`rate` in pages a second, `spent` per page in milliseconds, `seconds` of every page."""

    rate: float
    spent: Spent
    seconds: list[float]


def look(shop: Shop, kind: Kind, path: str) -> float:
    """A new visitor's page, checked; seconds."""
    begun = time.monotonic()
    page = shop.browser().get(path)
    took = time.monotonic() - begun
    if not kind.check(shop, page):
        raise AssertionError(f"{shop.name}: {page.path} does not show what it should:\n{page.text[:2000]}")
    return took


def visit(shop: Shop, kind: Kind, paths: Iterator[str], until: float) -> list[float]:
    """One visitor after another until the time is over; seconds of each."""
    took = [look(shop, kind, next(paths))]
    while time.monotonic() < until:
        took.append(look(shop, kind, next(paths)))
    return took


def play(shop: Shop, kind: Kind) -> Round:
    """One round. The rate is the sum of the visitors' own rates, so that whoever ends first costs nothing."""
    paths = itertools.cycle(kind.paths(shop))
    before, until = shop.web.spent(), time.monotonic() + SECONDS
    with ThreadPoolExecutor(VISITORS) as pool:
        visitors = [pool.submit(visit, shop, kind, paths, until) for _ in range(VISITORS)]
        took = [visitor.result() for visitor in visitors]
    every = [one for visitor in took for one in visitor]
    rate = sum(len(visitor) / sum(visitor) for visitor in took)
    return Round(rate, (shop.web.spent() - before).each(len(every)), every)


def warm(shop: Shop, kind: Kind) -> None:
    """Both processes have loaded templates, thumbnails and query plans."""
    paths = itertools.islice(itertools.cycle(kind.paths(shop)), WARM)
    with ThreadPoolExecutor(VISITORS) as pool:
        list(pool.map(lambda path: look(shop, kind, path), paths))


def said(name: str, rounds: Sequence[Round]) -> str:
    """One shop's figures for the note."""
    spent = Spent.median([one.spent for one in rounds])
    seconds = [one for played in rounds for one in played.seconds]
    return f"{name}: {spent} a page, p50 {percentile(seconds, 50):.0f} ms, p99 {percentile(seconds, 99):.0f} ms"


def row(ours: Shop, theirs: Shop, kind: Kind) -> Row:
    """Measured in turns, so that what else the machine does hits both."""
    for shop in (ours, theirs):
        warm(shop, kind)
    rounds: dict[str, list[Round]] = {ours.name: [], theirs.name: []}
    for _ in range(ROUNDS):
        for shop in (ours, theirs):
            rounds[shop.name].append(play(shop, kind))
    mine, other = (statistics.median(r.rate for r in rounds[shop.name]) for shop in (ours, theirs))
    note = "; ".join(said(name, played) for name, played in rounds.items())
    return judged(kind.id, "pages/s", mine, other, on="ratio", least=kind.least, note=note)


def measure(say: Say) -> list[Row]:
    rows = []
    with shops.both(say, lists=True) as (ours, theirs):
        for kind in KINDS:
            say(kind.id)
            rows.append(row(ours, theirs, kind))
    return rows
