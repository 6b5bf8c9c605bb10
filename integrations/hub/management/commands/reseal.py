"""Seal all credentials with the first key of the ring, so that older keys can leave it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from integrations.hub import secrets
from integrations.hub.errors import Misconfigured
from integrations.hub.models import Account


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        resealed = 0
        with transaction.atomic(durable=True):
            for account in Account.objects.exclude(sealed="").select_for_update().order_by("pk"):
                if secrets.is_newly_sealed(account.sealed):
                    continue
                try:
                    account.sealed = secrets.reseal(account.sealed)
                except Misconfigured as error:
                    raise CommandError(f"{account.name}: {error.message} Nothing was changed.") from None
                account.save(update_fields=["sealed"])
                resealed += 1
        self.stdout.write(f"{resealed} accounts sealed anew with the first key of the ring")
