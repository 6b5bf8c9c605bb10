from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from oscar.core.loading import get_model

from shop.checkout import views
from shop.customer.models import User
from shop.order.models import Order, PaymentMethod, Status
from shop.order.place import CannotPlace
from shop.partner.models import StockRecord
from shop.stock.models import Hold, Pool
from tests import factories
from tests.shop.conftest import Shop
from tests.shop.steps import ADDRESS, add, buy, give_details, press, text, token
from tests.shop.test_basket import offer, voucher

Country, UserAddress = get_model("address", "Country"), get_model("address", "UserAddress")
DETAILS, REVIEW = "/checkout/", "/checkout/review/"


def test_a_guest_buys_by_bank_transfer(shop: Shop, en: Client, settings) -> None:
    settings.WEFT_BANK_DETAILS = "Bank of Cloth\nAccount 123"
    add(en, shop.cushion, 2)
    assert give_details(en).url == REVIEW
    page = en.get(REVIEW)
    for words in ("王小明", "+86 138 0013 8000", "guest@example.com", "¥398.00", "13%", "Bank transfer"):
        assert words in text(page)
    assert "On account" not in text(page)
    answer = press(en, page.context["token"], note="Ring twice")
    order = Order.objects.get()
    assert answer.url == reverse("checkout:pay", args=[order.verification_hash()])
    paid = text(en.get(answer.url))
    for words in (order.number, "¥398.00", "Bank of Cloth<br>Account 123", "72 hours", "guest@example.com"):
        assert words in paid
    assert (order.status, order.guest_email, order.user, order.language) == (
        Status.PENDING_PAYMENT, "guest@example.com", None, "en",
    )  # fmt: skip
    assert (order.total_incl_tax, order.total_excl_tax, order.note) == (Decimal("398"), Decimal("352.21"), "Ring twice")
    line = order.lines.get()
    assert (line.partner_sku, line.quantity, line.tax_code, line.title) == (
        "TX-1", 2, "VAT13", "Linen jacquard cushion cover",
    )  # fmt: skip
    to = order.shipping_address
    assert (to.first_name, to.state, to.line4, to.line3, to.line1, to.postcode, to.country_id) == (
        "王小明", "广东省", "深圳市", "南山区", "科技园南路 1 号 3 栋 502", "518057", "CN",
    )  # fmt: skip
    assert Pool.objects.get(sku="TX-1").reserved == 2
    assert "checkout" not in en.session
    assert "Your basket is empty" in text(en.get("/basket/"))


def test_the_order_costs_what_the_review_showed(shop: Shop, en: Client) -> None:
    offer("7")
    for product in (shop.cushion, shop.lamp, shop.throw):
        add(en, product)
    give_details(en)
    quote = en.get(REVIEW).context["quote"]
    press(en, token(en))
    order = Order.objects.get()
    assert order.total_incl_tax == quote.total.gross
    assert order.total_excl_tax == quote.total.net
    assert sum(line.line_price_incl_tax for line in order.lines.all()) + order.shipping_incl_tax == quote.total.gross
    assert order.discounts.get().amount == quote.discount > 0


def test_a_voucher_is_used_up(shop: Shop, en: Client, zh: Client) -> None:
    made = voucher()
    add(en, shop.cushion)
    en.post(reverse("basket:add-voucher"), {"code": made.code})
    give_details(en)
    press(en, token(en))
    assert Order.objects.get().total_incl_tax == Decimal("191.10")
    made.refresh_from_db()
    assert (made.num_orders, made.applications.count()) == (1, 1)
    add(zh, shop.cushion)
    zh.post(reverse("basket:add-voucher"), {"code": made.code})
    assert zh.get("/basket/").context["quote"].discount == 0


