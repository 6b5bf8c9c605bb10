"""What a row costs on its way out: claimed, built, begun on disk, handed to a connector that does nothing, settled."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import ClassVar

from django.db import connection
from django.db.models import F
from django_q.models import OrmQ

from bench.cpu import Cpu
from bench.rows import FLAT, Row, flatness, judged
from integrations.hub import outgoing, registry, topics
from integrations.hub.connector import Connector
from integrations.hub.models import Account, AccountState, Attempt, Outgoing
from integrations.hub.sending import drains
from integrations.hub.topics import State
from integrations.hub.values import Absent, Done, Lane, Ref
from shop.stock.models import Pool

MANY, FEW = 100_000, 1_000
LEAST = 1_000  # rows a second
TIMES = 5  # that few rows are drained
SINGLES = 500
WISHES = 1_000  # in one business transaction
STEP = 1_000  # rows between two looks at the clocks

Say = Callable[[str], None]


class Nothing(Connector):
    """A remote that takes everything at once."""

    kind = "bench"
    name = "nothing"
    label = "Nothing"

    def put(self, figures: Mapping[str, int | Absent]) -> dict[str, Done]:
        return {key: Done(refs=(Ref(key),)) for key in figures}


@dataclass(frozen=True, slots=True)
class Mark:
    """How far it was: rows handed over, seconds on the wall, seconds of CPU."""

    rows: int
    wall: float
    cpu: float


class Figures(State):
    """What is free of each SKU, a hundred SKUs in one call, as marketplaces take them."""

    name = "bench.figures"
    lane = Lane.STOCK
    kind = "bench"
    batch = 100
    cpu: ClassVar[Cpu]
    rows: ClassVar[int] = 0
    marks: ClassVar[list[Mark]] = []

    def subject(self, key: str) -> str:
        return f"sku:{key}"

    def accounts(self, keys: Collection[str]) -> Mapping[str, Sequence[Account]]:
        accounts = list(Account.objects.filter(kind=self.kind, state=AccountState.ACTIVE))
        return {key: accounts for key in keys}

    def build(self, account: Account, keys: Collection[str]) -> Mapping[str, int | Absent]:
        free = {pool.sku: pool.free for pool in Pool.objects.filter(sku__in=keys)}
        return {key: free.get(key, Absent()) for key in keys}

    def deliver(self, remote: Nothing, docs: Mapping[str, int | Absent]) -> Mapping[str, Done]:
        if Figures.rows and Figures.rows % STEP == 0:
            self.mark()
        Figures.rows += len(docs)
        return remote.put(docs)

    @classmethod
    def mark(cls) -> None:
        cls.marks.append(Mark(cls.rows, time.perf_counter(), cls.cpu.spent()))


class Single(Figures):
    """The same, one SKU in a call: two transactions of its own for each row."""

    name = "bench.single"
    batch = 1


def measure(say: Say) -> list[Row]:
    """Few rows waiting, then many, then few again with many done."""
    registry.connectors()[Nothing.kind, Nothing.name] = Nothing
    Figures.cpu = Cpu()
    for topic in (Figures(), Single()):
        topics.register(topic)
    Account.objects.create(kind=Nothing.kind, provider=Nothing.name, name="bench", state=AccountState.ACTIVE)
    skus = [f"BENCH-{number:06}" for number in range(MANY)]
    Pool.objects.bulk_create((Pool(sku=sku, on_hand=number % 50) for number, sku in enumerate(skus)), batch_size=5000)
    _drained(Figures.name, skus[:FEW])  # warm
    single = _rate(_drained(Single.name, skus[:SINGLES]))
    few = [_costs(_drained(Figures.name, skus[:FEW]), CPU)[0] for _ in range(TIMES)]
    say(f"{MANY:,} rows")
    marks = _drained(Figures.name, skus)
    return _judged(statistics.median(few), marks, f"of {Single.batch} document a call {single:,.0f} rows a second")


CPU, WALL = attrgetter("cpu"), attrgetter("wall")


def _judged(few: float, marks: Sequence[Mark], note: str) -> list[Row]:
    cpu, wall = _costs(marks, CPU), _costs(marks, WALL)
    tenth = len(cpu) // 10
    note = f"one process, {Figures.batch} documents a call, {statistics.fmean(cpu):.2f} ms CPU a row; {note}"
    return [
        judged("outgoing.drain", "rows/s", _rate(marks), None, on="measured", least=LEAST, note=note),
        judged("outgoing.drain_flat", "x", flatness(cpu), None, on="measured", most=FLAT,
               note=f"CPU, last tenth over second tenth of {MANY:,} rows; by the clock {flatness(wall):.2f}"),
        judged("outgoing.drain_waiting", "ms CPU", statistics.fmean(cpu[tenth : 2 * tenth]), few, on="ratio", most=FLAT,
               note=f"a row with {MANY:,} waiting beside one with {FEW:,} waiting"),
    ]  # fmt: skip


def _drained(topic: str, skus: Sequence[str]) -> list[Mark]:
    """Wish for these, send them as a worker does, and look whether each was sent once. The marks from first to last.

    The database's statistics are those from before the wishes, as after a sudden burst of work.
    """
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE hub_outgoing, hub_attempt")
    attempts = Attempt.objects.count()
    for at in range(0, len(skus), WISHES):
        with outgoing.recording():
            outgoing.ensure(topic, skus[at : at + WISHES])
    Figures.rows, Figures.marks = 0, []
    Figures.mark()
    while drains.drain(Lane.STOCK):  # one call ends after a minute and wakes the next worker
        pass
    Figures.mark()
    is_open = Outgoing.objects.filter(topic=topic, delivered__lt=F("wanted")).exists()
    if is_open or Figures.rows != len(skus) or Attempt.objects.count() - attempts != len(skus):
        raise RuntimeError(f"{topic}: not every row was sent once")
    OrmQ.objects.all().delete()  # wake-ups; no worker runs here
    return Figures.marks


def _rate(marks: Sequence[Mark]) -> float:
    return marks[-1].rows / (marks[-1].wall - marks[0].wall)


def _costs(marks: Sequence[Mark], clock: Callable[[Mark], float]) -> list[float]:
    """Milliseconds a row, from mark to mark."""
    return [1000 * (clock(after) - clock(before)) / (after.rows - before.rows) for before, after in pairwise(marks)]
