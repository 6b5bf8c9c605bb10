"""What a running installation is examined for: each floor registers its examinations, `manage.py doctor` runs them.

An examination changes nothing that matters (asking a remote notes what it said). It says what it found in words for
the person who runs the shop: what is the case, what that means, and exactly what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db import DatabaseError
from django.utils.translation import gettext as _


class Level(StrEnum):
    """`TODO` makes the doctor end with 1; a `NOTE` is good to know."""

    OK = "ok"
    NOTE = "note"
    TODO = "todo"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is the case; `means` why that matters and `action` the next command, both empty where all is well."""

    level: Level
    what: str
    means: str = ""
    action: str = ""


def ok(what: str) -> Finding:
    return Finding(Level.OK, what)


def note(what: str, means: str = "", action: str = "") -> Finding:
    return Finding(Level.NOTE, what, means, action)


def todo(what: str, means: str, action: str) -> Finding:
    return Finding(Level.TODO, what, means, action)


@dataclass(frozen=True, slots=True)
class Examination:
    """`online` ones ask other systems, and are run only when that is wanted."""

    id: str
    examine: Callable[[], Iterable[Finding]]
    needs_database: bool
    online: bool


_examinations: dict[str, Examination] = {}


def register(
    id: str, examine: Callable[[], Iterable[Finding]], *, needs_database: bool = True, online: bool = False
) -> None:
    """Have it examined. Registering one of the same id again replaces it; they are run in this order."""
    _examinations[id] = Examination(id, examine, needs_database, online)


def registered() -> list[Examination]:
    """All examinations: first those that need no database, which say why there is none."""
    return sorted(_examinations.values(), key=lambda one: (one.needs_database, one.online))


def examine(one: Examination) -> list[Finding]:
    """Its findings. What cannot be looked at (no tables yet, a folder we may not enter) is a finding too."""
    try:
        return list(one.examine())
    except (DatabaseError, OSError) as error:
        return [
            todo(
                _("Could not be looked at: %(error)s") % {"error": str(error).strip().splitlines()[0]},
                _(
                    "Usually tables are missing or of another version, or the doctor runs as another user than the "
                    "shop."
                ),
                _("Run it as the user who runs web and workers, mend what it says of migrations, then run it again."),
            )
        ]
