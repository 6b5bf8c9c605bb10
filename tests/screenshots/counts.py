"""The company's stock as its people see it: goods set apart and on their way, changes that wait, count sheets."""

from __future__ import annotations

import random

from django.db import transaction

from shop.customer.models import User
from shop.stock import approvals, closing, count_decisions, counting, movements, places
from shop.stock.approvals import Person, Wish
from shop.stock.count_models import Choice
from shop.stock.counting import Chosen, Count
from shop.stock.models import CountSheet, Kind, Level, Reason, Warehouse
from shop.stock.movements import Move
from shop.stock.proposal_models import Change


def make(boss: User) -> None:
    """By the services, as people would have done it."""
    clerk = _person("warehouse@weijian.example")
    shelf = Warehouse.objects.get(code="SZ")
    road = Warehouse.objects.create(code="SEA1", name="在途（海运）", kind=Kind.TRANSIT, is_sellable=False)
    Warehouse.objects.create(code="OLD1", name="旧仓", priority=9)
    there = Level.objects.filter(warehouse=shelf, on_hand__gt=20).order_by("pool__reserved", "pool")
    skus = list(there.values_list("pool_id", flat=True)[:6])
    _set_apart(skus, shelf, road, clerk)
    closing.close(Warehouse.objects.get(code="OLD1").pk)
    _proposals(skus, shelf, clerk)
    _sheets(shelf, clerk, Person(boss.pk, f"staff:{boss.email}"))


def _person(email: str) -> Person:
    user = User.objects.get(email=email)
    return Person(user.pk, f"staff:{email}")


def _set_apart(skus: list[str], shelf: Warehouse, road: Warehouse, clerk: Person) -> None:
    said = {"actor": clerk.actor, "note": "外箱受潮"}
    with transaction.atomic():
        damaged = places.apart(shelf, Kind.DAMAGED)
        for sku, units in zip(skus, (3, 5), strict=False):
            movements.by_staff(places.moves(sku, shelf.pk, damaged.pk, units, Reason.SET_ASIDE, **said))
        for sku, units in zip(skus[:3], (8, 4, 6), strict=False):
            places.hold(sku, shelf, units, **said)
        places.move(skus[0], shelf, road, 12, **said)
        movements.by_staff([Move(skus[3], Warehouse.objects.get(code="OLD1").pk, 9, Reason.RECEIPT, actor=clerk.actor)])


def _proposals(skus: list[str], shelf: Warehouse, clerk: Person) -> None:
    boss = _person("finance@weijian.example")
    with transaction.atomic():
        for sku in skus:
            movements.by_staff([Move(sku, shelf.pk, 400, Reason.RECEIPT, "", clerk.actor, "送货单 1190")])
        approvals.count(skus[4], shelf.pk, 120, clerk, "月盘，货架 B3")
        approvals.adjust(Wish(skus[5], shelf.pk, -160, Change.DAMAGE, "仓库漏水，无法挽救"), clerk)
        first = approvals.adjust(Wish(skus[2], shelf.pk, 150, Change.ADJUSTMENT, "漏记入库"), clerk)
        second = approvals.adjust(Wish(skus[3], shelf.pk, -140, Change.ADJUSTMENT, "找不到"), clerk)
    assert first and second
    approvals.approve(first.pk, boss, "已核对送货单")
    approvals.refuse(second.pk, boss, "请先复盘")


def _sheets(shelf: Warehouse, clerk: Person, boss: Person) -> None:
    """One approved after a second count, one discarded, one to decide, one being counted by two people."""
    done = _counted(counting.make(Chosen(shelf.pk, Choice.ALL, rows=12), boss), clerk)
    count_decisions.ask_again(done.pk)
    _counted(CountSheet.objects.get(pk=done.pk), clerk)
    count_decisions.approve(done.pk, boss, may_approve=True, note="月度循环盘点")
    wrong = counting.make(Chosen(shelf.pk, Choice.NEVER, rows=4), clerk)
    count_decisions.discard(wrong.pk, clerk, "选错仓库")
    _counted(counting.make(Chosen(shelf.pk, Choice.LONGEST, rows=10), clerk), clerk)
    going = counting.make(Chosen(shelf.pk, Choice.MOVED, rows=15), clerk)
    _enter(going, clerk, every=2)


def _counted(sheet: CountSheet, clerk: Person) -> CountSheet:
    _enter(sheet, clerk)
    return counting.finish(sheet.pk, clerk)


def _enter(sheet: CountSheet, clerk: Person, every: int = 1) -> None:
    rows = list(counting.countable(sheet).order_by("position"))[::every]
    there = dict(Level.objects.filter(warehouse=sheet.warehouse_id).values_list("pool_id", "on_hand"))
    off = random.Random(7)
    found = {row.pk: max(0, there[row.pool_id] + off.choice((0, 0, 0, -1, -2, 1))) for row in rows}
    found[rows[0].pk] = there[rows[0].pool_id] + 1
    counting.enter(sheet.pk, {row.pk: Count(found[row.pk], row.entries) for row in rows}, clerk)
