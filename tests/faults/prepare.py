"""A small shop in an empty database: `python -m tests.faults.prepare` reads on its input what it needs to know.

It sells what the catalogue of the local Tryton knows too. On its output: {SKU: page}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

# Plenty of the first; of the others the catalogue has a handful, so that buyers meet over the last piece.
PLENTY = ("TX-TOWEL-01", "AP-TEE-01", "AP-SOCK-01", "KT-CUP-01", "KT-OIL-01", "PA-NOTE-01", "PA-PEN-01")
SCARCE = (
    "TX-RUG-01", "FN-ARM-01", "FN-TABLE-01", "FN-DESK-01", "PA-OLD-01", "FN-BENCH-01", "LT-FLOOR-01", "PA-TICK-01",
)  # fmt: skip


def sell() -> dict[str, str]:
    """The goods, with opening stock in both warehouses; each page under its SKU."""
    from erp.local import tryton_server
    from tests import factories

    catalogue = tryton_server.read_catalogue()
    rates = {tax["code"]: tax["rate"] for tax in catalogue["tax_classes"]}
    for tax in rates:
        factories.tax_class(tax, rates[tax])
    for place in catalogue["warehouses"]:
        factories.warehouse(place["code"], priority=place["priority"])
    pages = {}
    for entry in catalogue["products"]:
        if entry["sku"] in (*PLENTY, *SCARCE):
            product = factories.product(
                entry["sku"],
                price=entry["price"],
                title=entry["title"]["zh-hans"],
                title_en=entry["title"]["en"],
                tax_class=factories.tax_class(entry["tax"]),
            )
            factories.stock(entry["sku"], **entry["stock"])
            pages[entry["sku"]] = product.get_absolute_url()
    return pages


def connect(erp: dict[str, str]) -> None:
    """Mail into a folder, and the ERP; both checked, its first figures read."""
    from erp import feedback
    from erp.accounts import connect as connect_erp
    from integrations.hub import accounts
    from integrations.hub.models import Account
    from shop.management.commands.seed import connect_mail

    connect_mail(settings.WEFT_MAIL_FOLDER)
    warehouses = ("SZ", "HZ")
    connect_erp("tryton", "Tryton", erp, warehouses=warehouses)
    for account in Account.objects.all():
        assert accounts.check(account), Account.objects.get(pk=account.pk).problem
    assert feedback.poll(Account.objects.get(kind="erp")) is not None


def main(wanted: dict[str, Any]) -> dict[str, str]:
    from django.contrib.sites.models import Site

    from shop.customer.models import User
    from tests import factories

    call_command("migrate", verbosity=0)
    Site.objects.update_or_create(pk=settings.SITE_ID, defaults={"domain": "127.0.0.1", "name": "Weft"})
    factories.china()
    User.objects.create_superuser(wanted["login"]["username"], wanted["login"]["password"])
    pages = sell()
    connect(wanted["erp"])
    return pages


if __name__ == "__main__":
    django.setup()
    Path(sys.argv[1]).write_text(json.dumps(main(json.load(sys.stdin))))
