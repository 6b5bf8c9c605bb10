"""Offers take off what Oscar says, whatever is asked of the database for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from oscar.apps.offer.applicator import Applicator as OscarApplicator

from shop.basket.models import Basket
from shop.basket.offers import Applicator
from shop.catalogue.models import Product
from shop.offer.models import Benefit, Condition, ConditionalOffer, Range
from shop.partner.strategy import Strategy
from tests import crowds
from tests.shop.conftest import Shop
from tests.shop.steps import add
from tests.shop.test_basket import offer, voucher


def limited(name: str, percent: int, conditions: Range | None = None, **fields: Any) -> Range:
    """An offer on the products of a range of its own, priority by its number."""
    made = Range.objects.create(name=name, **fields)
    ConditionalOffer.objects.create(
        name=name,
        priority=percent,
        condition=Condition.objects.create(range=conditions or made, type="Count", value=1),
        benefit=Benefit.objects.create(range=made, type="Percentage", value=Decimal(percent), max_affected_items=1),
    )
    return made


def taken_off(applicator: OscarApplicator, user: Any) -> dict[int, Decimal]:
    basket = Basket.objects.get()
    basket.strategy = Strategy()
    applicator.apply(basket, user)
    return {line.product_id: line.discount_value for line in basket.all_lines()}


@pytest.fixture
def variants(shop: Shop) -> list[Product]:
    return crowds.variants(shop.lamp, 2)


def test_ranges_of_every_kind(shop: Shop, variants: list[Product], en: Client, django_user_model: Any) -> None:
    limited("picked", 3).add_product(shop.throw)
    limited("of a category", 5).included_categories.add(shop.textiles)
    limited("by the parent", 7).add_product(shop.lamp)
    limited("of a type", 11).classes.add(shop.throw.product_class)
    but = limited("all but", 13, includes_all_products=True)
    but.excluded_products.add(shop.cushion, variants[0])
    branch = limited("all but a branch", 17, includes_all_products=True)
    branch.excluded_categories.add(shop.throws)
    limited("one for another", 19, conditions=branch).add_product(shop.cushion)
    limited("nothing", 23)
    for product in (shop.cushion, shop.throw):
        add(en, product, 3)
    for variant in variants:
        add(en, shop.lamp, 3, variant=variant.pk)
    nobody = django_user_model()
    ours = taken_off(Applicator(), nobody)
    assert len(ours) == 4 and all(ours.values())
    assert ours == taken_off(OscarApplicator(), nobody)
    assert en.get(reverse("basket:summary")).context["quote"].discount == sum(ours.values())


def test_a_voucher_beside_an_offer(shop: Shop, en: Client) -> None:
    limited("of a category", 5).included_categories.add(shop.textiles)
    code = voucher().code
    add(en, shop.cushion, 2)
    add(en, shop.lamp)
    en.post(reverse("basket:add-voucher"), {"code": code})
    quote = en.get(reverse("basket:summary")).context["quote"]
    assert [line.discount for line in quote.lines] == [Decimal("9.95") + Decimal("19.90"), Decimal("9.99")]


def test_an_offer_that_is_over_takes_nothing_off(shop: Shop, en: Client) -> None:
    made = offer("10")
    add(en, shop.cushion)
    assert en.get(reverse("basket:summary")).context["quote"].discount == Decimal("19.90")
    ConditionalOffer.objects.filter(pk=made.pk).update(end_datetime="2020-01-01T00:00Z")
    assert en.get(reverse("basket:summary")).context["quote"].discount == 0
