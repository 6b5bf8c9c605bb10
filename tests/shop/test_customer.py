from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from integrations.hub.models import Outgoing
from shop.customer import passwords
from shop.customer.models import User
from shop.mail.letters import Event, compose
from shop.order import lifecycle
from shop.order.models import Order, Status
from shop.stock.models import Pool
from tests import factories
from tests.shop.conftest import PASSWORD, Shop
from tests.shop.steps import ADDRESS, buy, text

LOGIN = "/account/login/"


@pytest.mark.parametrize("email", ["buyer@weft.test", "BUYER@Weft.Test", " buyer@weft.test "])
def test_log_in_by_e_mail(buyer: User, en: Client, email: str) -> None:
    answer = en.post(LOGIN, {"username": email, "password": PASSWORD})
    assert answer.url == reverse("customer:orders")


def test_a_wrong_password_is_told_without_saying_which(buyer: User, en: Client) -> None:
    answers = [
        re.sub(r"value=\"[^\"]*\"", "", text(en.post(LOGIN, {"username": name, "password": "wrong"})))
        for name in ("buyer@weft.test", "nobody@weft.test")
    ]
    assert "do not belong together" in answers[0]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("page", [LOGIN, "/account/register/"])
@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_open_redirects_are_refused(buyer: User, en: Client, page: str, target: str) -> None:
    data = {"username": buyer.email, "password": PASSWORD, "email": "new@weft.test", "name": "N"}
    answer = en.post(f"{page}", {**data, "next": target})
    assert answer.status_code == 302
    assert answer.url == reverse("customer:orders")
    answer = en.post("/language/", {"language": "en", "next": target})
    assert "evil" not in answer.url and "javascript" not in answer.url


def test_register_and_come_back(db: None, en: Client) -> None:
    data = {"email": "New@Weft.Test", "name": "New", "password": PASSWORD, "next": "/checkout/"}
    assert en.post("/account/register/", data).url == "/checkout/"
    user = User.objects.get()
    assert (user.email, user.language, user.is_staff, user.is_superuser) == ("new@weft.test", "en", False, False)
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"email": "BUYER@weft.test"}, "account with this address already"),
        ({"password": "123"}, "too short"),
        ({"password": "newcomer@weft.test"}, "too similar"),
        ({"email": "nonsense"}, "valid email"),
        ({"is_staff": "on", "password": "1"}, "too short"),
    ],
)
def test_registering_is_checked(buyer: User, en: Client, changes: dict, said: str) -> None:
    data = {"email": "newcomer@weft.test", "name": "", "password": PASSWORD, **changes}
    assert said in text(en.post("/account/register/", data))
    assert User.objects.count() == 1


def test_session_and_csrf_cookies(buyer: User, en: Client) -> None:
    answer = en.get(LOGIN)
    assert answer.cookies[settings.CSRF_COOKIE_NAME]["httponly"]
    answer = en.post(LOGIN, {"username": buyer.email, "password": PASSWORD})
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_posts_need_the_csrf_token(shop: Shop) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    answer = client.post(reverse("basket:add", args=[shop.cushion.pk]), {"quantity": 1})
    assert answer.status_code == 403
    assert "Please try again" in text(answer)


def test_own_orders_only(shop: Shop, member: Client, zh: Client) -> None:
    mine = buy(member, shop.cushion)
    theirs = buy(zh, shop.cushion)
    page = text(member.get("/account/orders/"))
    assert mine.number in page and theirs.number not in page
    assert member.get(f"/account/orders/{mine.number}/").status_code == 200
    assert member.get(f"/account/orders/{theirs.number}/").status_code == 404
    assert member.post(f"/account/orders/{theirs.number}/cancel/").status_code == 404
    assert zh.get(f"/account/orders/{mine.number}/").url.startswith(LOGIN)
    theirs.refresh_from_db()
    assert theirs.status == Status.PENDING_PAYMENT


def test_a_guest_sees_the_order_by_its_signed_link_only(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion, 2)
    signed = order.verification_hash()
    page = text(Client(headers={"accept-language": "en"}).get(f"/order/{signed}/"))
    for words in (order.number, "Awaiting payment", "¥398.00", "¥352.21", "科技园南路", "TX-1", "× 2"):
        assert words in page
    for wrong in (order.number, f"{order.number}:x", signed[:-1], f"{signed}x", "x:y"):
        assert en.get(f"/order/{wrong}/").status_code == 404
        assert en.post(f"/order/{wrong}/cancel/").status_code == 404


