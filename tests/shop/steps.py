"""What a customer does, through Django's client."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from shop.catalogue.models import Product
from shop.order.models import Order

ADDRESS = {
    "name": "王小明",
    "phone": "13800138000",
    "country": "CN",
    "region": "广东省",
    "city": "深圳市",
    "district": "南山区",
    "street": "科技园南路 1 号 3 栋 502",
    "postcode": "518057",
}


def add(client: Client, product: Product, quantity: int = 1, **more: Any) -> Any:
    return client.post(reverse("basket:add", args=[product.pk]), {"quantity": quantity, **more}, follow=True)


def give_details(client: Client, **changes: Any) -> Any:
    return client.post(reverse("checkout:details"), {"email": "Guest@Example.com", **ADDRESS, **changes})


def token(client: Client) -> str:
    return client.get(reverse("checkout:review")).context["token"]


def press(client: Client, shown: str, method: str = "bank_transfer", note: str = "") -> Any:
    data = {"payment_method": method, "token": shown, "note": note}
    return client.post(reverse("checkout:review"), data)


def buy(client: Client, product: Product, quantity: int = 1, **details: Any) -> Order:
    """The whole way, to the order."""
    before = set(Order.objects.values_list("pk", flat=True))
    add(client, product, quantity)
    give_details(client, **details)
    answer = press(client, token(client))
    assert answer.status_code == 302, answer.content.decode()
    return Order.objects.exclude(pk__in=before).get()


def text(answer: Any) -> str:
    return answer.content.decode()
