"""Telling the shop that the transfer is made: by guests and accounts, once, and honestly when it is too late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from shop.customer.models import User
from shop.mail.letters import Event, compose
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.stock.models import Hold
from tests.shop.conftest import Shop
from tests.shop.steps import add, buy, give_details, press, text, token

pytestmark = pytest.mark.django_db
BUTTON = "I have made the transfer"


def pay(order: Order) -> str:
    return reverse("checkout:pay", args=[order.verification_hash()])


def made(order: Order) -> str:
    return reverse("checkout:transfer-made", args=[order.verification_hash()])


def page(order: Order) -> str:
    return reverse("customer:guest-order", args=[order.verification_hash()])


def spoken(moment: Any, language: str = "en") -> str:
    with translation.override(language):
        return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def state(order: Order) -> tuple[Any, ...]:
    order.refresh_from_db()
    return order.status, order.payment_said_at, order.payment_deadline, order.status_changes.count()


def run_out(order: Order) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Order.objects.filter(pk=order.pk).update(payment_deadline=past)
    Hold.objects.filter(line__order=order).update(deadline=past)


def test_a_guest_says_so_and_is_told_until_when(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    longer = order.payment_deadline + timedelta(hours=48)
    before = text(en.get(pay(order)))
    assert BUTTON in before and f"hold your goods until {spoken(longer)}" in before and "(72 hours)" in before
    answer = en.post(made(order))
    assert answer.url == pay(order)
    order.refresh_from_db()
    assert (order.payment_deadline, Hold.objects.get().deadline) == (longer, longer)
    told = f"You told us on {spoken(order.payment_said_at)} that you have made the transfer. " \
           f"We hold your goods until {spoken(longer)}"  # fmt: skip
    for address in (pay(order), page(order)):
        shown = text(en.get(address))
        assert told in shown and BUTTON not in shown and "72 hours" not in shown
        assert "¥211.00" in shown, "what to transfer is still there"
    assert "You told us that the transfer is made" in text(en.get(page(order)))
    assert (order.status_changes.latest("pk").actor, order.status) == ("web", Status.PENDING_PAYMENT)


def test_pressing_again_changes_nothing(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    en.post(made(order))
    before = state(order)
    assert en.post(made(order)).url == pay(order)
    assert state(order) == before


def test_an_account_says_so_on_its_orders_page(shop: Shop, buyer: User, member: Client) -> None:
    order = buy(member, shop.cushion)
    shown = text(member.get(reverse("customer:order", args=[order.number])))
    assert BUTTON in shown and f'action="{made(order)}" method="post"' in shown and "csrfmiddlewaretoken" in shown
    member.post(made(order))
    assert order.status_changes.latest("pk").actor == f"customer:{buyer.pk}"
    assert "You told us on" in text(member.get(reverse("customer:order", args=[order.number])))


def test_it_needs_the_link_a_post_and_its_token(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    before = state(order)
    assert en.get(made(order)).status_code == 405
    assert en.post(f"/checkout/pay/{order.number}:forged/made/").status_code == 404
    assert Client(enforce_csrf_checks=True).post(made(order)).status_code == 403
    assert state(order) == before


def test_in_chinese(shop: Shop, zh: Client) -> None:
    order = buy(zh, shop.cushion)
    assert "我已转账" in text(zh.get(pay(order)))
    zh.post(made(order))
    order.refresh_from_db()
    assert spoken(order.payment_deadline, "zh-hans") in text(zh.get(page(order)))


@pytest.mark.parametrize("swept", [False, True])
def test_after_the_deadline_it_does_not_pretend(shop: Shop, en: Client, swept: bool) -> None:
    order = buy(en, shop.cushion)
    run_out(order)
    if swept:
        assert lifecycle.expire_overdue() == 1
    before = state(order)
    assert en.post(made(order)).url == pay(order)
    assert state(order) == before
    for address in (pay(order), page(order)):
        shown = text(en.get(address))
        assert "no longer held for you" in shown and "If your transfer still arrives" in shown
        assert BUTTON not in shown and "Please transfer" not in shown and "You told us" not in shown


def test_said_and_run_out_it_says_both(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    en.post(made(order))
    order.refresh_from_db()
    assert lifecycle.expire_overdue(order.payment_deadline) == 1
    shown = text(en.get(pay(order)))
    assert "You told us on" in shown and "no longer held for you" in shown and "We hold your goods" not in shown
    order.refresh_from_db()
    letter = compose(order, Event.CANCELLED, "k")
    assert "No payment arrived in time" in letter.text
    assert all("If your transfer still arrives" in body for body in (letter.text, letter.html))


def test_money_that_came_too_late_is_told_as_it_is(shop: Shop, en: Client) -> None:
    order = buy(en, shop.lamp, 3)
    run_out(order)
    lifecycle.expire_overdue()
    buy(en, shop.lamp, 1)
    lifecycle.confirm_payment(order.number, actor="li")
    assert "goods were gone. We give it back" in text(en.get(pay(order)))
    lifecycle.note_refund(order.number, actor="li")
    assert "We have given it back" in text(en.get(page(order)))


def test_paid_or_cancelled_there_is_nothing_to_say(shop: Shop, en: Client) -> None:
    paid, cancelled = buy(en, shop.cushion), buy(en, shop.throw)
    lifecycle.confirm_payment(paid.number, actor="li")
    lifecycle.cancel(cancelled.number, actor="li")
    for order in (paid, cancelled):
        before = state(order)
        assert BUTTON not in text(en.get(pay(order))) + text(en.get(page(order)))
        assert en.post(made(order)).url == pay(order)
        assert state(order) == before


def test_on_account_nothing_is_transferred_before(shop: Shop, buyer: User, member: Client) -> None:
    User.objects.filter(pk=buyer.pk).update(may_buy_on_account=True)
    add(member, shop.cushion)
    give_details(member)
    press(member, token(member), PaymentMethod.ON_ACCOUNT)
    order = Order.objects.get()
    assert BUTTON not in text(member.get(pay(order)))
    before = state(order)
    member.post(made(order))
    assert state(order) == before
