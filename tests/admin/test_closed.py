"""What nobody may do in the admin, superusers included; and that every page opens for whom it should."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from integrations.hub.models import Account, Alarm, Attempt, HookAddress, Incoming, IncomingHint, Outgoing, Taken
from shop.customer.models import User
from shop.fulfilment.models import Parcel
from shop.order.models import Intake, Line, Order
from shop.payments.models import Attempt as Payment
from shop.payments.models import Dispute, Entry, Refund, RefundPart, Stray
from shop.returns.models import Adjustment, CreditNote, Return
from shop.stock.models import Hold, Level, Movement, Pool, Reading, Repair, Shortage, Warehouse
from tests import factories
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db
LEDGERS = [
    LogEntry,
    Order,
    Line,
    Intake,
    Pool,
    Movement,
    Hold,
    Shortage,
    Reading,
    Repair,
    Parcel,
    Outgoing,
    Taken,
    Incoming,
    Alarm,
    Return,
    CreditNote,
    Adjustment,
    Payment,
    Entry,
    Refund,
    RefundPart,
    Stray,
    Dispute,
]
PAGES = sorted(f"{m._meta.app_label}_{m._meta.model_name}" for m in admin.site._registry)


def test_only_our_own_pages_are_there() -> None:
    assert {name.split("_")[0] for name in PAGES} == {
        "admin", "api", "auth", "catalogue", "customer", "desk", "fulfilment", "hub", "order", "partner",
        "payments", "pricing", "returns", "stock",
    }  # fmt: skip
    assert not {Attempt, HookAddress, IncomingHint, Level} & set(admin.site._registry)


@pytest.mark.parametrize("model", LEDGERS)
def test_ledgers_are_only_looked_at(login: Login, rf: object, model: type) -> None:
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    client = login("superuser")
    assert client.get(reverse(f"admin:{name}_add")).status_code == 403
    request = client.get(reverse(f"admin:{name}_changelist")).wsgi_request
    page = admin.site._registry[model]
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
    assert "delete_selected" not in page.get_actions(request)


@pytest.mark.parametrize("model", [Account, Warehouse, User])
def test_accounts_warehouses_people_are_not_deleted(login: Login, model: type) -> None:
    request = login("superuser").get(reverse("admin:index")).wsgi_request
    assert not admin.site._registry[model].has_delete_permission(request)


@pytest.mark.parametrize("name", PAGES)
def test_every_list_opens_and_is_searched(login: Login, name: str) -> None:
    client = login("superuser")
    address = reverse(f"admin:{name}_changelist")
    assert client.get(address).status_code == 200
    assert client.get(address, {"q": "x"}).status_code == 200
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"auth_group"}))
def test_the_auditor_sees_every_list_and_adds_nothing(login: Login, name: str) -> None:
    client = login("auditor")
    assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:{name}_add")).status_code == 403


def test_the_auditor_opens_pages_without_a_way_to_save(login: Login) -> None:
    factories.product("CHAIR-1")
    factories.stock("CHAIR-1", SZ=10)
    order = factories.order({"CHAIR-1": 1})
    account = factories.account()
    customer = User.objects.create_user("c@example.test")
    client = login("auditor")
    pages = {
        "order_order": order.pk, "stock_pool": "CHAIR-1", "hub_account": account.pk, "customer_user": customer.pk,
        "stock_warehouse": Warehouse.objects.get().pk, "catalogue_product": order.lines.get().pk,
        "stock_movement": Movement.objects.get().pk, "stock_hold": Hold.objects.get().pk,
    }  # fmt: skip
    pages["catalogue_product"] = factories.product("DESK-1").pk
    for name, pk in pages.items():
        page = client.get(reverse(f"admin:{name}_change", args=[pk]))
        assert page.status_code == 200, name
        assert 'name="_save"' not in page.content.decode(), name
        assert [one["title"] for one in page.context["actions_detail"]] in ([], ["View in the shop"]), name
