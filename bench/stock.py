"""Promises of one hot SKU and of many, and a hundred thousand figures of an ERP, beside bare statements."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import NamedTuple

import psycopg
from django.db import connection, transaction

from bench import bare, clients
from bench.rows import Row, judged
from integrations.hub.models import Account, AccountState
from shop.order.models import Line, Order
from shop.stock import holds, readings
from shop.stock.models import Hold, Pool, Shortage, Warehouse
from shop.stock.readings import Figure

HOT, BARE = "BENCH-HOT", "BENCH-BARE"
CROWDS = (8, 32)
ROUNDS = 9
SECONDS = 2.0  # of one round
LINES = 4_000
FEW, MANY = 100, 10_000
SPREAD_CLIENTS, SPREAD_ROUNDS = 8, 5

LEVELS = 100_000
CODE = "BENCH"
SHARES = {"5": 20, "all": 1}  # every twentieth level changes, or every one
FEED_ROUNDS = {"5": 5, "all": 3}
MOST = {"5": 3.0, "all": 6.0}
PROMISED = 500  # every so many SKUs one unit is promised, and in every other round it is gone

Say = Callable[[str], None]


def measure(say: Say) -> list[Row]:
    lines = _prepare_promises()
    return [*(_reserve(lines, crowd, say) for crowd in CROWDS), _spread(lines, say), *_feed(lines[0], say)]


# --- promises --------------------------------------------------------------------------------------------------------


def _prepare_promises() -> list[int]:
    """Pools with plenty, and lines of an order to promise for; returns the lines' ids."""
    skus = [HOT, BARE, *map(_sku, range(MANY))]
    Pool.objects.bulk_create((Pool(sku=sku, on_hand=10**9) for sku in skus), batch_size=5000)
    order = Order.objects.create(number="BENCH", currency="CNY", total_incl_tax=0, total_excl_tax=0)
    line = {"order": order, "partner_sku": HOT, "title": HOT, "quantity": 1, "tax_rate": 0}
    amounts = dict.fromkeys(("line_price_incl_tax", "line_price_excl_tax"), 0)
    amounts |= dict.fromkeys(("line_price_before_discounts_incl_tax", "line_price_before_discounts_excl_tax"), 0)
    return [made.pk for made in Line.objects.bulk_create(Line(**line, **amounts) for _ in range(LINES))]


def _sku(number: int) -> str:
    return f"BENCH-{number:06}"


class Wanted(NamedTuple):
    """One unit of an order line."""

    pk: int
    partner_sku: str
    quantity: int = 1


def _promise(lines: Sequence[int], crowd: int, skus: Sequence[str], number: int) -> Iterator[None]:
    """The real promise, each in a durable transaction of its own, as a client's last step before it commits."""
    dice = random.Random(number)
    wants = [Wanted(pk, dice.choice(skus)) for pk in lines[number::crowd] for _ in range(10)]
    dice.shuffle(wants)
    for wanted in cycle(wants):
        with transaction.atomic(durable=True):
            holds.promise([wanted], deadline=None)
        yield


