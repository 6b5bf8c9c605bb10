"""Kits: their stock is that of their parts, their price is shared out to the cent, and they have no pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shop import intake, invariants
from shop.catalogue.files import runs
from shop.customer.models import User
from shop.fulfilment import shipping
from shop.intake import Document, Entry
from shop.order import kits, lifecycle
from shop.order.drafts import DraftLine
from shop.order.models import Order
from shop.order.place import place
from shop.partner.models import StockRecord
from shop.pricing.money import exponent
from shop.stock.holds import OutOfStock
from shop.stock.models import Hold, KitPart, Offered, Pool
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea() -> None:
    """TEA: one POT and four CUPs, at 199.99; by themselves 150 and 4 × 25."""
    factories.china()
    factories.product("POT", price="150.00", title="壶", title_en="Pot")
    factories.product("CUP", price="25.00", title="杯", title_en="Cup", tax_class=factories.tax_class("VAT9", "0.09"))
    factories.stock("POT", SZ=10)
    factories.stock("CUP", SZ=18)
    factories.kit("TEA", {"POT": 1, "CUP": 4}, price="199.99")


def offered(sku: str) -> Offered:
    return Offered.objects.get(record__partner_sku=sku)


def buy(**wanted: int) -> Order:
    return factories.order(wanted, unit="199.99")


def sound() -> None:
    for invariant in invariants.registered():
        assert invariants.broken(invariant) == []


# --- what may be promised --------------------------------------------------------------------------------------------


def test_a_kit_offers_what_its_parts_make(tea: None) -> None:
    assert (offered("TEA").free, offered("TEA").is_kit, offered("CUP").is_kit) == (4, True, False)
    buy(CUP=7)
    assert offered("TEA").free == 2
    Pool.objects.filter(sku="POT").update(reserved=12, shortage=2)
    assert offered("TEA").free == 0


def test_a_part_that_never_had_stock_makes_no_kit(tea: None) -> None:
    factories.product("LID")
    KitPart.objects.create(kit_id=offered("TEA").record.product_id, part=StockRecord.objects.get(partner_sku="LID"))
    assert offered("TEA").free == 0


# --- no pool, no kits within kits ------------------------------------------------------------------------------------


def refused(write: Callable[[], Any]) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        write()
    return str(refusal.value)


def test_a_kit_gets_no_pool(tea: None) -> None:
    assert "TEA is a kit" in refused(lambda: factories.stock("TEA", SZ=1))
    assert "is a kit" in refused(lambda: factories.stock("tea", SZ=1)), "capitals make no difference"


def test_what_has_stock_becomes_no_kit(tea: None) -> None:
    pot, cup = (StockRecord.objects.get(partner_sku=sku) for sku in ("POT", "CUP"))
    assert "has stock of its own" in refused(lambda: KitPart.objects.create(kit=pot.product, part=cup))


def test_no_kit_within_a_kit(tea: None) -> None:
    tea_record = StockRecord.objects.get(partner_sku="TEA")
    outer = factories.product("BOX")
    assert "is a kit" in refused(lambda: KitPart.objects.create(kit=outer, part=tea_record))
    factories.product("LEAF")
    box = StockRecord.objects.get(partner_sku="BOX")
    KitPart.objects.create(kit=tea_record.product, part=box)
    leaf = StockRecord.objects.get(partner_sku="LEAF")
    assert "is a kit" in refused(lambda: KitPart.objects.create(kit=outer, part=leaf)), "BOX is part of one"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(6))
def test_who_makes_a_kit_and_who_brings_stock_at_once(turn: int) -> None:
    factories.product("A")
    kit, part = factories.product("KIT"), StockRecord.objects.get(partner_sku="A")
    factories.warehouse()

    def either(number: int) -> object:
        if (number + turn) % 2:
            return KitPart.objects.create(kit=kit, part=part)
        return factories.stock("KIT", SZ=1)

    results = at_once(either, 2)
    assert sum(isinstance(result, IntegrityError) for result in results) == 1, results
    assert KitPart.objects.exists() != Pool.objects.filter(sku="KIT").exists()


# --- placing ---------------------------------------------------------------------------------------------------------


def test_an_order_of_kits_is_written_in_parts(tea: None) -> None:
    order = buy(TEA=2)
    pot, cup = order.lines.order_by("pk")
    assert [(line.partner_sku, line.quantity, line.title) for line in (pot, cup)] == [
        ("POT", 2, "壶"),
        ("CUP", 8, "杯"),
    ]
    assert {(line.kit_number, line.kit_sku, line.kit_title, line.kit_quantity) for line in (pot, cup)} == {
        (1, "TEA", "Tea", 2)
    }
    assert order.total_incl_tax == pot.line_price_incl_tax + cup.line_price_incl_tax == Decimal("399.98")
    assert (pot.line_price_incl_tax, cup.line_price_incl_tax) == (Decimal("239.99"), Decimal("159.99"))
    assert (pot.tax_code, cup.tax_code) == ("VAT13", "VAT9"), "each part is taxed as it is by itself"
    assert {hold.pool_id: hold.open for hold in Hold.objects.all()} == {"POT": 2, "CUP": 8}
    sound()


def test_it_is_shown_as_one_thing_again(tea: None) -> None:
    factories.product("TRAY", price="30.00")
    factories.stock("TRAY", SZ=5)
    things = kits.bought(kits.awaiting(buy(TEA=2, TRAY=1).lines.order_by("pk")))
    assert [(thing.sku, thing.quantity, len(thing.lines), thing.is_kit) for thing in things] == [
        ("TEA", 2, 2, True),
        ("TRAY", 1, 1, False),
    ]
    assert (things[0].gross, things[0].ships_on) == (Decimal("399.98"), None)


def test_parcels_of_kits_are_parcels_of_goods(tea: None) -> None:
    order = buy(TEA=2)
    lifecycle.confirm_payment(order.number, actor="test")
    shipping.ship(order.number, warehouse=factories.warehouse(), actor="test")
    assert Order.objects.get().status == "shipped"
    assert {pool.sku: (pool.on_hand, pool.reserved) for pool in Pool.objects.all()} == {"POT": (8, 0), "CUP": (10, 0)}
    sound()


def test_a_kit_of_nothing_priced_is_shared_out_by_number(tea: None) -> None:
    StockRecord.objects.exclude(partner_sku="TEA").update(price=None)
    pot, cup = buy(TEA=1).lines.order_by("pk")
    assert (pot.line_price_incl_tax, cup.line_price_incl_tax) == (Decimal("40.00"), Decimal("159.99"))


def test_a_kit_and_its_part_in_one_order_are_promised_together(tea: None) -> None:
    buy(TEA=4, CUP=2)
    assert (Pool.objects.get(sku="CUP").free, offered("TEA").free) == (0, 0)
    with pytest.raises(OutOfStock) as gone:
        buy(CUP=1, TEA=1)
    assert gone.value.short == {"CUP": 0}
    sound()


def test_two_kits_that_share_a_part(tea: None) -> None:
    factories.kit("CUPS", {"CUP": 6}, price="120.00")
    with pytest.raises(OutOfStock):
        buy(TEA=4, CUPS=1)  # 16 + 6 of 18
    order = buy(TEA=3, CUPS=1)
    assert sorted(order.lines.values_list("kit_number", "partner_sku", "quantity")) == [
        (1, "CUP", 12), (1, "POT", 3), (2, "CUP", 6),
    ]  # fmt: skip
    assert Pool.objects.get(sku="CUP").free == 0


def test_the_product_that_is_short_is_named_as_it_was_ordered(tea: None) -> None:
    lines = kits.explode(factories.draft({"TEA": 5, "POT": 1}).lines, "CNY")
    named = {short.sku: (short.title, short.wanted, short.available) for short in kits.short_of(lines, {"CUP": 18})}
    assert named == {"TEA": ("Tea", 5, 4)}
    named = {short.sku: short.available for short in kits.short_of(lines, {"CUP": 3, "POT": 9})}
    assert named == {"TEA": 0, "POT": 9}


def test_a_discount_of_a_kit_comes_off_its_parts(tea: None) -> None:
    line = DraftLine("TEA", "Tea", 1, Decimal("199.99"), Decimal("33.33"), "VAT13", Decimal("0.13"))
    draft = factories.draft(order_discount=Decimal("6.66"))
    order = place(replace(draft, lines=(line,)))
    assert order.total_incl_tax == Decimal("160.00")
    assert sum(part.line_price_before_discounts_incl_tax for part in order.lines.all()) == Decimal("199.99")
    sound()


@pytest.mark.django_db(transaction=True)
def test_16_threads_on_a_kit_and_its_part(tea: None) -> None:
    factories.stock("CUP", SZ=22)  # 40 in all

    def shop(number: int) -> object:
        sold = 0
        for _ in range(4):
            try:
                buy(**{("TEA" if number % 2 else "CUP"): 1})
            except OutOfStock:
                continue
            sold += 4 if number % 2 else 1
        return sold

    results = at_once(shop, 16)
    assert all(isinstance(result, int) for result in results), results
    cup = Pool.objects.get(sku="CUP")
    assert cup.reserved == sum(results) <= 40  # type: ignore[arg-type]
    assert Pool.objects.get(sku="POT").reserved <= 10
    assert cup.free < 4 or Pool.objects.get(sku="POT").free == 0 or sum(results) == 32 + 32 * 4  # type: ignore[arg-type]
    sound()


# --- the price, shared out -------------------------------------------------------------------------------------------


class Part:
    """As much of a `KitPart` as sharing looks at."""

    def __init__(self, price: Decimal | None, quantity: int) -> None:
        self.part, self.quantity = StockRecord(price=price), quantity


@given(
    st.sampled_from(["CNY", "JPY", "BHD"]),
    st.integers(0, 10**8),
    st.lists(st.tuples(st.none() | st.integers(0, 10**6), st.integers(1, 50)), min_size=1, max_size=12),
    st.integers(0, 100),
)
@examples(max_examples=300, deadline=None, derandomize=True)
def test_shares_add_up_to_the_cent(currency: str, minor: int, parts: list[tuple[int | None, int]], off: int) -> None:
    unit = Decimal(1).scaleb(-exponent(currency))
    gross = minor * unit
    found = [Part(None if price is None else price * unit, units) for price, units in parts]
    shares = kits.shares(gross, found, currency)  # type: ignore[arg-type]
    assert sum(shares) == gross
    whole = sum((part.part.price or 0) * part.quantity for part in found)
    for part, share in zip(found, shares, strict=True):
        assert share >= 0 and share % unit == 0
        if whole:
            assert abs(share - gross * (part.part.price or 0) * part.quantity / whole) < unit
    discount = (gross * off / 100).quantize(unit)
    taken = kits.spread(discount, shares, currency)
    assert sum(taken) == discount and all(0 <= a <= b for a, b in zip(taken, shares, strict=True))


# --- documents and files from outside --------------------------------------------------------------------------------


def document(*entries: Entry) -> Document:
    return Document(
        "taobao", "TB-1", timezone.now(), "CNY", "buyer-7", factories.ADDRESS, False, entries, factories.warehouse().pk
    )


def test_a_marketplaces_document_may_name_a_kit(tea: None) -> None:
    taken = intake.take(
        document(Entry(1, "TEA", "Tea", 2, Decimal("199.99")), Entry(2, "TEA", "Tea", 9, Decimal("199.99")))
    )
    assert taken is not None and taken.refused == {1: "out of stock: 4 free", 2: "out of stock: 4 free"}


def test_what_of_it_can_be_had_is_taken(tea: None) -> None:
    taken = intake.take(document(Entry(1, "TEA", "Tea", 2, Decimal("199.99")), Entry(2, "TEA", "x", 3, Decimal(0))))
    assert taken is not None and taken.refused == {2: "a kit has no stock of its own"}
    assert {pool.sku: (pool.on_hand, pool.reserved) for pool in Pool.objects.all()} == {"POT": (8, 0), "CUP": (10, 0)}
    sound()


def test_a_file_of_prices_leaves_a_kit_one(tea: None) -> None:
    boss = User.objects.create_superuser("boss@weft.test", None)
    run = runs.bring("prices.csv", b"sku,price\nTEA,179.00\nCUP,26.00\n", actor="staff:test")
    runs.take(run.pk, actor="staff:test", user=boss.pk, leave_out=False)
    assert StockRecord.objects.get(partner_sku="TEA").price == Decimal("179.00")
    assert KitPart.objects.count() == 2 and offered("TEA").free == 4
