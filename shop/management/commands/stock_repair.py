"""Sets right what `check_invariants` finds wrong with stock. Shows what it would do, unless told to do it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from shop.stock import repair
from shop.stock.repair import Difference
from shop.stock.repair_models import Figure

WORDS = {
    Figure.MOVEMENTS: "a movement of {by:+d} is written; the level stays {after}",
    Figure.HELD: "{before} units are released: the order is over",
}
BALANCE = "becomes {after}, as its facts say; it says {before}"


class Command(BaseCommand):
    help = (
        "Bring stock balances in line with the facts they are sums of. Shows what it would do; with --apply it does. "
        "Movements and holds are never edited: a ledger gets the movement it lacks. Exit 1 when there is work left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sku", action="append", help="only this SKU (may be given several times)")
        parser.add_argument("--apply", action="store_true", help="do it, SKU by SKU, each in its own transaction")
        parser.add_argument("--by", default="manage.py", help="whose name stands beside it (manage.py)")

    def handle(self, *args: Any, **options: Any) -> None:
        found = repair.find(options["sku"])
        if options["apply"]:
            skus = dict.fromkeys(one.sku for one in found)
            found = [one for sku in skus for one in repair.apply(sku, actor=options["by"])]
        for one in found:
            self.stdout.write(_line(one))
        self.stdout.write(_summary(len(found), applied=options["apply"]))
        if found and not options["apply"]:
            sys.exit(1)


def _line(one: Difference) -> str:
    words = WORDS.get(one.figure, BALANCE).format(before=one.before, after=one.after, by=one.after - one.before)
    return f"{one.sku}  {one.figure} {one.document}".rstrip() + f": {words}"


def _summary(count: int, *, applied: bool) -> str:
    if not count:
        return "Every balance is the sum of its facts: nothing to repair."
    if applied:
        return f"{count} figures set right. The admin's list of repairs says what they were."
    return f"{count} figures would be set right. Nothing was changed: say --apply to do it."
