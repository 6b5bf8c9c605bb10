"""D15, D21: versions never go back at a receiver, and a storm of changes becomes few deliveries with the last value."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from integrations.hub.models import Account, Outgoing
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from integrations.sandbox.market import Market, Site
from shop.channels import tasks
from shop.stock import movements
from shop.stock.models import Channel, Mode, Pool, Reason, Share
from shop.stock.movements import Move
from tests import factories
from tests.channels.conftest import KEY, made, send, settle, wait
from tests.faults.hub import business
from tests.faults.hub.conftest import hurry
from tests.faults.proxy import Does, Fault, HttpProxy, answers
from tests.hub.remote import Remote
from tests.threads import at_once

ORDERS = [f"order-{number:03}" for number in range(100)]
REVISIONS = 5


@pytest.mark.django_db(transaction=True)
def test_versions_never_go_back_at_the_receiver(remote: Remote, line: HttpProxy, far: Account, settings: Any) -> None:
    """D15. A hundred orders change five times each while three workers send and half of the calls go wrong."""
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = False
    business.found()
    business.register()
    line.sometimes(
        0.5, answers(500), answers(429), Fault(Does.LOSE), Fault(Does.DROP), Fault(Does.DELAY, 0.02, 0.1),
        Fault(Does.RESET), Fault(Does.TWICE),
    )  # fmt: skip
    changes = [key for key in ORDERS for _ in range(REVISIONS)]
    Random(15).shuffle(changes)
    stop = threading.Event()

    def part(number: int) -> None:
        if number == 0:
            for at in range(0, len(changes), 7):
                business.change(changes[at : at + 7])
                hurry()
                time.sleep(0.05)
            stop.set()
        while not stop.is_set():
            drains.drain(Lane.CATALOGUE)

    assert at_once(part, 4) == [None] * 4
    for _ in range(30):
        if not Outgoing.objects.filter(delivered__lt=F("wanted")).exists():
            break
        line.sometimes(0.1, answers(500), Fault(Does.LOSE))
        hurry()
        drains.drain(Lane.CATALOGUE)
    assert _back(remote) == []
    assert {key: doc["version"] for key, doc in remote.things.items()} == business.versions()
    assert len(line.hit) > 50 and len(remote.lines()) > 100


def _back(remote: Remote) -> list[str]:
    """Where a version came after a higher one, by the journal."""
    shown: defaultdict[str, int] = defaultdict(int)
    wrong = []
    for entry in remote.lines():
        key, version = entry["path"], entry["body"]["version"]
        if version < shown[key]:
            wrong.append(f"{key}: {version} after {shown[key]}")
        shown[key] = version
    return wrong


# --- D21 -------------------------------------------------------------------------------------------------------------

SKUS = [f"SKU-{number:03}" for number in range(200)]


@pytest.fixture
def markets(settings: Any) -> Iterator[list[Site]]:
    """Three practice markets that count what they are told."""
    sites = [Site(("127.0.0.1", 0), Market(), KEY) for _ in range(3)]
    for site in sites:
        threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    settings.WEFT_PRIVATE_HOSTS = frozenset(f"127.0.0.1:{site.server_port}" for site in sites)
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True
    yield sites
    for site in sites:
        site.shutdown()
        site.server_close()


@pytest.mark.django_db
def test_ten_thousand_changes_of_stock_become_few_figures(markets: list[Site], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """D21. 200 SKUs on 3 channels change 50 times each, and are sent ten times on the way: every figure at the end is
    the last one, and what was sent is bounded by the sendings, not by the changes."""
    shown: list[int] = []
    show = Market.show
    monkeypatch.setattr(Market, "show", lambda self, figures: (shown.append(len(figures)), show(self, figures))[1])
    channels = [made(site, mode=Mode.SHARED, name=f"market-{n}") for n, site in enumerate(markets)]
    place = factories.warehouse("SZ")
    with transaction.atomic():
        movements.record([Move(sku, place.pk, 100, Reason.OPENING, "test") for sku in SKUS])
    Share.objects.bulk_create(Share(channel=channel, pool_id=sku) for channel in channels for sku in SKUS)
    settle(*channels)
    shown.clear()
    dice = Random(21)
    for turn in range(50):
        moves = [Move(sku, place.pk, dice.choice([-1, 1, 2]), Reason.COUNT, f"t{turn}") for sku in SKUS]
        with transaction.atomic():
            movements.record(moves)
        if turn % 5 == 4:
            _send(channels)
    settle(*channels, rounds=10)
    free = dict(Pool.objects.values_list("sku", "on_hand"))
    assert all(site.market.figures == free for site in markets)
    assert 600 <= sum(shown) <= 600 * 14, f"{sum(shown)} figures for 30000 changes"
    assert not Outgoing.objects.filter(delivered__lt=F("wanted")).exists()


def _send(channels: list[Channel]) -> None:
    wait(3)
    tasks.rebalance()
    for channel in channels:
        send(channel)


@pytest.mark.django_db(transaction=True)
def test_ten_thousand_wishes_are_one_row_a_thing_and_account(remote: Remote) -> None:
    """The hub's own part of it: a thing that changed fifty times unsent is one row and one delivery."""
    accounts = [factories.account("probe", "probe", settings={"url": remote.url}) for _ in range(3)]
    business.found()
    business.register()
    for _ in range(50):
        business.change(SKUS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(wanted) FROM hub_outgoing")
        assert cursor.fetchone() == (600, 30000)
    assert drains.drain(Lane.CATALOGUE) == 600
    assert set(remote.puts.values()) == {len(accounts)}
    assert {key: doc["version"] for key, doc in remote.things.items()} == dict.fromkeys(SKUS, 50)
