"""Outside a test's own transaction: the services open durable ones, so no page may have opened one around them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from integrations.hub.models import Outgoing
from shop.order.models import Order, Status
from shop.stock.models import Level, Pool
from tests.admin import test_matrix as matrix
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("name", ["confirm payment", "note payment on account", "cancel", "ship", "receive", "count",
                                  "write off", "correct", "close return", "close import", "close by hand",
                                  "retire account", "retry one", "retry many",
                                  "retry all of a list", "take rows", "tick one off", "give one back",
                                  "give all back"])  # fmt: skip
def test_each_service_commits_by_itself(login: Login, name: str) -> None:
    client = login("superuser")
    address, form = matrix.CASES[name].prepare()
    before = matrix.snapshot()
    assert client.post(address, form).status_code == 302
    assert matrix.snapshot() != before


def test_a_refusal_leaves_nothing_behind(login: Login) -> None:
    client = login("superuser")
    address, form = matrix.adjust("write_off")()
    assert client.post(address, {**form, "quantity": 11}).status_code == 200
    assert Level.objects.get().on_hand == 10
    address, form = matrix.confirm_payment()
    Order.objects.update(status=Status.EXPIRED)
    Outgoing.objects.all().delete()
    Pool.objects.update(on_hand=1, reserved=1)  # nothing is free to be promised anew
    assert client.post(address, form).status_code == 302
    order = Order.objects.get()
    assert (order.status, order.needs_refund) == (Status.EXPIRED, True)
    assert not Outgoing.objects.exists()


def test_the_login_page_leads_to_the_admin(login: Login) -> None:
    page = Client().get(reverse("admin:login"))
    assert f'name="next" form="login-form" value="{reverse("admin:index")}"' in page.content.decode()
