"""Writing down which offers and vouchers an order used, so that their limits hold."""

from __future__ import annotations

from typing import Any

from shop.basket.models import Basket
from shop.order.models import Order, OrderDiscount


def record(order: Order, basket: Basket, user: Any) -> None:
    """One row per offer; counts on offers and vouchers rise. In the transaction that places the order.

    Free of queries where nothing was discounted.
    """
    applications = list(basket.offer_applications)
    if not applications:
        return
    OrderDiscount.objects.bulk_create(_row(order, application) for application in applications)
    used: dict[int, Any] = {}
    for application in applications:
        application["offer"].record_usage(application)
        if voucher := application["voucher"]:
            voucher.record_discount(application)
            used[voucher.pk] = voucher
    for voucher in used.values():
        voucher.record_usage(order, user)


def _row(order: Order, application: dict[str, Any]) -> OrderDiscount:
    voucher, result = application["voucher"], application["result"]
    category = OrderDiscount.BASKET
    if result.affects_shipping:
        category = OrderDiscount.SHIPPING
    elif result.affects_post_order:
        category = OrderDiscount.DEFERRED
    return OrderDiscount(
        order=order,
        category=category,
        offer_id=application["offer"].pk,
        offer_name=application["name"],
        voucher_id=voucher.pk if voucher else None,
        voucher_code=voucher.code if voucher else "",
        frequency=application["freq"],
        amount=application["discount"],
        message=application["description"] or "",
    )
