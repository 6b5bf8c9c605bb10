"""Imports, from the file somebody brings to what became of it: checked first, kept, written when they say so.

The check is made again when it is written, under locks: what was shown is written, or nothing.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.hub.files.sheets import Unreadable
from shop.catalogue.files import plan
from shop.catalogue.files.write import write
from shop.catalogue.models import ImportRun, ImportState

KEPT = timedelta(hours=24)  # the file itself, while nobody has decided
NAME = 255
LOCK = 0x57656674  # one import is written at a time


class Decided(Exception):
    """It was imported, discarded or closed before."""


class Forgotten(Exception):
    """The file is not kept any more; it has to be brought again."""


class Different(Exception):
    """Meanwhile it would do something else than was shown. The run shows that now; nothing was written."""


class Refusing(Exception):
    """Some of its rows are refused, and nobody said to leave them out."""


def refused_imports() -> QuerySet[ImportRun]:
    """Imports with rows that were refused, or that could not be read, which nobody has closed."""
    return ImportRun.objects.filter(Q(refused__gt=0) | Q(state=ImportState.UNREADABLE), closed_at=None)


def bring(name: str, content: bytes, *, actor: str) -> ImportRun:
    """Check a file and keep what was found. Nothing of it is written to the catalogue."""
    forget_old()
    run = ImportRun(actor=actor, file_name=name[-NAME:], sha256=hashlib.sha256(content).hexdigest())
    try:
        found = plan.make(plan.read(name, content))
    except Unreadable as refusal:
        run.state, run.problem = ImportState.UNREADABLE, str(refusal)
    else:
        run.state, run.content = ImportState.CHECKED, content
        _show(run, found)
    run.save()
    return run


def _show(run: ImportRun, found: plan.Plan) -> None:
    run.rows, run.created, run.changed = found.rows, len(found.created), len(found.changed)
    run.unchanged, run.refused = found.unchanged, found.refused_rows
    run.report, run.plan = found.report(), found.digest


def take(key: int, *, actor: str, user: int, leave_out: bool) -> ImportRun:
    """Write a checked file; `leave_out`: without its refused rows. All of it or nothing.

    Raises Decided, Forgotten, Refusing, or Different (then the run shows what it would do now).
    """
    try:
        with transaction.atomic(durable=True):
            run = _undecided(key)
            found = _planned(run)
            if found.digest != run.plan:
                raise Different
            if found.refusals and not leave_out:
                raise Refusing
            write(found, user, run.file_name)
            return _decide(run, ImportState.IMPORTED, actor)
    except (Different, IntegrityError):
        _show_again(key)
        raise Different from None


def _planned(run: ImportRun) -> plan.Plan:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    return plan.make(plan.read(run.file_name, bytes(run.content or b"")), lock=True)


def _show_again(key: int) -> None:
    with transaction.atomic(durable=True):
        run = _undecided(key)
        _show(run, plan.make(plan.read(run.file_name, bytes(run.content or b""))))
        run.save()


def _undecided(key: int) -> ImportRun:
    run = ImportRun.objects.select_for_update().get(pk=key)
    if run.state != ImportState.CHECKED or run.closed_at:
        raise Decided
    if run.content is None:
        raise Forgotten
    return run


def _decide(run: ImportRun, state: ImportState, actor: str) -> ImportRun:
    run.state, run.decided_at, run.decided_by, run.content = state, timezone.now(), actor, None
    run.save()
    if state == ImportState.IMPORTED and not run.refused:
        _close_earlier(run, actor)
    return run


def _close_earlier(run: ImportRun, actor: str) -> None:
    """Once a file went in whole, what was refused in earlier ones of that name by the same person is settled."""
    earlier = refused_imports().filter(actor=run.actor, file_name=run.file_name, pk__lt=run.pk)
    words = _("Brought again and imported: #%(n)d.") % {"n": run.pk}
    earlier.exclude(state=ImportState.CHECKED, content__isnull=False).update(
        closed_at=timezone.now(), closed_by=actor, note=words
    )
    for other in earlier.select_for_update():
        _discard(other, actor, words)


def discard(key: int, *, actor: str) -> ImportRun:
    """Nothing of it is to be written. Raises Decided."""
    with transaction.atomic(durable=True):
        run = ImportRun.objects.select_for_update().get(pk=key)
        if run.state != ImportState.CHECKED or run.closed_at:
            raise Decided
        return _discard(run, actor, _("Discarded."))


def _discard(run: ImportRun, actor: str, note: str) -> ImportRun:
    run.closed_at, run.closed_by, run.note = timezone.now(), actor, note
    return _decide(run, ImportState.DISCARDED, actor)


def close(key: int, *, actor: str, note: str) -> ImportRun:
    """Nobody needs to look at its refused rows any more. Raises Decided."""
    with transaction.atomic(durable=True):
        run = ImportRun.objects.select_for_update().get(pk=key)
        if run.closed_at or not refused_imports().filter(pk=key).exists() or run.state == ImportState.CHECKED:
            raise Decided
        run.closed_at, run.closed_by, run.note = timezone.now(), actor, note
        run.save()
        return run


def forget_old() -> None:
    """Files nobody decided about in time are not kept; what was found in them is."""
    old = ImportRun.objects.filter(at__lt=timezone.now() - KEPT, content__isnull=False)
    old.update(content=None)
