"""Variants: the table on their product's page, and the page that offers every combination."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from shop.catalogue import combinations
from shop.catalogue.models import AttributeOption, Product, ProductAttribute
from shop.partner.models import StockRecord
from tests import factories
from tests.admin import goods
from tests.admin.conftest import Login
from tests.admin.pages import action, filled, said
from tests.statements import budget
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def page(client: Client, parent: Product) -> HttpResponse:
    return client.get(reverse("admin:catalogue_product_change", args=[parent.pk]))


def save(client: Client, parent: Product, **values: Any) -> HttpResponse:
    address = reverse("admin:catalogue_product_change", args=[parent.pk])
    return client.post(address, {**filled(page(client, parent), "product_form"), **values})


def row(**values: Any) -> dict[str, Any]:
    """One more row below two."""
    said = {"sku": "TEE-NEW", "attr_colour": goods.option("Ochre").pk, "attr_size": goods.option("L").pk,
            "price": "109.00", "is_public": "on", "id": "", **values}  # fmt: skip
    return {"children-TOTAL_FORMS": "3", **{f"children-2-{name}": value for name, value in said.items()}}


@pytest.fixture
def tee(db: None) -> Product:
    return goods.shirt(("Indigo", "S"), ("Indigo", "M"))


def test_the_table_shows_each_variant_with_sku_values_price_and_stock(login: Login, tee: Product) -> None:
    factories.stock("TEE-INDIGO-S", SZ=7)
    shown = page(login("catalogue"), tee)
    form = filled(shown, "product_form")
    assert form["children-0-attr_colour"] == str(goods.option("Indigo").pk)
    assert form["children-1-price"] == "99.00"
    text = shown.content.decode()
    assert "TEE-INDIGO-S" in text
    assert reverse("admin:stock_pool_change", args=["TEE-INDIGO-S"]) in text
    assert "attr_colour" not in form  # the product itself is not asked for a colour


def test_prices_values_and_state_are_edited_in_the_table(login: Login, tee: Product) -> None:
    first, second = tee.children.order_by("pk")
    before = {product.pk: product.date_updated for product in Product.objects.all()}
    answer = save(
        login("catalogue"), tee,
        **{"children-0-price": "105.00", "children-1-attr_size": goods.option("L").pk, "children-1-is_public": []},
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    assert StockRecord.objects.get(product=first).price == 105
    second = Product.objects.get(pk=second.pk)
    assert (second.attr.size.option_en, second.is_public) == ("L", False)
    assert all(Product.objects.get(pk=pk).date_updated > then for pk, then in before.items())
    message = LogEntry.objects.latest("pk").get_change_message()
    assert "price 99.00 -> 105.00 CNY (TEE-INDIGO-S)" in message


def test_one_more_row_is_one_more_variant(login: Login, tee: Product) -> None:
    answer = save(login("catalogue"), tee, **row())
    assert answer.status_code == 302, answer.content.decode()
    made = Product.objects.get(stockrecords__partner_sku="TEE-NEW")
    record = made.stockrecords.get()
    assert (made.parent, made.structure, record.price, record.partner.code) == (tee, "child", 109, "weft")
    assert (made.attr.colour.option_en, made.attr.size.option_en) == ("Ochre", "L")
    factories.stock("TEE-NEW", SZ=3)
    shop = Client(headers={"accept-language": "en"}).get(tee.get_absolute_url()).content.decode()
    assert '<p class="small" id="variants-2">Colour: Ochre</p>' in shop
    assert f'value="{made.pk}" required checked> <span class="variant-name">L</span>' in shop


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sku": "tee-indigo-s"}, "This SKU is taken"),
        ({"sku": ""}, "This field is required"),
        ({"attr_size": ""}, "This field is required"),
        ({"price": "1.005"}, "more decimals"),
        ({"attr_colour": "Indigo", "attr_size": "S"}, "Another variant has the same values already"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(login: Login, tee: Product, values: dict[str, str], words: str) -> None:
    names = set(AttributeOption.objects.values_list("option_en", flat=True))
    said = {name: goods.option(value).pk if value in names else value for name, value in values.items()}
    answer = save(login("catalogue"), tee, **row(**said))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert Product.objects.count() == 3


def test_two_rows_do_not_get_one_sku(login: Login, tee: Product) -> None:
    second = {name.replace("-2-", "-3-"): value for name, value in row(attr_size=goods.option("S").pk).items()}
    answer = save(login("catalogue"), tee, **{**second, **row(), "children-TOTAL_FORMS": "4"})
    assert "Another row has this SKU already" in answer.content.decode()
    assert Product.objects.count() == 3


def test_a_sku_in_the_table_is_never_edited(login: Login, tee: Product) -> None:
    assert save(login("catalogue"), tee, **{"children-0-sku": "OTHER"}).status_code == 302
    assert StockRecord.objects.filter(partner_sku="TEE-INDIGO-S").exists()


def test_a_variants_own_page_stamps_its_product(login: Login, tee: Product) -> None:
    child, client = tee.children.order_by("pk")[0], login("catalogue")
    before = Product.objects.get(pk=tee.pk).date_updated
    address = reverse("admin:catalogue_product_change", args=[child.pk])
    form = filled(client.get(address), "product_form")
    assert client.post(address, {**form, "attr_gsm": "180", "title_en": "The blue one"}).status_code == 302
    assert Product.objects.get(pk=child.pk).attr.gsm == 180
    assert Product.objects.get(pk=tee.pk).date_updated > before


@pytest.mark.django_db(transaction=True)
def test_the_page_costs_the_same_with_many_variants(login: Login) -> None:
    """Opening, and saving without a change, ask for all variants together."""
    tee, client = goods.shirt(*((colour, size) for colour in goods.COLOURS.values() for size in goods.SIZES)), None
    client = login("catalogue")
    form = filled(page(client, tee), "product_form")
    assert form["children-TOTAL_FORMS"] == "9"
    with budget(35, "a product's page with nine variants"):
        page(client, tee)
    address = reverse("admin:catalogue_product_change", args=[tee.pk])
    with budget(50, "saving it"):
        assert client.post(address, form).status_code == 302


# --- all combinations ---


def choice(**values: list[str]) -> dict[str, list[int]]:
    return {f"attr_{code}": [goods.option(word).pk for word in words] for code, words in values.items()}


def address(parent: Product) -> str:
    return action("catalogue_product", "add_variants", parent.pk)


def offer(client: Client, parent: Product, **values: list[str]) -> tuple[str, dict[str, Any]]:
    """The address of the offer, and what a browser posts of it."""
    response = client.get(address(parent), choice(**values))
    found: dict[str, Any] = {}
    for form in response.context["rows"].forms:
        for name in ("use", "key", "words", "sku", "price"):
            value = form[name].value()
            if value not in (None, False):
                found[f"{form.prefix}-{name}"] = "on" if value is True else value
    total = str(len(response.context["rows"].forms))
    return response.request["PATH_INFO"] + "?" + response.request["QUERY_STRING"], {
        "form-TOTAL_FORMS": total, "form-INITIAL_FORMS": total, **found,
    }  # fmt: skip


def test_every_combination_is_offered_without_those_there(login: Login, tee: Product) -> None:
    client = login("catalogue")
    assert "Which values?" in client.get(address(tee)).content.decode()
    where, form = offer(client, tee, colour=["Indigo", "Ochre"], size=["S", "M"])
    assert [form[f"form-{n}-sku"] for n in range(2)] == ["TEE-OCHRE-S", "TEE-OCHRE-M"]
    assert form["form-0-price"] == factories.Decimal("99.00")
    assert "2 combinations are there already" in client.get(where).content.decode()
    answer = client.post(where, {**form, "form-1-price": "120.00"})
    assert "2 variants added" in said(answer)
    made = Product.objects.get(stockrecords__partner_sku="TEE-OCHRE-M")
    assert (made.parent, made.stockrecords.get().price, made.attr.colour.option_en) == (tee, 120, "Ochre")
    assert tee.children.count() == 4
    assert not offer(client, tee, colour=["Indigo", "Ochre"], size=["S", "M"])[1].get("form-0-sku")


def test_only_the_ticked_ones_are_made(login: Login, tee: Product) -> None:
    client = login("catalogue")
    where, form = offer(client, tee, colour=["Ochre"], size=["S", "M"])
    del form["form-0-use"]
    client.post(where, {**form, "form-0-sku": ""})
    assert set(tee.children.values_list("stockrecords__partner_sku", flat=True)) == {
        "TEE-INDIGO-S", "TEE-INDIGO-M", "TEE-OCHRE-M",
    }  # fmt: skip
    del form["form-1-use"]
    assert "Tick at least one" in said(client.post(where, form))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"form-0-sku": "tee-indigo-s"}, "This SKU is taken"),
        ({"form-0-sku": ""}, "A variant needs a SKU"),
        ({"form-0-sku": "TEE-OCHRE-M"}, "Another row has this SKU already"),
        ({"form-0-price": "1.005"}, "more decimals"),
        ({"form-0-price": "-1"}, "greater than or equal to 0"),
    ],
)
def test_an_offer_that_does_not_fit_is_refused(login: Login, tee: Product, values: dict[str, str], words: str) -> None:
    client = login("catalogue")
    where, form = offer(client, tee, colour=["Ochre"], size=["S", "M"])
    answer = client.post(where, {**form, **values})
    assert words in answer.content.decode()
    assert tee.children.count() == 2


def test_a_combination_made_by_somebody_else_meanwhile_is_not_made_twice(login: Login, tee: Product) -> None:
    client = login("catalogue")
    where, form = offer(client, tee, colour=["Ochre"], size=["S"])
    assert "1 variant added" in said(login("superuser").post(where, form))
    again = {**form, "form-0-sku": "TEE-SECOND"}
    assert "Somebody added some of these meanwhile" in said(client.post(where, again))
    assert tee.children.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_make_a_sku_once(login: Login) -> None:
    tee = goods.shirt(("Indigo", "S"))
    partner = StockRecord.objects.get().partner
    values = {goods.attribute("colour"): goods.option("Ochre"), goods.attribute("size"): goods.option("S")}
    wanted = combinations.Wanted("TEE-OCHRE-S", factories.Decimal("99.00"), "CNY", values)
    results = at_once(lambda _n: combinations.make(tee, [wanted], partner), threads=4)
    assert sum(isinstance(result, list) for result in results) == 1
    assert tee.children.count() == 2


def test_too_many_or_none_are_not_offered(login: Login, tee: Product) -> None:
    client = login("catalogue")
    many = {**choice(colour=["Indigo", "Ochre"]), "attr_gsm": ",".join(str(n) for n in range(60))}
    assert "These are 120 combinations; at most 100" in client.get(address(tee), many).content.decode()
    assert "Choose at least one value" in client.get(address(tee), {"attr_gsm": ""}).content.decode()
    assert "Whole numbers" in client.get(address(tee), {"attr_gsm": "140，heavy"}).content.decode()
    numbers = client.get(address(tee), {"attr_gsm": "140，180"}).context["rows"].forms
    assert [form["sku"].value() for form in numbers] == ["TEE-140", "TEE-180"]


def test_a_type_without_such_attributes_says_where_to_add_them(login: Login, tee: Product) -> None:
    ProductAttribute.objects.exclude(type="boolean").delete()
    assert "To the type" in login("catalogue").get(address(tee)).content.decode()


def test_only_products_with_variants_have_the_page(login: Login) -> None:
    product = factories.product("STOOL-1")
    assert login("catalogue").get(address(product)).status_code == 404
    assert login("catalogue").put(address(goods.shirt())).status_code == 405
