"""What a market's feed left out is found by date: all of it, nothing twice, and holes are said and read again."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from integrations.hub.errors import TryAgain
from integrations.hub.health import alarms
from integrations.hub.models import Alarm, Cursor
from integrations.hub.reading import cursors, gaps, windows
from integrations.hub.reading.models import Gap, GapKind
from integrations.hub.reading.windows import Place
from integrations.sandbox.market import Site
from shop.channels import orders
from shop.channels import windows as by_date
from shop.channels.windows import EVERY, OrdersByDate
from shop.order.models import Order, Status
from shop.stock.models import Channel
from tests import factories

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
NAME = OrdersByDate.name


@pytest.fixture(autouse=True)
def _country() -> None:
    factories.china()


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


@pytest.fixture
def sell(site: Site) -> Callable[..., str]:
    """Somebody buys at that hour; returns the number."""
    site.market.show({"CHAIR-1": 10_000})

    def buy(hours: float, *, hidden: bool = False) -> str:
        sale = site.market.buy("CHAIR-1", at=at(hours).isoformat())
        assert sale is not None
        if hidden:
            site.market.hidden.add(sale.number)
        return sale.number

    return buy


def numbers() -> list[str]:
    return sorted(Order.objects.values_list("external_number", flat=True))


def taken_once(site: Site) -> None:
    """Every sale of the market is one order of ours."""
    assert numbers() == sorted(sale.number for sale in site.market.sales)


def open_gaps() -> list[tuple[str, Any]]:
    return [(gap.kind, gap.facts.get("missing")) for gap in gaps.opened()]


@pytest.mark.parametrize("seed", range(4))
def test_a_market_that_hides_orders_for_more_than_four_hours(
    channel: Channel, site: Site, sell: Callable[..., str], seed: int
) -> None:
    """D16: hourly, with an overlap of twice the interval: 100 % found, none doubled.

    What is sold between hours 3 and 7.5 is hidden, all of it or by chance, and told from hour 8 on; pages come in any
    order, and some polls get no answer. The feed of changes has gone past it meanwhile.
    """
    chance = random.Random(seed)
    for minute in range(0, 14 * 60, 7):
        hours = minute / 60
        sell(hours, hidden=3 <= hours < 7.5 and (seed % 2 == 0 or chance.random() < 0.5))
    sold = list(site.market.sales)
    site.market.sales.clear()
    for hour in range(1, 15):
        site.market.sales += [one for one in sold[len(site.market.sales) :] if one.sold_at <= at(hour).isoformat()]
        if hour == 8:
            site.market.reveal()
        site.faults["shuffle"] = 5
        orders.poll(channel)
        if hour in (5, 10):
            site.faults["hide_orders"] = 1
            with pytest.raises(TryAgain):
                by_date.poll(channel, at(hour))
        else:
            by_date.poll(channel, at(hour))
    taken_once(site)
    assert open_gaps() == []
    assert Cursor.objects.get(name=NAME).problem == ""


def test_the_feed_alone_loses_what_was_hidden_while_it_went_on(
    channel: Channel, site: Site, sell: Callable[..., str]
) -> None:
    """Why there is a second way to read."""
    sell(0.1)
    lost = sell(0.2, hidden=True)
    sell(0.3)
    orders.poll(channel)
    site.market.reveal()
    orders.poll(channel)
    assert lost not in numbers()
    by_date.poll(channel, at(1))
    taken_once(site)


def test_a_missing_number_is_kept_said_and_read_again_until_it_is_there(
    channel: Channel, site: Site, sell: Callable[..., str]
) -> None:
    sell(0.1)
    sell(0.2, hidden=True)
    sell(0.3)
    by_date.poll(channel, at(1))
    assert open_gaps() == [("sequence", [2])]
    alarms.look()
    alarm = Alarm.objects.get(kind="gap")
    with translation.override("en"):
        assert str(alarm) == "market: 1 gap in orders of the channel, by date"
        assert "numbers were not told: 2" in gaps.in_words(Gap.objects.get())
    for hour in range(2, 9):
        by_date.poll(channel, at(hour))
    assert Gap.objects.get().times == 8 and len(numbers()) == 2
    site.market.reveal()
    by_date.poll(channel, at(9))
    taken_once(site)
    gap = Gap.objects.get()
    assert gap.closed_at is not None and gap.facts["missing"] == []


def test_numbers_that_are_missing_where_a_poll_ended_are_seen_by_the_next(
    channel: Channel, site: Site, sell: Callable[..., str]
) -> None:
    sell(0.5)
    sell(0.9, hidden=True)
    by_date.poll(channel, at(1))
    assert open_gaps() == [], "nothing says yet that there is more"
    sell(5.5)
    by_date.poll(channel, at(6))
    assert open_gaps() == [("sequence", [2])]
    site.market.reveal()
    by_date.poll(channel, at(7))
    taken_once(site)


def test_pages_that_end_early_are_a_gap_and_read_again(channel: Channel, site: Site, sell: Callable[..., str]) -> None:
    for number in range(10):
        sell(0.05 * number + 0.05)
    site.faults["end_early"] = 2  # the window, and the gap's first reading
    by_date.poll(channel, at(1))
    assert {kind for kind, _missing in open_gaps()} == {"count"}
    assert len(numbers()) == 5
    gap = Gap.objects.get(kind=GapKind.COUNT)
    with translation.override("en"):
        assert "counts 10 and told 5" in gaps.in_words(gap)
    by_date.poll(channel, at(1.5))
    taken_once(site)
    assert open_gaps() == []


def test_many_pages(channel: Channel, site: Site, sell: Callable[..., str]) -> None:
    for number in range(120):
        sell(number / 200 + 0.01)
    assert by_date.poll(channel, at(1)) == 120
    assert by_date.poll(channel, at(2)) == 0
    taken_once(site)


def test_an_order_that_cannot_be_taken_stops_the_reading_there(
    channel: Channel, site: Site, sell: Callable[..., str]
) -> None:
    sell(0.1)
    lines, site.market.sales[0].lines = site.market.sales[0].lines, []
    by_date_place = Cursor.objects.filter(name=NAME).values_list("value", flat=True)
    with pytest.raises(Exception, match="no lines"):
        by_date.poll(channel, at(1))
    assert list(by_date_place) == [""], "the place is not remembered"
    assert "no lines" in Cursor.objects.get(name=NAME).problem
    assert orders.poll(channel) is None
    assert "no lines" in Cursor.objects.get(name="orders").problem, "and not: a bug"
    site.market.sales[0].lines = lines
    by_date.poll(channel, at(2))
    taken_once(site)


def test_a_cursor_older_than_the_market_tells_is_a_gap_for_a_person(
    channel: Channel, site: Site, sell: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OrdersByDate, "span", windows.Span(overlap=2 * EVERY, retention=timedelta(days=7)))
    by_date.poll(channel, at(0))
    sell(24 * 10)
    by_date.poll(channel, at(24 * 10 + 1))
    assert open_gaps() == [("retention", None)]
    taken_once(site)
    by_date.poll(channel, at(24 * 10 + 2))
    assert open_gaps() == [("retention", None)]
    assert gaps.close(channel.account, "compared with their export", by="staff:li") == 1
    assert open_gaps() == []


# --- backfill --------------------------------------------------------------------------------------------------------


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    call_command("backfill", *arguments)
    return capsys.readouterr().out.strip()


def test_backfill_reads_a_stretch_again_without_a_double(
    channel: Channel, site: Site, sell: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    for day in range(5):
        sell(24 * day + 1)
    by_date.poll(channel, at(24 * 5))  # the first poll reaches back one day only
    assert len(numbers()) == 1
    place = Cursor.objects.get(name=NAME).value
    since, until = ["--from", "2026-11-01"], ["--until", "2026-11-03"]
    assert "3 read, 3 not here, 0" in run("market", *since, *until, "--dry-run", capsys=capsys)
    assert len(numbers()) == 1
    assert "3 read, 3 new, 0" in run("market", *since, *until, capsys=capsys)
    assert "3 read, 0 new, 0" in run("market", *since, *until, capsys=capsys)
    assert "5 read, 1 new, 0" in run("market", *since, capsys=capsys)
    taken_once(site)
    assert Cursor.objects.get(name=NAME).value == place, "the cursor is not moved"
    cancelled = site.market.sales[0].number
    site.market.cancel(cancelled)
    run("market", *since, *until, capsys=capsys)
    assert Order.objects.get(external_number=cancelled).status == Status.CANCELLED
    assert Order.objects.count() == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody", "--from", "2026-11-01"], "no account 'nobody'"),
        (["market", "--from", "yesterday"], "no day and no moment"),
        (["market", "--from", "2026-13-01"], "no day and no moment"),
        (["market", "--from", "2999-01-01"], "in the past"),
    ],
)
def test_backfill_says_what_is_wrong(channel: Channel, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("backfill", *arguments)


def test_backfill_of_a_market_that_does_not_answer_says_how_far_it_came(
    channel: Channel, site: Site, sell: Callable[..., str]
) -> None:
    sell(1)
    site.faults["hide_orders"] = 1
    with pytest.raises(CommandError, match="It was read until 2026-11-01"):
        call_command("backfill", "market", "--from", "2026-11-01", "--until", "2026-11-01")
    call_command("backfill", "market", "--from", "2026-11-01", "--until", "2026-11-01")
    taken_once(site)


# --- versions of cursors ---------------------------------------------------------------------------------------------


def test_a_newer_cursor_is_left_alone(channel: Channel, site: Site, sell: Callable[..., str]) -> None:
    sell(0.5)
    Cursor.objects.create(account=channel.account, name=NAME, version=2, value="{}")
    assert by_date.poll(channel, at(1)) is None
    kept = Cursor.objects.get(name=NAME)
    assert (kept.value, kept.version, kept.lease_token, numbers()) == ("{}", 2, None, [])
    assert kept.problem == "Written by a newer Weft (version 2). Update this worker."


def test_an_older_cursor_is_read_in_todays_form_and_written_so(channel: Channel) -> None:
    Cursor.objects.create(account=channel.account, name="x", version=1, value="7")
    steps = {1: lambda value: value + "0", 2: lambda value: f"page:{value}"}
    upgrade = lambda version, value: steps[version](value)  # noqa: E731
    with cursors.reading(channel.account, "x", version=3, upgrade=upgrade) as cursor:
        assert cursor is not None and cursor.value == "page:70"
        assert Cursor.objects.get(name="x").version == 1, "not before something was read"
        cursors.advance(cursor, "page:71")
    kept = Cursor.objects.get(name="x")
    assert (kept.version, kept.value) == (3, "page:71")


def test_a_place_as_version_1_writes_it() -> None:
    """The stored form; a change of it needs version 2 and an upgrade."""
    value = '{"until": "2026-11-01T09:00:00+00:00", "number": 3, "number_at": "2026-11-01T08:18:00+00:00"}'
    place = Place.of(value)
    assert place == Place(at(1), 3, at(0.3)) and str(place) == value
    assert Place.of("") is None
    assert timezone.is_aware(at(1))
