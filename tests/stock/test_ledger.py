"""The ledger: every change of a level is a movement, every missing unit a shortage, and the database says so too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from integrations.hub.models import Account
from shop import invariants
from shop.fulfilment import shipping
from shop.fulfilment.models import Sourcing
from shop.fulfilment.shipping import Left
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.order.place import place
from shop.partner.models import StockRecord
from shop.stock import holds, movements, readings
from shop.stock.holds import Shipped
from shop.stock.models import Cause, Hold, Level, Movement, Pool, Reason, Shortage, Warehouse
from shop.stock.movements import Move, NotOurs, NotThere
from shop.stock.readings import Figure
from tests import factories

pytestmark = pytest.mark.django_db

SKU = "CHAIR-1"


@pytest.fixture(autouse=True)
def _balanced() -> object:
    """Whatever a test did: the stock invariants hold afterwards."""
    yield
    assert [row for one in (invariants.I1, invariants.I2) for row in invariants.broken(one)] == []


def pool(sku: str = SKU) -> Pool:
    return Pool.objects.get(sku=sku)


def level(code: str = "SZ", sku: str = SKU) -> Level:
    return Level.objects.get(pool=sku, warehouse__code=code)


def move(quantity: int, reason: Reason = Reason.RECEIPT, *, code: str = "SZ", sku: str = SKU) -> Move:
    return Move(sku, factories.warehouse(code).pk, quantity, reason, "PO-1", "li", "note")


def record(*moves: Move) -> None:
    with transaction.atomic():
        movements.record(moves)


def count(found: int, code: str = "SZ") -> int:
    with transaction.atomic():
        return movements.count(SKU, factories.warehouse(code).pk, found, actor="li", note="yearly")


def released(quantity: int = 1, **fields: object) -> Order:
    return factories.order({SKU: quantity}, payment_method=PaymentMethod.ON_ACCOUNT, **fields)


def shortage() -> Shortage:
    return Shortage.objects.get(closed_at=None)


def erp(*codes: str) -> Account:
    account = factories.account("erp")
    Warehouse.objects.filter(code__in=codes).update(erp_account=account)
    return account


def read(account: Account, **figures: int) -> readings.Applied:
    return readings.apply(readings.start(account), [Figure(SKU, code, units) for code, units in figures.items()])


# --- movements -------------------------------------------------------------------------------------------------------


def test_a_movement_moves_level_pool_and_revision() -> None:
    record(move(5), move(3), move(-2, Reason.DAMAGE), move(4, code="HZ"))
    assert (pool().on_hand, level().on_hand, level("HZ").on_hand) == (10, 6, 4)
    assert level().on_hand_rev == 1, "one statement, one rise"
    record(move(1))
    assert level().on_hand_rev == 2
    last = Movement.objects.first()
    assert last is not None
    assert (last.quantity, last.reason, last.document, last.actor, last.note) == (1, "receipt", "PO-1", "li", "note")


def test_nothing_to_record_is_nothing() -> None:
    record()
    assert not Movement.objects.exists()


def test_a_level_of_ours_never_falls_below_zero() -> None:
    record(move(5))
    with pytest.raises(NotThere, match=SKU):
        record(move(-6, Reason.DAMAGE))
    assert (level().on_hand, Movement.objects.count()) == (5, 1)


def test_an_erp_level_may_be_below_zero() -> None:
    record(move(5))
    erp("SZ")
    record(move(-6, Reason.COUNT))
    assert (level().on_hand, pool().on_hand, pool().shortage) == (-1, -1, 1)
    record(move(6))
    assert pool().shortage == 0


def test_staff_do_not_move_what_an_erp_owns() -> None:
    record(move(5))
    erp("SZ")
    with pytest.raises(NotOurs, match="SZ"):
        movements.by_staff([move(1)])
    with pytest.raises(NotOurs):
        count(4)
    movements.by_staff([move(1, code="HZ")])
    assert (level().on_hand, level("HZ").on_hand) == (5, 1)


def test_a_count_writes_the_difference() -> None:
    record(move(5))
    assert [count(7), count(7), count(3)] == [2, 0, -4]
    assert list(Movement.objects.filter(reason="count").order_by("pk").values_list("quantity", flat=True)) == [2, -4]
    assert count(2, "HZ") == 2, "where there was no level yet"


def test_what_may_not_be_sold_is_not_in_the_pool() -> None:
    factories.warehouse("QC", is_sellable=False)
    record(move(5), move(7, code="QC"))
    assert (pool().on_hand, level("QC").on_hand) == (5, 7)
    with pytest.raises(holds.OutOfStock):
        released(6)
    released(5)
    with transaction.atomic():
        holds.consume([Shipped(SKU, Warehouse.objects.get(code="QC").pk, 2, None)], document="x", actor="li")
    assert (pool().on_hand, level("QC").on_hand, pool().shortage) == (5, 5, 0)


# --- what the database itself refuses --------------------------------------------------------------------------------


def refused(statement: str) -> str:
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return str(error.value)


def test_the_database_keeps_the_ledger() -> None:
    record(move(5))
    factories.product("LAMP-1")
    assert "append-only" in refused("UPDATE stock_movement SET quantity = 6")
    assert "append-only" in refused("DELETE FROM stock_movement")
    assert "never reused" in refused("DELETE FROM stock_pool")
    assert "a level stays" in refused("DELETE FROM stock_level")
    assert "never edited" in refused("UPDATE partner_stockrecord SET partner_sku = 'LAMP-2'")
    assert '"I1"' in refused("UPDATE stock_pool SET reserved = 6")
    assert '"I1"' in refused("UPDATE stock_pool SET reserved = -1")
    assert '"I1"' in refused("UPDATE stock_pool SET on_hand = -1")
    assert '"I1"' in refused("UPDATE stock_pool SET shortage = -1")


def test_the_database_keeps_holds_from_being_overdrawn() -> None:
    record(move(5))
    released(2)
    assert "hold_not_overdrawn" in refused("UPDATE stock_hold SET released = 2, consumed = 1")


def test_a_sku_is_unique_in_any_case() -> None:
    record(move(5))
    with pytest.raises(IntegrityError), transaction.atomic():
        Pool.objects.create(sku=SKU.lower())
    factories.product("LAMP-1")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.product("lamp-1", title="x")
    assert StockRecord.objects.get().partner_sku == "LAMP-1", "its case is kept"


def test_pools_are_not_deleted() -> None:
    record(move(5))
    with pytest.raises(NotImplementedError):
        pool().delete()


# --- shortages -------------------------------------------------------------------------------------------------------


def test_a_count_that_finds_less_opens_adjusts_and_closes_a_shortage() -> None:
    record(move(5))
    first, second = released(2), released(3)
    count(4)
    assert (shortage().quantity, shortage().cause, shortage().provisional) == (1, Cause.COUNT, False)
    assert shortage().orders == [second.number], "the newest promise suffers"
    count(1)
    assert (shortage().quantity, shortage().orders) == (4, [second.number, first.number])
    with pytest.raises(holds.OutOfStock):
        released(1)
    count(5)
    assert Shortage.objects.get().closed_at is not None
    assert pool().shortage == 0


def test_damage_is_named() -> None:
    record(move(1))
    released()
    record(move(-1, Reason.DAMAGE))
    assert shortage().cause == Cause.DAMAGE


def test_a_cancellation_lowers_a_shortage() -> None:
    record(move(5))
    released(2)
    last = released(3)
    count(1)
    lifecycle.cancel(last.number, actor="li")
    assert (pool().reserved, pool().shortage, shortage().quantity) == (2, 1, 1)


def test_a_shortage_seen_by_a_reading_is_provisional_until_it_stands() -> None:
    record(move(5))
    account = erp("SZ")
    released(5)
    read(account, SZ=3)
    assert (shortage().quantity, shortage().cause, shortage().provisional) == (2, Cause.READING, True)
    assert readings.confirm_standing(account, shortage().opened_by_reading) == 0, "not by the reading that saw it"
    later = readings.start(account)
    assert readings.confirm_standing(account, later.seq) == 0, "this reading has not said anything yet"
    readings.apply(later, [readings.Figure(shortage().pool_id, "SZ", 3)])
    assert readings.confirm_standing(account, later.seq) == 1
    assert (shortage().provisional, shortage().confirmed_at is not None) == (False, True)


def test_a_shortage_that_a_shipment_explains_is_never_confirmed() -> None:
    record(move(2))
    account = erp("SZ")
    order = released(2)
    read(account, SZ=0)
    assert shortage().provisional
    learn(account, order, 2)
    begun = readings.start(account)
    assert pool().on_hand == -2, "taken off though the reading had it already: it undersells until the next"
    readings.apply(begun, [Figure(SKU, "SZ", 0)])
    assert readings.confirm_standing(account, begun.seq) == 0
    assert not Shortage.objects.filter(closed_at=None).exists()
    assert (pool().on_hand, pool().reserved) == (0, 0)


def test_what_lowers_a_provisional_shortage_does_not_confirm_it() -> None:
    record(move(5))
    account = erp("SZ")
    released(2)
    last = released(3)
    read(account, SZ=1)
    assert shortage().quantity == 4
    lifecycle.cancel(last.number, actor="li")
    assert (shortage().quantity, shortage().provisional) == (1, True)


def test_what_raises_a_provisional_shortage_by_itself_confirms_it() -> None:
    record(move(5), move(5, code="HZ"))
    account = erp("SZ")
    released(10)
    read(account, SZ=4)
    assert shortage().provisional
    count(3, "HZ")
    assert (shortage().quantity, shortage().provisional, shortage().confirmed_at is not None) == (3, False, True)


# --- readings --------------------------------------------------------------------------------------------------------


def test_a_reading_sets_its_own_levels_and_no_others() -> None:
    record(move(5), move(5, code="HZ"))
    account = erp("SZ")
    read(account, SZ=8, HZ=99)
    assert (level().on_hand, level("HZ").on_hand, pool().on_hand) == (8, 5, 13)
    assert level().on_hand_rev == 1, "a reading is no change of ours"
    assert Movement.objects.first().document.startswith("reading:")  # type: ignore[union-attr]


def test_what_the_erp_does_not_name_is_zero_and_what_we_do_not_know_is_left_alone() -> None:
    record(move(5))
    account = erp("SZ")
    begun = readings.start(account)
    applied = readings.apply(begun, [Figure("NOBODY", "SZ", 7), Figure("NOBODY-2", "XX", 7)])
    assert (applied.rows, applied.changed, applied.refused, applied.unknown) == (1, 1, 0, 1)
    assert level().on_hand == 0
    assert not Pool.objects.filter(sku__startswith="NOBODY").exists()


def test_a_reading_makes_a_level_where_there_was_none() -> None:
    record(move(5))
    factories.warehouse("HZ")
    account = erp("HZ")
    assert read(account, HZ=4).changed == 1
    assert pool().on_hand == 9


def test_a_reading_is_refused_where_something_changed_meanwhile() -> None:
    record(move(5))
    account = erp("SZ")
    begun = readings.start(account)
    record(move(1))
    assert readings.apply(begun, [Figure(SKU, "SZ", 5)]).refused == 1
    assert level().on_hand == 6


def test_an_outrun_reading_is_refused() -> None:
    record(move(5))
    account = erp("SZ")
    first, second = readings.start(account), readings.start(account)
    assert readings.apply(second, [Figure(SKU, "SZ", 3)]).changed == 1
    assert readings.apply(first, [Figure(SKU, "SZ", 5)]).refused == 1
    assert level().on_hand == 3


# --- shipments -------------------------------------------------------------------------------------------------------


def learn(account: Account, order: Order, *units: int, sku: str = SKU, key: str = "1", code: str = "SZ") -> bool:
    return shipping.learn(
        account,
        key=key,
        number=f"OUT{key}",
        order_number=order.number,
        at=timezone.now(),
        left=[Left(sku, code, n) for n in units],
    )


def test_a_shipment_is_learned_once() -> None:
    record(move(5))
    account = erp("SZ")
    order = released(3)
    assert [learn(account, order, 2), learn(account, order, 2)] == [True, False]
    assert (pool().on_hand, pool().reserved, level().on_hand_rev) == (3, 1, 2)
    assert learn(account, order, 1, key="2")
    assert (pool().on_hand, pool().reserved) == (2, 0)
    assert Order.objects.get().status == Status.SHIPPED


def test_an_order_that_is_not_ours_is_not_learned() -> None:
    account = erp("SZ")
    assert not learn(account, Order(number="NOBODY"), 1)


def test_more_than_was_promised_takes_from_what_is_free_and_then_is_a_shortage() -> None:
    record(move(5))
    account = erp("SZ")
    order, other = released(1), released(3)
    learn(account, order, 2)
    assert (pool().on_hand, pool().reserved, pool().shortage) == (3, 3, 0)
    learn(account, order, 1, key="2")
    assert (pool().on_hand, pool().reserved, pool().shortage) == (2, 3, 1)
    assert (shortage().cause, shortage().orders) == (Cause.SHIPPED, [other.number])


def test_a_sku_weft_does_not_know_does_not_stop_the_news() -> None:
    """A clerk put a gift into the parcel that the shop has never heard of."""
    record(move(5))
    account = erp("SZ")
    order = released(1)
    assert shipping.learn(
        account,
        key="1",
        number="OUT1",
        order_number=order.number,
        at=timezone.now(),
        left=[Left(SKU, "SZ", 1), Left("GIFT", "SZ", 1)],
    )
    assert (pool().on_hand, pool().reserved) == (4, 0)
    assert sorted(order.parcels.get().lines.values_list("sku", flat=True)) == [SKU, "GIFT"]
    assert not Pool.objects.filter(sku="GIFT").exists()


def test_staff_do_not_ship_what_is_not_there() -> None:
    """Sourced from SZ, and then a count found SZ empty: the parcel cannot have left from there."""
    factories.warehouse("HZ", priority=9)
    record(move(2), move(2, code="HZ"))
    order = released(2)
    count(1)
    with pytest.raises(NotThere):
        shipping.ship(order.number, warehouse=Warehouse.objects.get(code="SZ"), actor="li")
    assert (level().on_hand, pool().reserved, Order.objects.get().status) == (1, 2, Status.ON_ACCOUNT)


def test_staff_do_not_ship_what_was_cancelled() -> None:
    """One part left, the rest was cancelled: there is nothing more to ship."""
    factories.warehouse("HZ", priority=9)
    record(move(1), move(1, code="HZ"))
    order = released(2)
    shipping.ship(order.number, warehouse=Warehouse.objects.get(code="SZ"), actor="li")
    lifecycle.cancel(order.number, actor="li")
    order.refresh_from_db()
    assert (order.status, order.needs_return, pool().reserved) == (Status.PARTLY_SHIPPED, True, 0)
    with pytest.raises(shipping.NothingToShip):
        shipping.ship(order.number, warehouse=Warehouse.objects.get(code="HZ"), actor="li")
    assert pool().on_hand == 1


def two_lines_from_two_warehouses() -> Order:
    factories.warehouse("SZ", priority=1)
    factories.warehouse("HZ", priority=2)
    record(move(1), move(1, code="HZ"))
    draft = factories.draft({SKU: 1}, payment_method=PaymentMethod.ON_ACCOUNT)
    factories.china()
    return place(replace(draft, lines=draft.lines * 2))


def test_two_lines_of_one_sku_leave_from_where_each_was_sourced() -> None:
    order = two_lines_from_two_warehouses()
    for code in ("HZ", "SZ"):
        shipping.ship(order.number, warehouse=Warehouse.objects.get(code=code), actor="li")
        with pytest.raises((shipping.NothingToShip, lifecycle.IllegalMove)):
            shipping.ship(order.number, warehouse=Warehouse.objects.get(code=code), actor="li")
    assert (pool().on_hand, pool().reserved, level("HZ").on_hand, level("SZ").on_hand) == (0, 0, 0, 0)
    assert Order.objects.get().status == Status.SHIPPED


def test_two_lines_of_one_sku_are_learned_as_each_was_sourced() -> None:
    order = two_lines_from_two_warehouses()
    account = erp("SZ", "HZ")
    learn(account, order, 1, code="HZ")
    assert list(Sourcing.objects.order_by("line").values_list("warehouse__code", "shipped")) == [("SZ", 0), ("HZ", 1)]
    learn(account, order, 1, key="2", code="HZ")  # the ERP took the other one from there as well
    assert (pool().on_hand, pool().reserved, level("HZ").on_hand) == (0, 0, -1)
    assert Order.objects.get().status == Status.SHIPPED


@pytest.mark.parametrize("times", [1, 3])
def test_releasing_again_changes_nothing(times: int) -> None:
    record(move(5))
    order = factories.order({SKU: 3})
    freed: list[int] = []
    call: Callable[[], None] = lambda: freed.append(holds.release(order.pk))  # noqa: E731
    for _ in range(times):
        with transaction.atomic():
            call()
    assert freed == [3, 0, 0][:times]
    assert (pool().reserved, Hold.objects.get().open) == (0, 0)
