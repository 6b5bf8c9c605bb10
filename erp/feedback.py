"""What the ERP did: shipments first, then stock figures (stock rules, ERP feedback 3-6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_lazy

from erp.base import Erp, Shipment
from integrations.hub import registry
from integrations.hub.errors import HubError, Misconfigured
from integrations.hub.health.readers import Reader
from integrations.hub.models import Account
from integrations.hub.reading import cursors
from shop.fulfilment import shipping
from shop.fulfilment.shipping import Left
from shop.stock import readings
from shop.stock.models import Warehouse
from shop.stock.readings import Applied, Figure

log = logging.getLogger("weft.erp")

READER = Reader("erp", "shipments", gettext_lazy("shipments and stock of the ERP"), timedelta(minutes=2))
PAGES = 50  # of changes in one poll; the rest comes with the next


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought."""

    shipments: int
    levels: Applied | None


def poll(account: Account) -> Polled | None:
    """Read one ERP's shipments, then its levels. None when another worker is at it, or the ERP rests or does not
    answer."""
    try:
        with cursors.reading(account, READER.name) as cursor:
            if cursor is None:
                return None
            remote: Erp = registry.connect(account, budget=80)  # type: ignore[assignment]
            shipments = _read_shipments(account, remote, cursor)
            return Polled(shipments, _read_levels(account, remote))
    except HubError as error:
        log.warning("%s was not read: %s", account, error.message)
    except Exception:  # most likely of the connector; the other accounts are read
        log.exception("%s was not read", account)
    return None


def _read_shipments(account: Account, remote: Erp, cursor: cursors.Cursor) -> int:
    """Each page is applied before the cursor moves past it; a repeated shipment changes nothing."""
    learned = 0
    value = cursor.value or None
    for _ in range(PAGES):
        changes = remote.changes(value)
        learned += sum(_learn(account, shipment) for shipment in changes.shipments)
        value = changes.cursor
        if not cursors.advance(cursor, value):
            return learned
        if not changes.more:
            break
    return learned


def _learn(account: Account, shipment: Shipment) -> bool:
    ours = set(Warehouse.objects.filter(erp_account=account).values_list("code", flat=True))
    if foreign := {line.warehouse for line in shipment.lines} - ours:
        raise Misconfigured(
            f"Shipment {shipment.number} left {', '.join(sorted(foreign))}, which is no warehouse of {account} here. "
            "Add the warehouse, or correct its code, under Stock > Warehouses."
        )
    return shipping.learn(
        account,
        key=shipment.key,
        number=shipment.number,
        order_number=shipment.order_number,
        at=shipment.done_at,
        left=[Left(line.sku, line.warehouse, line.quantity) for line in shipment.lines],
    )


def _read_levels(account: Account, remote: Erp) -> Applied | None:
    begun = readings.start(account)
    if not begun.warehouses:
        return None
    levels = remote.stock(sorted(begun.warehouses))
    applied = readings.apply(begun, (Figure(level.sku, level.warehouse, level.on_hand) for level in levels))
    readings.confirm_standing(account, begun.seq)
    return applied
