"""Shares of channels: planning all of them at once, and what one unit costs from the grant to the hold."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import NamedTuple

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from bench import bare
from bench.cpu import Cpu
from bench.rows import Row, judged
from integrations.hub.models import Account, AccountState
from shop.order.models import Line, Order
from shop.stock import escrow, holds, rebalancing
from shop.stock.escrow import Terms
from shop.stock.models import Channel, Mode, Pool, Share

SKUS, CHANNELS, ROUNDS = 10_000, 3, 7
TOPIC = "channel.stock"
UNITS, BATCH, LOTS = 500, 50, 5  # units moved in one round, figures in one call
TERMS = Terms(arrivals=1, lands_within=timedelta(seconds=90))

Say = Callable[[str], None]


def measure(say: Say) -> list[Row]:
    channels = _prepare()
    return [_rebalance(channels, say), _escrow(channels[0], say)]


def _sku(number: int) -> str:
    return f"SHARE-{number:06}"


def _prepare() -> list[Channel]:
    """Pools, and three channels that have settled at nothing of each."""
    Pool.objects.bulk_create((Pool(sku=_sku(n)) for n in range(SKUS)), batch_size=5000)
    channels = []
    for number in range(CHANNELS):
        account = Account.objects.create(
            kind="channel", provider="bench", name=f"channel {number}", state=AccountState.ACTIVE
        )
        channels.append(Channel.objects.create(account=account, mode=Mode.GUARANTEED, weight=1 + number))
    settled = {"shown": 0, "is_drained": True, "is_guarded": True}
    Share.objects.bulk_create(
        (Share(channel=one, pool_id=_sku(n), **settled) for one in channels for n in range(SKUS)), batch_size=5000
    )
    _vacuum()
    return channels


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE stock_pool, stock_share, stock_push, stock_hold")


# --- planning --------------------------------------------------------------------------------------------------------


def _rebalance(channels: list[Channel], say: Say) -> Row:
    """Every share gets another target in every round."""
    arrivals = {one.pk: 1 for one in channels}
    wefts, plains = [], []
    with closing(bare.connect()) as plain:
        bare.make_shares(plain)
        for turn in range(1, 1 + ROUNDS):
            Pool.objects.update(on_hand=100 * turn)
            _vacuum()
            start = time.perf_counter()
            with transaction.atomic():
                due = rebalancing.plan(TOPIC, arrivals)
            wefts.append(time.perf_counter() - start)
            if sum(map(len, due.values())) != SKUS * CHANNELS:
                raise RuntimeError(f"{sum(map(len, due.values()))} shares were planned anew")
            plains.append(_plain(plain, channels, turn))
            say(f"planned in {wefts[-1]:.2f} s, bare {plains[-1]:.2f} s")
    measured, baseline = statistics.median(wefts[1:]), statistics.median(plains[1:])
    note = f"{SKUS:,} SKUs x {CHANNELS} channels, all change; bare: COPY of the targets and one UPDATE of as many rows"
    return judged("stock.rebalance", "s", measured, baseline, on="ratio", most=5, note=note)


def _plain(plain: psycopg.Connection[tuple[object, ...]], channels: list[Channel], turn: int) -> float:
    wishes = [(_sku(n), one.pk, 100 * turn + one.pk) for one in channels for n in range(SKUS)]
    start = time.perf_counter()
    updated = bare.wish(plain, wishes)
    took = time.perf_counter() - start
    if updated != len(wishes):
        raise RuntimeError(f"{updated} rows changed")
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {bare.SHARES}")
    return took


# --- one unit --------------------------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """One unit of an order line."""

    pk: int
    partner_sku: str
    quantity: int = 1
    in_kit: bool = False


def _escrow(channel: Channel, say: Say) -> Row:
    """CPU of one unit given to a channel, sold there, and settled, beside that of a hold by itself."""
    lines = _lines()
    Pool.objects.update(on_hand=10**6, reserved=0, escrow=0)
    Share.objects.exclude(channel=channel).delete()
    Share.objects.update(wish=1)
    given, held = [], []
    for turn in range(LOTS):
        skus = [_sku(n) for n in range(turn * UNITS, (turn + 1) * UNITS)]
        _vacuum()
        given.append(_cpu(lambda skus=skus: _through_escrow(channel, skus, lines)))  # type: ignore[misc]
        held.append(_cpu(lambda skus=skus: _held(skus, lines)))  # type: ignore[misc]
        say(f"{given[-1] / UNITS * 1e3:.2f} ms a unit, a bare hold {held[-1] / UNITS * 1e3:.2f} ms")
    measured, baseline = (statistics.median(found[1:]) / UNITS * 1e3 for found in (given, held))
    note = f"grant and drain {BATCH} figures at a time, acknowledge and sell one by one; bare: one holds.promise"
    return judged("stock.escrow", "ms CPU", measured, baseline, on="ratio", most=4, note=note)


def _lines() -> list[int]:
    order = Order.objects.create(number="BENCH", currency="CNY", total_incl_tax=0, total_excl_tax=0)
    amounts = dict.fromkeys(("line_price_incl_tax", "line_price_excl_tax"), 0)
    amounts |= dict.fromkeys(("line_price_before_discounts_incl_tax", "line_price_before_discounts_excl_tax"), 0)
    line = {"order": order, "partner_sku": "A", "title": "A", "quantity": 1, "tax_rate": 0, **amounts}
    return [made.pk for made in Line.objects.bulk_create(Line(**line) for _ in range(UNITS))]


def _cpu(work: Callable[[], None]) -> float:
    cpu = Cpu()
    before = cpu.spent()
    work()
    return cpu.spent() - before


def _through_escrow(channel: Channel, skus: list[str], lines: list[int]) -> None:
    for at in range(0, len(skus), BATCH):
        some = skus[at : at + BATCH]
        with transaction.atomic(durable=True):
            escrow.lock(channel.pk, some)
            charged = escrow.charge(channel.pk, some, TERMS)
        if set(charged.values()) != {1}:
            raise RuntimeError(str(charged))
        with transaction.atomic(durable=True):
            for sku in some:
                escrow.acknowledge(channel.pk, [sku], TERMS)
    for pk, sku in zip(lines, skus, strict=True):
        with transaction.atomic(durable=True):
            escrow.sold([Wanted(pk, sku)], channel_id=channel.pk, at=timezone.now(), skew=timedelta(0))
    with transaction.atomic(durable=True):
        escrow.drain(channel.pk, timezone.now(), timedelta(0))
    if Share.objects.filter(pool__in=skus, escrow=0, is_drained=True).count() != len(skus):
        raise RuntimeError("not all was settled")


def _held(skus: list[str], lines: list[int]) -> None:
    for pk, sku in zip(lines, skus, strict=True):
        with transaction.atomic(durable=True):
            holds.promise([Wanted(pk, sku)], deadline=None)