def _clear() -> None:
    """As before the first promise."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE stock_hold, stock_filling")
        cursor.execute("UPDATE stock_pool SET reserved = 0 WHERE reserved > 0")
        cursor.execute("VACUUM ANALYZE stock_pool, stock_hold")


def _rate(work: clients.Work, crowd: int) -> float:
    _clear()
    return clients.rate(work, crowd, SECONDS)


def _reserve(lines: Sequence[int], crowd: int, say: Say) -> Row:
    """Of the rounds that with the middle ratio: the disk's speed changes from one to the next."""
    rounds = []
    for _ in range(ROUNDS):
        promised = _rate(partial(_promise, lines, crowd, [HOT]), crowd)
        rounds.append((promised, _rate(lambda _: bare.reserve(BARE), crowd)))
        say(f"{crowd} clients: {promised:,.0f} promises a second, {rounds[-1][1]:,.0f} bare")
    measured, baseline = sorted(rounds, key=lambda pair: pair[0] / pair[1])[ROUNDS // 2]
    alone = _rate(lambda _: bare.reserve(BARE, autocommit=True), crowd)
    return judged(
        f"stock.reserve_{crowd}",
        "1/s",
        measured,
        baseline,
        on="ratio",
        least=0.5,
        note=f"{crowd} clients, one SKU; bare: BEGIN, UPDATE, COMMIT; UPDATE without a transaction: {alone:,.0f}",
    )


def _spread(lines: Sequence[int], say: Say) -> Row:
    """Milliseconds from one promise to the next, of all clients together."""
    costs: dict[int, list[float]] = {FEW: [], MANY: []}
    for _ in range(SPREAD_ROUNDS):
        for count, found in costs.items():
            skus = [_sku(number) for number in range(count)]
            found.append(1000 / _rate(partial(_promise, lines, SPREAD_CLIENTS, skus), SPREAD_CLIENTS))
    few, many = statistics.median(costs[FEW]), statistics.median(costs[MANY])
    say(f"over {FEW:,} SKUs {1000 / few:,.0f} promises a second, over {MANY:,} {1000 / many:,.0f}")
    note = f"{SPREAD_CLIENTS} clients; by the clock, over {MANY:,} SKUs beside over {FEW:,}"
    return judged("stock.reserve_spread", "ms", many, few, on="ratio", most=1.2, note=note)


# --- the ERP's figures -----------------------------------------------------------------------------------------------


@dataclass
class Feed:
    """The same figures for both sides: `apply` as the ERP's poll does it, and bare."""

    account: Account
    warehouse: int
    bare: psycopg.Connection[tuple[object, ...]]
    figures: list[int]
    turn: int = 0

    def change(self, every: int) -> int:
        """Other figures for every so many SKUs; where units are promised, none is left in every other turn."""
        self.turn += 1
        for number in range(0, LEVELS, every):
            self.figures[number] = 100 + self.turn
        for number in range(0, LEVELS, PROMISED):
            self.figures[number] = 0 if self.turn % 2 else 100 + self.turn
        return LEVELS // every

    def weft(self, changed: int) -> float:
        figures = [Figure(_level(number), CODE, on_hand) for number, on_hand in enumerate(self.figures)]
        start = time.perf_counter()
        applied = readings.apply(readings.start(self.account), figures)
        took = time.perf_counter() - start
        if (applied.rows, applied.changed, applied.refused) != (LEVELS, changed, 0):
            raise RuntimeError(str(applied))
        _vacuum("stock_level", "stock_pool", "stock_movement")
        return took

    def plain(self, changed: int) -> float:
        figures = [(_level(number), self.warehouse, on_hand) for number, on_hand in enumerate(self.figures)]
        start = time.perf_counter()
        updated = bare.feed(self.bare, figures)
        took = time.perf_counter() - start
        if updated != changed:
            raise RuntimeError(f"{updated} rows changed")
        _vacuum(bare.LEVELS)
        return took


def _level(number: int) -> str:
    return f"LEVEL-{number:06}"


def _vacuum(*tables: str) -> None:
    """What autovacuum would do in between, at a time of ours."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(tables)}")


def _feed(line: int, say: Say) -> list[Row]:
    with closing(bare.connect()) as plain:
        feed = _prepare_levels(line, plain)
        return [_share(feed, id, say) for id in SHARES]


def _prepare_levels(line: int, plain: psycopg.Connection[tuple[object, ...]]) -> Feed:
    """An ERP's warehouse with one level of each SKU, read once, and one promised unit here and there."""
    _clear()
    account = Account.objects.create(kind="bench", provider="erp", name="erp", state=AccountState.ACTIVE)
    warehouse = Warehouse.objects.create(code=CODE, name=CODE, erp_account=account)
    Pool.objects.bulk_create((Pool(sku=_level(number)) for number in range(LEVELS)), batch_size=5000)
    readings.apply(readings.start(account), (Figure(_level(number), CODE, 100) for number in range(LEVELS)))
    promised = [_level(number) for number in range(0, LEVELS, PROMISED)]
    Hold.objects.bulk_create(Hold(pool_id=sku, line_id=line, quantity=1) for sku in promised)
    Pool.objects.filter(sku__in=promised).update(reserved=1)
    bare.make_levels(plain)
    _vacuum("stock_level", "stock_pool", "stock_movement", bare.LEVELS)
    return Feed(account, warehouse.pk, plain, [100] * LEVELS)


def _share(feed: Feed, id: str, say: Say) -> Row:
    wefts, plains, shortages = [], [], set()
    for _ in range(1 + FEED_ROUNDS[id]):
        changed = feed.change(SHARES[id])
        wefts.append(feed.weft(changed))
        plains.append(feed.plain(changed))
        shortages.add(Shortage.objects.filter(closed_at=None).count())
        say(f"{changed:,} of {LEVELS:,} changed: {wefts[-1]:.2f} s, bare {plains[-1]:.2f} s")
    if shortages != {0, LEVELS // PROMISED}:
        raise RuntimeError(f"open shortages: {shortages}")
    measured, baseline = statistics.median(wefts[1:]), statistics.median(plains[1:])  # the first one warms up
    note = f"start and apply, with movements, pools and {LEVELS // PROMISED} shortages opened or closed in each"
    return judged(f"stock.feed_{id}", "s", measured, baseline, on="ratio", most=MOST[id], note=note)
