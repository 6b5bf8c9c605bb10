"""The list of products: what it shows, how it is narrowed and searched, what is done to several at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from shop.catalogue.models import Category, Product, ProductImage
from shop.partner.models import StockRecord
from tests import crowds, factories
from tests.admin import goods
from tests.admin.conftest import Login
from tests.admin.pages import said
from tests.statements import counted, same

pytestmark = pytest.mark.django_db
LIST = "admin:catalogue_product_changelist"


def shown(client: Client, **query: Any) -> set[str]:
    """English titles of what the list shows."""
    found = client.get(reverse(LIST), query).context["cl"].result_list
    return {product.title_en or product.get_title() for product in found}


def test_a_row_says_what_the_product_is_costs_and_how_much_is_free(login: Login) -> None:
    tee = goods.shirt(("Indigo", "S"), ("Ochre", "M"))
    StockRecord.objects.filter(partner_sku="TEE-OCHRE-M").update(price="129.00")
    factories.stock("TEE-INDIGO-S", SZ=7)
    factories.stock("TEE-OCHRE-M", SZ=5)
    tee.categories.add(Category.add_root(slug="wear", name_zh_hans="服饰", name_en="Apparel"))
    text = login("catalogue").get(reverse(LIST)).content.decode()
    shown_words = ["Crew neck", "圆领衫", "TEE", "2 variants", "Shirt", "99.00", "129.00", "<strong>12</strong>"]
    for words in (*shown_words, "Apparel", "public", "no picture"):
        assert words in text, words


def test_the_list_costs_the_same_for_any_number(login: Login, transactional_db: None) -> None:
    client = login("superuser")
    category = Category.add_root(slug="wear", name_zh_hans="服饰", name_en="Apparel")
    made = crowds.products(4, category)
    crowds.variants(made[0], 3)
    client.get(reverse(LIST))
    with counted("five products") as few:
        client.get(reverse(LIST))
    for number, product in enumerate(crowds.products(40, category, prefix="MORE")):
        if number % 4 == 0:
            crowds.variants(product, 3)
    with counted("forty more") as many:
        assert len(client.get(reverse(LIST)).context["cl"].result_list) == 44
    same(few, many)


def stock_of_everything() -> None:
    """A lamp that is sold out and has no picture; a hidden book; a shirt with a variant in stock."""
    lamp = factories.product("LAMP-1", title_en="Lamp")
    book = factories.product("BOOK-1", title_en="Book", is_public=False, tax_class=factories.tax_class("VAT9", "0.09"))
    tee = goods.shirt(("Indigo", "S"))
    StockRecord.objects.filter(product=book).update(price=None)
    factories.stock("TEE-INDIGO-S", SZ=1)
    for product in (book, tee):
        ProductImage.objects.create(product=product, original="x.webp")
    home = Category.add_root(slug="home", name_zh_hans="家", name_en="Home")
    below = home.add_child(slug="lamps", name_zh_hans="灯", name_en="Lamps")
    lamp.categories.add(below)
    tee.categories.add(home)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, {"Lamp", "Book", "Crew neck"}),
        ({"sold_as": "parent"}, {"Crew neck"}),
        ({"sold_as": "child"}, {"Crew neck"}),
        ({"category": "home"}, {"Lamp", "Crew neck"}),
        ({"category": "lamps"}, {"Lamp"}),
        ({"type": "shirt"}, {"Crew neck"}),
        ({"is_public__exact": "0"}, {"Book"}),
        ({"in_stock": "yes"}, {"Crew neck"}),
        ({"in_stock": "no"}, {"Lamp", "Book"}),
        ({"without": "picture"}, {"Lamp"}),
        ({"without": "price"}, {"Book"}),
        ({"without": "category"}, {"Book"}),
        ({"q": "灯"}, set()),
        ({"q": "橡木"}, {"Lamp", "Book"}),
        ({"q": "crew NECK"}, {"Crew neck"}),
        ({"q": "lamp-1"}, {"Lamp"}),
        ({"q": "tee-indigo"}, {"Crew neck"}),
        ({"q": "tee-indigo", "sold_as": "child"}, {"Crew neck"}),
        ({"category": "abc"}, {"Lamp", "Book", "Crew neck"}),
    ],
)
def test_narrowed_and_searched(login: Login, query: dict[str, str], titles: set[str]) -> None:
    stock_of_everything()
    names = {
        "category": dict(Category.objects.values_list("slug", "pk")),
        "type": {"shirt": goods.shirts().pk},
    }
    said = {name: names.get(name, {}).get(value, value) for name, value in query.items()}
    assert shown(login("catalogue"), **said) == titles


def test_without_an_english_title_or_a_tax_class(login: Login) -> None:
    product = factories.product("LAMP-1", title_en="")
    Product.objects.update(tax_class=None)
    assert shown(login("catalogue"), without="english") == {product.title_zh_hans}
    assert shown(login("catalogue"), without="tax_class") == {product.title_zh_hans}


# --- several at once ---


def ask(client: Client, name: str, products: list[Product], **values: Any) -> HttpResponse:
    form = {"action": name, "_selected_action": [product.pk for product in products], "select_across": "0", **values}
    return client.post(reverse(LIST), form)


def confirm(client: Client, name: str, products: list[Product], **values: Any) -> HttpResponse:
    """Ask, and post the page that comes as a browser would."""
    page = ask(client, name, products)
    assert page.status_code == 200
    return ask(client, name, products, confirmed=str(page.context["bulk"]["number"]), **values)


@pytest.fixture
def three(db: None) -> list[Product]:
    return [factories.product(sku, title_en=sku) for sku in ("A-1", "B-1", "C-1")]


def test_it_asks_first_and_says_of_how_many(login: Login, three: list[Product]) -> None:
    page = ask(login("catalogue"), "hide", three[:2])
    text = page.content.decode()
    assert "2 products" in text
    assert "cannot be ordered" in text
    assert Product.objects.public().count() == 3


def test_hidden_and_made_public(login: Login, three: list[Product]) -> None:
    client, before = login("catalogue"), Product.objects.get(pk=three[0].pk).date_updated
    assert "2 products changed" in said(confirm(client, "hide", three[:2]))
    assert set(Product.objects.public()) == {three[2]}
    assert Product.objects.get(pk=three[0].pk).date_updated > before
    assert "2 products changed. 1 was so already" in said(confirm(client, "publish", three))
    assert Product.objects.public().count() == 3
    assert "Make public" in LogEntry.objects.latest("pk").get_change_message()


def test_added_to_and_removed_from_a_category(login: Login, three: list[Product]) -> None:
    client = login("catalogue")
    home = Category.add_root(slug="home", name_zh_hans="家", name_en="Home")
    three[0].categories.add(home)
    stamp = Product.objects.get(pk=three[1].pk).date_updated
    answer = confirm(client, "add_to_category", three, category=home.pk)
    assert "2 products changed. 1 was so already" in said(answer)
    assert home.product_set.count() == 3
    assert Product.objects.get(pk=three[1].pk).date_updated > stamp
    assert "1 product changed" in said(confirm(client, "remove_from_category", three[:1], category=home.pk))
    assert home.product_set.count() == 2
    assert "required" in confirm(client, "add_to_category", three).content.decode()


def test_variants_hang_where_their_product_hangs(login: Login) -> None:
    tee = goods.shirt(("Indigo", "S"))
    home = Category.add_root(slug="home", name_zh_hans="家", name_en="Home")
    confirm(login("catalogue"), "add_to_category", [tee, *tee.children.all()], category=home.pk)
    assert list(home.product_set.all()) == [tee]


def test_the_tax_class_of_several(login: Login, three: list[Product]) -> None:
    six = factories.tax_class("VAT6", "0.06")
    assert "3 products changed" in said(confirm(login("catalogue"), "set_tax_class", three, tax_class=six.pk))
    assert Product.objects.filter(tax_class=six).count() == 3


def test_all_of_a_narrowed_list_and_only_as_many_as_were_named(login: Login, three: list[Product]) -> None:
    client = login("catalogue")
    where = reverse(LIST) + "?q=橡木"
    form = {"action": "hide", "_selected_action": [three[0].pk], "select_across": "1"}
    page = client.post(where, form)
    assert "3 products" in page.content.decode()
    factories.product("D-1")
    again = client.post(where, {**form, "confirmed": "3"})
    assert "Their number has changed meanwhile" in said(again)
    assert "4 products" in again.content.decode()
    assert Product.objects.public().count() == 4
    assert client.post(where, {**form, "confirmed": "4"}).status_code == 302
    assert not Product.objects.public().exists()


@pytest.mark.parametrize("group", ["sales", "auditor", "warehouse"])
def test_who_may_only_look_does_nothing_to_several(login: Login, three: list[Product], group: str) -> None:
    client = login(group)
    for name in ("hide", "publish", "add_to_category", "remove_from_category", "set_tax_class"):
        assert ask(client, name, three, confirmed="3").status_code == 403
    assert Product.objects.public().count() == 3


def test_the_page_keeps_what_was_chosen(login: Login, three: list[Product]) -> None:
    """The form that asks posts the same rows again, with their number."""
    page = ask(login("catalogue"), "publish", three[:2])
    text = page.content.decode()
    for product in three[:2]:
        assert f'name="_selected_action" value="{product.pk}"' in text
    assert 'name="confirmed" value="2"' in text
