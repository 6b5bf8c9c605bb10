"""Is the data as it must always be? Read-only; ends with 1 when it is not."""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from shop import invariants
from shop.invariants import Broken, Invariant

COLUMNS = ("subject", "problem", "expected", "found")


class Command(BaseCommand):
    help = "Check what must always be true (stock, money, orders, work for the ERP). Exit 1 and a table if it is not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable")
        parser.add_argument(
            "--quiet-time",
            action="store_true",
            help="also what holds only while workers run and nothing new has come for a quarter of an hour (I11)",
        )
        parser.add_argument("--limit", type=int, default=20, help="rows shown per invariant (20)")

    def handle(self, *args: Any, **options: Any) -> None:
        with invariants.snapshot():
            wanted = invariants.registered(quiet_time=options["quiet_time"])
            found = [(one, invariants.broken(one, limit=options["limit"])) for one in wanted]
        if options["json"]:
            self.stdout.write(json.dumps({one.id: [_plain(row) for row in rows] for one, rows in found}, indent=2))
        else:
            for one, rows in found:
                self.stdout.write(_lines(one, rows))
        if any(rows for _, rows in found):
            self.stderr.write(
                "Of stock, `manage.py stock_repair` says what can be set right, and does it with --apply."
            )
            sys.exit(1)


def _plain(row: Broken) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(row).items() if name != "invariant"}


def _lines(one: Invariant, rows: list[Broken]) -> str:
    head = f"{one.id}  {'BROKEN' if rows else 'ok':6}  {one.title}"
    return "\n".join([head, *_table(rows)]) if rows else head


def _table(rows: list[Broken]) -> list[str]:
    cells = [COLUMNS, *(tuple(getattr(row, name) for name in COLUMNS) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    lines = ["    " + "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]
    return [lines[0], *(part for line, row in zip(lines[1:], rows, strict=True) for part in [line, *_why(row)])]


def _why(row: Broken) -> list[str]:
    return [f"        {words}" for words in row.why]
