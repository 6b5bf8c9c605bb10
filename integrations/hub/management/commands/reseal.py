"""Seal all credentials and messages with the first key of the ring, so that older keys can leave it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import QuerySet

from integrations.hub import secrets
from integrations.hub.errors import Misconfigured
from integrations.hub.models import Account, HookAddress, Incoming

BATCH = 200


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic(durable=True):
            resealed = _reseal(Account.objects.all())
            _reseal(HookAddress.objects.select_related("account"))
        self.stdout.write(f"{resealed} accounts sealed anew with the first key of the ring")
        self._messages()

    def _messages(self) -> None:
        """In batches, so that no message that comes in meanwhile waits long. One that cannot be opened is left."""
        resealed, lost, last = 0, 0, 0
        while True:
            with transaction.atomic(durable=True):
                kept = Incoming.objects.filter(pk__gt=last, sealed__isnull=False)
                rows = list(kept.only("sealed").select_for_update().order_by("pk")[:BATCH])
                for row in rows:
                    try:
                        row.sealed = secrets.reseal_bytes(bytes(row.sealed or b""))
                    except Misconfigured:
                        lost += 1
                Incoming.objects.bulk_update(rows, ["sealed"])
            if not rows:
                break
            resealed, last = resealed + len(rows), rows[-1].pk
        self.stdout.write(f"{resealed - lost} messages sealed anew, {lost} that no key opens were left as they are")


def _reseal(rows: QuerySet[Any]) -> int:
    """Those that an older key sealed; returns how many. Raises CommandError for what no key opens."""
    resealed = 0
    for row in rows.exclude(sealed="").select_for_update(of=("self",)).order_by("pk"):
        if secrets.is_newly_sealed(row.sealed):
            continue
        try:
            row.sealed = secrets.reseal(row.sealed)
        except Misconfigured as error:
            name = getattr(row, "account", row).name
            raise CommandError(f"{name}: {error.message} Nothing was changed.") from None
        row.save(update_fields=["sealed"])
        resealed += 1
    return resealed
