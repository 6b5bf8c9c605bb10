"""What the pages of the storefront may cost in statements, whatever the shop holds.

Every page is counted warm: as the second of two equal requests. What is counted is said in `tests/statements.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from shop.basket.models import Line
from shop.catalogue import search
from shop.catalogue.models import Product, ProductAttribute, ProductAttributeValue
from shop.customer.models import User
from tests import crowds, factories
from tests.shop.conftest import Shop
from tests.shop.steps import ADDRESS, buy, text
from tests.shop.test_basket import offer, voucher
from tests.statements import Statements, budget, counted, same

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = 12  # home, a list, a search, a product, the basket, an order
ADD = 15  # the POST that puts something into the basket; the page it leads to is a request of its own
PAY = 4  # the page to pay
PURCHASE, LINE = 70, 2  # from the basket's page to the page of thanks; each line after the first


@pytest.fixture
def shelf(shop: Shop) -> list[Product]:
    """More products than a list shows, in `textiles`; the first of them has variants, the second attributes."""
    factories.account("messages", "file")
    made = crowds.products(30, shop.textiles)
    Product.objects.filter(pk=made[0].pk).update(priority=1)
    colour = ProductAttribute.objects.create(product_class=made[1].product_class, code="colour", name="Colour")
    named = [made[1], *crowds.variants(made[0], 5)]
    ProductAttributeValue.objects.bulk_create(
        ProductAttributeValue(attribute=colour, product=product, value_text=f"Red {product.pk}") for product in named
    )
    return made


def described(products: list[Product]) -> None:
    """Each gets a value of five further attributes: nine different values of each."""
    kind = products[0].product_class
    codes = ("finish", "maker", "length", "use", "season")
    attributes = [ProductAttribute.objects.create(product_class=kind, code=code, name=code) for code in codes]
    ProductAttributeValue.objects.bulk_create(
        ProductAttributeValue(attribute=attribute, product=product, value_text=f"{attribute.code} {number % 9}")
        for attribute in attributes
        for number, product in enumerate(products)
    )


def guest() -> Client:
    return Client(headers={"accept-language": "en"})


def filled(client: Client, products: Iterable[Product]) -> Client:
    """One of each in the basket."""
    for product in products:
        assert put(client, product).url == reverse("basket:summary")
    return client


def put(client: Client, product: Product) -> Any:
    chosen = {"variant": product.pk} if product.parent_id else {}
    shown = product.parent_id or product.pk
    return client.post(reverse("basket:add", args=[shown]), {"quantity": 1, **chosen})


def page(client: Client, url: str, what: str = "") -> Statements:
    """The statements of a page that was seen before."""
    assert client.get(url).status_code == 200
    with budget(PAGE, f"{what} {url}") as found:
        answer = client.get(url)
    assert answer.status_code == 200
    return found


def pages(shop: Shop, shelf: list[Product]) -> list[str]:
    category = reverse("catalogue:category", args=["textiles", shop.textiles.pk])
    return [
        "/",
        "/products/",
        category,
        f"{category}?sort=price&in_stock=on&lowest=1",
        f"{category}?f-colour=Red&f-finish=Matt&f-finish=Shiny&price=10-20&page=1",
        "/search/?q=thing",
        shelf[0].get_absolute_url(),
        shelf[1].get_absolute_url(),
    ]


def test_the_counter_hides_nothing() -> None:
    with counted("one look in two transactions") as found, transaction.atomic(), transaction.atomic():
        User.objects.exists()
    assert [sql.split()[0] for sql in found.sql] == ["BEGIN", "SAVEPOINT", "SELECT", "RELEASE", "COMMIT"]
    with pytest.raises(AssertionError, match=r"(?s)at most 0 .* a look: 1 statements\n  1 SELECT"), budget(0, "a look"):
        User.objects.exists()


@pytest.mark.parametrize("lines", [0, 1, 5])
@pytest.mark.parametrize("who", ["guest", "member"])
def test_pages(shop: Shop, shelf: list[Product], who: str, lines: int) -> None:
    client = guest()
    if who == "member":
        client.force_login(User.objects.create_user("member@weft.test", None, name="林晓"))
    filled(client, shelf[1 : 1 + lines])
    seen = {url: page(client, url, f"{who} with {lines} lines") for url in [*pages(shop, shelf), "/basket/"]}
    assert text(client.get("/products/")).count('<li class="card">') == 24
    assert len(seen["/"].naming("basket_line")) == bool(lines) or who == "member", "the header counts with one query"


def test_pages_cost_the_same_in_a_larger_shop(shop: Shop, shelf: list[Product]) -> None:
    """With more products, and with more facets and values of each."""
    client = filled(guest(), shelf[1:3])
    small = [page(client, url) for url in [*pages(shop, shelf), "/basket/"]]
    described(crowds.products(270, shop.textiles, prefix="MORE"))
    crowds.orders(50, "MANY-0001")
    for before in small:
        same(before, page(client, before.what.strip()))


@pytest.mark.parametrize("lines", [0, 1, 5, 20])
def test_adding(shop: Shop, shelf: list[Product], lines: int) -> None:
    """Something new, more of the same, and a variant; with an offer and a voucher around."""
    offer("7")
    code = voucher().code
    filled(guest(), shelf[1:2])  # warm
    client = filled(guest(), shelf[1 : 1 + lines])
    client.post(reverse("basket:add-voucher"), {"code": code})
    for product in (shelf[-1], shelf[-1], shelf[0].children.all()[0]):
        with budget(ADD, f"adding to {lines} lines"):
            answer = put(client, product)
        assert answer.url == reverse("basket:summary")
    assert Line.objects.filter(product=shelf[-1]).get().quantity == 2


def test_changing_quantities_takes_one_statement_for_each_changed_line(shop: Shop, shelf: list[Product]) -> None:
    client = filled(guest(), shelf[1:11])
    wanted = {f"quantity-{line.pk}": "3" for line in Line.objects.all()}
    with budget(1 + 10, "updating 10 lines"):
        client.post(reverse("basket:update"), wanted)
    assert set(Line.objects.values_list("quantity", flat=True)) == {3}
    with budget(1, "updating nothing"):
        client.post(reverse("basket:update"), wanted)


def purchase(client: Client) -> list[Statements]:
    """From the basket's page to the page of thanks, each request."""
    details, review = reverse("checkout:details"), reverse("checkout:review")
    steps: list[Statements] = []

    def step(what: str, url: str, data: Any = None) -> Any:
        with counted(what) as found:
            answer = client.get(url) if data is None else client.post(url, data)
        steps.append(found)
        return answer

    step("the basket's page", reverse("basket:summary"))
    step("the page of details", details)
    assert step("sending the details", details, {"email": "guest@example.com", **ADDRESS}).url == review
    token = step("the review", review).context["token"]
    placed = step("placing the order", review, {"payment_method": "bank_transfer", "token": token, "note": ""})
    assert "Thank you" in text(step("the page of thanks", placed.url))
    return steps


