"""Promises the company could not keep, by staff's own buttons: one cancelled because its goods are broken, and its
cost; one because its supply fails; one shipped after its day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.fulfilment import filling
from shop.order.models import Order, Status
from shop.stock import presales
from shop.stock.models import BrokenPromise, Shortage, Waiting, Warehouse
from shop.stock.promise_models import Ending

MAY_CANCEL = (Status.PENDING_PAYMENT, Status.PAID, Status.ON_ACCOUNT)


def make(staff: Client) -> None:
    named = {number for row in Shortage.objects.filter(closed_at=None, provisional=False) for number in row.orders}
    _cancel(staff, Order.objects.filter(number__in=named, status__in=MAY_CANCEL).earliest("pk"))
    waits = {number for short in presales.short() for number in short.orders}
    _cancel(staff, Order.objects.filter(number__in=waits, status__in=MAY_CANCEL).earliest("pk"))
    _late(staff)
    row = BrokenPromise.objects.filter(ending=Ending.CANCELLED).earliest("pk")
    _act(staff, "stock_brokenpromise_enter_cost", row.pk, cost="30.00", note="补偿优惠券", seen="")


def _cancel(staff: Client, order: Order) -> None:
    _act(staff, "order_order_cancel_order", order.pk, reason="缺货")


def _late(staff: Client) -> None:
    """What came was promised for last week; it leaves now."""
    line = Waiting.objects.filter(filled__gt=0, line__order__status=Status.PENDING_PAYMENT).earliest("pk").line
    Waiting.objects.filter(line=line).update(promised_on=timezone.localdate() - timedelta(days=6))
    _act(staff, "order_order_confirm_payment", line.order_id, reference="ICBC 51777")
    filling.fill_waiting()
    _act(staff, "order_order_ship", line.order_id, warehouse=Warehouse.objects.get(code="SZ").pk)


def _act(staff: Client, name: str, pk: int, **form: Any) -> None:
    answer = staff.post(reverse(f"admin:{name}", args=[pk]), form)
    assert answer.status_code == 302, (name, answer.content.decode()[:3000])
