"""Make a client of the partner API, or give one a new secret; prints id and secret, which are shown this once only."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from shop.api.models import Client, Scope


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="of the partner's program, e.g. “Acme shop”")
        parser.add_argument("--code", help="what its orders carry as their source; made from the name without")
        parser.add_argument("--scope", action="append", choices=Scope.values, help="a right; repeatable; all without")
        parser.add_argument("--on-account", action="store_true", help="its orders are accepted without payment first")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        client = Client.objects.filter(name=name).first() or self._made(name, options)
        secret = client.renew_secret()
        client.save()
        client.end_tokens()
        self.stdout.write(f"export CLIENT_ID={client.client_id}")
        self.stdout.write(f"export CLIENT_SECRET={secret}")

    def _made(self, name: str, options: dict[str, Any]) -> Client:
        client = Client(
            name=name,
            code=options["code"] or slugify(name),
            scopes=options["scope"] or Scope.values,
            may_buy_on_account=options["on_account"],
        )
        client.renew_secret()
        try:
            client.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        return client
