"""Nothing that the gateways tell of their payer is kept, logged or shown: paid, notified, looked at, given back."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.sandbox.payments import payer
from shop.customer.models import User
from shop.order import lifecycle
from shop.order.models import PaymentMethod
from shop.payments import numbers, refunds, starting
from shop.payments.models import Attempt
from tests import factories
from tests.payments.practice import account, deliver, quiesce, tells_of_the_payer
from tests.payments.test_histories import box, gateways
from tests.sandbox.payments.conftest import Gateways, keys

__all__ = ["box", "gateways", "keys"]
pytestmark = pytest.mark.django_db
METHODS = {"alipay": "qr", "wechatpay": "jsapi"}


def told(text: str) -> list[str]:
    return [each for each in payer.EVERYTHING if each in text or each.encode("unicode_escape").decode() in text]


def test_it_would_be_seen() -> None:
    assert told(f"{{'payer': {payer.OPENID!r}, 'name': {ascii(payer.NAME)}}}") == [payer.OPENID, payer.NAME]


@pytest.mark.parametrize("provider", METHODS)
def test_nothing_of_the_payer(
    gateways: Gateways, box: Any, provider: str, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    caplog.set_level(logging.DEBUG)
    factories.china()
    factories.product()
    factories.stock(SZ=3)
    order, shop = factories.order(payment_method=PaymentMethod.ONLINE), account(gateways, provider)
    attempt = starting.begin(order, shop, METHODS[provider], payer=payer.OPENID, payer_ip="203.0.113.9")
    assert tells_of_the_payer() == []
    gateways.pay(provider, attempt.number)
    (notice,) = gateways.notices()
    gateways.ask("notices", {"release": [notice["name"]]})
    assert deliver(box.take()) in (200, 204)
    quiesce([shop])
    with lifecycle.locked(order.number) as locked:
        refunds.request(locked, Decimal("13.00"), actor="staff:li", reason="刮花了")
    quiesce([shop])
    assert Attempt.objects.get().captured == Decimal(113)
    assert tells_of_the_payer() == []
    logged = "\n".join(f"{one.getMessage()} {vars(one)}" for one in caplog.records)
    assert logged and told(logged) == []
    page = client.get(reverse("payments:page", args=[attempt.number, numbers.page_token(attempt.number)]))
    client.force_login(User.objects.create_superuser(email="li@example.com", password="x"))
    staff = [
        client.get(reverse("admin:order_order_change", args=[order.pk])),
        client.get(reverse("admin:payments_attempt_change", args=[attempt.pk])),
    ]
    for shown in (page, *staff):
        assert shown.status_code == 200 and told(shown.content.decode()) == []
