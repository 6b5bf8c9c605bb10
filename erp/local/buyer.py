"""A guest who buys in the running shop, page by page. For the walkthrough."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from erp.local.visitor import Page, Visitor
from erp.local.walk import Failed
from shop.order.models import Order
from shop.partner.models import StockRecord

BUYER = {
    "email": "walkthrough@example.test",
    "name": "林晓",
    "phone": "13800138000",
    "region": "广东省",
    "city": "深圳市",
    "district": "南山区",
    "street": "科技路 1 号",
    "postcode": "518057",
}


@dataclass(frozen=True)
class Bought:
    """The order, and the browser that stands on its page to pay."""

    order: Order
    visitor: Visitor
    page: Page


def buy(goods: Mapping[str, int], payment_method: str) -> Bought:
    """Units by SKU, into the basket and through the checkout."""
    visitor = Visitor(settings.WEFT_SHOP_URL)
    for sku, quantity in goods.items():
        product = StockRecord.objects.select_related("product").get(partner_sku=sku).product
        page = visitor.open(product.get_absolute_url())
        visitor.send(page, page.form(to="/basket/add/"), quantity=str(quantity))
    page = visitor.open("/checkout/")
    page = visitor.send(page, page.form(with_field="street"), **BUYER)
    page = visitor.send(page, page.form(with_field="token"), payment_method=payment_method)
    number = re.search(r"W\d{8}-[0-9A-Z]{8}", page.text)
    if "/checkout/pay/" not in page.url or number is None:
        raise Failed(f"the order was not placed; {page.url} says: {page.text[:300]}")
    return Bought(Order.objects.get(number=number.group()), visitor, page)
