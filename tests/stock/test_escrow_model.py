"""The rules of escrow, checked in every state of a small world; each looser rule must fail there."""

from __future__ import annotations

import pytest
from django.conf import settings

from tests.stock.escrow_model import Bounds, Rules, explore

SMALL = Bounds(stock=3, attempts=3, figure=2)
TWICE = Bounds(stock=3, attempts=3, figure=1, arrivals=2)
WORLDS = [
    SMALL,
    TWICE,
    Bounds(stock=2, attempts=3, figure=2, lost=1),
    Bounds(stock=4, attempts=3, figure=2, arrivals=2),
    Bounds(stock=3, attempts=4, figure=2),
]
LARGER = [Bounds(stock=4, attempts=4, figure=3, lost=1), Bounds(stock=4, attempts=4, figure=2, arrivals=2, lost=1)]


def test_the_rules_hold_in_every_state() -> None:
    found = [explore(bounds) for bounds in WORLDS]
    states = sum(world.states for world in found)
    print(f"\nescrow: {states:,} states, 0 violations")
    assert [world for world in found if world.problem] == []
    assert states > 50_000


@pytest.mark.deep
@pytest.mark.skipif(not settings.WEFT_DEEP, reason="the long form: WEFT_DEEP=1")
def test_the_rules_hold_in_every_state_of_larger_worlds() -> None:
    found = [explore(bounds) for bounds in LARGER]
    print(f"\nescrow, larger worlds: {sum(world.states for world in found):,} states, 0 violations")
    assert [world for world in found if world.problem] == []


MORE = "the channel may sell more than its escrow"
LOOSER = {
    "quotas replace each other": (Rules(charges=False), SMALL, MORE),
    "a retry is not charged": (Rules(charges_retries=False), SMALL, MORE),
    "what may arrive twice is charged once": (Rules(charges_every_arrival=False), TWICE, MORE),
    "grant before the drain": (Rules(grants_what_fits=False), SMALL, "more is promised than there was"),
    "send while an earlier attempt may arrive": (Rules(waits_for_the_last=False), SMALL, MORE),
    "fall back before it is acknowledged": (Rules(drains_acknowledged=False), SMALL, MORE),
    "fall back before the watermark": (Rules(drains_after_watermark=False), SMALL, MORE),
    "fall back while it may arrive again": (Rules(drains_closed=False), TWICE, MORE),
    "subtract what was sold before": (Rules(subtracts_later_sales_only=False), SMALL, MORE),
    "a sale told twice counts twice": (
        Rules(counts_a_sale_once=False), Bounds(stock=3, attempts=3, figure=2, told_twice=1), MORE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOSER)
def test_a_looser_rule_fails(name: str) -> None:
    rules, bounds, problem = LOOSER[name]
    found = explore(bounds, rules)
    trace = ", ".join(f"{what} {number}" for what, number in found.trace)
    print(f"\n{name}: {found.problem or 'nothing found'} in {len(found.trace)} steps: {trace}")
    assert found.problem == problem
    assert 0 < len(found.trace) <= 11