def test_a_double_click_places_once(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    give_details(en)
    shown = token(en)
    cookies = en.cookies.copy()
    first = press(en, shown)
    again = Client(headers={"accept-language": "en"})
    again.cookies = cookies  # the second click left the browser before the first answer came
    second = press(again, shown)
    assert Order.objects.count() == 1
    assert second.url == first.url
    assert press(en, shown).url == first.url


def test_a_double_click_at_the_same_moment(shop: Shop, en: Client, monkeypatch) -> None:
    """The second click read the open basket and waits for its lock until the first has ordered it."""
    add(en, shop.cushion)
    give_details(en)
    shown = token(en)
    place = views.place

    def late(draft, **more):
        place(draft)  # the first click
        return place(draft, **more)

    monkeypatch.setattr(views, "place", late)
    answer = press(en, shown)
    assert answer.url == reverse("checkout:pay", args=[Order.objects.get().verification_hash()])


def test_somebody_was_faster(shop: Shop, en: Client, monkeypatch) -> None:
    add(en, shop.lamp, 3)
    give_details(en)
    shown = token(en)
    factories.order({"LT-1": 2}, unit="99.90")
    quote = views.quote  # the page is drawn from figures read before the other order
    monkeypatch.setattr(views, "quote", lambda basket: _as_if_in_stock(quote(basket)))
    assert press(en, shown).url == "/basket/"
    page = text(en.get("/basket/"))
    assert "only 1 of “Ceramic mushroom lamp” are left" in page
    assert Order.objects.count() == 1 and Hold.objects.count() == 1


def _as_if_in_stock(quote):
    return replace(quote, lines=tuple(replace(line, problem="") for line in quote.lines))


def test_a_changed_price_is_shown_before_it_is_charged(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    give_details(en)
    shown = token(en)
    StockRecord.objects.filter(partner_sku="TX-1").update(price=Decimal("209.00"))
    assert press(en, shown).url == REVIEW
    assert not Order.objects.exists()
    page = text(en.get(REVIEW))
    assert "look at the sums again" in page and "¥221.00" in page
    press(en, token(en))
    assert Order.objects.get().total_incl_tax == Decimal("221")


@pytest.mark.parametrize("shown", ["", "forged", "eyJiYXNrZXQiOjF9:1:x"])
def test_a_forged_token_places_nothing(shop: Shop, en: Client, shown: str) -> None:
    add(en, shop.cushion)
    give_details(en)
    press(en, shown)
    assert not Order.objects.exists()


def test_what_place_refuses_is_told(shop: Shop, en: Client, monkeypatch) -> None:
    def refuse(draft, **more):
        raise CannotPlace("internal words")

    monkeypatch.setattr(views, "place", refuse)
    add(en, shop.cushion)
    give_details(en)
    page = text(en.post(REVIEW, {"payment_method": "bank_transfer", "token": token(en)}, follow=True))
    assert "cannot be placed" in page and "internal words" not in page


def test_on_account_is_for_those_who_may(shop: Shop, buyer: User, member: Client) -> None:
    add(member, shop.cushion)
    give_details(member)
    assert "On account" not in text(member.get(REVIEW))
    assert press(member, token(member), "on_account").status_code == 200, "the choice is refused on the page"
    assert not Order.objects.exists()
    User.objects.filter(pk=buyer.pk).update(may_buy_on_account=True)
    answer = press(member, token(member), "on_account")
    order = Order.objects.get()
    assert (order.status, order.payment_method, order.user) == (Status.ON_ACCOUNT, PaymentMethod.ON_ACCOUNT, buyer)
    assert order.payment_deadline is None
    assert "pay by the invoice" in text(member.get(answer.url))


def test_an_account_keeps_and_reuses_addresses(shop: Shop, buyer: User, member: Client) -> None:
    add(member, shop.cushion)
    assert "email" not in text(member.get(DETAILS)).split("<main")[1].split("</form>")[0]
    give_details(member, remember="on")
    kept = UserAddress.objects.get(user=buyer)
    assert kept.is_default_for_shipping and kept.line3 == "南山区"
    press(member, token(member))
    add(member, shop.throw)
    page = text(member.get(DETAILS))
    assert f'value="{kept.pk}" checked' in page
    assert member.post(DETAILS, {"address": kept.pk}).url == REVIEW
    press(member, token(member))
    assert Order.objects.latest("pk").shipping_address.line1 == ADDRESS["street"]
    give_details(member, remember="on")
    assert UserAddress.objects.count() == 1, "the same address is kept once"


def test_other_peoples_addresses_cannot_be_used(shop: Shop, member: Client) -> None:
    other = User.objects.create_user("other@weft.test", "x")
    theirs = UserAddress.objects.create(user=other, first_name="X", line1="Y", line4="Z", state="S", country_id="CN")
    add(member, shop.cushion)
    answer = member.post(DETAILS, {"address": theirs.pk})
    assert answer.status_code == 200, "the form below is asked for instead"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "nonsense", "valid email"),
        ("email", "", "Please fill in: E-mail address"),
        ("name", "", "Please fill in: Recipient"),
        ("phone", "12", "check the number"),
        ("street", "", "Please fill in: Street address"),
        ("postcode", "12", "not a postcode in China"),
        ("country", "XX", "valid choice"),
        ("street", "x" * 500, "at most"),
    ],
)
def test_details_are_checked_in_words(shop: Shop, en: Client, field: str, value: str, said: str) -> None:
    add(en, shop.cushion)
    answer = give_details(en, **{field: value})
    assert answer.status_code == 200
    page = text(answer)
    assert 'aria-invalid="true"' in page
    summary = re.search(r'id="problems" role="alert" tabindex="-1" autofocus>(.*?)</div>', page, re.DOTALL)
    assert summary and f'<a href="#id_{field}">' in summary[1] and said in summary[1]
    assert f'id="id_{field}"' in page and said in page.replace(summary[0], ""), "beside its field as well"
    assert "<title>Error: Your details" in page
    kept = {name: kept for name, kept in ADDRESS.items() if name not in (field, "phone")}
    assert all(f'value="{kept}"' in page for kept in kept.values()), "what was right is not typed again"


