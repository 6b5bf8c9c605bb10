"""Who is given how much, and that it comes to rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from integrations.sandbox.market import Market, Site
from shop.channels import tasks
from shop.stock import rebalancing
from shop.stock.models import Demand, Mode, Pool, Share
from tests import factories
from tests.channels.conftest import made, settle, share
from tests.savepoints import taken_back
from tests.statements import counted

pytestmark = pytest.mark.django_db


def figures(*markets: Market) -> list[int]:
    return [market.figures.get("CHAIR-1", 0) for market in markets]


@pytest.fixture(autouse=True)
def _country() -> None:
    factories.china()


def test_by_weight(site: Site) -> None:
    channel = made(site, weight=Decimal(3))
    factories.stock(SZ=20)
    share(channel)
    settle(channel)
    assert figures(site.market) == [15]


def test_by_demand(site: Site) -> None:
    """Three of four were sold there: it gets more of what comes."""
    channel = made(site)
    factories.product()
    factories.stock(SZ=40)
    share(channel)
    settle(channel)
    assert figures(site.market) == [20]
    for _ in range(11):
        site.market.buy("CHAIR-1")
    settle(channel)
    tasks.count_demand()
    assert Demand.objects.get().units == 11
    settle(channel)
    own, there = 1, 12
    assert Share.objects.get().target == 29 * there // (own + there)
    assert figures(site.market) == [14], "to get there it would have to show 0 first: not for twice as much"
    tasks.count_demand()
    assert Demand.objects.count() == 1


def test_an_own_shop_without_weight_gives_all_away(site: Site, settings: Any) -> None:
    settings.WEFT_OWN_SHOP_WEIGHT = "0"
    channel = made(site)
    factories.stock(SZ=7)
    share(channel)
    settle(channel)
    assert figures(site.market) == [7]


def test_what_is_not_offered_any_more_is_0_and_free_again(site: Site) -> None:
    channel = made(site)
    factories.stock(SZ=8)
    share(channel)
    settle(channel)
    Share.objects.update(is_offered=False)
    settle(channel)
    assert figures(site.market) == [0]
    assert Pool.objects.get().free == 8


@given(
    stock=st.integers(0, 60), bought=st.integers(0, 30), weights=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    more=st.integers(0, 40),
)  # fmt: skip
@examples(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_it_comes_to_rest(site: Site, stock: int, bought: int, weights: tuple[int, int], more: int) -> None:
    """Whatever the figures: after some turns nothing is sent any more, nothing is given twice, and little lies idle."""
    with taken_back():
        site.market.figures.clear()
        channels = [made(site, name=f"m{n}", weight=Decimal(weight)) for n, weight in enumerate(weights)]
        factories.stock(SZ=stock)
        for channel in channels:
            share(channel)
        settle(*channels, rounds=16)
        if 0 < bought <= Pool.objects.get().free:
            factories.order({"CHAIR-1": bought})
        if more:
            factories.stock(SZ=more)
        settle(*channels, rounds=16)
        pool = Pool.objects.get()
        assert pool.escrow == sum(one.escrow for one in Share.objects.all()) <= pool.on_hand - pool.reserved
        for one in Share.objects.all():
            assert one.is_drained
            assert one.escrow == one.shown


@pytest.mark.django_db(transaction=True)
def test_one_pass_is_a_few_statements_however_many_skus(site: Site) -> None:
    channels = [made(site, name=f"m{n}", mode=Mode.GUARANTEED) for n in range(3)]
    Pool.objects.bulk_create(Pool(sku=f"S{n:03}") for n in range(200))
    Share.objects.bulk_create(
        Share(channel=one, pool_id=f"S{n:03}", is_guarded=True, is_drained=True, shown=0)
        for one in channels for n in range(200)
    )  # fmt: skip
    with counted("plan") as found:
        due = rebalancing.plan("channel.stock", {one.pk: 1 for one in channels})
    assert len(found) == 1
    assert due == {}
