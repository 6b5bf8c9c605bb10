"""What customers are told of stock, on every page alike and in their language; and kits, from the page to the mail."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from shop.catalogue.models import Product
from shop.days import spoken
from shop.mail.letters import Event, compose
from shop.order import lifecycle
from shop.order.models import Order
from shop.partner.models import StockRecord
from shop.stock import supply
from shop.stock.models import KitPart, Pool, Waiting
from shop.stock.offered import Kind
from tests import crowds, factories
from tests.shop.conftest import Shop
from tests.shop.steps import add, buy, give_details, press, text, token
from tests.statements import budget
from tests.threads import at_once

pytestmark = pytest.mark.django_db
SUMMARY = "/basket/"


def soon(days: int = 10) -> date:
    return timezone.localdate() + timedelta(days=days)


def said(day: date, language: str) -> str:
    with translation.override(language):
        return spoken(day)


def offer(answer: Any) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', text(answer), re.S)
    assert found
    return next(part for part in json.loads(found[1]) if part["@type"] == "Product")["offers"]


# --- days ------------------------------------------------------------------------------------------------------------


def test_days_in_the_readers_language() -> None:
    now = timezone.localdate()
    assert said(now.replace(month=12, day=3), "en") == "3 December"
    assert said(now.replace(month=12, day=3), "zh-hans") == "12月3日"
    assert said(date(now.year + 1, 1, 9), "en") == f"9 Jan {now.year + 1}"
    assert said(date(now.year + 1, 1, 9), "zh-hans") == f"{now.year + 1}年1月9日"


# --- states ----------------------------------------------------------------------------------------------------------


def state(shop: Shop, client: Client) -> list[str]:
    """Of the lamp: what its page and the list say, and what machines are told."""
    page = client.get(shop.lamp.get_absolute_url())
    card = next(card for card in client.get("/products/").context["cards"] if card.product == shop.lamp)
    assert str(page.context["card"].availability.message) == str(card.availability.message)
    assert str(card.availability.message) in text(page)
    return [str(card.availability.message), offer(page)["availability"].rpartition("/")[2]]


def test_each_state_has_its_words(shop: Shop, en: Client) -> None:
    assert state(shop, en) == ["Only 3 left", "LimitedAvailability"]
    factories.stock("LT-1", SZ=10)
    assert state(shop, en) == ["In stock", "InStock"]
    factories.stock("LT-1", SZ=-13)
    assert state(shop, en) == ["Sold out", "OutOfStock"]
    row = factories.supply("LT-1", days=10)
    assert state(shop, en) == [f"Sold out, expected {said(soon(), 'en')}", "OutOfStock"]
    factories.presale("LT-1", cap=20, days=10)
    assert state(shop, en) == [f"Ships by {said(soon(), 'en')}", "PreOrder"]
    assert offer(en.get(shop.lamp.get_absolute_url()))["availabilityStarts"] == soon().isoformat()
    factories.order({"LT-1": 17})
    assert state(shop, en) == [f"Ships by {said(soon(), 'en')} · Only 3 left", "PreOrder"]
    factories.order({"LT-1": 3})
    assert state(shop, en) == [f"Sold out, expected {said(soon(), 'en')}", "OutOfStock"], "the other supply is nobody's"
    supply.cancel(row.pk, 10)
    assert state(shop, en) == ["Sold out", "OutOfStock"]


def test_a_backorder_is_called_one(shop: Shop, en: Client) -> None:
    factories.presale("RG-1", kind=Kind.BACKORDER)
    assert offer(en.get(shop.rug.get_absolute_url()))["availability"].endswith("/BackOrder")


def test_in_chinese(shop: Shop, zh: Client) -> None:
    factories.presale("RG-1", cap=4)
    page = text(zh.get(shop.rug.get_absolute_url()))
    assert f"最晚{said(soon(), 'zh-hans')}发货" in page and "仅剩 4 件" in page


def test_of_variants_the_first_to_come_speaks(shop: Shop, en: Client) -> None:
    small, large = crowds.variants(shop.rug, 2)
    skus = [StockRecord.objects.get(product=variant).partner_sku for variant in (small, large)]
    Pool.objects.filter(sku__in=skus).update(on_hand=0)
    factories.presale(skus[0], days=30)
    factories.presale(skus[1], days=20)
    page = en.get(shop.rug.get_absolute_url())
    assert str(page.context["card"].availability.message) == f"Ships by {said(soon(20), 'en')}"
    assert text(page).count('class="stock ahead"') == 3, "the product and both variants"


def test_the_filter_shows_what_is_here(shop: Shop, en: Client) -> None:
    factories.presale("RG-1")
    shown = {card.product.pk for card in en.get("/products/?in_stock=on").context["cards"]}
    assert shop.rug.pk not in shown and shop.lamp.pk in shown


# --- bought ahead ----------------------------------------------------------------------------------------------------


def test_from_the_basket_to_the_mail(shop: Shop, en: Client) -> None:
    factories.presale("LT-1", cap=20)
    words = f"Ships by {said(soon(), 'en')}"
    add(en, shop.lamp, 5)
    assert words in text(en.get(SUMMARY))
    give_details(en)
    assert words in text(en.get(reverse("checkout:review")))
    press(en, token(en))
    order = Order.objects.get()
    assert Waiting.objects.get().open == 5
    address = reverse("customer:guest-order", args=[order.verification_hash()])
    assert words in text(en.get(address))
    letter = compose(order, Event.PLACED, "k")
    assert words in letter.text and words in letter.html
    supply.set_date(Waiting.objects.get().presale.supply_id, soon(25))
    assert f"Ships by {said(soon(25), 'en')} (later than {said(soon(), 'en')}" in text(en.get(address))
    lifecycle.cancel(order.number, actor="test")
    assert "Ships by" not in text(en.get(address))


def test_what_fits_the_stock_says_nothing_of_later(shop: Shop, en: Client) -> None:
    factories.presale("LT-1", cap=20)
    add(en, shop.lamp, 3)
    assert "Ships by" not in text(en.get(SUMMARY))
    assert "only 20 left" in text(add(en, shop.lamp, 18))


# --- kits ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def bundle(shop: Shop) -> Product:
    """Two lamps and a cushion cover for 300.00, 398.80 by themselves."""
    made = factories.kit("SET-1", {"LT-1": 2, "TX-1": 1}, price="300.00", title="暖光套装", title_en="Warm light set")
    made.categories.add(shop.textiles)
    return made


def test_a_kits_page_names_its_parts(shop: Shop, bundle: Product, en: Client) -> None:
    page = text(en.get(bundle.get_absolute_url()))
    assert "Only 1 left" in page and "In this set" in page
    assert f'2 × <a href="{shop.lamp.get_absolute_url()}">Ceramic mushroom lamp</a>' in page
    factories.stock("LT-1", SZ=-2)
    page = text(en.get(bundle.get_absolute_url()))
    assert "Sold out" in page


def test_parts_that_are_taxed_differently_show_no_rate(shop: Shop, bundle: Product, en: Client) -> None:
    assert "incl. 13% VAT" in text(en.get(bundle.get_absolute_url()))
    Product.objects.filter(pk=shop.lamp.pk).update(tax_class=factories.tax_class("VAT9", "0.09"))
    page = text(en.get(bundle.get_absolute_url()))
    assert "incl. VAT" in page and "incl. 13% VAT" not in page


def test_what_the_checkout_shows_is_what_is_written(shop: Shop, bundle: Product, en: Client) -> None:
    Product.objects.filter(pk=shop.lamp.pk).update(tax_class=factories.tax_class("VAT9", "0.09"))
    page = add(en, bundle)
    assert "2 × Ceramic mushroom lamp" in text(page)
    quote = page.context["quote"]
    assert [rate for rate, _tax in quote.taxes] == [Decimal("0.13"), Decimal("0.09")]
    give_details(en)
    press(en, token(en))
    order = Order.objects.get()
    assert (order.total_incl_tax, order.total_excl_tax) == (quote.total.gross, quote.total.net)
    assert sum(line.line_price_incl_tax for line in order.lines.all()) == Decimal("300.00")
    page = en.get(reverse("customer:guest-order", args=[order.verification_hash()]))
    (thing,) = page.context["things"]
    assert (thing.title, thing.quantity, thing.gross) == ("Warm light set", 1, Decimal("300.00"))
    assert "2 × Ceramic mushroom lamp" in text(page)
    letter = compose(order, Event.PLACED, "k")
    assert "Warm light set × 1: ¥300.00" in letter.text and "2 × Ceramic mushroom lamp" in letter.text
    assert letter.html.count("¥300.00") == 2, "the kit, and the total"


def test_a_kit_and_its_part_that_cannot_be_had_together(shop: Shop, bundle: Product, en: Client) -> None:
    add(en, bundle)
    page = add(en, shop.lamp, 2)
    problems = [line.problem for line in page.context["quote"].lines]
    assert problems == ["", "it needs the same goods as another line, and there are not enough for both"]
    assert not page.context["quote"].is_orderable


@pytest.mark.django_db(transaction=True)
def test_the_kit_is_named_when_its_part_goes_at_the_last_moment(shop: Shop, bundle: Product, en: Client) -> None:
    """Between what the review reads and what the order takes: the last lamps are sold by another connection."""
    add(en, bundle)
    give_details(en)
    shown = token(en)

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "stock_promise" in sql and not meanwhile.__dict__.get("done"):
            meanwhile.__dict__["done"] = True
            assert isinstance(at_once(lambda _: factories.order({"LT-1": 3}), 1)[0], Order)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        press(en, shown)
    page = text(en.get(SUMMARY))
    assert "Somebody was faster: “Warm light set” is sold out." in page


@pytest.mark.django_db(transaction=True)
def test_kits_cost_a_page_two_statements_at_most(shop: Shop, en: Client) -> None:
    """However many kits and parts there are."""
    add(en, shop.cushion)
    en.get(SUMMARY)
    plain = _cost(en, SUMMARY)
    made = []
    for number in range(4):
        made.append(factories.kit(f"SET-{number}", {"TX-1": 1, "TX-2": 2}, price="700.00"))
        add(en, made[-1])
    en.get(SUMMARY)
    assert _cost(en, SUMMARY) <= plain + 4
    assert KitPart.objects.count() == 8
    with budget(12, "a kit's page"):
        en.get(made[0].get_absolute_url())


def _cost(client: Client, address: str) -> int:
    with budget(30, address) as found:
        client.get(address)
    return len(found)


def test_an_order_of_a_kit_goes_all_the_way(shop: Shop, bundle: Product, en: Client) -> None:
    order = buy(en, bundle)
    lifecycle.confirm_payment(order.number, actor="test")
    assert {line.partner_sku: line.quantity for line in order.lines.all()} == {"LT-1": 2, "TX-1": 1}
