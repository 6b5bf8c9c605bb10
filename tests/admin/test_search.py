"""One search box over everything: what it finds, for whom, where it leads, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.hub.models import Outgoing
from integrations.hub.values import Lane
from shop import phones
from shop.customer.groups import GROUPS
from shop.customer.models import User
from shop.desk import search
from shop.fulfilment.models import Parcel
from shop.order import finding
from shop.order.models import Order, ShippingAddress
from shop.payments.models import Attempt as Payment
from shop.payments.models import Refund, RefundPart
from shop.returns.models import CreditNote, Return
from tests import crowds, factories
from tests.admin.conftest import Login
from tests.statements import budget, counted, same

SEARCH = "admin:search"
HTMX = {"HX-Request": "true"}
PAID, BACK = "PAIDPAIDPAIDPAIDPAIDPAIDPA", "BACKBACKBACKBACKBACKBACKBA"


@pytest.fixture
def company(db: None) -> Order:
    """An order that an ERP knows, its customer, its parcel, a product, papers."""
    factories.product("CHAIR-1")
    factories.stock("CHAIR-1", SZ=100)
    customer = User.objects.create_user("lin@example.test", name="林晓", phone="138 0013-9999")
    order = factories.order({"CHAIR-1": 1}, user_id=customer.pk, email="")
    Order.objects.filter(pk=order.pk).update(source_account="taobao", external_number="TB778899")
    row = {"account": factories.account(name="Tryton"), "lane": Lane.ORDERS, "delivered": 1}
    Outgoing.objects.create(topic="erp.order", key=order.number, subject=order.subject,
                            refs=[{"id": "sale.sale,7", "number": "SO-7001"}], **row)  # fmt: skip
    Outgoing.objects.create(topic="erp.customer", key="user:1", subject=f"customer:{customer.pk}",
                            refs=[{"id": "party,9", "number": "P-9001"}], **row)  # fmt: skip
    Parcel.objects.create(order=order, number="SF100200", shipped_at=timezone.now())
    money = {"currency": "CNY", "total_incl_tax": 1, "total_excl_tax": 1}
    Return.objects.create(number="R-5001", source_account="web", received_at=timezone.now())
    CreditNote.objects.create(number="CN-5001", source_account="web", issued_at=timezone.now(), **money)
    paid = Payment.objects.create(
        order=order, account=factories.account("payments", "gone"), number=PAID, remote="2026112222001", method="page",
        status="captured", currency="CNY", total=113, captured=113, refund_pending=5, expires_at=timezone.now(),
        watched_until=timezone.now(),
    )  # fmt: skip
    refund = Refund.objects.create(order=order, currency="CNY", amount=5, reason="x", actor="staff:li")
    RefundPart.objects.create(refund=refund, attempt=paid, key=BACK, remote="R2026112222001", amount=5)
    return Order.objects.get(pk=order.pk)


def found(client: Client, text: str) -> dict[str, set[str]]:
    """kind -> titles, from the list that comes while somebody types."""
    answer = client.get(reverse(SEARCH), {"s": text}, headers=HTMX)
    assert answer.status_code == 200
    kinds: dict[str, set[str]] = {}
    for hit in answer.context["hits"] if answer.context else ():
        kinds.setdefault(str(hit.kind), set()).add(hit.title)
    return kinds


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("TB7788", "Orders"), ("SO-7001", "Orders"), ("so-7001", "Orders"), ("sale.sale,7", "Orders"),
        ("林晓", "Orders"), ("lin@exa", "Orders"), ("chair-1", "Orders"), ("张伟", "Orders"),
        ("+86 138 0013 8000", "Orders"), ("13800138000", "Orders"), ("8000", "Orders"),
        ("CHAIR", "Stock"), ("oak", "Stock"), ("橡木", "Products"), ("Oak chair", "Products"),
        ("林", "Customers"), ("LIN@EXAMPLE", "Customers"), ("+8613800139999", "Customers"),
        ("138 0013 9999", "Customers"),
        ("9999", "Customers"), ("SF1002", "Parcels"), ("r-50", "Returns"), ("CN-5", "Credit notes"),
        ("P-9001", "Outgoing work"), (PAID.lower(), "Payments"), ("2026112222001", "Payments"), (BACK, "Refunds"),
        ("R2026112222001", "Refunds"),
    ],
)  # fmt: skip
def test_it_finds(login: Login, company: Order, text: str, kind: str) -> None:
    assert kind in found(login("superuser"), text if len(text) > 1 else text + "晓"), text


def test_numbers_are_found_however_they_are_typed(login: Login, company: Order) -> None:
    client, number = login("sales"), company.number
    for typed in (
        number,
        number.lower(),
        number.replace("-", ""),
        number.replace("-", " "),
        number[:12],
        f" {number} ",
    ):
        assert found(client, typed)["Orders"] == {number}, typed


def test_what_is_not_there_is_not_found(login: Login, company: Order) -> None:
    client = login("superuser")
    for text in ("zzz", "W20991231-AAAAAAAA", "13911112222", "%", "__", "'; DROP", "x" * 5000, "\0\0\0", "a"):
        assert found(client, text) == {}, text


PAPERS = {"Parcels", "Returns", "Credit notes", "Outgoing work"}
MONEY = {"Payments", "Refunds"}
SEES = {
    "sales": {"Orders", "Stock", "Products", "Customers"} | PAPERS | MONEY,
    "warehouse": {"Orders", "Stock", "Products"} | PAPERS,
    "finance": {"Orders", "Stock", "Customers"} | PAPERS | MONEY,
    "catalogue": {"Stock", "Products"},
    "integrations": {"Orders", "Stock", "Parcels", "Outgoing work"},
    "auditor": {"Orders", "Stock", "Products", "Customers"} | PAPERS | MONEY,
    "": set(),
}


@pytest.mark.parametrize("group", [*GROUPS, ""])
def test_each_finds_only_what_they_may_see(login: Login, company: Order, group: str) -> None:
    client = login(group)
    texts = ("TB7788", "CHAIR", "林晓", "SF1002", "R-50", "CN-5", "P-9001", PAID, BACK)
    assert set().union(*(found(client, text) for text in texts)) == SEES[group]
    page = client.get(reverse(SEARCH), {"s": "林晓"})
    shown = page.content.decode()
    assert ("lin@example.test" in shown) == ("Customers" in SEES[group])
    assert (company.number in shown) == ("Orders" in SEES[group])


def test_an_exact_number_leads_straight_there(login: Login, company: Order) -> None:
    client = login("superuser")
    order = reverse("admin:order_order_change", args=[company.pk])
    parcel = reverse("admin:fulfilment_parcel_change", args=[Parcel.objects.get().pk])
    paid = reverse("admin:payments_attempt_change", args=[Payment.objects.get().pk])
    back = reverse("admin:payments_refundpart_change", args=[RefundPart.objects.get().pk])
    numbers = {company.number: order, "TB778899": order, "SO-7001": order, "SF100200": parcel, PAID: paid, BACK: back}
    for text, page in numbers.items():
        assert client.get(reverse(SEARCH), {"s": text}).headers.get("location") == page, text
    assert login("catalogue").get(reverse(SEARCH), {"s": "SO-7001"}).status_code == 200  # not theirs to see


def test_where_two_things_have_the_number_the_person_chooses(login: Login, company: Order) -> None:
    """A SKU is stock and a product; the ERP's number may be somebody's parcel as well."""
    Parcel.objects.create(order=company, number="SO-7001", shipped_at=timezone.now())
    for text in ("CHAIR-1", "SO-7001"):
        page = login("superuser").get(reverse(SEARCH), {"s": text})
        assert page.status_code == 200
        assert page.content.decode().count("weft-hit-exact") == 2, text


def test_it_works_without_a_script(login: Login, company: Order) -> None:
    client = login("superuser")
    assert f'action="{reverse(SEARCH)}"' in client.get(reverse("admin:index")).content.decode()
    page = client.get(reverse(SEARCH), {"s": "林"}).content.decode()
    assert "at least two characters" in page
    page = client.get(reverse(SEARCH), {"s": "林晓"}).content.decode()
    assert reverse("admin:order_order_change", args=[company.pk]) in page
    assert "Nothing found" in client.get(reverse(SEARCH), {"s": "zzzz"}).content.decode()
    assert Client().get(reverse(SEARCH), {"s": "林晓"}).status_code == 302


def test_more_than_a_page_of_hits_leads_into_the_list(login: Login) -> None:
    crowds.orders(30, "CHAIR-1")
    page = login("superuser").get(reverse(SEARCH), {"s": "buyer"})
    orders = page.context["kinds"][0]
    assert len(orders["hits"]) == 20
    listed = login("superuser").get(orders["more"])
    assert listed.context["cl"].result_count == 30


def test_what_is_found_is_escaped(login: Login, company: Order) -> None:
    User.objects.create_user("x@example.test", name='<script>alert("x")</script>')
    client = login("superuser")
    for headers in ({}, HTMX):
        page = client.get(reverse(SEARCH), {"s": '<script>alert("x")'}, headers=headers).content.decode()
        assert '<script>alert("x")' not in page


def test_nothing_is_remembered_between_two_searches(login: Login, company: Order) -> None:
    """Rights and rows change at any moment; unfold's own search keeps its hits for five minutes."""
    client = login("sales")
    assert found(client, "林晓")["Customers"]
    User.objects.get(email="sales@weft.test").groups.clear()
    assert found(client, "林晓") == {}


