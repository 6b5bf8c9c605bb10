"""What a count sheet came to, and who decides about it: all its differences at once, or none."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from shop.stock import movements
from shop.stock.approvals import NOTE, OwnWork, Person, name, too_large
from shop.stock.count_models import OPEN, SheetState
from shop.stock.counting import WrongState, locked
from shop.stock.models import CountEntry, CountRow, CountSheet, Reason
from shop.stock.movements import Move


class NeedsAnother(Exception):
    """Its differences are too large for one person: somebody with the right to approve decides."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a sheet came to. `more` and `fewer` are units, both without sign; values by currency, signed and gross."""

    rows: int
    counted: int
    right: int
    more: int
    fewer: int
    net_values: dict[str, Decimal]
    gross_values: dict[str, Decimal]

    @property
    def share_right(self) -> int | None:
        """Percent of the counted rows that agreed, rounded down."""
        return self.right * 100 // self.counted if self.counted else None

    @property
    def needs_another(self) -> bool:
        """A difference is too large for one person, or all of them together are."""
        return too_large(self.more + self.fewer, self.gross_values)


def waiting() -> QuerySet[CountSheet]:
    """Sheets somebody has to decide about."""
    return CountSheet.objects.filter(state=SheetState.COUNTED)


def differing(sheet: CountSheet) -> QuerySet[CountRow]:
    """Counted rows that did not agree."""
    return sheet.rows.filter(found__isnull=False).exclude(found=F("figure"))


def result(sheet: CountSheet) -> Result:
    """Added up from its rows, at the prices of their counts."""
    net: dict[str, Decimal] = defaultdict(Decimal)
    gross: dict[str, Decimal] = defaultdict(Decimal)
    rows = list(sheet.rows.all())
    differences = [row for row in rows if row.difference is not None]
    for row in differences:
        if row.price is not None and row.difference:
            net[row.currency] += row.price * row.difference
            gross[row.currency] += row.price * abs(row.difference)
    units = [row.difference or 0 for row in differences]
    return Result(
        rows=len(rows),
        counted=len(units),
        right=sum(not unit for unit in units),
        more=sum(unit for unit in units if unit > 0),
        fewer=-sum(unit for unit in units if unit < 0),
        net_values=dict(net),
        gross_values=dict(gross),
    )


def counters(sheet: CountSheet) -> set[int]:
    """Users who entered something, or ended the counting."""
    entered = CountEntry.objects.filter(row__sheet=sheet).values_list("counter_id", flat=True).distinct()
    return {*entered, *([sheet.finisher_id] if sheet.finisher_id else [])}


def approve(sheet_id: int, person: Person, *, may_approve: bool, note: str = "") -> CountSheet:
    """Write the differences as one record, in a transaction of its own; rows that were not counted stay as they are.

    `may_approve`: the person has the right to approve what is too large for one; then who counted it cannot. Locks:
    sheet, pools, levels. Raises WrongState, NeedsAnother, OwnWork, NotOurs, and NotThere where by now fewer than 0
    would be on hand: then the sheet still waits.
    """
    with transaction.atomic(durable=True):
        sheet = locked(sheet_id, SheetState.COUNTED)
        if result(sheet).needs_another:
            if not may_approve:
                raise NeedsAnother
            if person.pk in counters(sheet):
                raise OwnWork
        movements.by_staff(_moves(sheet, person))
        counted = list(sheet.rows.filter(found__isnull=False).values_list("pool_id", flat=True))
        movements.note_counted(counted, sheet.warehouse_id)
        return _decide(sheet, SheetState.APPROVED, person, note)


def _moves(sheet: CountSheet, person: Person) -> list[Move]:
    return [
        Move(row.pool_id, sheet.warehouse_id, row.difference, Reason.COUNT, sheet.document, person.actor,
             name(row.counted_by)[:NOTE])
        for row in differing(sheet)
    ]  # fmt: skip


def ask_again(sheet_id: int) -> int:
    """Rows that differed are to be counted once more, by whoever can; returns how many. Their first counts stay in
    the history only: what is not counted again is not counted. Raises WrongState where none differed."""
    with transaction.atomic(durable=True):
        sheet = locked(sheet_id, SheetState.COUNTED)
        rows = list(differing(sheet).values_list("pk", flat=True))
        if not rows:
            raise WrongState
        sheet.rows.update(again=False)
        sheet.rows.filter(pk__in=rows).update(
            again=True, found=None, figure=None, counted_by="", counted_at=None, entries=F("entries") + 1
        )
        sheet.state, sheet.round = SheetState.COUNTING, sheet.round + 1
        sheet.save(update_fields=["state", "round"])
    return len(rows)


def discard(sheet_id: int, person: Person, note: str) -> CountSheet:
    """Nothing of it is written. Raises WrongState."""
    with transaction.atomic(durable=True):
        return _decide(locked(sheet_id, *OPEN), SheetState.DISCARDED, person, note)


def _decide(sheet: CountSheet, state: SheetState, person: Person, note: str) -> CountSheet:
    sheet.state, sheet.decided_at, sheet.note = state, timezone.now(), note
    sheet.decider_id, sheet.decided_by = person.pk, person.actor
    sheet.save()
    return sheet
