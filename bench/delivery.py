"""The hub with real workers: a backlog, money past a catalogue that waits, one dead partner of five, and doing nothing.

Remotes are connectors that take a thing in so many milliseconds, or never answer: what is measured is the hub.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from django.db.models import Count, F, Min
from django.utils import timezone

from bench.bare_hub import work
from bench.bare_hub.providers.shelf import Shelf
from bench.rows import FLAT, Row, judged
from bench.workers import Workers, wait
from integrations.hub import registry
from integrations.hub.models import Account, AccountState, Attempt, Outgoing

Say = Callable[[str], None]
ROWS, PARTNERS = 10_000, 5
IDLE = 60.0  # seconds
ERRANDS, EVERY = 40, 0.25  # seconds between two
CALLS = 80  # of each partner, one every EVERY
SOON, SLOWER = 2.0, 1.5
STATEMENTS, CORE = 0.2, 2.0  # of Weft's own a second; per cent of a core


def measure(say: Say) -> list[Row]:
    registry.connectors()[Shelf.kind, Shelf.name] = Shelf
    work.register()
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder, Workers(Path(folder)) as workers:
        return [*_idle(workers, say), _lanes(say), _backlog(workers, say), _black_hole(say)]


def _partner(name: str, seconds: float, **settings: str) -> Account:
    now = timezone.now()
    return Account.objects.create(
        kind=Shelf.kind, provider=Shelf.name, name=name, state=AccountState.ACTIVE, checked_at=now, active_since=now,
        settings={"seconds": str(seconds), **settings},
    )  # fmt: skip


def _retire() -> None:
    Account.objects.update(state=AccountState.RETIRED, retired_at=timezone.now())


def _p95(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


# --- nothing to do ---------------------------------------------------------------------------------------------------


def _idle(workers: Workers, say: Say) -> list[Row]:
    """Workers with nothing to do, after what they do once at their start."""
    time.sleep(20)
    cpu, (ours, theirs), began = workers.cpu(), workers.statements(), time.monotonic()
    time.sleep(IDLE)
    took = time.monotonic() - began
    own, queue = ((now - before) / took for now, before in zip(workers.statements(), (ours, theirs), strict=True))
    share = 100 * (workers.cpu() - cpu) / took
    say(f"idle: {own:.2f} statements a second of ours, {queue:.2f} of django-q2, {share:.2f} % of a core")
    return [
        judged("hub.idle", "1/s", own, None, on="measured", most=STATEMENTS,
               note=f"our own statements; django-q2 polls {queue:.2f} a second beside them"),
        judged("hub.idle_cpu", "% core", share, None, on="measured", most=CORE, note="all processes of the workers"),
    ]  # fmt: skip


# --- money past the catalogue ----------------------------------------------------------------------------------------


def _lanes(say: Say) -> Row:
    """10,000 things wait at a partner that takes a hundred a second; errands about money come now and then."""
    partner = _partner("lanes", 0.01)
    work.wish([f"thing-{number:05}" for number in range(ROWS)])
    wait(lambda: Outgoing.objects.filter(account=partner, delivered=1).count() > 100, 60)
    for number in range(ERRANDS):
        work.errand(partner, f"errand-{number:03}")
        time.sleep(EVERY)
    mine = Outgoing.objects.filter(account=partner, topic=work.Errand.name)
    wait(lambda: not mine.filter(delivered=0).exists(), 60)
    waiting = Outgoing.objects.filter(account=partner, topic=work.Thing.name, delivered=0).count()
    if waiting < ROWS / 2:
        raise RuntimeError(f"only {waiting} things were waiting at the end")
    began = mine.annotate(began=Min("attempts__started_at")).values_list("created_at", "began")
    p95 = _p95([(first - created).total_seconds() for created, first in began])
    say(f"lanes: p95 {p95:.2f} s")
    _retire()
    return judged("hub.lanes", "s", p95, None, on="measured", most=SOON,
                  note=f"p95 of {ERRANDS} commands at the same partner, {waiting:,} things waiting")  # fmt: skip


# --- a backlog -------------------------------------------------------------------------------------------------------


def _backlog(workers: Workers, say: Say) -> Row:
    """10,000 rows of five partners: each once, the last ones no dearer than the first."""
    partners = [_partner(f"backlog {number}", 0.001) for number in range(PARTNERS)]
    rows = Outgoing.objects.filter(account__in=partners)
    began = time.monotonic()
    work.wish([f"row-{number:05}" for number in range(ROWS // PARTNERS)])
    spent = [workers.cpu()]
    for tenth in range(1, 11):
        wait(lambda tenth=tenth: rows.filter(delivered=1).count() >= ROWS * tenth // 10, 300)  # type: ignore[misc]
        spent.append(workers.cpu())
    took = time.monotonic() - began
    doubled = rows.annotate(tries=Count("attempts")).exclude(tries=1).count()
    if rows.count() != ROWS or doubled or rows.exclude(delivered=F("wanted")).exists():
        raise RuntimeError(f"{rows.count()} rows, {doubled} not tried exactly once")
    tenths = [1000 * (after - before) / (ROWS / 10) for before, after in zip(spent, spent[1:], strict=False)]
    say("backlog: ms CPU a row, by tenths: " + " ".join(f"{each:.2f}" for each in tenths))
    _retire()
    last, early = statistics.fmean(tenths[-3:]), statistics.fmean(tenths[1:4])
    return judged("hub.backlog", "ms CPU", last, early, on="ratio", most=FLAT,
                  note=f"a row at the end beside one at the beginning; {ROWS / took:,.0f} rows/s, "
                       f"none lost, none doubled")  # fmt: skip


# --- one dead partner ------------------------------------------------------------------------------------------------


def _black_hole(say: Say) -> Row:
    """Four partners with a fifth that is well, then with one that never answers."""
    well = _others("well", say)
    dead = _others("dead", say, hole="yes")
    return judged("hub.blackhole", "s", dead, well, on="ratio", most=SLOWER,
                  note="p95 from wish to delivery of the four others")  # fmt: skip


def _others(name: str, say: Say, **fifth: str) -> float:
    partners = [_partner(f"{name} {number}", 0.02) for number in range(PARTNERS - 1)]
    _partner(f"{name} fifth", 0.02, **fifth)
    for number in range(CALLS):
        work.wish([f"{name}-{number:03}"])
        time.sleep(EVERY)
    rows = Outgoing.objects.filter(account__in=partners)
    wait(lambda: rows.filter(delivered=1).count() == CALLS * len(partners), 120)
    taken = [(row.delivered_at - row.created_at).total_seconds() for row in rows if row.delivered_at]
    say(f"{name}: p95 {_p95(taken):.3f} s, median {statistics.median(taken):.3f} s, "
        f"{Attempt.objects.filter(outgoing__account__name=f'{name} fifth').count()} tries at the fifth")  # fmt: skip
    _retire()
    return _p95(taken)