def test_countries_are_those_we_ship_to_now(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    assert "Japan" not in text(en.get(DETAILS))
    japan = Country.objects.create(pk="JP", printable_name="Japan", name="Japan", is_shipping_country=True)
    assert '<option value="JP">Japan</option>' in text(en.get(DETAILS))
    japan.is_shipping_country = False
    japan.save()
    assert "valid choice" in text(give_details(en, country="JP", postcode=""))


def test_address_fields_can_be_filled_in_by_browsers(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    page = text(en.get(DETAILS))
    for token_ in ("email", "name", "tel", "country", "address-level1", "address-level2", "address-level3",
                   "address-line1", "postal-code"):  # fmt: skip
        assert f'autocomplete="{token_}"' in page


def test_the_pages_come_in_order(shop: Shop, en: Client) -> None:
    assert en.get(DETAILS).url == "/basket/"
    assert en.get(REVIEW).url == "/basket/"
    add(en, shop.cushion)
    assert en.get(REVIEW).url == DETAILS


def test_the_pay_page_needs_its_signature(shop: Shop, en: Client) -> None:
    order = buy(en, shop.cushion)
    assert en.get(f"/checkout/pay/{order.number}/").status_code == 404
    assert en.get(f"/checkout/pay/{order.number}:forged/").status_code == 404


def test_nobody_is_asked_how_to_pay_nothing(shop: Shop, en: Client, settings) -> None:
    settings.WEFT_FREE_SHIPPING_FROM, settings.WEFT_SHIPPING_FEE = "", "0.00"
    offer("100")
    add(en, shop.cushion)
    give_details(en)
    page = text(en.get(REVIEW))
    assert "Nothing to pay" in page and "Bank transfer" not in page and "How would you like" not in page
    answer = press(en, token(en), "nothing_due")
    order = Order.objects.get()
    assert (order.status, order.payment_method) == (Status.PAID, PaymentMethod.NOTHING_DUE)
    assert "There is nothing to pay" in text(en.get(answer.url))
    timeline = en.get(reverse("customer:guest-order", args=[order.verification_hash()])).context["timeline"]
    assert [step.title for step in timeline] == ["Order placed", "The goods are shipped"]


def test_nothing_to_pay_is_no_way_to_pay_something(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    give_details(en)
    assert press(en, token(en), "nothing_due").status_code == 200
    assert not Order.objects.exists()
