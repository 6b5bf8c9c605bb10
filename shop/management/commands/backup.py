"""One archive of database and uploaded files, while the shop sells. The keys go to a file of their own, when asked."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from runtime import pgprograms
from shop.backup import keys, take


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, default=settings.BASE_DIR / "backups", help="folder (backups/)")
        parser.add_argument("--keep", type=int, help="afterwards remove all but so many of the folder's backups")
        parser.add_argument("--without-media", action="store_true", help="the object store has a backup of its own")
        parser.add_argument(
            "--keys", type=Path, metavar="FILE", help="only this: SECRET_KEY and the key ring into a new file (0600)"
        )

    def handle(self, *args: Any, to: Path, keep: int | None, **options: Any) -> None:
        if keep is not None and keep < 1:
            raise CommandError("--keep needs at least 1.")
        try:
            if options["keys"]:
                self._keys(options["keys"])
                return
            file = take.backup(to, with_media=not options["without_media"], say=self._say)
        except (OSError, pgprograms.NoProgram, take.Failed) as error:
            raise CommandError(str(error)) from None
        self._say(f"{file}  {file.stat().st_size:,} bytes")
        for old in take.prune(to, keep) if keep else []:
            self._say(f"removed {old}")
        self._say("The keys are not in it: manage.py backup --keys FILE, once, to another place.")

    def _keys(self, file: Path) -> None:
        keys.write(file)
        self._say(
            f"{file}: SECRET_KEY and the key ring. Keep it apart from the backups: who has both reads everything."
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
