"""Examine this running installation, and say of each finding what it means and what to do. Ends with 1 if there is
something to do."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.hub import doctor
from integrations.hub.doctor import Examination, Finding, Level

INDENT = " " * 6


def terminal_language() -> str:
    """What the terminal speaks, where it is one of ours; else the shop's own."""
    said = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return {"zh": "zh-hans", "en": "en"}.get(said[:2], settings.LANGUAGE_CODE)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # they are among what is examined

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable")
        parser.add_argument("--online", action="store_true", help="ask the shop's address and all remotes, too")
        parser.add_argument("--only", metavar="NAME", action="append", help="only this examination (may be repeated)")
        parser.add_argument(
            "--wait", type=float, default=0, metavar="SECONDS", help="at most so long until all is well"
        )
        parser.add_argument("--language", choices=[code for code, _name in settings.LANGUAGES])

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [one for one in doctor.registered() if self._is_wanted(one, options)]
        with translation.override(options["language"] or terminal_language()):
            found = _examine_until_well(chosen, options["wait"])
            text = _as_json(found) if options["json"] else _as_text(found)
        self.stdout.write(text)
        if any(finding.level == Level.TODO for _id, finding in found):
            sys.exit(1)

    @staticmethod
    def _is_wanted(one: Examination, options: dict[str, Any]) -> bool:
        if options["only"]:
            return one.id in options["only"]
        return options["online"] or not one.online


def _examine_until_well(chosen: list[Examination], seconds: float) -> list[tuple[str, Finding]]:
    """What is just starting gets its time."""
    deadline = time.monotonic() + seconds
    while True:
        found = _examine(chosen)
        if time.monotonic() >= deadline or not any(one.level == Level.TODO for _id, one in found):
            return found
        connection.close()
        time.sleep(2)


def _examine(chosen: list[Examination]) -> list[tuple[str, Finding]]:
    """Findings under the id of their examination. Without a database those that need it are left out."""
    found: list[tuple[str, Finding]] = []
    no_database = _no_database() if any(one.needs_database for one in chosen) else None
    for one in chosen:
        if not one.needs_database or no_database is None:
            found += [(one.id, finding) for finding in doctor.examine(one)]
    return found if no_database is None else [*found, ("database", no_database)]


def _no_database() -> Finding | None:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        name = connection.settings_dict
        return doctor.todo(
            _("The database cannot be reached: %(error)s") % {"error": str(error).strip().splitlines()[-1]},
            _("The shop stands still. Nothing else was looked at."),
            f"psql -h {name['HOST'] or 'localhost'} -p {name['PORT'] or 5432} -U {name['USER']} {name['NAME']}"
            f"   |   systemctl status postgresql   |   {_('look at DATABASE_URL')}",
        )
    return None


def _as_json(found: list[tuple[str, Finding]]) -> str:
    rows = [
        {"id": id, "level": one.level, "what": one.what, "means": one.means, "action": one.action} for id, one in found
    ]
    well = not any(one.level == Level.TODO for _id, one in found)
    return json.dumps({"ok": well, "findings": rows}, indent=1, ensure_ascii=False)


def _as_text(found: list[tuple[str, Finding]]) -> str:
    width = max((len(id) for id, _one in found), default=0)
    lines = [line for id, one in found for line in _lines(id.ljust(width), one)]
    open_ones = sum(one.level == Level.TODO for _id, one in found)
    things = ngettext("%(count)s thing to do.", "%(count)s things to do.", open_ones) % {"count": open_ones}
    lines.append(things if open_ones else _("All is well."))
    return "\n".join(lines)


def _lines(id: str, one: Finding) -> list[str]:
    words = {Level.OK: _("ok"), Level.NOTE: _("note"), Level.TODO: _("TO DO")}
    lines = [f"{words[one.level]:6}{id}  {one.what}"]
    room = max(shutil.get_terminal_size((100, 24)).columns - len(INDENT), 40)
    lines += [INDENT + line for line in textwrap.wrap(one.means, room)]
    if one.action:
        lines.append(f"{INDENT}→ {one.action}")
    return lines
