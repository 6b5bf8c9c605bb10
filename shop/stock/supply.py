"""Incoming supply: what arrives when, received wholly or in part, dated anew, cancelled. And what may be promised when.

Locks: the supply, then pools and levels (`movements`), then its presales. A presale's cap follows its supply here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from integrations.hub.workers import wakeups
from shop.stock import movements, pools, presales
from shop.stock.models import Presale, Reason, Supply
from shop.stock.movements import Move

FILL = "shop.tasks.fill_waiting"


class CannotChange(Exception):
    """It cannot be done with this supply as it stands; `open` units are still to come."""

    def __init__(self, supply: Supply) -> None:
        self.open = supply.open
        super().__init__(f"{supply}: {supply.open} still to come")


class Stale(CannotChange):
    """Somebody received some of it since the person looked: perhaps the same click, twice."""


def add(
    *, sku: str, warehouse_id: int, quantity: int, expected_on: date, document: str, note: str = "", actor: str = ""
) -> Supply:
    """A new position. A SKU that never had stock gets its pool."""
    with transaction.atomic():
        pools.make([sku])
        made = Supply.objects.create(
            pool_id=sku, warehouse_id=warehouse_id, quantity=quantity, expected_on=expected_on, document=document,
            note=note, actor=actor,
        )  # fmt: skip
    return made


def locked(pk: int) -> Supply:
    """The supply, locked first of all. In the caller's transaction."""
    return Supply.objects.select_for_update(of=("self",), no_key=True).select_related("warehouse").get(pk=pk)


def receive(pk: int, quantity: int, *, seen: int, actor: str, note: str = "") -> Supply:
    """`quantity` units have arrived; `seen` were received before, as the person saw it, so that a click counts once.

    In a warehouse of ours they are a receipt. In an ERP's they only come off what is expected: the ERP's reading brings
    them. Whoever waits for them gets them on commit. Raises Stale or CannotChange; then nothing has changed.
    """
    with transaction.atomic():
        supply = locked(pk)
        if supply.received != seen:
            raise Stale(supply)
        if not 0 < quantity <= supply.open:
            raise CannotChange(supply)
        if supply.warehouse.erp_account_id is None:
            words = " · ".join(filter(None, [supply.document, note]))[:255]
            place, document = supply.warehouse_id, f"supply:{supply.pk}"
            movements.record([Move(supply.pool_id, place, quantity, Reason.RECEIPT, document, actor, words)])
        Supply.objects.filter(pk=pk).update(received=F("received") + quantity)
        presales.follow(supply_id=pk)
        transaction.on_commit(lambda: wakeups.queue(FILL), robust=True)
    supply.refresh_from_db()
    return supply


def set_date(pk: int, expected_on: date) -> Supply:
    """It arrives on another day; what is sold from it ships by then."""
    with transaction.atomic():
        supply = locked(pk)
        if supply.open <= 0:
            raise CannotChange(supply)
        Supply.objects.filter(pk=pk).update(expected_on=expected_on)
        Presale.objects.filter(supply=pk).update(ships_on=expected_on)
        supply.expected_on = expected_on
    return supply


def cancel(pk: int, quantity: int) -> Supply:
    """So many of the units still to come will not come. What was promised of them becomes a task for staff."""
    with transaction.atomic():
        supply = locked(pk)
        if not 0 < quantity <= supply.open:
            raise CannotChange(supply)
        Supply.objects.filter(pk=pk).update(cancelled=F("cancelled") + quantity)
        presales.follow(supply_id=pk)
    supply.refresh_from_db()
    return supply


def overdue() -> QuerySet[Supply]:
    """What should have arrived. Nothing is sold from it until somebody gives it a new date."""
    return Supply.objects.filter(open__gt=0, expected_on__lt=timezone.localdate())


# --- when so many may be promised -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrival:
    """`units` arrive on `day`, of which `promised` are promised already."""

    day: date
    units: int
    promised: int


def available(free: int, arrivals: Sequence[Arrival]) -> list[int]:
    """How many more may be promised now, and by each arrival's day (sorted): so that nothing promised later is lost.

    What is free now, and what each arrival adds to it; never more than what is left on any later day.
    """
    left = list(accumulate((arrival.units - arrival.promised for arrival in arrivals), initial=free))
    lowest = list(accumulate(reversed(left), min))[::-1]
    return [max(0, units) for units in lowest]


def arrivals(sku: str) -> list[tuple[Supply, Arrival]]:
    """Of a SKU what is still to come, and what is waited for although it has come, by day."""
    rows = Supply.objects.filter(pool=sku).annotate(promised=Sum("presales__promised", default=0))
    awaited = rows.filter(Q(open__gt=0) | Q(promised__gt=0))
    found = awaited.select_related("warehouse").order_by("expected_on", "pk")
    return [(row, Arrival(row.expected_on, row.open, row.promised)) for row in found]
