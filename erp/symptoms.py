"""What the back office is examined for: is there an ERP, and is it still being read?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.accounts import erp_accounts
from integrations.hub import doctor
from integrations.hub.doctor import Finding, note, ok, todo
from integrations.hub.models import Account, AccountState, Cursor
from shop.stock.models import Reading, Warehouse

UNREAD = timedelta(minutes=5)  # it is read every 15 s


def register() -> None:
    """Once, from `erp.wiring.connect`."""
    doctor.register("erp", reading)


def reading() -> Iterator[Finding]:
    """When each ERP was last read to the end. What is wrong with its account, the accounts' examination says."""
    accounts = erp_accounts()
    if not accounts:
        yield note(
            _("No ERP is connected."),
            _("Orders stay here, and stock is counted in the shop's own warehouses."),
            f"{settings.WEFT_SHOP_URL}/admin/hub/account/add/",
        )
    for account in accounts:
        if account.state == AccountState.ACTIVE:
            yield _last_read(account)


def _last_read(account: Account) -> Finding:
    shipments = Cursor.objects.filter(account=account).order_by("read_at").first()
    read = [shipments.read_at if shipments else None]
    if Warehouse.objects.filter(erp_account=account).exists():
        read.append(Reading.objects.filter(account=account).aggregate(last=Max("finished_at"))["last"])
    since = min((at or account.active_since or account.created_at) for at in read)
    age = timezone.now() - since
    words = {
        "name": account.name,
        "seconds": int(age.total_seconds()),
        "problem": shipments.problem if shipments else "",
    }
    if age > UNREAD:
        return todo(
            _("%(name)s was not read for %(seconds)s s. %(problem)s") % words,
            _("Shipments and stock figures of the ERP are as old as that; the shop promises by its last figures."),
            f"{settings.WEFT_SHOP_URL}/admin/hub/account/{account.pk}/change/",
        )
    return ok(_("%(name)s was read %(seconds)s s ago.") % words)
