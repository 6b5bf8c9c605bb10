"""The swarm: random faults against the hub, its workers and the line to its database; then each wanted effect is there
exactly once, or is said to be unknown. `WEFT_SWARM_SEED=7` runs another seed (docs/testing.md)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.hub import swarm, swarm_schedule
from tests.faults.hub.swarm_schedule import Kind, draw
from tests.faults.test_fire import told_on_failure
from tests.processes import PROC

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("swarm"),
    pytest.mark.skipif(not (PROC / "self" / "stat").exists(), reason="finds its victims in /proc"),
]
GIVEN = os.environ.get("WEFT_SWARM_SEED")
SEEDS = (int(GIVEN),) if GIVEN else swarm_schedule.FIXED
DEEP = [pytest.param(seed, marks=pytest.mark.deep) for seed in (() if GIVEN else swarm_schedule.DEEP)]


@pytest.mark.parametrize("seed", [*SEEDS, *DEEP])
def test_each_wanted_effect_is_there_once_or_unknown(seed: int, tmp_path: Path, transactional_db: None) -> None:
    schedule = draw(seed)
    print(f"\n{schedule}", flush=True)
    with told_on_failure(f"{schedule}\nJournals and logs: {tmp_path}"), swarm.made(schedule, tmp_path) as run:
        run.load()
        run.heal()
        run.check()


def test_the_fixed_seeds_cover_every_fault() -> None:
    drawn = [draw(seed) for seed in swarm_schedule.FIXED]
    assert {event.kind for schedule in drawn for event in schedule.events} == set(Kind)
    assert {fault for schedule in drawn for fault in schedule.lines} == set(swarm_schedule.LINE_FAULTS)
    assert draw(7) == draw(7) != draw(8)
