"""A remote that asks to be left alone is not read before that time; the other accounts are read on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations.channels.providers.market import PracticeMarket
from integrations.hub import http, registry
from integrations.hub.door import pauses
from integrations.hub.health import flows
from integrations.hub.models import Cursor, Pause
from integrations.hub.reading import cursors
from integrations.hub.sending import drains
from integrations.sandbox.market import Market, Site
from runtime.logs import trace
from shop.channels import orders, tasks
from shop.channels import windows as by_date
from shop.order.models import Order
from shop.stock.models import Channel
from tests import factories
from tests.channels.conftest import KEY, made, send, share, wait

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _country() -> None:
    factories.china()


def sell(site: Site) -> None:
    site.market.show({"CHAIR-1": 10})
    site.market.buy("CHAIR-1")


def readings(site: Site) -> Callable[[], int]:
    """How often the market was asked for orders, from now on."""
    asked: list[str] = []
    for way in ("told", "by_date"):
        right = getattr(site.market, way)
        setattr(site.market, way, lambda *of, right=right: (asked.append("x"), right(*of))[1])
    return lambda: len(asked)


def test_a_429_makes_all_reading_of_the_account_wait_as_long_as_it_says(channel: Channel, site: Site) -> None:
    sell(site)
    site.faults["too_often"] = 1
    asked = readings(site)
    assert orders.poll(channel) is None
    pause = Pause.objects.get()
    assert (pause.account, pause.topic) == (channel.account, "reading")
    assert abs(pause.until - timezone.now() - timedelta(seconds=60)) < timedelta(seconds=5)
    problem = Cursor.objects.get(name="orders").problem
    assert "slow down" in problem
    for _ in range(3):
        assert orders.poll(channel) is None
        assert by_date.poll(channel, timezone.now()) is None
    assert asked() == 0 and not Order.objects.exists()
    assert Cursor.objects.get(name="orders").problem == problem, "it says why"
    (flow,) = [flow for flow in flows.measure() if flow.name == "read:orders"]
    assert flow.rest and flow.rest.reason == problem
    wait(61)
    assert orders.poll(channel) == 1
    assert not Pause.objects.exists(), "the first reading that ends well ends it"
    assert asked() == 1


def test_what_is_sent_goes_on_meanwhile(channel: Channel, site: Site) -> None:
    factories.stock(SZ=10)
    share(channel)
    site.faults["too_often"] = 1
    orders.poll(channel)
    tasks.rebalance()
    assert send(channel) == 1
    assert Pause.objects.get().topic == "reading", "and does not end it"


def test_an_account_that_rests_is_not_read(channel: Channel, site: Site) -> None:
    """Sending was told that nobody is there: reading does not knock either."""
    sell(site)
    asked = readings(site)
    pauses.shut(channel.account, "", timedelta(minutes=5), "closed")
    tasks.poll()
    tasks.poll_by_date()
    assert asked() == 0
    assert Cursor.objects.get(name="orders").lease_token is None
    wait(301)
    tasks.poll()
    assert asked() == 1 and not Pause.objects.exists()


def test_where_nobody_answers_the_whole_account_rests_longer_each_time(channel: Channel, site: Site) -> None:
    site.shutdown()
    site.server_close()
    lengths = []
    for _ in range(4):
        assert orders.poll(channel) is None
        pause = Pause.objects.get()
        lengths.append((pause.until - timezone.now()).total_seconds())
        Pause.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert pause.topic == ""
    assert lengths == [pytest.approx(seconds, rel=0.15) for seconds in (5, 10, 20, 40)]


def test_a_reading_that_fails_half_way_does_not_end_the_pause(channel: Channel, site: Site) -> None:
    """Else a remote that refuses the second page would be asked at the first one's pace."""
    site.market.show({"CHAIR-1": 200})
    for _ in range(120):
        site.market.buy("CHAIR-1")
    right = site.market.told

    def told(after: int, limit: int) -> dict[str, Any]:
        site.faults["too_often"] = 1
        return right(after, limit)

    site.market.told = told  # type: ignore[method-assign]
    for times in (1, 2):
        orders.poll(channel)
        assert Pause.objects.get().times == times
        wait(61)
        Cursor.objects.update(value="")
        site.faults["too_often"] = 0


def test_a_person_who_reads_again_is_told_to_come_back_later(channel: Channel, site: Site) -> None:
    site.faults["too_often"] = 1
    asked = readings(site)
    read_again = ("backfill", "market", "--from", "2026-11-01", "--until", "2026-11-01")
    with pytest.raises(CommandError, match="slow down"):
        call_command(*read_again)
    with pytest.raises(CommandError, match="left alone for a while"):
        call_command(*read_again)
    assert asked() == 0
    wait(61)
    call_command(*read_again)
    assert asked() == 1


def test_whoever_is_turned_away_ends_no_pause(channel: Channel) -> None:
    """Another worker reads: nothing was asked, so nothing says that it is well again."""
    pauses.shut(channel.account, cursors.PAUSE, timedelta(0), "slow down")
    with cursors.reading(channel.account, "orders"):
        with cursors.reading(channel.account, "orders") as other:
            assert other is None
        assert Pause.objects.exists()
    assert not Pause.objects.exists()


@contextmanager
def another(settings: Any) -> Iterator[Site]:
    site = Site(("127.0.0.1", 0), Market(), KEY)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    settings.WEFT_PRIVATE_HOSTS |= {f"127.0.0.1:{site.server_port}"}
    yield site
    site.shutdown()
    site.server_close()


class Odd(PracticeMarket):
    """Cannot even be opened."""

    name = "odd"

    def __init__(self, *_: Any, **__: Any) -> None:
        raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("task", [tasks.poll, tasks.poll_by_date])
def test_one_that_fails_or_hangs_holds_up_no_other(
    channel: Channel, site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch, task: Callable[[], None]
) -> None:
    """One is told to wait, one fails in our own code, two give no answer for 2 s; the others are read meanwhile."""
    monkeypatch.setitem(registry.connectors(), ("channel", "odd"), Odd)
    Channel.objects.create(account=factories.account("channel", "odd", name="odd"))
    with another(settings) as silent:
        for name in ("silent 1", "silent 2"):
            made(silent, name=name)
        for way in ("told", "by_date"):
            monkeypatch.setattr(silent.market, way, lambda *_: time.sleep(4))
        for name in ("b", "c"):
            made(site, name=name)
        site.faults["too_often"] = 1
        monkeypatch.setitem(http.Door.request.__kwdefaults__, "timeout", 2.0)
        begun = time.monotonic()
        task()
        assert time.monotonic() - begun < 3.5
    read = set(Cursor.objects.filter(read_at__isnull=False).values_list("account__name", flat=True))
    assert len(read) == 2 and read < {"market", "b", "c"}, "of three at one market, one was told to come too often"


@pytest.mark.django_db(transaction=True)
def test_several_at_once_bear_the_trace_of_their_task() -> None:
    seen: list[str] = []
    with trace.bound("a-trace-of-a-task"):
        drains.at_once([1, 2, 3], lambda _account_id: seen.append(trace.current()) or 0)  # type: ignore[func-returns-value]
    assert seen == ["a-trace-of-a-task"] * 3
