"""Fill a new shop: staff groups, countries, tax classes; and, outside production, a whole demo company with logins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.hub import accounts, registry
from shop.customer.groups import ensure_groups
from shop.partner.models import StockRecord
from shop.seed import gateways, load, market, people
from shop.stock.models import Channel


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--again", action="store_true", help="also when nothing has changed since the last time")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:  # quick, changes nothing twice, and writes no file: hosts may be read-only
            self._lay_ground(load.read())
            return
        self._connect_practice()
        mark = settings.VAR / "seeded"
        digest = load.digest()
        if not options["again"] and _is_seeded(mark, digest):
            self.stdout.write("Nothing to do: seeded already.")
            return
        mark.unlink(missing_ok=True)
        self._seed()
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(digest, encoding="utf-8")

    def _seed(self) -> None:
        source = load.read()
        self._lay_ground(source)
        load.load(self._say)
        people.make_people(source["company"]["email"].partition("@")[2])
        self._say(f"logins, in {people.logins_file()}")
        connect_mail(settings.WEFT_MAIL_FOLDER)
        self._say(f"mail, into {settings.WEFT_MAIL_FOLDER}")
        if settings.WEFT_MARKET_PORT:
            market.offer(self._connect_market())
            self._say("a practice marketplace, to which a share of the stock is given")

    def _connect_practice(self) -> None:
        """Also where all is seeded: a port may be another one since, and an older demo had no gateways."""
        if settings.WEFT_MARKET_PORT:
            self._connect_market()
        if settings.WEFT_GATEWAYS_FOLDER:
            self._connect_gateways()

    def _connect_market(self) -> Channel:
        return market.connect(settings.WEFT_MARKET_PORT, Path(settings.WEFT_MARKET_KEY_FILE))

    def _connect_gateways(self) -> None:
        try:
            gateways.connect(Path(settings.WEFT_GATEWAYS_FOLDER))
        except accounts.IdentityFixed as other:  # a database that outlived the folder with their keys
            self._say(f"the practice payment accounts stay as they are: {other} Make others, or a new database.")
        else:
            self._say("practice payment accounts: Alipay and WeChat Pay")

    def _lay_ground(self, source: dict[str, Any]) -> None:
        """What every shop needs; new versions may bring more of it."""
        ensure_groups()
        load.make_countries()
        load.make_tax_classes(source)
        self._say("staff groups, countries, tax classes")

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def _is_seeded(mark: Path, digest: str) -> bool:
    """The mark is on the disk, the rows are in a database: both must be there."""
    if not mark.exists() or mark.read_text(encoding="utf-8") != digest:
        return False
    skus = [product["sku"] for product in load.read()["products"]]
    return StockRecord.objects.filter(partner_sku__in=skus).count() == len(skus) and people.logins_file().exists()


def connect_mail(folder: Path) -> None:
    """The hub's account for mail: a folder of letters to read."""
    if ("messages", "file") not in registry.connectors():
        raise CommandError("The connector messages/file is missing or broken: see `manage.py check`.")
    accounts.connect("messages", "file", "mail", {"folder": str(folder)})
