"""Payments that are said to be made: seen by staff, found after a working day, and given more time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.days import working_day_ago
from shop.order import lifecycle
from shop.order.models import Order
from shop.stock.models import Hold
from tests import factories
from tests.admin.conftest import Login
from tests.admin.pages import action, said

pytestmark = pytest.mark.django_db
LIST = "admin:order_order_changelist"


@pytest.fixture
def order() -> Order:
    factories.stock("CHAIR-1", SZ=10)
    return factories.order({"CHAIR-1": 2})


def typed(moment: datetime) -> str:
    """As a browser sends what was picked."""
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"


def extend(client: Client, order: Order, until: str, reason: str = "the bank says tomorrow") -> Any:
    return client.post(action("order_order", "extend_deadline", order.pk), {"until": until, "reason": reason})


def deadline(order: Order) -> datetime:
    order.refresh_from_db()
    assert order.payment_deadline and Hold.objects.get().deadline == order.payment_deadline
    return order.payment_deadline


# --- extending -------------------------------------------------------------------------------------------------------


def test_extending_the_deadline(login: Login, order: Order) -> None:
    client = login("finance")
    until = (order.date_placed + timedelta(hours=100)).replace(second=0, microsecond=0)
    asked = client.get(action("order_order", "extend_deadline", order.pk)).content.decode()
    last = timezone.localtime(lifecycle.last_deadline(order))
    assert f"at most until {last:%Y-%m-%d %H:%M}: 168 hours after it was placed" in asked
    assert f'max="{last:%Y-%m-%dT%H:%M}"' in asked and 'type="datetime-local"' in asked
    answer = extend(client, order, typed(until))
    assert (answer.status_code, said(answer)) == (
        302, f"The goods are held until {timezone.localtime(until):%Y-%m-%d %H:%M}."
    )  # fmt: skip
    assert deadline(order) == until
    note = order.status_changes.latest("pk")
    assert (note.actor, note.old_status, note.new_status) == ("staff:finance@weft.test", *["pending_payment"] * 2)
    page = login("sales").get(reverse("admin:order_order_change", args=[order.pk])).content.decode()
    assert ": the bank says tomorrow" in page and "finance@weft.test" in page


@pytest.mark.parametrize(
    ("hours", "words"), [(71, "no later than the deadline it has"), (169, "At most until"), (None, "required")]
)
def test_what_is_refused_is_said_on_the_page(login: Login, order: Order, hours: int | None, words: str) -> None:
    before = deadline(order)
    answer = extend(login("finance"), order, typed(order.date_placed + timedelta(hours=hours)) if hours else "")
    assert answer.status_code == 200 and words in answer.content.decode()
    assert (deadline(order), order.status_changes.count()) == (before, 1)


def test_a_reason_is_asked_for(login: Login, order: Order) -> None:
    answer = extend(login("finance"), order, typed(order.date_placed + timedelta(hours=100)), reason="")
    assert answer.status_code == 200
    assert order.status_changes.count() == 1


def test_the_time_that_ran_out_meanwhile_is_a_message(
    login: Login, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.order.admin_actions.offered", lambda name, order: True)
    Order.objects.filter(pk=order.pk).update(payment_deadline=timezone.now())
    answer = extend(login("finance"), order, typed(order.date_placed + timedelta(hours=100)))
    assert (answer.status_code, "over meanwhile" in said(answer)) == (302, True)


# --- said to be made -------------------------------------------------------------------------------------------------


def test_the_page_and_the_list_say_it(login: Login, order: Order) -> None:
    other = factories.order({"CHAIR-1": 1})
    client = login("finance")
    page = reverse("admin:order_order_change", args=[order.pk])
    assert "aid to be paid" not in client.get(page).content.decode()
    lifecycle.say_paid(order.number, actor="web")
    shown = client.get(page)
    assert "said to be paid at" in shown.content.decode()
    told = [entry for entry, _ in shown.context["shown"]["timeline"] if "said to be paid" in " ".join(entry.lines)]
    assert [(entry.system, entry.who) for entry in told] == [("Shop", "guest")]
    narrowed = client.get(reverse(LIST), {"said": "open"}).content.decode()
    assert order.number in narrowed and other.number not in narrowed
    assert narrowed.count('weft-badge-warning">said to be paid<') == 1
    lifecycle.confirm_payment(order.number, actor="li")
    assert order.number not in client.get(reverse(LIST), {"said": "open"}).content.decode()
    assert 'weft-badge-warning">said to be paid<' not in client.get(reverse(LIST)).content.decode()


def test_said_and_expired_it_is_still_found(login: Login, order: Order) -> None:
    lifecycle.say_paid(order.number, actor="web")
    assert lifecycle.expire_overdue(timezone.now() + timedelta(days=8)) == 1
    page = login("finance").get(reverse(LIST), {"said": "expired"}).content.decode()
    assert order.number in page and 'weft-badge-warning">said to be paid<' in page
    lifecycle.confirm_payment(order.number, actor="li")
    assert order.number not in login("finance").get(reverse(LIST), {"said": "expired"}).content.decode()


@pytest.mark.parametrize(
    ("now", "ago"),
    [
        ("2026-11-24 10:30", "2026-11-23 10:30"),  # Tuesday: Monday
        ("2026-11-23 10:30", "2026-11-20 10:30"),  # Monday: Friday
        ("2026-11-27 23:59", "2026-11-26 23:59"),
        ("2026-11-28 00:00", "2026-11-27 00:00"),  # Saturday: Friday's beginning, all day,
        ("2026-11-28 18:00", "2026-11-27 00:00"),
        ("2026-11-29 18:00", "2026-11-27 00:00"),  # and Sunday
    ],
)
def test_a_working_day_ago(now: str, ago: str) -> None:
    moment = timezone.make_aware(datetime.fromisoformat(now))
    assert working_day_ago(moment) == timezone.make_aware(datetime.fromisoformat(ago))
