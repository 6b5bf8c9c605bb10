from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.conf import settings
from django.core.signing import Signer
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.basket import fill
from shop.basket.models import Basket, Line
from shop.customer.models import User
from shop.offer.models import Benefit, Condition, ConditionalOffer, Range
from shop.partner.models import StockRecord
from shop.partner.strategy import Strategy
from shop.stock.offered import Offered
from shop.voucher.models import Voucher
from tests import crowds, factories
from tests.shop.conftest import PASSWORD, Shop
from tests.shop.steps import add, text
from tests.threads import at_once

SUMMARY = "/basket/"


def offer(percent: str = "10", **fields) -> ConditionalOffer:
    everything = Range.objects.create(name=f"all {percent}", includes_all_products=True)
    return ConditionalOffer.objects.create(
        name=f"{percent} % off",
        condition=Condition.objects.create(range=everything, type="Count", value=1),
        benefit=Benefit.objects.create(range=everything, type="Percentage", value=Decimal(percent)),
        **fields,
    )


def voucher(code: str = "WEFT10", usage: str = "Single use") -> Voucher:
    made = Voucher.objects.create(
        name=code, code=code, usage=usage,
        start_datetime=timezone.now() - timedelta(days=1), end_datetime=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    made.offers.add(offer(offer_type=ConditionalOffer.VOUCHER))
    return made


def test_add_update_remove(shop: Shop, en: Client) -> None:
    page = text(add(en, shop.cushion, 2))
    assert "is in your basket" in page and "¥398.00" in page
    line = Line.objects.get()
    page = text(en.post(reverse("basket:update"), {f"quantity-{line.pk}": "3"}, follow=True))
    assert "¥597.00" in page
    page = text(en.post(reverse("basket:remove", args=[line.pk]), follow=True))
    assert "Your basket is empty" in page
    assert not Line.objects.exists()


def test_zero_takes_a_line_out(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    add(en, shop.lamp)
    line = Line.objects.get(product=shop.cushion)
    en.post(reverse("basket:update"), {f"quantity-{line.pk}": "0"})
    assert list(Line.objects.values_list("product", flat=True)) == [shop.lamp.pk]


def test_sums_with_shipping_and_taxes(shop: Shop, en: Client) -> None:
    quote = add(en, shop.cushion).context["quote"]
    assert (quote.goods, quote.shipping.gross, quote.total.gross) == (
        Decimal("199.00"),
        Decimal("12.00"),
        Decimal("211.00"),
    )
    assert quote.total.net + quote.total.tax == quote.total.gross
    assert quote.taxes == [(Decimal("0.13"), Decimal("22.89")), (Decimal("0.09"), Decimal("0.99"))]
    quote = add(en, shop.cushion).context["quote"]
    assert quote.shipping.gross == 0, "398.00 is past the limit for free shipping"


@pytest.mark.parametrize("quantity", ["0", "-1", "", "abc", "99999999", "1.5"])
def test_odd_quantities_are_refused_in_words(shop: Shop, en: Client, quantity: str) -> None:
    page = text(add(en, shop.cushion, quantity))
    assert "quantity between 1 and" in page
    assert not Line.objects.exists()


def test_no_more_than_there_is(shop: Shop, en: Client) -> None:
    assert "only 3 left" in text(add(en, shop.lamp, 4))
    add(en, shop.lamp, 2)
    assert "2 are in your basket already" in text(add(en, shop.lamp, 2))
    line = Line.objects.get()
    page = text(en.post(reverse("basket:update"), {f"quantity-{line.pk}": "4"}, follow=True))
    assert "only 3 left" in page
    line.refresh_from_db()
    assert line.quantity == 2


def test_two_windows_adding_at_once_both_count(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    first, second = (opened() for _ in range(2))
    for basket in (first, second):
        basket.all_lines()  # read before either has added
    for basket in (first, second):
        fill.add(basket, shop.cushion, 2)
    assert Line.objects.get().quantity == 5


def opened() -> Basket:
    basket = Basket.objects.get()
    basket.strategy = Strategy()
    return basket


def test_nothing_gets_into_a_basket_that_was_just_ordered(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    basket = opened()
    Basket.objects.update(status=Basket.SUBMITTED)
    with pytest.raises(fill.Refused, match="meanwhile|修改"):
        fill.add(basket, shop.lamp, 1)
    assert Line.objects.get().product == shop.cushion


@pytest.mark.django_db(transaction=True)
def test_adding_while_the_basket_is_being_ordered_waits_and_is_refused(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    locked = Event()

    def both(number: int) -> object:
        if number:
            assert locked.wait(10)
            return fill.add(opened(), shop.lamp, 1)
        with transaction.atomic():
            basket = Basket.objects.select_for_update().get()
            locked.set()
            time.sleep(0.3)
            basket.submit()
        return None

    assert [type(result) for result in at_once(both, 2)] == [type(None), fill.Refused]
    assert Line.objects.get().product == shop.cushion


def test_sold_out_and_hidden_products_are_refused(shop: Shop, en: Client) -> None:
    assert "sold out" in text(add(en, shop.rug))
    shop.cushion.is_public = False
    shop.cushion.save()
    assert add(en, shop.cushion).status_code == 404
    assert add(en, type("Gone", (), {"pk": 999999})).status_code == 404


def test_a_line_whose_stock_went_away_blocks_the_checkout(shop: Shop, en: Client) -> None:
    add(en, shop.lamp, 3)
    factories.order({"LT-1": 2}, unit="99.90")
    page = text(en.get(SUMMARY))
    assert "only 1 left" in page and "fix the marked lines" in page
    assert en.get(reverse("checkout:details")).url == SUMMARY


def test_a_line_without_a_price_can_be_taken_out(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    StockRecord.objects.filter(partner_sku="TX-1").update(price=None)
    page = text(en.get(SUMMARY))
    assert "Not for sale any more" in page
    line = Line.objects.get()
    assert "Your basket is empty" in text(en.post(reverse("basket:remove", args=[line.pk]), follow=True))


def test_one_currency_per_basket(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    StockRecord.objects.filter(partner_sku="TX-2").update(price_currency="USD")
    page = text(add(en, shop.throw))
    assert "sold in USD" in page
    assert Line.objects.count() == 1


def test_others_baskets_are_out_of_reach(shop: Shop, en: Client, zh: Client) -> None:
    add(en, shop.cushion)
    line = Line.objects.get()
    zh.post(reverse("basket:remove", args=[line.pk]))
    zh.post(reverse("basket:update"), {f"quantity-{line.pk}": "9"})
    zh.cookies[settings.OSCAR_BASKET_COOKIE_OPEN] = f"{Basket.objects.get().pk}:forged"
    assert "购物" in text(zh.get(SUMMARY))
    line.refresh_from_db()
    assert line.quantity == 1


def test_the_cookie_is_signed_and_out_of_scripts_reach(shop: Shop, en: Client) -> None:
    answer = en.post(reverse("basket:add", args=[shop.cushion.pk]), {"quantity": 1})
    cookie = answer.cookies[settings.OSCAR_BASKET_COOKIE_OPEN]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert int(Signer().unsign(cookie.value)) == Basket.objects.get().pk


def test_logging_in_brings_the_basket_along(shop: Shop, buyer: User, en: Client) -> None:
    add(en, shop.cushion, 2)
    en.post(reverse("customer:login"), {"username": "Buyer@weft.test", "password": PASSWORD})
    assert 'class="count">2<' in text(en.get("/"))
    assert Basket.objects.get(owner=buyer, status=Basket.OPEN).lines.get().quantity == 2


def test_several_open_baskets_become_one(shop: Shop, buyer: User, member: Client) -> None:
    add(member, shop.cushion, 2)
    other = Basket.objects.create(owner=buyer)
    other.strategy = Strategy()
    fill.add(other, shop.lamp, 1)
    page = text(member.get(SUMMARY))
    assert "¥398.00" in page and "¥99.90" in page
    assert Basket.objects.get(owner=buyer, status=Basket.OPEN).lines.count() == 2
    assert 'class="count">3<' in text(member.get("/"))


def test_a_basket_is_read_as_django_would_read_it(shop: Shop, en: Client) -> None:
    variant = crowds.variants(shop.cushion, 1)[0]
    add(en, shop.cushion, variant=variant.pk)
    add(en, shop.lamp, 2)
    add(en, shop.lamp)
    for ours in opened().all_lines():
        theirs = Line.objects.get(pk=ours.pk)
        pairs = [(ours, theirs), (ours.stockrecord, theirs.stockrecord)]
        for a, b in [(ours.product, theirs.product), (ours.product.parent, theirs.product.parent)]:
            if a:
                pairs += [(a, b), (a.tax_class, b.tax_class), (a.product_class, b.product_class)]
        offer = Offered.objects.get(record=theirs.stockrecord)
        pairs += [(ours.stockrecord.offer, offer), (ours.basket, theirs.basket)]
        for a, b in pairs:
            assert (a and fields(a)) == (b and {name: vars(b)[name] for name in fields(a)})
            assert a is None or len(fields(a)) > 3


def fields(row: Any) -> dict[str, Any]:
    """Those that were read."""
    return {f.attname: vars(row)[f.attname] for f in row._meta.concrete_fields if f.attname in vars(row)}


def test_a_variant_has_its_parents_tax_name_and_picture(shop: Shop, en: Client) -> None:
    variant = crowds.variants(shop.cushion, 1)[0]
    page = add(en, shop.cushion, variant=variant.pk)
    line = page.context["quote"].lines[0]
    assert (line.draft.tax_code, line.line.product.pk) == ("VAT13", variant.pk)
    assert "Linen jacquard cushion cover" in text(page)
    assert shop.cushion.images.get().original.name.removesuffix(".webp") in text(page)


def test_an_offer_comes_off_and_the_taxes_follow(shop: Shop, en: Client) -> None:
    offer("10")
    quote = add(en, shop.cushion).context["quote"]
    assert (quote.discount, quote.total.gross) == (Decimal("19.90"), Decimal("191.10"))
    assert quote.lines[0].taxed.gross == Decimal("179.10")


def test_an_offer_on_shipping(shop: Shop, en: Client) -> None:
    half = offer("1")
    half.benefit.delete()
    half.benefit = Benefit.objects.create(type="Shipping percentage", value=Decimal(50))
    half.save()
    quote = add(en, shop.cushion).context["quote"]
    assert (quote.shipping.gross, quote.shipping.net) == (Decimal("6.00"), Decimal("5.50"))
    assert quote.total.gross == Decimal("205.00")


def test_voucher(shop: Shop, en: Client) -> None:
    add(en, shop.cushion)
    assert "do not know" in text(en.post(reverse("basket:add-voucher"), {"code": "NOPE"}, follow=True))
    made = voucher()
    answer = en.post(reverse("basket:add-voucher"), {"code": "weft10"}, follow=True)
    assert answer.context["quote"].discount == Decimal("19.90")
    answer = en.post(reverse("basket:remove-voucher", args=[made.pk]), follow=True)
    assert answer.context["quote"].discount == 0


def test_changes_need_post(shop: Shop, en: Client) -> None:
    for name, args in (("add", [1]), ("update", []), ("remove", [1]), ("add-voucher", [])):
        assert en.get(reverse(f"basket:{name}", args=args)).status_code == 405
