"""Rights over people: selling rights must not be a way to all rights."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from shop.customer.groups import GROUPS, ensure_groups
from shop.customer.models import User
from tests import factories
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db


def change(user: User) -> str:
    return reverse("admin:customer_user_change", args=[user.pk])


def test_groups_are_made_once_and_kept_exact() -> None:
    first = ensure_groups()
    first["auditor"].permissions.clear()
    ensure_groups()
    assert set(Group.objects.values_list("name", flat=True)) == set(GROUPS)
    for name, rights in GROUPS.items():
        assert first[name].permissions.count() == len(set(rights))


def test_the_auditor_may_only_look() -> None:
    assert all(right.split(".")[1].startswith("view_") for right in GROUPS["auditor"])
    others = {right for rights in GROUPS.values() for right in rights if right.split(".")[1].startswith("view_")}
    assert others <= set(GROUPS["auditor"])


def test_sales_cannot_touch_staff(login: Login) -> None:
    boss = User.objects.create_superuser("boss@weft.test")
    colleague = User.objects.create_user("colleague@weft.test", is_staff=True)
    client = login("sales")
    for user in (boss, colleague):
        assert client.get(change(user)).status_code == 200
        assert client.post(change(user), {"email": "mine@weft.test", "is_active": "on"}).status_code == 403
    boss.refresh_from_db()
    assert boss.email == "boss@weft.test"


def test_sales_cannot_make_staff_or_set_passwords(login: Login) -> None:
    customer = User.objects.create_user("c@example.test")
    client = login("sales")
    form = {"email": "c@example.test", "name": "New", "is_active": "on", "is_staff": "on", "is_superuser": "on",
            "may_buy_on_account": "on"}  # fmt: skip
    assert client.post(change(customer), form).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.is_staff, customer.is_superuser, customer.may_buy_on_account) == (
        "New", False, False, False,
    )  # fmt: skip
    password = reverse("admin:auth_user_password_change", args=[customer.pk])
    assert client.post(password, {"password1": "x" * 12, "password2": "x" * 12}).status_code == 403
    assert client.get(reverse("admin:customer_user_add")).status_code == 403


def test_a_superuser_makes_staff(login: Login) -> None:
    client = login("superuser")
    form = {"email": "New@Weft.test", "name": "New", "is_staff": "on", "groups": [Group.objects.get(name="sales").pk],
            "usable_password": "true", "password1": "loom-and-shuttle", "password2": "loom-and-shuttle"}  # fmt: skip
    assert client.get(reverse("admin:customer_user_add")).status_code == 200
    answer = client.post(reverse("admin:customer_user_add"), form)
    assert answer.status_code == 302, answer.content.decode()
    made = User.objects.get(email="new@weft.test")
    assert made.is_staff
    assert made.has_perm("order.cancel_order")
    assert made.check_password("loom-and-shuttle")
    assert client.get(change(made)).status_code == 200


def test_a_customers_orders_are_linked(login: Login) -> None:
    customer = User.objects.create_user("c@example.test")
    factories.stock("CHAIR-1", SZ=10)
    order = factories.order({"CHAIR-1": 1}, user_id=customer.pk)
    client = login("sales")
    assert order.number in client.get(change(customer)).content.decode()
    linked = client.get(reverse("admin:order_order_changelist"), {"user__id__exact": customer.pk})
    assert order.number in linked.content.decode()
