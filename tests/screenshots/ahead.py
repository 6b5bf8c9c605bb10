"""What is not here yet, made by the pages of staff: supply on its way, late and received; sold ahead, and orders that
wait; a kit somebody bought."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.order.models import Order
from shop.partner.models import StockRecord
from shop.seed import load
from shop.stock.models import KitPart, Presale, Supply, Warehouse
from tests import factories
from tests.screenshots.wares import CODE

Buy = Callable[..., Order]
NEW, LATE, SHORT = f"{CODE}-赭黄-S", f"{CODE}-本白-M", f"{CODE}-靛蓝-L"  # nothing of these is there yet
SET = "KT-SET-90"


def make(staff: Client, buy: Buy) -> None:
    """`buy(wanted)` places an order of these SKUs."""
    _sold_ahead(staff, buy)
    _supply(staff, LATE, 20, 14, "PO-2611-22")
    Supply.objects.filter(document="PO-2611-22").update(expected_on=timezone.localdate() - timedelta(days=2))
    _not_coming(staff, buy)
    _kit(buy)


def _sold_ahead(staff: Client, buy: Buy) -> None:
    """In two arrivals; of the first a part is here, and somebody waits for the rest."""
    first, second = _supply(staff, NEW, 30, 9, "PO-2611-20"), _supply(staff, NEW, 60, 40, "PO-2611-21")
    _act(staff, first, "open_presale", quantity=30, kind="presale")
    for units in (3, 1, 2):
        buy({NEW: units})
    _act(staff, first, "receive", quantity=4, note="送货单 2207")
    _act(staff, first, "change_date", expected_on=timezone.localdate() + timedelta(days=16))
    assert second.open == 60 and Presale.objects.get(supply=first).promised > 0


def _not_coming(staff: Client, buy: Buy) -> None:
    row = _supply(staff, SHORT, 12, 20, "PO-2611-23")
    _act(staff, row, "open_presale", quantity=12, kind="backorder")
    for units in (4, 5):
        buy({SHORT: units})
    _act(staff, row, "cancel_rest", quantity=8)


def _kit(buy: Buy) -> None:
    """The demo's own where there is one."""
    kit = StockRecord.objects.filter(partner_sku__in=[entry["sku"] for entry in load.read()["kits"]]).first()
    if kit is None:
        parts = StockRecord.objects.filter(partner_sku__startswith="KT-").order_by("partner_sku")[:2]
        made = factories.product(SET, title="双人下午茶套装", title_en="Tea for two, a set", price="168.00")
        for part in parts:
            KitPart.objects.create(kit=made, part=part, quantity=2)
        kit = StockRecord.objects.get(partner_sku=SET)
    buy({kit.partner_sku: 2})


def _supply(staff: Client, sku: str, units: int, days: int, document: str) -> Supply:
    form = {"sku": sku, "warehouse": Warehouse.objects.get(code="SZ").pk, "quantity": units, "document": document,
            "expected_on": timezone.localdate() + timedelta(days=days), "note": "面料已到，排产中"}  # fmt: skip
    answer = staff.post(reverse("admin:stock_supply_add"), form)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return Supply.objects.get(document=document)


def _act(staff: Client, row: Supply, name: str, **form: Any) -> None:
    row.refresh_from_db()
    answer = staff.post(
        reverse(f"admin:stock_supply_{name}", args=[row.pk]), {"seen": row.received, "note": "", **form}
    )
    assert answer.status_code == 302, (name, answer.content.decode()[:3000])
