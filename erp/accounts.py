"""Which ERPs there are, and connecting the demo's own."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet

from integrations.hub import accounts
from integrations.hub.models import Account, AccountState
from shop.stock.models import Warehouse


def erp_accounts() -> QuerySet[Account]:
    """Every ERP that should hear of orders. Also those starting or paused: their work waits."""
    return Account.objects.filter(kind="erp").exclude(state=AccountState.RETIRED).order_by("pk")


def announce(provider: str, name: str, warehouses: tuple[str, ...]) -> Account:
    """An ERP that is on its way: its account is *starting*, its work waits, its warehouses are its own already."""
    account = Account.objects.filter(name=name).first() or accounts.connect("erp", provider, name, {})
    Warehouse.objects.filter(code__in=warehouses).update(erp_account=account)
    return account


def connect(provider: str, name: str, settings: Mapping[str, str], warehouses: tuple[str, ...] = ()) -> Account:
    """Make or refresh an ERP account, and give it the figures of these warehouses (codes)."""
    account = accounts.connect("erp", provider, name, settings)
    Warehouse.objects.filter(code__in=warehouses).update(erp_account=account)
    return account
