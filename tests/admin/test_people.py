"""Rights over people: selling rights must not be a way to all rights."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone

from shop.customer.groups import GROUPS, ensure_groups
from shop.customer.models import User
from shop.order.models import Order, PaymentMethod
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


def test_what_a_customer_bought_is_summed_for_each_currency(login: Login) -> None:
    """Never across; what was cancelled or expired is no purchase; what is owed on account stands by itself."""
    customer = User.objects.create_user("c@example.test")
    factories.stock("CHAIR-1", SZ=100)
    for currency, units, status in (("CNY", 2, "paid"), ("CNY", 1, "cancelled"), ("JPY", 3, "on_account"),
                                    ("CNY", 4, "expired"), ("CNY", 5, "on_account")):  # fmt: skip
        order = factories.order({"CHAIR-1": units}, unit="100", user_id=customer.pk, currency=currency,
                                payment_method=PaymentMethod.ON_ACCOUNT)  # fmt: skip
        paid = timezone.now() if status == "paid" else None
        Order.objects.filter(pk=order.pk).update(status=status, paid_at=paid)
    page = login("sales").get(change(customer))
    sums = {row["currency"]: (row["count"], row["total"], row["owed"]) for row in page.context["sums"]}
    assert sums == {"CNY": (4, 700, 500), "JPY": (1, 300, 300)}
    text = page.content.decode()
    assert "¥700.00" in text
    assert "¥1,000" not in text


def test_the_list_shows_who_was_here_last_and_finds_by_phone(login: Login) -> None:
    User.objects.create_user("c@example.test", name="林晓", phone="138 0013-9999", last_login=timezone.now())
    User.objects.create_user("d@example.test", name="王芳")
    people = reverse("admin:customer_user_changelist")
    for words in ("林", "C@example", "+86 13800139999", "9999"):
        page = login("sales").get(people, {"q": words}).content.decode()
        assert "林晓" in page, words
        assert "王芳" not in page, words


def test_a_group_shows_its_rights_in_words_and_keeps_those_it_was_given_elsewhere(login: Login) -> None:
    client = login("superuser")
    sales = Group.objects.get(name="sales")
    extra = Permission.objects.get(codename="view_site")
    sales.permissions.add(extra)
    address = reverse("admin:auth_group_change", args=[sales.pk])
    page = client.get(address).content.decode()
    assert "Can cancel orders" in page
    form = {"name": "sales", "permissions": [right.pk for right in sales.permissions.all()]}
    assert client.post(address, form).status_code == 302
    assert extra in sales.permissions.all()
    assert "Can cancel orders" in login("auditor").get(address).content.decode()
    assert login("auditor").post(address, form).status_code == 403


def test_the_seeded_groups_stay(login: Login) -> None:
    login("superuser")
    own = Group.objects.create(name="own")
    client = login("superuser")
    assert client.post(reverse("admin:auth_group_delete", args=[own.pk]), {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(name="own").exists()
    sales = Group.objects.get(name="sales")
    assert client.post(reverse("admin:auth_group_delete", args=[sales.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("group", GROUPS)
def test_each_right_of_a_group_is_asked_for_somewhere(group: str) -> None:
    """No right is given that no page, service or action asks for."""
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("shop", "integrations", "erp", "templates")
        for path in (Path(settings.BASE_DIR) / folder).rglob("*")
        if path.suffix in (".py", ".html") and "migrations" not in path.parts and path.name != "groups.py"
    )
    with_pages = {model._meta.label_lower for model in admin.site._registry}
    inlines = {inline.model._meta.label_lower for page in admin.site._registry.values() for inline in page.inlines}
    for right in GROUPS[group]:
        app, _dot, codename = right.partition(".")
        verb, _underscore, model = codename.partition("_")
        of_page = verb in ("view", "add", "change", "delete") and f"{app}.{model}" in with_pages | inlines
        assert of_page or f'"{right}"' in sources, right


def test_a_customers_orders_are_linked(login: Login) -> None:
    customer = User.objects.create_user("c@example.test")
    factories.stock("CHAIR-1", SZ=10)
    order = factories.order({"CHAIR-1": 1}, user_id=customer.pk)
    client = login("sales")
    assert order.number in client.get(change(customer)).content.decode()
    linked = client.get(reverse("admin:order_order_changelist"), {"user__id__exact": customer.pk})
    assert order.number in linked.content.decode()