def total(steps: list[Statements]) -> int:
    return sum(map(len, steps))


def within(most: int, steps: list[Statements]) -> None:
    assert total(steps) <= most, "\n".join([f"{total(steps)} statements, at most {most} are allowed", *map(str, steps)])


def purchases_within_budget(products: list[Product], *counts: int) -> None:
    """One line, then as many as `counts` say, each by a guest of its own."""
    purchase(filled(guest(), products[:1]))  # warm
    one = purchase(filled(guest(), products[:1]))
    within(PURCHASE, one)
    for lines in counts:
        within(total(one) + LINE * (lines - 1), purchase(filled(guest(), products[:lines])))


def test_a_guests_purchase(shop: Shop, shelf: list[Product]) -> None:
    purchases_within_budget(shelf[1:], 2, 5, 20)


def test_a_purchase_with_offers_and_variants(shop: Shop, shelf: list[Product]) -> None:
    """A range is asked once on each page, however many lines there are."""
    offer("10")
    purchases_within_budget(list(shelf[0].children.all()), 5)


def test_a_purchase_costs_the_same_in_a_larger_shop(shop: Shop, shelf: list[Product]) -> None:
    purchase(filled(guest(), shelf[1:2]))  # warm
    small = purchase(filled(guest(), shelf[1:2]))
    crowds.products(270, shop.textiles, prefix="MORE")
    crowds.orders(50, "MANY-0001")
    for before, after in zip(small, purchase(filled(guest(), shelf[1:2])), strict=True):
        same(before, after)


def test_a_members_purchase(shop: Shop, shelf: list[Product], buyer: User) -> None:
    client = guest()
    client.force_login(buyer)
    purchase(filled(client, shelf[1:2]))  # warm
    within(PURCHASE + LINE * 4, purchase(filled(client, shelf[1:6])))


def test_an_orders_page(shop: Shop, shelf: list[Product]) -> None:
    costs = []
    for lines in (2, 6):
        client = filled(guest(), shelf[0].children.all()[: lines - 1])
        order = buy(client, shelf[1])
        assert order.lines.count() == lines
        address = reverse("customer:guest-order", args=[order.verification_hash()])
        costs.append(page(client, address, f"an order of {lines} lines"))
        to_pay = reverse("checkout:pay", args=[order.verification_hash()])
        with budget(PAY, "the page to pay"):
            client.get(to_pay)
    same(*costs)


def test_indexing_many_products_is_one_statement(shelf: list[Product]) -> None:
    with budget(1, "indexing 30 products"):
        search.index(shelf)
    with budget(0, "indexing nothing"):
        search.index([])
