from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import Outgoing
from integrations.hub.values import Lane
from shop.order.models import Order
from shop.stock.models import Pool, Shortage
from tests import factories
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db
HOME = "admin:index"


@pytest.fixture
def trouble() -> None:
    factories.stock("CHAIR-1", SZ=10)
    factories.order({"CHAIR-1": 1})
    returning = factories.order({"CHAIR-1": 1})
    Order.objects.filter(pk=returning.pk).update(status="cancelling", needs_return=True, needs_refund=True)
    Shortage.objects.create(pool=Pool.objects.get(), quantity=1, cause="count")
    account = factories.account(problem="refused")
    Outgoing.objects.create(account=account, topic="t", key="1", subject="", lane=Lane.STOCK, parked_at=timezone.now())


def test_home_counts_what_needs_a_person_and_leads_there(login: Login, trouble: None) -> None:
    client = login("superuser")
    page = client.get(reverse(HOME))
    assert [task.count for task in page.context["tasks"]] == [1, 1, 1, 1, 1, 1, 1]
    for task in page.context["tasks"]:
        found = client.get(task.link)
        assert found.status_code == 200
        assert found.context["cl"].result_count == 1, task.link


def test_home_shows_each_what_is_theirs(login: Login, trouble: None) -> None:
    assert login("catalogue").get(reverse(HOME)).context["tasks"] == []
    assert len(login("finance").get(reverse(HOME)).context["tasks"]) == 6
    assert len(login("auditor").get(reverse(HOME)).context["tasks"]) == 7


def test_home_speaks_both_languages(login: Login, trouble: None) -> None:
    client = login("superuser")
    assert "Payments to confirm" in client.get(reverse(HOME)).content.decode()
    page = client.get(reverse(HOME), headers={"accept-language": "zh-hans"}).content.decode()
    assert "待确认的付款" in page
