"""Invariants under fire: eight buyers shop, staff confirm, the ERP is up, and processes are killed all the while.

Every 2xx ever answered has its effect, the invariants hold, and each paid order is in Tryton exactly once. The schedule
comes from a seed; `WEFT_FIRE_SEED=7` runs another one (docs/testing.md).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random

import pytest

from tests.faults import checks, planted, schedule
from tests.faults.conftest import Stage
from tests.faults.ground import LOGIN
from tests.faults.people import LEAST_PAID, Buyer, Cashier, Goods, Person, Shift
from tests.faults.points import Point
from tests.faults.prepare import PLENTY, SCARCE
from tests.faults.schedule import Fault, Kind
from tests.processes import PROC

pytestmark = [
    pytest.mark.tryton,
    pytest.mark.xdist_group("tryton"),
    pytest.mark.skipif(not (PROC / "self" / "stat").exists(), reason="finds its victims in /proc"),
]
BUYERS = 8
FINISH_WITHIN = 90.0
GIVEN = os.environ.get("WEFT_FIRE_SEED")
SEEDS = (int(GIVEN),) if GIVEN else schedule.FIXED
DEEP = [pytest.param(seed, marks=pytest.mark.deep) for seed in (() if GIVEN else schedule.DEEP)]


class Fire:
    """One run: the site, the people, and the schedule."""

    def __init__(self, stage: Stage, seed: int, faults: Sequence[Fault]) -> None:
        self.site, self.faults = stage.open(), faults
        self.tryton = stage.ground.tryton
        self.journals = stage.next_journals(seed)
        random = Random(seed)
        skus = [*random.sample(PLENTY, 4), *random.sample(SCARCE, 2)]
        goods = [Goods(sku, stage.ground.pages[sku], sku in SCARCE) for sku in skus]
        self.shift = Shift(seed, self.site.shop, goods, self.journals)
        self.people: list[Person] = [Buyer(self.shift, f"buyer {number}") for number in range(1, BUYERS + 1)]
        self.people.append(Cashier(self.shift, LOGIN, self.site.on_their_way))

    def say(self, text: str) -> None:
        print(f"  [{self.journals.now():5.1f} s] {text}", flush=True)

    def burn(self) -> None:
        """People come, processes die, and what clients were told is compared after each death."""
        self.journals.begin()
        for person in self.people:
            person.start()
        for fault in self.faults:
            time.sleep(max(0.0, fault.at - self.journals.now()))
            self.say(f"{fault.what}: {self.commit(fault)}")
            self.check_people()
            self.say(f"what was told so far is so ({checks.told_is_so(self.site, self.journals)} lines)")

    def commit(self, fault: Fault) -> str:
        """Do it; returns what was hit, and fails when nothing was."""
        match fault.kind:
            case Kind.WEB:
                assert fault.point
                return self.site.kill_web(fault.point, fault.passes)
            case Kind.WORKER:
                return self.site.kill_worker()
            case Kind.CLUSTER:
                return self.site.kill_cluster()
            case Kind.POSTGRES:
                return self.site.stop_postgres(fault.pause)
            case Kind.GROUP:
                return f"{self.site.kill_group()}; {self.site.start_again(fault.pause)}"

    def check_people(self) -> None:
        for person in self.people:
            if person.failure is not None:
                raise AssertionError(f"{person.name} failed: {person.failure}") from person.failure

    def heal(self) -> None:
        """Nobody begins anything new; what was begun is finished, and all that was to be sent is sent."""
        self.shift.over.set()
        until = time.monotonic() + FINISH_WITHIN
        for person in self.people:
            person.join(max(0.0, until - time.monotonic()))
            assert not person.is_alive(), f"{person.name} is still not finished after {FINISH_WITHIN:.0f} s"
        self.check_people()
        self.say("everybody was told something")
        checks.quiet(self.site)
        self.say(f"nothing is left to be sent ({checks.tries(self.site)})")

    def check(self) -> None:
        """All that must hold afterwards, of this run and of those before it."""
        lines = checks.told_is_so(self.site, self.journals)
        checks.nothing_else(self.site, self.journals)
        checks.invariants(self.site)
        in_erp = checks.erp_has_each_once(self.site, self.tryton)
        self.say(f"all holds: {lines} lines of the journals, {in_erp} orders in Tryton")
        placed, paid = len(self.journals.lines("placed")), len(self.journals.lines("paid"))
        assert placed >= BUYERS and paid >= LEAST_PAID, f"too little happened: {placed} orders, {paid} of them paid"
        late = len(self.journals.lines("sold out", "not added", "turned away"))
        self.say(f"in this run {placed} orders were placed, {paid} of them paid; {late} times it was too late")


@contextmanager
def told_on_failure(what: str) -> Iterator[None]:
    """A failure says what it was a failure of."""
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise


@pytest.mark.parametrize("seed", [*SEEDS, *DEEP])
def test_nothing_told_is_lost_and_nothing_is_doubled(seed: int, stage: Stage) -> None:
    faults = schedule.draw(seed, deep=seed in schedule.DEEP)
    words = schedule.words(seed, faults)
    print(f"\n{words}", flush=True)
    with told_on_failure(f"{words}\nJournals and logs: {stage.folder}"):
        try:
            fire = Fire(stage, seed, faults)
            fire.burn()
            fire.heal()
            fire.check()
        except BaseException:
            stage.close()
            raise
        if seed == SEEDS[0]:
            losses = planted.must_be_seen(fire.site, fire.journals, fire.tryton)
            fire.say(f"and {losses} losses on purpose were seen")


def test_the_fixed_seeds_cover_every_fault() -> None:
    drawn = [fault for seed in schedule.FIXED for fault in schedule.draw(seed)]
    assert {fault.point for fault in drawn if fault.point} == set(Point)
    assert {fault.kind for fault in drawn} == set(Kind)
    assert all({Kind.POSTGRES, Kind.GROUP} <= {fault.kind for fault in schedule.draw(seed)} for seed in schedule.FIXED)
