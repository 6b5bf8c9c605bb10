"""Bring database and uploaded files back from an archive of `manage.py backup`: all of it, or nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from runtime import pgprograms
from shop.backup import archive, media
from shop.backup import restore as back

FAILURES = (archive.Damaged, back.Refused, media.InTheWay, pgprograms.NoProgram, OSError)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--replace", action="store_true", help="a database that is not empty: replace what is in it"
        )
        parser.add_argument(
            "--paused", action="store_true", help="pause all accounts: nothing is sent to anybody (for a rehearsal)"
        )

    def handle(self, *args: Any, file: Path, replace: bool, paused: bool, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(
                f"{file} is no file. Name an archive of `make backup`: make restore FILE=backups/weft-....zip"
            )
        try:
            lacking = back.restore(file, replace=replace, paused=paused, say=self._say)
        except FAILURES as error:
            raise CommandError(f"{file}: {error}") from None
        self._say("Restored: every table has the rows it had. Now:")
        if lacking:
            self._say(f"  manage.py migrate            ({len(lacking)} migrations are newer than the backup)")
        self._say("  manage.py check_invariants   proves stock, money and hand-overs")
        self._say("  manage.py doctor             tells, among others, if the key ring does not fit this backup")
        if paused:
            self._say("All accounts are paused; resume them in the admin when this is to be the real shop.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
