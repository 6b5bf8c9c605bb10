"""The rules of ERP feedback, checked in every state of a small world; each looser rule must fail there."""

from __future__ import annotations

import pytest
from django.conf import settings

from tests.stock.model import AS_WRITTEN, Bounds, Rules, explore, replay, wrong

WORLDS = [
    Bounds(stock=2, orders=2, readings=2, adjusted=1),
    Bounds(stock=2, orders=3, readings=1),
    Bounds(stock=1, orders=2, readings=3),
]
LARGER = Bounds(stock=2, orders=3, readings=2, adjusted=1)


def test_the_rules_hold_in_every_state() -> None:
    found = [explore(bounds) for bounds in WORLDS]
    states = sum(world.states for world in found)
    print(f"\nERP feedback: {states:,} states, 0 violations")
    assert [world for world in found if world.problem] == []
    assert states > 60_000


@pytest.mark.deep
@pytest.mark.skipif(not settings.WEFT_DEEP, reason="the long form: WEFT_DEEP=1")
def test_the_rules_hold_in_every_state_of_a_larger_world() -> None:
    found = explore(LARGER)
    print(f"\nERP feedback, larger world: {found.states:,} states, 0 violations")
    assert found.problem == ""
    assert found.states > 400_000


LOOSER = {
    "always apply a reading": (Rules(checks_revision=False, checks_sequence=False), "oversold"),
    "the newer sequence wins": (Rules(checks_revision=False), "oversold"),
    "consuming does not raise the revision": (Rules(consuming_raises_revision=False), "oversold"),
    "consume only what no reading included": (Rules(consumes_always=False), "oversold"),
    "cancelling releases at once": (Rules(holds_while_cancelling=False), "oversold"),
    "only an acknowledged order was sent": (Rules(started_is_told=False), "oversold"),
    "the ERP forgets what it cancelled unseen": (Rules(leaves_tombstone=False), "oversold"),
    "read net stock": (Rules(reads_gross=False), "on hand is not what is there"),  # undersells: subtracted twice
}


@pytest.mark.parametrize("name", LOOSER)
def test_a_looser_rule_fails(name: str) -> None:
    rules, problem = LOOSER[name]
    found = explore(Bounds(stock=1, orders=2, readings=2), rules)
    trace = ", ".join(f"{what} {number}" for what, number in found.trace)
    print(f"\n{name}: {found.problem or 'nothing found'} in {len(found.trace)} steps: {trace}")
    assert found.problem == problem
    assert 0 < len(found.trace) <= 13


def test_releasing_at_once_oversells_when_the_shipment_is_not_known_yet() -> None:
    """Buy, buy, ship 0, cancel 0, buy: by the rules the last step cannot happen."""
    bounds = Bounds(stock=2, orders=3, readings=1)
    known = (("buy", 0), ("buy", 1), ("send", 0), ("arrive", 0), ("ship", 0), ("cancel", 0))
    loose = replay(bounds, (*known, ("buy", 2)), Rules(holds_while_cancelling=False))
    assert [wrong(state) for state in loose] == [""] * 7 + ["oversold"]
    with pytest.raises(KeyError):
        replay(bounds, (*known, ("buy", 2)), AS_WRITTEN)


def test_the_sequence_alone_is_for_freshness() -> None:
    """Without it nothing is oversold: it keeps an older figure from replacing a newer one when nothing changed here."""
    assert explore(Bounds(stock=1, orders=2, readings=2, adjusted=1), Rules(checks_sequence=False)).problem == ""


def test_oversell_is_bounded_by_what_the_erp_lost() -> None:
    """With a loss the model allows that much and no more, and the state after the next reading shows the shortage."""
    lossy = Bounds(stock=1, orders=1, readings=1, adjusted=1)
    *_, last = replay(lossy, (("buy", 0), ("lose", 0), ("begin", 0), ("answer", 0), ("apply", 0)))
    assert (last.on_hand, last.reserved, last.shortage, last.free) == (0, 1, 1, 0)
    assert wrong(last) == ""
    assert wrong(last._replace(lost=0)) == "oversold"
