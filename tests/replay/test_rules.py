"""One rule after the other: what becomes of a row, and what is stored for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integrations.hub.models import Outgoing
from shop import invariants
from shop.order.models import Line, LineKind, Order, OrderStatusChange, PaymentMethod, Status
from shop.partner.models import StockRecord
from shop.returns.models import Adjustment, CreditNote, CreditNoteLine, ReturnLine
from shop.stock.models import Hold, Movement, Pool, Reason
from tests import factories
from tests.replay.conftest import Run

AT = "2010-12-01 08:26:00"
UK = "United Kingdom"
OfRows = Callable[..., Run]


def row(number: str, code: str, quantity: object, price: object, buyer: str = "17850", title: str = "LANTERN",
        at: str = AT, country: str = UK) -> tuple[object, ...]:  # fmt: skip
    return number, code, title, quantity, at, price, buyer, country


def sound() -> None:
    assert [row for one in invariants.registered() for row in invariants.broken(one)] == []


def test_an_order_is_history_paid_and_shipped_on_its_day(of_rows: OfRows) -> None:
    factories.account("messages", "file")
    of_rows([row("536365", "71053", 6, "3.39"), row("536365", "22752", 2, "7.65")])
    order = Order.objects.get()
    day = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert (order.status, order.is_historical, order.payment_method) == (Status.SHIPPED, True, PaymentMethod.ELSEWHERE)
    assert (order.date_placed, order.paid_at, order.payment_deadline) == (day, day, None)
    assert (order.source_account, order.external_number, order.buyer_reference) == ("replay", "536365", "17850")
    assert (order.currency, order.total_incl_tax, order.total_excl_tax) == ("GBP", Decimal("35.64"), Decimal("35.64"))
    moves = OrderStatusChange.objects.order_by("pk").values_list("old_status", "new_status", "date_created")
    assert list(moves) == [("", "paid", day), ("paid", "shipped", day)]
    assert set(Movement.objects.filter(reason=Reason.SHIPPED).values_list("pool", "quantity", "at")) == {
        ("71053", -6, day), ("22752", -2, day),
    }  # fmt: skip
    assert not Outgoing.objects.exists()
    assert not Hold.objects.filter(open__gt=0).exists()
    assert {p.sku: (p.on_hand, p.reserved) for p in Pool.objects.all()} == {"71053": (0, 0), "22752": (0, 0)}
    sound()


def test_the_summer_hour_of_the_file_s_zone(of_rows: OfRows) -> None:
    of_rows([row("1", "71053", 1, "3.39", at="2011-06-30 12:00:00")])
    assert Order.objects.get().date_placed == datetime(2011, 6, 30, 11, 0, tzinfo=UTC)


def test_lines_keep_file_order_and_are_never_merged(of_rows: OfRows) -> None:
    """One SKU at two prices and two times, its spelling in two cases, another invoice between the rows."""
    rows = [
        row("1", "85123A", 6, "2.55"),
        row("2", "71053", 1, "3.39"),
        row("1", "71053", 1, "3.39", at="2010-12-01 09:00:00"),
        row("1", "85123a", 2, "2.95"),
        row("1", "85123A", 6, "2.55"),
    ]
    made = of_rows(rows)
    lines = Line.objects.filter(order__external_number="1").order_by("pk")
    assert list(lines.values_list("partner_sku", "quantity", "unit_price_incl_tax")) == [
        ("85123A", 6, Decimal("2.55")), ("71053", 1, Decimal("3.39")), ("85123A", 2, Decimal("2.95")),
        ("85123A", 6, Decimal("2.55")),
    ]  # fmt: skip
    assert made.figures["notes"] == ["85123a is the same SKU as 85123A (1 rows)"]
    assert StockRecord.objects.get(partner_sku="85123A").price == Decimal("2.55")
    sound()


def test_price_zero_moves_stock_by_the_signed_quantity(of_rows: OfRows) -> None:
    of_rows([row("1", "71053", -4, "0", "", "wet and damaged"), row("2", "71053", 7, "0.0", "", "found")])
    moves = Movement.objects.exclude(reason=Reason.OPENING).order_by("pk")
    assert list(moves.values_list("quantity", "reason", "note", "document")) == [
        (-4, Reason.DAMAGE, "wet and damaged", "replay:1"), (7, Reason.ADJUSTMENT, "found", "replay:2"),
    ]  # fmt: skip
    assert Pool.objects.get().on_hand == 7
    assert not Order.objects.exists()
    sound()


def test_money_without_goods_is_an_adjustment(of_rows: OfRows) -> None:
    rows = [row("A1", "B", 1, "-11062.06", "", "Adjust bad debt"), row("2", "71053", -2, "3.00")]
    made = of_rows([*rows, row("C3", "M", -1, "-5")])
    found = Adjustment.objects.order_by("position").values_list("number", "position", "amount", "reason")
    assert list(found) == [
        ("A1", 1, Decimal("-11062.06"), "Adjust bad debt"), ("2", 2, Decimal("-6"), "LANTERN"),
        ("C3", 3, Decimal(5), "LANTERN"),
    ]  # fmt: skip
    assert made.figures["out_total"] == Decimal("-11063.06")
    assert not Movement.objects.exclude(reason=Reason.OPENING).exists()


def test_a_cancellation_returns_the_most_recent_purchases(of_rows: OfRows) -> None:
    rows = [
        row("1", "71053", 5, "3.00", at="2010-12-01 08:00:00"),
        row("2", "71053", 4, "3.50", at="2010-12-02 08:00:00"),
        row("3", "71053", 9, "3.50", buyer="99999", at="2010-12-03 08:00:00"),
        row("C4", "71053", -6, "3.50", at="2010-12-04 08:00:00"),
        row("C5", "71053", -6, "3.50", at="2010-12-05 08:00:00"),
    ]
    made = of_rows(rows)
    returned = ReturnLine.objects.order_by("pk").values_list(
        "returned__number", "line__order__external_number", "quantity"
    )
    assert list(returned) == [("C4", "2", 4), ("C4", "1", 2), ("C5", "1", 3)]
    notes = CreditNote.objects.order_by("pk").values_list("number", "total_incl_tax", "returned__number")
    assert list(notes) == [
        ("C4", Decimal(21), "C4"), ("C5", Decimal("10.5"), "C5"), ("C5-U", Decimal("10.5"), None),
    ]  # fmt: skip
    assert made.figures["rows"]["returned"] == 2
    assert (made.figures["returns"], made.figures["unlinked_credit_notes"]) == (2, 1)
    assert Pool.objects.get().on_hand == 9  # what came back lies there again, what nobody bought does not
    assert sorted(m.quantity for m in Movement.objects.filter(reason=Reason.RETURNED)) == [2, 3, 4]
    sound()


def test_without_a_buyer_or_a_purchase_a_credit_note_is_unlinked(of_rows: OfRows) -> None:
    rows = [row("1", "71053", 5, "3.00", ""), row("C2", "71053", -1, "3.00", ""), row("C3", "D", -1, "27.50")]
    made = of_rows(rows)
    assert not ReturnLine.objects.exists()
    assert list(CreditNote.objects.order_by("pk").values_list("number", "returned")) == [("C2", None), ("C3", None)]
    assert made.figures["rows"]["credited"] == 2
    assert CreditNoteLine.objects.filter(return_line=None).count() == 2


def test_a_purchase_after_the_cancellation_is_not_what_came_back(of_rows: OfRows) -> None:
    rows = [row("1", "71053", 5, "3.00", at="2011-01-01 08:00:00"), row("C2", "71053", -1, "3.00")]
    assert of_rows(rows).figures["rows"]["credited"] == 1


def test_postage_and_charges_are_lines_without_stock(of_rows: OfRows) -> None:
    rows = [
        row("1", "71053", 1, "3.00"), row("1", "POST", 3, "18.00", title="POSTAGE"), row("1", "M", 1, "1.50"),
        row("1", "EXPRESS", 1, "4.00", title="Express delivery"), row("C2", "POST", -1, "18.00", title="POSTAGE"),
    ]  # fmt: skip
    of_rows(rows)
    assert list(Line.objects.order_by("pk").values_list("kind", flat=True)) == [
        LineKind.GOODS, LineKind.SHIPPING, LineKind.FEE, LineKind.SHIPPING,
    ]  # fmt: skip
    assert set(Pool.objects.values_list("sku", flat=True)) == {"71053"}
    assert Order.objects.get().total_incl_tax == Decimal("62.50")
    returned = ReturnLine.objects.get()
    assert (returned.line.partner_sku, returned.warehouse) == ("POST", None)
    sound()


def test_only_the_row_with_too_fine_a_price_is_refused(of_rows: OfRows) -> None:
    made = of_rows([row("1", "PADS", 1, "0.001"), row("1", "71053", 1, "3.390")])
    assert made.reasons == {1: "the price is finer than GBP can be paid in"}
    assert made.refused == [["1", made.reasons[1], "1", "PADS", "LANTERN", "1", AT, "0.001", "17850", UK]]
    assert Line.objects.get().line_price_incl_tax == Decimal("3.39")
    assert made.figures["refused_total"] == Decimal("0.001")


@pytest.mark.parametrize(("currency", "taken"), [("GBP", 2), ("JPY", 1), ("BHD", 3)])
def test_fineness_is_the_currency_s(of_rows: OfRows, currency: str, taken: int) -> None:
    rows = [row("1", "A1000", 1, "5"), row("1", "A2000", 1, "5.25"), row("1", "A3000", 1, "5.125")]
    made = of_rows(rows, currency=currency)
    assert made.figures["rows"]["ordered"] == taken
    assert Order.objects.get().currency == currency


def test_a_shortage_refuses_the_lines_that_lack(of_rows: OfRows) -> None:
    rows = [
        row("1", "A1000", 3, "5"), row("1", "B2000", 9, "5"), row("1", "A1000", 2, "5"), row("2", "A1000", 1, "5"),
        row("3", "B2000", -6, "0", title="lost"), row("4", "B2000", 5, "5"),
    ]  # fmt: skip
    made = of_rows(rows, stock=5)
    assert made.reasons == {
        2: "out of stock: 5 free",
        4: "out of stock: 0 free",
        5: "fewer than 0 would be on hand: 5 there",
    }
    assert {o.external_number: o.lines.count() for o in Order.objects.all()} == {"1": 2, "4": 1}
    assert made.figures["refused"] == {"out of stock": 2, "fewer than 0 would be on hand": 1}
    sound()


def test_opening_stock_covers_just_what_the_file_takes(of_rows: OfRows) -> None:
    of_rows([row("1", "A1000", 3, "5"), row("2", "A1000", 4, "0", title="found"), row("3", "A1000", 5, "5")])
    assert Movement.objects.get(reason=Reason.OPENING).quantity == 4
    assert Pool.objects.get().on_hand == 0


@pytest.mark.parametrize(
    ("name", "code", "region"),
    [
        ("EIRE", "IE", ""), ("RSA", "ZA", ""), ("Hong Kong", "HK", ""), ("Bosnia and Herzegovina", "BA", ""),
        ("德国", "DE", ""), ("European Community", "ZZ", "European Community"), ("Ruritania", "ZZ", "Ruritania"),
        ("", "ZZ", ""),
    ],
)  # fmt: skip
def test_countries_as_people_write_them(of_rows: OfRows, name: str, code: str, region: str) -> None:
    of_rows([row("1", "A1000", 1, "5", country=name)])
    address = Order.objects.get().shipping_address
    assert (address.country_id, address.state) == (code, region)
