"""Read a stretch of an account's past again: what is missing here comes in, nothing comes in twice."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from integrations.hub.errors import HubError
from integrations.hub.models import Account
from integrations.hub.reading import windows
from integrations.hub.reading.windows import Polling


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="its name")
        parser.add_argument("--from", dest="since", required=True, help="a day, or a moment (2026-11-23T08:00)")
        parser.add_argument("--until", help="the same, a day to its end; without it until now")
        parser.add_argument("--dry-run", action="store_true", help="only say what is missing here")

    def handle(self, *args: Any, account: str, since: str, until: str | None, dry_run: bool, **options: Any) -> None:
        found = Account.objects.filter(name=account).first()
        pollings = windows.of_kind(found.kind) if found else []
        if found is None or not pollings:
            raise CommandError(f"There is no account {account!r} that can be read by date.")
        begin, end = _moment(since, time.min), _moment(until, time.max) if until else timezone.now()
        end = min(end, timezone.now())
        if begin >= end:
            raise CommandError("--from must lie before --until, and in the past.")
        for polling in pollings:
            self._read(polling, found, begin, end, dry_run)

    def _read(self, polling: Polling, account: Account, begin: datetime, end: datetime, dry: bool) -> None:
        """Window by window, each through a door of its own: a stretch may take longer than one stays open."""
        read = new = broken = 0
        low = begin
        while low < end:
            high = min(low + polling.span.longest, end)
            try:
                report = windows.backfill(polling, account, low, high, dry=dry)
            except HubError as error:
                raise CommandError(f"{error.message} It was read until {low.isoformat()}; go on from there.") from None
            read, new, broken, low = read + report.read, new + report.new, broken + report.broken, high
        word = "not here" if dry else "new"
        self.stdout.write(f"{account} {polling.name}: {read} read, {new} {word}, {broken} windows not whole")


def _moment(text: str, of_day: time) -> datetime:
    """A moment, or this time of a day; in the shop's zone where it names none."""
    try:
        day = parse_date(text)
        moment = datetime.combine(day, of_day) if day else parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"{text!r} is no day and no moment.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