def test_an_order_page_tells_what_happened(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    lifecycle.confirm_payment(order.number, actor="finance@weft.test", reference="internal 4711")
    page = text(en.get(f"/order/{order.verification_hash()}/"))
    assert "Paid" in page and "Cancel this order" not in page
    assert "internal 4711" not in page and "finance@" not in page


def course(client: Client, order: Order) -> list[tuple[str, bool]]:
    """The order's timeline as its page shows it: what, and whether it has happened."""
    answer = client.get(reverse("customer:guest-order", args=[order.verification_hash()]))
    return [(step.title, step.at is not None) for step in answer.context["timeline"]]


def test_an_orders_page_tells_what_comes_next(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    assert course(en, order) == [
        ("Order placed", True), ("Your payment arrives", False), ("The goods are shipped", False),
    ]  # fmt: skip
    lifecycle.confirm_payment(order.number, actor="test")
    assert course(en, order) == [("Order placed", True), ("Paid", True), ("The goods are shipped", False)]
    other = buy(en, shop.cushion)
    lifecycle.cancel(other.number, actor="test", reason="")
    assert course(en, other) == [("Order placed", True), ("Cancelled", True)], "nothing more comes"


def test_letters_say_where_the_goods_go_while_they_go(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    for event, told in ((Event.PLACED, True), (Event.PAID, True), (Event.SHIPPED, True), (Event.CANCELLED, False)):
        letter = compose(order, event, f"{order.number}:{event}")
        assert (ADDRESS["street"] in letter.text, ADDRESS["street"] in letter.html) == (told, told), event


def test_cancelling_while_unpaid(shop: Shop, member: Client) -> None:
    order = buy(member, shop.cushion)
    page = text(member.post(f"/account/orders/{order.number}/cancel/", follow=True))
    assert "Your order is cancelled" in page
    order.refresh_from_db()
    assert order.status == Status.CANCELLED
    assert Pool.objects.get(sku="TX-1").reserved == 0
    page = text(member.post(f"/account/orders/{order.number}/cancel/", follow=True))
    assert "cannot be cancelled here any more" in page


def test_a_guest_cancels_but_not_a_paid_order(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    lifecycle.confirm_payment(order.number, actor="test")
    url = f"/order/{order.verification_hash()}/cancel/"
    assert en.get(url).status_code == 405
    assert "cannot be cancelled" in text(en.post(url, follow=True))
    assert Order.objects.get().status == Status.PAID


def test_profile_sets_language_and_time_zone(shop: Shop, buyer: User, member: Client) -> None:
    order = buy(member, shop.cushion)
    data = {"name": "L", "phone": "", "language": "zh-hans", "time_zone": "America/New_York"}
    assert member.post("/account/profile/", data).status_code == 302
    page = text(member.get(f"/account/orders/{order.number}/"))
    assert 'lang="zh-Hans"' in page
    assert f'datetime="{order.date_placed.astimezone().isoformat()[:5]}' in page
    assert "-05:00" in page or "-04:00" in page, "times are New York's"
    data["time_zone"] = "Mars/Olympus"
    assert member.post("/account/profile/", data).status_code == 200
    User.objects.filter(pk=buyer.pk).update(time_zone="../../etc/passwd")
    assert member.get("/account/orders/").status_code == 200


def test_the_language_comes_back_with_the_login(buyer: User, zh: Client) -> None:
    User.objects.filter(pk=buyer.pk).update(language="en")
    zh.post(LOGIN, {"username": buyer.email, "password": PASSWORD})
    assert "My orders" in text(zh.get("/account/orders/"))
    zh.post("/language/", {"language": "zh-hans", "next": "/"})
    buyer.refresh_from_db()
    assert buyer.language == "zh-hans"


def test_addresses(buyer: User, member: Client) -> None:
    factories.china()

    member.post("/account/addresses/new/", ADDRESS)
    member.post("/account/addresses/new/", {**ADDRESS, "street": "人民路 2 号"})
    first, second = buyer.addresses.order_by("pk")
    assert first.is_default_for_shipping and not second.is_default_for_shipping
    member.post(f"/account/addresses/{second.pk}/default/")
    member.post(f"/account/addresses/{first.pk}/", {**ADDRESS, "street": "解放路 3 号"})
    page = text(member.get("/account/addresses/"))
    assert "解放路 3 号" in page and page.index("人民路") < page.index("解放路")
    other = Client()
    other.force_login(User.objects.create_user("other@weft.test", "x"))
    assert other.get(f"/account/addresses/{first.pk}/").status_code == 404
    assert other.post(f"/account/addresses/{first.pk}/delete/").status_code == 404
    member.post(f"/account/addresses/{first.pk}/delete/")
    assert list(buyer.addresses.all()) == [second]


def test_a_forgotten_password(buyer: User, en: Client) -> None:
    factories.account("messages", "file")
    known = text(en.post("/account/password/forgotten/", {"email": "BUYER@weft.test"}, follow=True))
    row = Outgoing.objects.get()
    assert (row.topic, row.payload["user"]) == ("password-mail", buyer.pk)
    assert "token" not in str(row.payload)
    letter = passwords.compose(buyer, "en", row.key)
    link = re.search(r"https?://\S+", letter.text).group().replace(settings.WEFT_SHOP_URL, "")
    page = en.get(link, follow=True)
    answer = en.post(
        page.redirect_chain[-1][0], {"new_password1": "quite-another-one", "new_password2": "quite-another-one"}
    )
    assert answer.url == LOGIN
    buyer.refresh_from_db()
    assert buyer.check_password("quite-another-one")
    assert "used already" in text(Client(headers={"accept-language": "en"}).get(link, follow=True))
    unknown = text(Client(headers={"accept-language": "en"}).post(
        "/account/password/forgotten/", {"email": "nobody@weft.test"}, follow=True
    ))  # fmt: skip
    token = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    assert token.sub("", known) == token.sub("", unknown)
    assert Outgoing.objects.count() == 1


def test_the_password_can_be_changed(buyer: User, member: Client) -> None:
    data = {"old_password": PASSWORD, "new_password1": "quite-another-one", "new_password2": "quite-another-one"}
    assert member.post("/account/password/", data).url == "/account/profile/"
    buyer.refresh_from_db()
    assert buyer.check_password("quite-another-one")


def test_logging_out_needs_post(member: Client) -> None:
    assert member.get("/account/logout/").status_code == 405
    assert member.post("/account/logout/").status_code == 302
    assert member.get("/account/orders/").url.startswith(LOGIN)


@pytest.mark.parametrize("path", ["orders/", "profile/", "addresses/", "addresses/new/", "password/"])
def test_accounts_are_private(db: None, en: Client, path: str) -> None:
    answer = en.get(f"/account/{path}")
    assert answer.url == f"{LOGIN}?next=/account/{path}"
