"""The buyer's pages: begun, switched, told the truth, and nothing believed that a browser brings."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from integrations.hub.door import pauses
from integrations.hub.errors import OutcomeUnknown, Rejected
from integrations.hub.models import Account, Pause
from integrations.payments.base import Scene
from shop.order.models import Order, PaymentMethod, Status
from shop.payments import numbers, scenes, watching
from shop.payments.models import Attempt, AttemptStatus
from shop.payments.scenes import scene
from tests import factories
from tests.payments.conftest import again
from tests.payments.till import Book, Till

pytestmark = pytest.mark.django_db

WECHAT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.50 NetType/WIFI"
)


@pytest.mark.parametrize(
    "agent, expected",
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", Scene.DESKTOP),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
            Scene.DESKTOP,
        ),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", Scene.PHONE),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 ArkWeb/4.1 Mobile HuaweiBrowser", Scene.PHONE),
        (WECHAT, Scene.WECHAT),
        (
            "Mozilla/5.0 (Linux; U; Android 14) UCBrowser/15 AliApp(AP/10.6) AlipayClient/10.6 Language/zh-Hans",
            Scene.ALIPAY,
        ),
        ("", Scene.DESKTOP),
    ],
)
def test_where_a_browser_is(agent: str, expected: Scene) -> None:
    assert scene(agent) == expected


@pytest.fixture
def signed(order: Order) -> str:
    return order.verification_hash()


def to_pay(signed: str) -> str:
    return reverse("checkout:pay", args=[signed])


def begin(client: Client, signed: str, till: Account, method: str = "page"):  # type: ignore[no-untyped-def]
    return client.post(reverse("payments:begin", args=[signed]), {"with": f"{till.pk}:{method}"})


def page_of(attempt: Attempt, name: str = "page") -> str:
    return reverse(f"payments:{name}", args=[attempt.number, numbers.page_token(attempt.number)])


def test_only_what_fits_is_offered(client: Client, signed: str) -> None:
    desk = client.get(to_pay(signed)).content.decode()
    assert re.findall(r"value=\"\d+:(\w+)\"", desk) == ["page", "qr"], "not the one for small change"
    inside = client.get(to_pay(signed), headers={"user-agent": WECHAT}).content.decode()
    assert re.findall(r"value=\"\d+:(\w+)\"", inside) == ["qr"]


def test_a_redirect_goes_to_the_provider_and_comes_back_to_the_truth(
    client: Client, order: Order, signed: str, till: Account, book: Book
) -> None:
    answer = begin(client, signed, till)
    attempt = Attempt.objects.get()
    assert answer.url == f"https://till.example/{attempt.number}"
    assert re.fullmatch("[A-Z2-7]{26}", attempt.number)
    assert order.payment_deadline and attempt.expires_at <= order.payment_deadline - timedelta(minutes=2)
    back = page_of(attempt, "return")
    lied = client.get(back, {"trade_status": "TRADE_SUCCESS", "next": "https://evil.example"})
    assert lied.context["state"] == "waiting" and lied["Cache-Control"].count("no-store")
    book.pay(attempt.number)
    assert client.get(page_of(attempt, "status")).json() == {"state": "waiting", "retry_after": 3}, "by our row only"
    again(attempt)
    assert watching.look(attempt.pk)
    assert client.get(page_of(attempt, "status")).json() == {"state": "paid", "retry_after": None}
    assert client.get(back).context["state"] == "paid"
    assert Order.objects.get().status == Status.PAID


def test_a_code_is_shown_and_another_way_closes_it(client: Client, signed: str, till: Account, book: Book) -> None:
    shown = client.get(begin(client, signed, till, "qr").url)
    assert "<svg" in shown.content.decode()
    first = Attempt.objects.get()
    assert first.status == AttemptStatus.ABSENT
    begin(client, signed, till, "page")
    first.refresh_from_db()
    assert first.close_at and client.get(page_of(first)).context["state"] == "over"
    assert watching.look(first.pk) and book.calls.count("close") == 1


@pytest.mark.parametrize("error", [OutcomeUnknown("no answer"), Rejected("no")])
def test_what_could_not_be_begun_is_said(
    client: Client, signed: str, till: Account, book: Book, error: Exception
) -> None:
    book.wrong = [error]  # type: ignore[list-item]
    answer = begin(client, signed, till)
    assert answer.url == to_pay(signed)
    assert "支付平台" in client.get(answer.url).content.decode()
    attempt = Attempt.objects.get()
    unknown = isinstance(error, OutcomeUnknown)
    assert attempt.status == (AttemptStatus.STARTING if unknown else AttemptStatus.REFUSED)
    assert bool(attempt.look_at) == unknown, "what was perhaps begun is watched"


def test_nobody_else_sees_it(client: Client, signed: str, till: Account) -> None:
    begin(client, signed, till)
    attempt = Attempt.objects.get()
    wrong = numbers.page_token("A" * 26)
    for name in ("page", "status", "return"):
        assert client.get(reverse(f"payments:{name}", args=[attempt.number, wrong])).status_code == 404
    assert client.post(reverse("payments:begin", args=["W1:forged"]), {"with": "1:page"}).status_code == 404


def test_what_cannot_be_paid_any_more_is_not_begun(client: Client, order: Order, signed: str, till: Account) -> None:
    Order.objects.update(payment_deadline=timezone.now() + timedelta(minutes=2))
    assert begin(client, signed, till).url == to_pay(signed)
    assert not Attempt.objects.exists()


def ways(client: Client, signed: str) -> list[str]:
    return re.findall(r"value=\"\d+:(\w+)\"", client.get(to_pay(signed)).content.decode())


def test_a_way_that_fails_again_and_again_is_left_out_for_a_while(
    client: Client, signed: str, till: Account, book: Book
) -> None:
    for _ in range(pauses.CIRCUIT):
        assert ways(client, signed) == ["page", "qr"]
        book.wrong = [OutcomeUnknown("no answer")]
        begin(client, signed, till, "qr")
    assert ways(client, signed) == ["page"], "the account's other way works"
    Pause.objects.update(until=timezone.now())
    assert ways(client, signed) == ["page", "qr"], "its time is over: it may be tried"
    begin(client, signed, till, "qr")
    assert not Pause.objects.exists(), "it worked"


def test_what_is_refused_opens_no_circuit(client: Client, signed: str, till: Account, book: Book) -> None:
    for _ in range(pauses.CIRCUIT):
        book.wrong = [Rejected("no")]
        begin(client, signed, till, "qr")
    assert ways(client, signed) == ["page", "qr"]


def test_where_all_fail_all_are_shown_with_a_warning(client: Client, signed: str, till: Account) -> None:
    for topic in ("start:page", "start:qr"):
        Pause.objects.create(account=till, topic=topic, until=timezone.now() + timedelta(minutes=1))
    assert ways(client, signed) == ["page", "qr"]
    assert "message warning" in client.get(to_pay(signed)).content.decode()


def test_an_open_payment_says_how_it_goes_on_without_scripts(client: Client, signed: str, till: Account) -> None:
    begin(client, signed, till, "qr")
    attempt = Attempt.objects.get()
    shown = client.get(page_of(attempt)).content.decode()
    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', shown)
    assert 'id="left"' in shown, "the time that is left"
    assert reverse("customer:guest-order", args=[signed]) in shown, "a plain way back to the order"


def test_a_host_that_was_not_declared_is_no_place_to_send_buyers(
    client: Client, signed: str, till: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Till, "host", "elsewhere.example")
    for _ in range(pauses.CIRCUIT):
        assert begin(client, signed, till).url == to_pay(signed)
    attempt = Attempt.objects.latest("pk")
    assert (attempt.status, attempt.action) == (AttemptStatus.STARTING, {})
    assert attempt.look_at and "host" in attempt.look_error, "the provider has it: it is watched"
    assert ways(client, signed) == ["qr"], "it counts as a failure"


def test_what_works_no_more_is_begun_anew(client: Client, signed: str, till: Account) -> None:
    begin(client, signed, till)
    first = Attempt.objects.get()
    assert client.get(page_of(first)).context["state"] == "waiting"
    first.action["until"] = (timezone.now() + timedelta(seconds=10)).isoformat()  # it would end on the way
    first.save(update_fields=["action"])
    assert client.get(page_of(first, "status")).json() == {"state": "stale", "retry_after": 3}
    shown = client.get(page_of(first, "return")).content.decode()
    assert first.action["redirect"] not in shown
    assert f'name="with" value="{till.pk}:page"' in shown
    begin(client, signed, till)
    first.refresh_from_db()
    second = Attempt.objects.latest("pk")
    assert first.close_at and second.pk != first.pk
    assert client.get(page_of(first)).context["state"] == "over"
    assert client.get(page_of(second)).context["state"] == "waiting"


def test_a_code_that_lasts_as_long_as_its_trade_has_no_end_of_its_own(
    client: Client, signed: str, till: Account
) -> None:
    begin(client, signed, till, "qr")
    assert "until" not in Attempt.objects.get().action


def test_what_costs_nothing_is_not_paid(client: Client, till: Account) -> None:
    factories.product()
    factories.stock(SZ=3)
    free = factories.order(payment_method=PaymentMethod.ONLINE, order_discount=Decimal("113.00"))
    assert (free.total_incl_tax, free.status, free.payment_deadline) == (0, Status.PAID, None)
    shown = client.get(to_pay(free.verification_hash())).content.decode()
    assert 'class="ways"' not in shown and "message warning" not in shown
    assert begin(client, free.verification_hash(), till).url == to_pay(free.verification_hash())
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    ("sent", "is_behind", "address"),
    [
        ("", False, "192.0.2.1"),
        ("203.0.113.7", False, "192.0.2.1"),  # anybody may write that
        ("203.0.113.7", True, "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", True, "203.0.113.7"),
        ("", True, "192.0.2.1"),
        ("2001:db8::1", True, "2001:db8::1"),
        ("nonsense", True, ""),
    ],
)
def test_the_buyers_address_is_what_our_own_proxy_saw(
    rf: RequestFactory, settings: Any, sent: str, is_behind: bool, address: str
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if is_behind else None
    request = rf.get("/", headers={"x-forwarded-for": sent} if sent else {}, REMOTE_ADDR="192.0.2.1")
    assert scenes.address(request) == address
