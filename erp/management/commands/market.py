"""`manage.py market show|buy|cancel|faults`: the demo's practice marketplace, from the other side."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from erp.local.market import Market, NoMarket


class Command(BaseCommand):
    """Thin: the work is in `erp/local/market.py`."""

    help = "The demo's practice marketplace: what it shows, buy there, cancel, let its lines go bad"

    def add_arguments(self, parser: ArgumentParser) -> None:
        words = parser.add_subparsers(dest="word", required=True)
        words.add_parser("show", help="what it shows")
        buy = words.add_parser("buy", help="buy there, from what it shows")
        buy.add_argument("sku")
        buy.add_argument("quantity", type=int, nargs="?", default=1)
        words.add_parser("cancel", help="give an order up there").add_argument("number")
        faults = words.add_parser("faults", help="let the next calls go wrong, e.g. faults lose=2 delay=1 shuffle=3")
        faults.add_argument("counts", nargs="*", help="KIND=COUNT; none: only show")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["word"])(Market(), options)
        except NoMarket as error:
            raise CommandError(str(error)) from None

    def show(self, market: Market, options: dict[str, Any]) -> None:
        for sku, figure in sorted(market.figures().items()):
            self.stdout.write(f"{figure:6}  {sku}")

    def buy(self, market: Market, options: dict[str, Any]) -> None:
        sale = market.buy(options["sku"], options["quantity"])
        self.stdout.write(f"{sale['number']}: {options['quantity']} x {options['sku']}, for {sale['buyer']}")

    def cancel(self, market: Market, options: dict[str, Any]) -> None:
        self.stdout.write(f"{market.cancel(options['number'])['number']} is cancelled there.")

    def faults(self, market: Market, options: dict[str, Any]) -> None:
        try:
            counts = {kind: int(count) for kind, count in (text.split("=") for text in options["counts"])}
        except ValueError:
            raise CommandError("Say KIND=COUNT, e.g. lose=2.") from None
        standing = market.faults(**counts)
        if unknown := sorted(set(counts) - set(standing)):
            raise CommandError(f"No such fault: {', '.join(unknown)}. There are: {', '.join(standing)}.")
        self.stdout.write("  ".join(f"{kind}={count}" for kind, count in standing.items()))
