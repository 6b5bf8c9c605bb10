"""What was sent is forgotten once nobody needs it: the row stays, with digest, ids and money facts.

In batches, each a short transaction that waits for nobody.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q

from integrations.hub import hearing
from integrations.hub.models import Incoming, IncomingHint

AFTER_DONE = timedelta(days=30)
AT_MOST = timedelta(days=180)  # parked or open, since it came last
BATCH = 1000

_PURGE = """
UPDATE hub_incoming SET sealed = NULL, attempts = '[]' WHERE id IN (
    SELECT id FROM hub_incoming
    WHERE sealed IS NOT NULL AND (
        done_at < clock_timestamp() - make_interval(days => %s)
        OR done_at IS NULL AND last_received_at < clock_timestamp() - make_interval(days => %s))
    LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def purge() -> int:
    """Forget what is due; returns of how many messages. What another has locked is left for the next time."""
    purged = 0
    while True:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(_PURGE, [AFTER_DONE.days, AT_MOST.days, BATCH])
            purged += cursor.rowcount
            if cursor.rowcount < BATCH:
                return purged


def erase(subject: str) -> int:
    """Blank everything personal in messages about `subject`; returns how many. Money facts and ids stay.

    In transactions of its own: call it after the business transaction, which may hold locks these rows are waited for
    under. A message that was not understood yet has no subject; it is purged in time.
    """
    about = Q(subject=subject) | Q(pk__in=IncomingHint.objects.filter(subject=subject).values("incoming"))
    found = list(Incoming.objects.filter(about).order_by("pk").values_list("pk", flat=True))
    for at in range(0, len(found), BATCH):
        _blank(found[at : at + BATCH], subject)
    return len(found)


def _blank(ids: list[int], subject: str) -> None:
    with transaction.atomic(durable=True):
        found = IncomingHint.objects.filter(incoming__in=ids, subject=subject).select_related("incoming__account")
        hints = list(found.select_for_update(of=("self",)).order_by("pk"))
        for hint in hints:
            known = hearing.find(hint.incoming.account.kind, hint.kind)
            hint.facts = {name: fact for name, fact in hint.facts.items() if not (known and name in known.personal)}
        IncomingHint.objects.bulk_update(hints, ["facts"])
        locked = Incoming.objects.filter(pk__in=ids).order_by("pk").select_for_update().values_list("pk", flat=True)
        Incoming.objects.filter(pk__in=list(locked)).update(sealed=None, attempts=[], last_error="")
