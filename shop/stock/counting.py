"""Count sheets, from choosing SKUs to the last entry. What came of them is decided in `count_decisions`.

sheet = make(chosen, person)
enter(sheet.pk, {row.pk: Count(12, seen=row.entries)}, person)   # as often as wanted, by several people at once
finish(sheet.pk, person)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count as Counter
from django.db.models import F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from shop.stock import movements, pending, pools
from shop.stock.approvals import Person, prices
from shop.stock.count_models import Choice, SheetState
from shop.stock.models import CountEntry, CountRow, CountSheet, Level, Movement, Pool, Reason, Warehouse
from shop.stock.pending import CountWaits

MOST_ROWS = 5000  # as many as a file may have
RECENT = timedelta(days=90)  # in which SKUs "moved"
NO_MOVE = (Reason.COUNT, Reason.OPENING)


class NothingToCount(Exception):
    """No SKU of the place fits; `elsewhere`: so many stand on other open sheets of it."""

    def __init__(self, elsewhere: int) -> None:
        super().__init__(f"nothing to count; {elsewhere} stand on other sheets")
        self.elsewhere = elsewhere


class WrongState(Exception):
    """The sheet is not in the state for this (any more)."""


class OnTheSheet(Exception):
    """It is on this sheet already."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """At most `rows` SKUs of a warehouse, those that `choice` puts first, whose SKU begins with `prefix`."""

    warehouse_id: int
    choice: Choice = Choice.ALL
    prefix: str = ""
    rows: int = 50
    blind: bool = True


@dataclass(frozen=True, slots=True)
class Count:
    """`found` units (None: take the count back), entered by somebody who saw the row after `seen` entries."""

    found: int | None
    seen: int


@dataclass(slots=True)
class Entered:
    """Rows written, and why others were not.

    `meanwhile`: somebody changed it (the row as it is now); `waits`: another count of the SKU has to be decided first
    (its document); `closed`: not to be counted (again).
    """

    rows: int = 0
    meanwhile: dict[int, CountRow] = field(default_factory=dict)
    waits: dict[int, str] = field(default_factory=dict)
    closed: list[int] = field(default_factory=list)


# --- choosing --------------------------------------------------------------------------------------------------------


def make(chosen: Chosen, person: Person) -> CountSheet:
    """A sheet of the chosen SKUs, in a transaction of its own. Raises NothingToCount, NotOurs.

    SKUs on another open sheet of the place are left out: one of the two would write its difference twice.
    """
    with transaction.atomic(durable=True):
        Warehouse.objects.select_for_update(no_key=True).get(pk=chosen.warehouse_id)  # one sheet is made at a time
        movements.refuse_owned([chosen.warehouse_id])
        taken = pending.on_sheets(None, chosen.warehouse_id)
        skus = [sku for sku in _wanted(chosen) if sku not in taken]
        if not skus:
            raise NothingToCount(len(taken))
        sheet = CountSheet.objects.create(
            warehouse_id=chosen.warehouse_id,
            choice=chosen.choice,
            prefix=chosen.prefix,
            blind=chosen.blind,
            made_by=person.actor,
        )
        rows = sorted(skus[: chosen.rows])  # the order of the shelves, as far as SKUs tell it
        CountRow.objects.bulk_create(
            CountRow(sheet=sheet, pool_id=sku, position=position) for position, sku in enumerate(rows, start=1)
        )
    return sheet


def _wanted(chosen: Chosen) -> Iterable[str]:
    levels = Level.objects.filter(warehouse=chosen.warehouse_id, pool__sku__istartswith=chosen.prefix)
    return _ORDER[chosen.choice](levels).values_list("pool_id", flat=True)


def _by_moves(levels: QuerySet[Level]) -> QuerySet[Level]:
    moved = Movement.objects.filter(
        pool=OuterRef("pool"), warehouse=OuterRef("warehouse"), at__gte=timezone.now() - RECENT
    ).exclude(reason__in=NO_MOVE)
    times = moved.order_by().values("pool").annotate(times=Counter("pk")).values("times")
    return levels.annotate(moves=Coalesce(Subquery(times), 0)).filter(moves__gt=0).order_by("-moves", "pool")


_ORDER: dict[str, Callable[[QuerySet[Level]], QuerySet[Level]]] = {
    Choice.ALL: lambda levels: levels.order_by("pool"),
    Choice.NEVER: lambda levels: levels.filter(counted_at=None).order_by("pool"),
    Choice.LONGEST: lambda levels: levels.order_by(F("counted_at").asc(nulls_first=True), "pool"),
    Choice.MOVED: _by_moves,
}


def add(sheet_id: int, sku: str) -> CountRow:
    """One more SKU: it lies there, and is not on the sheet. In a transaction of its own.

    Raises WrongState, OnTheSheet, CountWaits (on another open sheet), Pool.DoesNotExist.
    """
    with transaction.atomic(durable=True):
        sheet = locked(sheet_id, SheetState.COUNTING)
        Warehouse.objects.select_for_update(no_key=True).get(pk=sheet.warehouse_id)
        pool = Pool.objects.get(sku__iexact=sku)
        if sheet.rows.filter(pool=pool).exists():
            raise OnTheSheet
        if elsewhere := pending.on_sheets([pool.sku], sheet.warehouse_id):
            raise CountWaits(elsewhere[pool.sku])
        last = sheet.rows.aggregate(last=Max("position", default=0))["last"]
        return CountRow.objects.create(sheet=sheet, pool=pool, position=last + 1, again=sheet.round > 1)


# --- entering --------------------------------------------------------------------------------------------------------


def locked(sheet_id: int, *states: SheetState) -> CountSheet:
    """The sheet, until the transaction ends; before the pools. Raises WrongState unless it is in one of the states."""
    sheet = CountSheet.objects.select_for_update(no_key=True).get(pk=sheet_id)
    if sheet.state not in states:
        raise WrongState
    return sheet


def countable(sheet: CountSheet) -> QuerySet[CountRow]:
    """The rows that are to be counted in this round."""
    return sheet.rows.all() if sheet.round == 1 else sheet.rows.filter(again=True)


def enter(sheet_id: int, counts: Mapping[int, Count], person: Person, *, source: str = "") -> Entered:
    """Note what was found on these rows (by id), each beside the figure of this moment; rows not named stay.

    A transaction of its own. A row for which somebody entered another figure since `seen` is left as it is and named:
    nobody's count replaces one they have not seen. Locks: sheet, pools, levels. Raises WrongState.
    """
    entered = Entered()
    with transaction.atomic(durable=True):
        sheet = locked(sheet_id, SheetState.COUNTING)
        rows = list(countable(sheet).filter(pk__in=counts))
        entered.closed = sorted(set(counts) - {row.pk for row in rows})
        skus = [row.pool_id for row in rows]
        pools.lock(skus)
        waits = pending.proposed(skus, sheet.warehouse_id)
        entered.waits = {row.pk: waits[row.pool_id] for row in rows if row.pool_id in waits}
        entered.meanwhile = {row.pk: row for row in rows if _overtaken(row, counts[row.pk])}
        left = entered.waits.keys() | entered.meanwhile.keys()
        good = [row for row in rows if row.pk not in left and row.found != counts[row.pk].found]
        entered.rows = len(good)
        _write(sheet, good, counts, person, source)
    return entered


def _overtaken(row: CountRow, count: Count) -> bool:
    return row.entries != count.seen and row.found != count.found


def _write(sheet: CountSheet, rows: list[CountRow], counts: Mapping[int, Count], person: Person, source: str) -> None:
    skus = [row.pool_id for row in rows]
    figures = movements.on_hand(skus, sheet.warehouse_id)
    priced = prices(skus)
    now = timezone.now()
    for row in rows:
        row.found = counts[row.pk].found
        row.figure = None if row.found is None else figures[row.pool_id]
        no_price: tuple[Decimal | None, str] = (None, "")
        row.price, row.currency = priced.get(row.pool_id, no_price)
        row.counted_by, row.counted_at = ("", None) if row.found is None else (person.actor, now)
        row.entries += 1
    fields = ["found", "figure", "price", "currency", "counted_by", "counted_at", "entries"]
    CountRow.objects.bulk_update(rows, fields, batch_size=500)
    CountEntry.objects.bulk_create(
        CountEntry(row=row, round=sheet.round, found=row.found, figure=row.figure, counter_id=person.pk,
                   counted_by=person.actor, source=source[-255:])
        for row in rows
    )  # fmt: skip


def finish(sheet_id: int, person: Person) -> CountSheet:
    """Nothing more is entered: the differences are shown, and somebody decides. Raises WrongState, NothingToCount."""
    with transaction.atomic(durable=True):
        sheet = locked(sheet_id, SheetState.COUNTING)
        if not sheet.rows.filter(found__isnull=False).exists():
            raise NothingToCount(0)
        sheet.state, sheet.finished_at = SheetState.COUNTED, timezone.now()
        sheet.finisher_id, sheet.finished_by = person.pk, person.actor
        sheet.save()
    return sheet
