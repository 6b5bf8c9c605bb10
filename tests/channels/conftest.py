"""Fixtures for channels: a practice market on loopback, an account for it, and time that passes when told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from integrations.hub.models import Outgoing, Pause
from integrations.hub.sending import claims, drains
from integrations.hub.values import Lane
from integrations.sandbox.market import Market, Site
from shop.channels import orders, tasks
from shop.stock.models import Channel, Mode, Pool, Push, Share
from tests import factories

KEY = "a-key-for-tests"


@pytest.fixture
def site(settings: Any) -> Iterator[Site]:
    made = Site(("127.0.0.1", 0), Market(), KEY)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    settings.WEFT_PRIVATE_HOSTS = frozenset({f"127.0.0.1:{made.server_port}"})
    settings.WEFT_ALLOW_HTTP_IN_TRANSACTION = True  # the test itself is one
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def channel(site: Site, db: None) -> Channel:
    return made(site)


def made(site: Site, *, mode: Mode = Mode.GUARANTEED, name: str = "market", **fields: Any) -> Channel:
    account = factories.account(
        "channel", "market", name=name, settings={"url": f"http://127.0.0.1:{site.server_port}"}
    )
    account.credentials = {"key": KEY}
    account.save()
    return Channel.objects.create(account=account, mode=mode, **fields)


def share(channel: Channel, sku: str = "CHAIR-1", **fields: Any) -> Share:
    return Share.objects.create(channel=channel, pool_id=sku, **fields)


def send(channel: Channel) -> int:
    """What a drain does, in the test's own connection."""
    settled = 0
    while claim := claims.claim(channel.account_id, tuple(Lane)):
        settled += drains.work(claim)
    return settled


def turn(*channels: Channel) -> None:
    """One round of everything that happens by itself: plan, send, poll."""
    tasks.rebalance()
    for channel in channels:
        send(channel)
        orders.poll(channel)


def settle(*channels: Channel, rounds: int = 8) -> None:
    """Turn after turn until nothing changes."""
    stands = ("escrow", "target", "wish", "shown", "live", "is_drained", "is_guarded")
    for _ in range(rounds):
        before = list(Share.objects.order_by("pk").values_list(*stands))
        wait(3)
        turn(*channels)
        if list(Share.objects.order_by("pk").values_list(*stands)) == before:
            return
    raise AssertionError(f"still moving after {rounds} turns: {list(Share.objects.values())}")


def wait(seconds: float) -> None:
    """Let time pass: what was written down lies further back."""
    by = timedelta(seconds=seconds)
    Push.objects.update(started_at=F("started_at") - by, closes_at=F("closes_at") - by)
    Push.objects.filter(acknowledged_at__isnull=False).update(acknowledged_at=F("acknowledged_at") - by)
    Share.objects.filter(live_at__isnull=False).update(live_at=F("live_at") - by)
    Outgoing.objects.update(next_at=F("next_at") - by)
    Pause.objects.update(until=F("until") - by)


def state(sku: str = "CHAIR-1") -> tuple[int, int, int, int]:
    """on hand, reserved, escrow, shortage"""
    pool = Pool.objects.get(sku=sku)
    return pool.on_hand, pool.reserved, pool.escrow, pool.shortage
