"""Drive a file of real transactions through the system (usually by `make replay`). Ends with 1 if anything is lost."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from statistics import fmean as mean
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.numbers import list_currencies
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from shop.replay import catalogue, control, report, run, transactions


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise CommandError(f"{name!r} is no time zone; e.g. Europe/London or Asia/Shanghai.") from None


class Command(BaseCommand):
    help = "Replay a CSV of transactions (plain or .gz) into this database, and prove that nothing was lost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--limit", type=int, help="read the first rows only")
        parser.add_argument("--stock", type=int, help="opening units of each SKU (as many as the file needs)")
        parser.add_argument("--tz", default="Europe/London", help="the time zone of the file's dates")
        parser.add_argument("--currency", default="GBP", help="the currency of its prices")
        parser.add_argument("--mark", default="by hand", help="tells this replay from others: one a database")
        parser.add_argument("--out", type=Path, default=Path("var/replay"), help="folder of report.json, refused.csv")

    def handle(self, *args: Any, file: Path, out: Path, currency: str, **options: Any) -> None:
        if currency not in list_currencies():
            raise CommandError(f"{currency!r} is no ISO 4217 currency; e.g. GBP or CNY.")
        limit, refused = options["limit"], out / "refused.csv"
        try:
            found = transactions.read(file, zone(options["tz"]), limit)
        except (OSError, EOFError, transactions.NotThisShape) as error:
            raise CommandError(f"{file} cannot be read: {error}") from None
        first = control.total(file, limit)
        try:
            catalogue.build(found.invoices.values(), mark=options["mark"], currency=currency, stock=options["stock"])
        except catalogue.NotItsOwn as error:
            raise CommandError(f"{error} `make replay` makes a database for each.") from None
        progress = self._drive(found, currency)
        reasons = report.refusals(found)
        report.write_refused(refused, file, reasons, limit)
        made = report.make(found, first, control.total(refused), reasons)
        figures = {**made.figures, **_speed(progress), "balanced": not made.wrong, "wrong": made.wrong}
        self._tell(figures, out, currency)
        if made.wrong:
            self.stderr.write("NOT BALANCED. " + "; ".join(made.wrong))
            sys.exit(1)

    def _drive(self, found: transactions.Transactions, currency: str) -> run.Progress:
        count = len(found.invoices)
        with tqdm(total=count, unit="invoice", desc="replay", mininterval=0.5, file=sys.stderr, leave=True) as bar:
            return run.drive(run.documents(found, currency), bar.update)

    def _tell(self, figures: dict[str, Any], out: Path, currency: str) -> None:
        text = json.dumps(figures, indent=2, default=_plain, ensure_ascii=False)
        (out / "report.json").write_text(text + "\n", encoding="utf-8")
        for line in report.table(figures, currency):
            self.stdout.write(line)
        self.stdout.write(
            f"{figures['new_orders']:,} orders in {figures['seconds']:,.1f} s now "
            f"({figures['orders_per_second']:.1f} a second); {figures['taken_before']:,} invoices were taken before"
        )
        for note in figures["notes"][:5]:
            self.stdout.write(f"note: {note}")
        if len(figures["notes"]) > 5:
            self.stdout.write(f"note: {len(figures['notes']) - 5} more in {out / 'report.json'}")
        self.stdout.write(f"{out / 'report.json'} and {out / 'refused.csv'} written")
        self.stdout.write(text)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value))


def _speed(progress: run.Progress) -> dict[str, Any]:
    costs = progress.costs
    return {
        "new_orders": len(costs),
        "taken_before": progress.skipped,
        "seconds": round(progress.seconds, 3),
        "orders_per_second": round(len(costs) / progress.seconds, 2) if progress.seconds else 0.0,
        "ms_per_order": round(1000 * mean(costs), 3) if costs else None,
        "ms_per_order_by_tenth": [round(1000 * mean(tenth), 3) for tenth in _tenths(costs)],
    }


def _tenths(costs: list[float]) -> list[list[float]]:
    size = len(costs) // 10
    return [costs[i * size : (i + 1) * size] for i in range(10)] if size else []
