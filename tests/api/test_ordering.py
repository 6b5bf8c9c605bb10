"""Placing orders: what they cost, what is refused, and that one key makes one order, whatever happens."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from shop.api.access import ByClient
from shop.api.models import PlacedRequest
from shop.catalogue.models import Product
from shop.order.models import Order, ShippingAddress
from shop.partner.models import StockRecord
from shop.stock.models import Hold, Pool
from tests import crowds, factories
from tests.api.conftest import WANTED, Partner, partner, problem
from tests.databases import database_url
from tests.payments.conftest import book as book
from tests.payments.till import Book
from tests.processes import wait_until
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def wanted(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(WANTED), **changes}


def free(sku: str = "CHAIR-1") -> int:
    return Pool.objects.get(sku=sku).free


def nothing_was_written() -> bool:
    return not any(model.objects.exists() for model in (Order, Hold, ShippingAddress, PlacedRequest))


def test_an_order_is_placed_at_the_shops_prices(acme: Partner, chair: Product) -> None:
    answer = acme.order(wanted(external_number="PO-1", email="buyer@example.test", note="Ring twice"))
    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert (row["total"], row["shipping"], row["status"]) == ("238.00", "12.00", "pending_payment")
    assert (row["external_number"], row["email"], row["note"]) == ("PO-1", "buyer@example.test", "Ring twice")
    assert answer["Location"] == f"http://testserver/api/v1/orders/{row['number']}/"
    assert "Idempotency-Replayed" not in answer
    assert acme.get(f"orders/{row['number']}/").json() == row
    order = Order.objects.get()
    assert (order.source_account, order.status_changes.get().actor) == ("api:acme", "api:acme")
    line = order.lines.get()
    assert (line.title, line.tax_code, line.line_price_excl_tax) == ("橡木椅", "VAT13", Decimal("200"))
    assert (order.shipping_tax_code, order.shipping_excl_tax) == ("VAT9", Decimal("11.01"))
    assert free() == 8


def test_shipping_is_free_from_the_same_worth_as_in_the_shop(acme: Partner, chair: Product) -> None:
    row = acme.order(wanted(lines=[{"sku": "chair-1", "quantity": 3}], language="en")).json()
    assert (row["total"], row["shipping"]) == ("339.00", "0.00")
    assert (row["lines"][0]["sku"], row["lines"][0]["title"]) == ("CHAIR-1", "Oak chair")


def test_variants_and_the_same_sku_twice(acme: Partner, chair: Product) -> None:
    parent = crowds.products(1, prefix="RUG")[0]
    sku = crowds.variants(parent, 1)[0].stockrecords.get().partner_sku
    lines = [{"sku": sku, "quantity": 1}, {"sku": "CHAIR-1", "quantity": 1}, {"sku": sku, "quantity": 2}]
    row = acme.order(wanted(lines=lines)).json()
    assert [(line["sku"], line["quantity"]) for line in row["lines"]] == [(sku, 1), ("CHAIR-1", 1), (sku, 2)]
    assert row["total"] == "155.00"


def test_the_same_request_gives_the_same_order(acme: Partner, chair: Product) -> None:
    body = wanted(external_number="PO-1")
    first = acme.order(body)
    again = acme.order(dict(reversed(body.items())))
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert (Order.objects.count(), free()) == (1, 8)


def test_the_same_key_with_another_body_is_refused(acme: Partner, chair: Product) -> None:
    acme.order(wanted())
    problem(acme.order(wanted(note="another")), "key-used")
    problem(acme.order({}), "key-used")
    assert (Order.objects.count(), free()) == (1, 8)


def test_keys_belong_to_their_client(acme: Partner, chair: Product) -> None:
    other = partner("other")
    assert acme.order(wanted()).json()["number"] != other.order(wanted()).json()["number"]
    assert Order.objects.count() == 2


@pytest.mark.parametrize("key", [None, "", "x" * 256, "two words", "schlüssel".encode().decode("latin-1")])
def test_without_a_good_key_nothing_is_ordered(acme: Partner, chair: Product, key: str | None) -> None:
    body = problem(acme.order(wanted(), key), "invalid-request")
    assert "Idempotency-Key" in body["detail"]
    assert nothing_was_written()


def test_while_the_first_try_runs_the_second_is_told_to_wait(acme: Partner, chair: Product) -> None:
    body = wanted()
    with ThreadPoolExecutor(1) as pool:
        with held("CHAIR-1") as first_waits:
            first = pool.submit(lambda: at_once(lambda _: acme.order(body), 1)[0])
            first_waits()
            second = acme.order(body)
            problem(second, "in-progress")
            assert second["Retry-After"] == "1"
            assert acme.order(body, "key-2", **{"Accept": "text/html"}).status_code == 406
        placed = first.result(timeout=60)
    assert placed.status_code == 201, placed
    third = acme.order(body)
    assert (third.json(), third["Idempotency-Replayed"]) == (placed.json(), "true")
    assert (Order.objects.count(), free()) == (1, 8)


@contextmanager
def held(sku: str) -> Iterator[Callable[[], None]]:
    """Nobody gets goods of this SKU meanwhile; the call waits until somebody stands at it."""
    with psycopg.connect(database_url()) as lock:
        lock.execute("SELECT * FROM stock_pool WHERE sku = %s FOR UPDATE", [sku])
        yield lambda: wait_until(lambda: _waits(lock), 60, "a request waited for the pool")


def _waits(lock: psycopg.Connection[Any]) -> bool:
    """In this database: other tests run beside this one."""
    lock.execute("SELECT pg_stat_clear_snapshot()")  # who came since this transaction first looked
    row = lock.execute(
        """SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
           WHERE NOT l.granted AND pid <> pg_backend_pid() AND a.datname = current_database()"""
    ).fetchone()
    return bool(row and row[0])


def test_the_same_request_many_times_at_once_makes_one_order(acme: Partner, chair: Product) -> None:
    answers = at_once(lambda _: acme.order(wanted()), 8)
    codes = sorted(answer.status_code for answer in answers)
    assert set(codes) <= {201, 409} and 201 in codes
    assert len({answer.json()["number"] for answer in answers if answer.status_code == 201}) == 1
    assert (Order.objects.count(), PlacedRequest.objects.count(), free()) == (1, 1, 8)


def test_eight_orders_want_the_last_pieces(acme: Partner, chair: Product) -> None:
    answers = at_once(lambda number: acme.order(wanted(), f"key-{number}"), 8)
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 3
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, "out-of-stock")
    assert (Order.objects.count(), free()) == (5, 0)
    call_command("check_invariants")


def test_a_killed_server_leaves_neither_an_order_nor_a_lock(acme: Partner, chair: Product) -> None:
    """The connection of the first try dies in the middle, as it does with the process."""
    with ThreadPoolExecutor(1) as pool:
        with held("CHAIR-1") as first_waits:
            first = pool.submit(lambda: at_once(lambda _: acme.order(wanted()), 1)[0])
            first_waits()
            with connection.cursor() as cursor:
                cursor.execute(  # of this database: other tests run beside this one
                    """SELECT pg_terminate_backend(pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                       WHERE NOT l.granted AND a.datname = current_database()"""
                )
            died = first.result(timeout=60)
        assert died.status_code == 503
        problem(died, "unavailable")
    assert nothing_was_written()
    assert acme.order(wanted()).status_code == 201


def test_out_of_stock_says_what_is_left_and_leaves_the_key_unused(acme: Partner, chair: Product) -> None:
    body = wanted(lines=[{"sku": "CHAIR-1", "quantity": 11}])
    assert problem(acme.order(body), "out-of-stock")["short"] == [{"sku": "CHAIR-1", "available": 10}]
    assert nothing_was_written()
    Pool.objects.update(on_hand=11)
    assert acme.order(body).status_code == 201


def test_an_external_number_is_ordered_once(acme: Partner, chair: Product) -> None:
    first = acme.order(wanted(external_number="PO-1")).json()
    body = problem(acme.order(wanted(external_number="PO-1"), "key-2"), "ordered-before")
    assert body["order"] == first["number"]
    assert partner("other").order(wanted(external_number="PO-1")).status_code == 201


def test_an_expected_sum_that_is_wrong_orders_nothing(acme: Partner, chair: Product) -> None:
    assert acme.order(wanted(expected_total="238.00")).status_code == 201
    StockRecord.objects.update(price=Decimal("100"))
    body = problem(acme.order(wanted(expected_total="238.00"), "key-2"), "price-changed")
    assert (body["total"], body["currency"]) == ("212.00", "CNY")
    assert Order.objects.count() == 1


def test_on_account_only_where_it_is_allowed(acme: Partner, chair: Product) -> None:
    body = problem(acme.order(wanted(payment_method="on_account")), "invalid-order")
    assert body["errors"][0]["pointer"] == "/payment_method"
    trusted = partner("trusted", may_buy_on_account=True)
    row = trusted.order(wanted(payment_method="on_account")).json()
    assert (row["status"], row["pay_before"]) == ("on_account", None)


def test_online_only_where_there_is_a_provider_and_by_a_page_of_its_own(
    acme: Partner, chair: Product, book: Book, settings: Any
) -> None:
    settings.WEFT_SHOP_URL = "https://shop.example"
    body = problem(acme.order(wanted(payment_method="online")), "invalid-order")
    assert body["errors"][0]["pointer"] == "/payment_method"
    factories.account("payments", "till", name="till")
    row = acme.order(wanted(payment_method="online")).json()
    order = Order.objects.get()
    assert row["payment"] == {"url": f"https://shop.example/checkout/pay/{order.verification_hash()}/"}
    page = acme.browser.get(row["payment"]["url"].removeprefix("https://shop.example"))
    assert page.status_code == 200 and len(page.context["offers"]) == 2
    assert acme.order(wanted(), "key-2").json()["payment"] is None, "paid by transfer"
    Order.objects.filter(pk=order.pk).update(payment_deadline=timezone.now())
    assert acme.get(f"orders/{order.number}/").json()["payment"] is None, "too late"


def test_without_the_scope_nothing_is_ordered(chair: Product) -> None:
    reader = partner("reader", scopes=["orders:read"])
    problem(reader.order(wanted()), "not-permitted")
    assert nothing_was_written()


ADDRESS = WANTED["ship_to"]


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"lines": []}, {"/lines"}),
        ({"lines": "CHAIR-1"}, {"/lines"}),
        (
            {"lines": [{"sku": "NONE", "quantity": 1}, {"sku": "\u2163", "quantity": 1}]},
            {"/lines/0/sku", "/lines/1/sku"},
        ),
        ({"lines": [{"sku": "CHAIR-1", "quantity": 0}]}, {"/lines/0/quantity"}),
        ({"lines": [{"sku": "CHAIR-1", "quantity": "2"}]}, {"/lines/0/quantity"}),
        ({"lines": [{"sku": "CHAIR-1", "quantity": True}]}, {"/lines/0/quantity"}),
        ({"lines": [{"sku": "CHAIR-1", "quantity": 1, "price": "1.00"}]}, {"/lines/0/price"}),
        ({"lines": [{"sku": 7, "quantity": 1}]}, {"/lines/0/sku"}),
        ({"lines": [{"sku": "CHAIR-1", "quantity": 1}] * 201}, {"/lines"}),
        ({"ship_to": {**ADDRESS, "phone": "12"}}, {"/ship_to/phone"}),
        ({"ship_to": {**ADDRESS, "country": "XX"}}, {"/ship_to/country"}),
        ({"ship_to": {**ADDRESS, "postcode": "1"}}, {"/ship_to/postcode"}),
        ({"ship_to": {**ADDRESS, "city": "a\nb"}}, {"/ship_to/city"}),
        ({"ship_to": {"name": "x"}}, {f"/ship_to/{name}" for name in ("phone", "country", "region", "city", "street")}),
        ({"ship_to": None}, {"/ship_to"}),
        ({"email": "nobody"}, {"/email"}),
        ({"expected_total": 238}, {"/expected_total"}),
        ({"payment_method": "cash"}, {"/payment_method"}),
        ({"note": "nul\0"}, {"/note"}),
        ({"note": "\ud800"}, {"/note"}),
        ({"colour": "red", "a/b~": 1}, {"/colour", "/a~1b~0"}),
    ],
)
def test_each_field_to_mend_is_named(acme: Partner, chair: Product, changes: Any, pointers: set[str]) -> None:
    body = problem(acme.order(wanted(**changes)), "invalid-order")
    assert {error["pointer"] for error in body["errors"]} == pointers, body
    assert nothing_was_written()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "invalid-order"),
        ("{", "invalid-request"),
        (b"\xff", "invalid-request"),
        ('{"lines": NaN}', "invalid-request"),
        ("[" * 100_000, "invalid-request"),
        ("[]", "invalid-order"),
        ("null", "invalid-order"),
        ("7", "invalid-order"),
        (" " * (2 * 1024 * 1024 + 1), "too-large"),
    ],
)
def test_what_is_no_order_at_all(acme: Partner, chair: Product, body: str | bytes, kind: str) -> None:
    problem(acme.order(body), kind)
    assert nothing_was_written()


def test_only_json_is_read(acme: Partner, chair: Product) -> None:
    headers = {**acme.headers(), "Idempotency-Key": "k"}
    answer = acme.browser.post("/api/v1/orders/", "a=b", content_type="text/plain", headers=headers)
    problem(answer, "unsupported-media-type")


def test_what_cannot_be_done(acme: Partner, chair: Product) -> None:
    answer = acme.browser.delete("/api/v1/orders/", headers=acme.headers())
    problem(answer, "method-not-allowed")
    assert set(answer["Allow"].split(", ")) >= {"GET", "POST"}
    problem(acme.get("nothing/"), "not-found")
    assert acme.browser.get("/api/v1/products", headers=acme.headers()).status_code == 301


def test_too_many_requests_are_told_to_wait(chair: Product, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ByClient, "rate", "3/min", raising=False)
    busy, other = partner("busy"), partner("other")
    assert [busy.get("stock/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert int(busy.get("stock/")["Retry-After"]) > 0
    assert other.get("stock/").status_code == 200


def test_goods_of_two_currencies_are_ordered_apart(acme: Partner, chair: Product) -> None:
    factories.stock("STOOL-1", SZ=1)
    factories.product("STOOL-1")
    StockRecord.objects.filter(partner_sku="STOOL-1").update(price_currency="EUR")
    lines = [{"sku": "CHAIR-1", "quantity": 1}, {"sku": "STOOL-1", "quantity": 1}]
    body = problem(acme.order(wanted(lines=lines)), "invalid-order")
    assert "CNY, EUR" in body["errors"][0]["detail"]


def test_a_crash_answers_with_a_problem_and_writes_nothing(
    acme: Partner, chair: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("as if a bug")

    monkeypatch.setattr(PlacedRequest.objects, "create", crash)
    problem(acme.order(wanted()), "server-error")
    assert nothing_was_written()
    monkeypatch.undo()
    assert acme.order(wanted()).status_code == 201
