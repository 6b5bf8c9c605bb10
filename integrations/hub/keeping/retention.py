"""How long what was sent is kept, and how a person's traces go: in batches, by a beat, and on request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from integrations.hub.keeping import purging
from integrations.hub.models import Attempt, Outgoing

KEPT = timedelta(days=30)  # tries of what was delivered
KEPT_OPEN = timedelta(days=180)  # what was asked and answered, of what is still open
BATCH = 5000

_OLD = """
DELETE FROM hub_attempt WHERE id IN (
    SELECT a.id FROM hub_attempt a JOIN hub_outgoing o ON o.id = a.outgoing_id
    WHERE a.started_at < clock_timestamp() - %(kept)s AND a.finished_at < clock_timestamp() - %(kept)s
    AND o.delivered >= o.wanted AND o.delivered_at < clock_timestamp() - %(kept)s
    LIMIT %(batch)s)
"""
_BLANK = """
UPDATE hub_attempt SET exchanges = '[]', message = '' WHERE id IN (
    SELECT a.id FROM hub_attempt a WHERE a.started_at < clock_timestamp() - %(kept)s
    AND (a.exchanges <> '[]' OR a.message <> '') LIMIT %(batch)s)
"""


def purge() -> int:
    """Remove what is too old; returns how many rows. Each batch is a transaction of its own."""
    return _all(_OLD, KEPT) + _all(_BLANK, KEPT_OPEN)


def _all(statement: str, kept: timedelta) -> int:
    values: dict[str, Any] = {"kept": kept, "batch": BATCH}
    done = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            done += cursor.rowcount
            if cursor.rowcount < BATCH:
                return done


def erase(subject: str) -> int:
    """Blank what delivered work and messages about `subject` still say of a person; returns how many rows are open.

    Numbers of documents stay: they are the company's. What is still open is needed to be sent; ask again later. In
    transactions of its own: not inside the business transaction.
    """
    about = Outgoing.objects.filter(subject=subject)
    with transaction.atomic():
        done = about.filter(delivered__gte=F("wanted"))
        Attempt.objects.filter(outgoing__in=done).update(exchanges=[], message="")
        done.update(payload={}, warnings=[], last_error="")
    purging.erase(subject)
    return about.filter(delivered__lt=F("wanted")).count()
