"""Placing an order: money adds up, a basket becomes one order, and what fails leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from integrations.hub.models import Outgoing
from shop import invariants
from shop.basket.models import Basket, Line
from shop.mail.letters import Event, compose
from shop.order import lifecycle
from shop.order.models import Line as OrderLine
from shop.order.models import Order, OrderStatusChange, PaymentMethod, ShippingAddress, Status
from shop.order.place import ALPHABET, BasketChanged, CannotPlace, Draft, DraftLine, new_number, place
from shop.partner.models import StockRecord
from shop.pricing.money import TooFine, exponent
from shop.stock.holds import OutOfStock
from shop.stock.models import Hold, Pool
from tests import factories
from tests.savepoints import taken_back
from tests.threads import at_once

pytestmark = pytest.mark.django_db

SKUS = ("A", "B", "C")


@pytest.fixture(autouse=True)
def _country() -> None:
    factories.china()


def a_line(
    sku: str = "A", quantity: int = 1, unit: str = "113.00", discount: str = "0", rate: str = "0.13"
) -> DraftLine:
    return DraftLine(sku, sku, quantity, Decimal(unit), Decimal(discount), "VAT13", Decimal(rate))


def a_draft(*lines: DraftLine, **fields: Any) -> Draft:
    return replace(factories.draft(**fields), lines=lines)


def nothing_was_written() -> bool:
    kinds = (Order, OrderLine, OrderStatusChange, ShippingAddress, Hold, Outgoing)
    return not any(kind.objects.exists() for kind in kinds) and not Pool.objects.filter(reserved__gt=0).exists()  # type: ignore[attr-defined]


# --- money -----------------------------------------------------------------------------------------------------------


def minor(currency: str, units: int) -> Decimal:
    return Decimal(units).scaleb(-exponent(currency))


@st.composite
def drafts(draw: Callable[[Any], Any]) -> Draft:
    """Any order of up to five lines in a currency of 0, 2 or 3 decimals, with every kind of discount."""
    currency = draw(st.sampled_from(["CNY", "JPY", "BHD"]))
    lines = []
    for _ in range(draw(st.integers(1, 5))):
        unit = minor(currency, draw(st.integers(0, 5_000_000)))
        quantity = draw(st.integers(1, 30))
        percent = draw(st.sampled_from([0, 0, 3, 33, 100]))
        off = (unit * quantity * percent / 100).quantize(minor(currency, 1))
        rate = draw(st.sampled_from(["0", "0.06", "0.09", "0.13", "0.19", "0.07725"]))
        lines.append(DraftLine(draw(st.sampled_from(SKUS)), "x", quantity, unit, off, "T", Decimal(rate)))
    whole = sum((line.gross - line.discount for line in lines), Decimal(0))
    share = Decimal(draw(st.sampled_from([0, 0, 1, 50, 99, 100]))) / 100
    return a_draft(
        *lines,
        currency=currency,
        order_discount=(whole * share).quantize(minor(currency, 1)),
        shipping_gross=minor(currency, draw(st.integers(0, 50_000))),
        shipping_tax_rate=Decimal("0.09"),
    )


def test_gross_net_and_tax_add_up() -> None:
    for sku in SKUS:
        factories.stock(sku, SZ=10_000)

    @given(drafts())
    @examples(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def holds(draft: Draft) -> None:
        with taken_back():
            order = place(draft)
            order.refresh_from_db()
            lines = list(order.lines.order_by("pk"))
            assert invariants.broken(invariants.I4) == []
            off = sum((line.discount for line in draft.lines), draft.order_discount)
            goods = sum((line.gross for line in draft.lines), Decimal(0))
            assert order.total_incl_tax == goods - off + draft.shipping_gross
            assert sum(line.line_price_before_discounts_incl_tax for line in lines) == goods
            for line, wanted in zip(lines, draft.lines, strict=True):
                assert 0 <= line.line_price_incl_tax <= wanted.gross - wanted.discount
                assert line.tax_rate == wanted.tax_rate

    holds()


@pytest.mark.parametrize(
    ("currency", "unit", "net"), [("CNY", "113.00", "100.00"), ("JPY", "1130", "1000"), ("BHD", "1.130", "1.000")]
)
def test_each_currency_has_its_decimals(currency: str, unit: str, net: str) -> None:
    factories.stock("A")
    order = place(a_draft(a_line(unit=unit), currency=currency))
    assert (order.total_incl_tax, order.total_excl_tax) == (Decimal(unit), Decimal(net))


@pytest.mark.parametrize(("currency", "unit"), [("CNY", "1.005"), ("JPY", "0.5"), ("BHD", "0.0001")])
def test_a_price_finer_than_its_currency_is_refused(currency: str, unit: str) -> None:
    factories.stock("A")
    with pytest.raises(TooFine):
        place(a_draft(a_line(unit=unit), currency=currency))
    with pytest.raises(TooFine):
        place(a_draft(a_line(unit="1"), currency=currency, shipping_gross=Decimal(unit)))
    assert nothing_was_written()


@pytest.mark.parametrize(("line", "whole"), [("0.005", "0"), ("0", "0.005")])
def test_a_discount_finer_than_its_currency_is_refused(line: str, whole: str) -> None:
    factories.stock("A")
    with pytest.raises(TooFine):
        place(a_draft(a_line(discount=line), order_discount=Decimal(whole)))
    assert nothing_was_written()


SENSELESS: dict[str, Callable[[], Draft]] = {
    "no line": lambda: a_draft(),
    "quantity 0": lambda: a_draft(a_line(quantity=0)),
    "quantity below 0": lambda: a_draft(a_line(quantity=-1)),
    "discount above the price": lambda: a_draft(a_line(discount="113.01")),
    "discount below 0": lambda: a_draft(a_line(discount="-0.01")),
    "price below 0": lambda: a_draft(a_line(unit="-1.00", discount="-1.00")),
    "discount above the order": lambda: a_draft(a_line(), order_discount=Decimal("113.01")),
    "order's discount below 0": lambda: a_draft(a_line(), order_discount=Decimal("-0.01")),
    "shipping below 0": lambda: a_draft(a_line(), shipping_gross=Decimal("-1.00")),
}


@pytest.mark.parametrize("name", SENSELESS)
def test_what_makes_no_sense_is_refused(name: str) -> None:
    factories.stock("A")
    with pytest.raises(CannotPlace):
        place(SENSELESS[name]())
    assert nothing_was_written()


def test_a_discount_is_spread_to_the_last_cent() -> None:
    factories.stock("A")
    order = place(a_draft(*[a_line(unit="1.00")] * 3, order_discount=Decimal("1.00")))
    assert [line.line_price_incl_tax for line in order.lines.order_by("pk")] == [
        Decimal("0.66"),
        Decimal("0.67"),
        Decimal("0.67"),
    ]


# --- all or nothing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [PaymentMethod.ONLINE, PaymentMethod.BANK_TRANSFER])
def test_nobody_waits_for_a_payment_of_nothing(method: PaymentMethod) -> None:
    factories.stock("A", SZ=1)
    factories.account("messages", "file")
    order = place(a_draft(a_line("A"), order_discount=a_line("A").gross, payment_method=method))
    assert (order.status, order.payment_deadline, order.total_incl_tax) == (Status.PAID, None, 0)
    assert (order.paid_at, order.payment_method) == (order.date_placed, PaymentMethod.NOTHING_DUE)
    assert [row.key for row in Outgoing.objects.filter(topic="mail")] == [f"{order.number}:placed"]
    letter = compose(order, Event.PLACED, "k")
    assert "无需付款" in letter.text and "无需付款" in letter.html
    lifecycle.cancel(order.number, actor="test")
    order.refresh_from_db()
    assert (order.status, order.needs_refund) == (Status.CANCELLED, False), "nothing has to be given back"


def test_what_costs_something_has_to_be_paid_somehow() -> None:
    factories.stock("A", SZ=1)
    with pytest.raises(CannotPlace, match="choose how"):
        place(a_draft(a_line("A"), payment_method=PaymentMethod.NOTHING_DUE))


@pytest.mark.parametrize("method", [PaymentMethod.ONLINE, PaymentMethod.BANK_TRANSFER])
def test_what_costs_nothing_keeps_its_goods(method: PaymentMethod) -> None:
    factories.stock("A", SZ=1)
    place(a_draft(a_line("A"), order_discount=a_line("A").gross, payment_method=method))
    assert Hold.objects.get().deadline is None, "its goods are kept"
    assert invariants.broken(invariants.I10) == []


def test_out_of_stock_leaves_nothing() -> None:
    factories.stock("A", SZ=5)
    factories.stock("B", SZ=1)
    basket = a_basket({"A": 1, "B": 2})
    with pytest.raises(OutOfStock) as refusal:
        place(a_draft(a_line("A"), a_line("B", 2), basket_id=basket.pk))
    assert refusal.value.short == {"B": 1}
    assert nothing_was_written()
    basket.refresh_from_db()
    assert basket.status == Basket.OPEN


def test_lines_of_one_sku_count_together() -> None:
    factories.stock("A", SZ=3)
    with pytest.raises(OutOfStock):
        place(a_draft(a_line(quantity=2), a_line(quantity=2)))
    place(a_draft(a_line(quantity=2), a_line(quantity=1)))
    assert Pool.objects.get().reserved == 3


def test_what_also_runs_fails_with_the_order() -> None:
    factories.stock("A")

    def fails(order: Order) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        place(a_draft(a_line()), also=fails)
    assert nothing_was_written()


def test_a_placed_order_has_its_hold_its_deadline_and_its_audit() -> None:
    factories.stock("A")
    order = place(a_draft(a_line()))
    hold = Hold.objects.get()
    assert order.status == Status.PENDING_PAYMENT
    assert order.payment_deadline is not None
    assert abs(order.payment_deadline - timezone.now() - timedelta(hours=72)) < timedelta(minutes=1)
    assert (hold.open, hold.deadline) == (1, order.payment_deadline)
    audit = OrderStatusChange.objects.get()
    assert (audit.old_status, audit.new_status, audit.actor) == ("", Status.PENDING_PAYMENT, "web")
    assert (order.source_account, order.external_number) == ("web", order.number)


def test_on_account_is_released_at_once_and_for_good() -> None:
    factories.stock("A")
    erp = factories.account("erp")
    order = place(a_draft(a_line(), payment_method=PaymentMethod.ON_ACCOUNT))
    assert (order.status, order.payment_deadline, Hold.objects.get().deadline) == (Status.ON_ACCOUNT, None, None)
    assert set(Outgoing.objects.filter(account=erp).values_list("topic", flat=True)) == {"erp.customer", "erp.order"}


def test_an_order_of_a_source_is_placed_once() -> None:
    factories.stock("A")
    foreign = {"source_account": "amazon-1", "external_number": "111-222"}
    place(a_draft(a_line(), **foreign))
    with pytest.raises(IntegrityError), transaction.atomic():
        place_in_savepoint(a_draft(a_line(), **foreign))
    place(a_draft(a_line(), **{**foreign, "source_account": "amazon-2"}))
    assert (Order.objects.count(), Pool.objects.get().reserved) == (2, 2)


def place_in_savepoint(draft: Draft) -> None:
    with taken_back():
        place(draft)


# --- baskets ---------------------------------------------------------------------------------------------------------


def a_basket(wanted: dict[str, int]) -> Basket:
    basket = Basket.objects.create()
    for sku, quantity in wanted.items():
        record = StockRecord.objects.filter(partner_sku=sku).first()
        product = record.product if record else factories.product(sku, title=sku)
        Line.objects.create(
            basket=basket,
            product=product,
            stockrecord=StockRecord.objects.get(partner_sku=sku),
            quantity=quantity,
            line_reference=sku,
            price_currency="CNY",
        )
    return basket


def test_a_basket_is_submitted_once() -> None:
    factories.stock("A")
    basket = a_basket({"A": 2})
    order = place(a_draft(a_line(quantity=2), basket_id=basket.pk))
    basket.refresh_from_db()
    assert (basket.status, order.basket_id) == (Basket.SUBMITTED, basket.pk)
    with pytest.raises(BasketChanged):
        place(a_draft(a_line(quantity=2), basket_id=basket.pk))
    assert Order.objects.count() == 1


@pytest.mark.parametrize("wanted", [{"A": 1}, {"A": 3}, {"A": 2, "B": 1}, {"B": 2}])
def test_a_basket_that_changed_meanwhile_is_not_ordered(wanted: dict[str, int]) -> None:
    factories.stock("A")
    factories.stock("B")
    basket = a_basket({"A": 2})
    with pytest.raises(BasketChanged):
        place(a_draft(*[a_line(sku, n) for sku, n in wanted.items()], basket_id=basket.pk))
    assert nothing_was_written()


@pytest.mark.django_db(transaction=True)
def test_one_basket_placed_eight_times_at_once_is_one_order() -> None:
    factories.china()
    factories.stock("A", SZ=100)
    draft = a_draft(a_line(quantity=2), basket_id=a_basket({"A": 2}).pk)
    results = at_once(lambda _: place(draft), 8)
    assert sorted(type(result).__name__ for result in results) == ["BasketChanged"] * 7 + ["Order"]
    assert (Order.objects.count(), Pool.objects.get().reserved) == (1, 2)


# --- numbers, and what may not be done to orders ---------------------------------------------------------------------


def test_numbers_are_unique_and_cannot_be_guessed() -> None:
    at = timezone.now()
    numbers = [new_number(at) for _ in range(5000)]
    tails = [number.partition("-")[2] for number in numbers]
    assert len(set(numbers)) == 5000
    assert {len(tail) for tail in tails} == {8}
    assert set("".join(tails)) == set(ALPHABET), "all 32 letters are used"
    assert all(number.startswith(f"W{timezone.localtime(at):%Y%m%d}-") for number in numbers)
    for place_ in range(8):
        assert len({tail[place_] for tail in tails}) == 32, "in every place"


def test_orders_are_moved_by_nobody_else_and_never_deleted() -> None:
    factories.stock("A")
    order = place(a_draft(a_line()))
    for refused in (lambda: order.set_status(Status.PAID), order.delete, lambda: order.lines.get().set_status("x")):
        with pytest.raises(NotImplementedError):
            refused()
    assert Order.objects.get().status == Status.PENDING_PAYMENT