@pytest.mark.parametrize(
    ("typed", "ends"),
    [
        ("13800138000", "13800138000"), ("+86 138 0013 8000", "13800138000"), ("0086-138-0013-8000", "13800138000"),
        ("8613800138000", "13800138000"), ("(138) 0013.8000", "13800138000"), ("8000", "8000"),
        ("0755-2601 2345", "75526012345"), ("+49 30 901820", "30901820"), ("+1 (415) 555-2671", "4155552671"),
        ("123", ""), ("W20261122", ""), ("a@b.c", ""), ("张伟", ""), ("", ""), ("+", ""),
    ],
)  # fmt: skip
def test_phone_numbers_as_people_type_them(typed: str, ends: str) -> None:
    assert phones.ending(typed) == ends


# --- what it costs ---------------------------------------------------------------------------------------------------

TEXTS = ("buyer77", "MANY-0007", "13800138000", "Buyer 7", "nothing like it")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("text", TEXTS)
def test_as_many_statements_with_a_hundred_rows_as_with_one(login: Login, text: str) -> None:
    client = login("superuser")
    crowds.products(3)
    crowds.orders(1, "MANY-0001")
    client.get(reverse(SEARCH), {"s": text}, headers=HTMX)
    with budget(14, text) as few:
        client.get(reverse(SEARCH), {"s": text}, headers=HTMX)
    Order.objects.filter(number="W20261122-00000000").update(number="X", external_number="X")
    crowds.orders(100, "MANY-0001", user=User.objects.get())
    with counted(f"{text}, many") as many:
        client.get(reverse(SEARCH), {"s": text}, headers=HTMX)
    same(few, many)


def plans(queryset: Any) -> Iterator[dict[str, Any]]:
    """The nodes of the plan, where indexes cost nothing and reading a table through costs a lot."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        sql, params = queryset.query.sql_with_params()
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        nodes = [cursor.fetchone()[0][0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        yield node


@pytest.mark.django_db
@pytest.mark.parametrize("text", [*TEXTS, "W20261122-7Q2M", "buyer@example.test", "SO-7001", "张伟", "8000"])
def test_no_way_to_an_order_reads_a_table_through(text: str) -> None:
    """Each way has an index it can use; where it is not used, the table is small."""
    read_through = {
        node["Relation Name"] for node in plans(finding.orders(text)) if node["Node Type"] == "Seq Scan"
    }  # fmt: skip
    assert read_through == set()
    assert ShippingAddress.objects.count() == 0


def test_every_kind_leads_to_a_list_that_searches_the_same() -> None:
    for kind in search.KINDS:
        assert reverse(f"admin:{kind.more}_changelist")
