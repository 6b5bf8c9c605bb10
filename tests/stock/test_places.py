"""Goods set apart and elsewhere: never in the pool, never lost between two places; and places are made once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from shop import invariants
from shop.fulfilment.models import Sourcing
from shop.order.models import PaymentMethod
from shop.stock import holds, movements, places
from shop.stock.models import Cause, Kind, Level, Movement, Pool, Reason, Shortage, Warehouse
from shop.stock.movements import NotOurs, NotThere
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db
SKU = "CHAIR-1"
_numbers = count()
SAID = {"actor": "staff:li@weft.test", "note": "wet"}


def broken() -> list[object]:
    return [row for one in (invariants.I1, invariants.I2) for row in invariants.broken(one)]


@pytest.fixture(autouse=True)
def _balanced() -> object:
    yield
    assert broken() == []


@pytest.fixture
def shelf() -> Warehouse:
    factories.stock(SKU, SZ=10)
    return Warehouse.objects.get(code="SZ")


def levels(sku: str = SKU) -> dict[str, int]:
    return dict(Level.objects.filter(pool=sku).values_list("warehouse__code", "on_hand"))


def free() -> int:
    return Pool.objects.get(sku=SKU).free


def set_aside(shelf: Warehouse, units: int, sku: str = SKU) -> Warehouse:
    with transaction.atomic():
        damaged = places.apart(shelf, Kind.DAMAGED)
        movements.by_staff(places.moves(sku, shelf.pk, damaged.pk, units, Reason.SET_ASIDE, **SAID))
    return damaged


def hold(shelf: Warehouse, units: int) -> Warehouse:
    with transaction.atomic():
        return places.hold(SKU, shelf, units, **SAID)


def test_damaged_goods_leave_the_pool_and_stay_in_the_house(shelf: Warehouse) -> None:
    damaged = set_aside(shelf, 3)
    assert (free(), levels()) == (7, {"SZ": 7, "SZ-D": 3})
    assert (damaged.kind, damaged.parent, damaged.is_sellable) == (Kind.DAMAGED, shelf, False)
    moved = Movement.objects.filter(reason=Reason.SET_ASIDE).order_by("quantity")
    assert [(move.quantity, move.actor, move.note) for move in moved] == [
        (-3, "staff:li@weft.test", "wet"), (3, "staff:li@weft.test", "wet"),
    ]  # fmt: skip


def test_a_place_is_made_once_and_named_in_the_companys_language(shelf: Warehouse) -> None:
    first, second = set_aside(shelf, 1), set_aside(shelf, 1)
    assert first == second
    assert first.name == "SZ · 残次品"
    quality = hold(shelf, 1)
    assert (quality.code, quality.name) == ("SZ-Q", "SZ · 质检冻结")
    assert places.apart(quality, Kind.DAMAGED) == first, "goods on hold turn out damaged in the same house"


def test_a_taken_code_is_not_taken_again(shelf: Warehouse) -> None:
    factories.warehouse("SZ-D")
    assert set_aside(shelf, 1).code == "SZ-D2"


def test_quality_hold_and_back(shelf: Warehouse) -> None:
    quality = hold(shelf, 4)
    assert (free(), levels()) == (6, {"SZ": 6, "SZ-Q": 4})
    with transaction.atomic():
        assert places.release(SKU, quality, 4, **SAID) == shelf
    assert (free(), levels()) == (10, {"SZ": 10, "SZ-Q": 0})
    reasons = list(Movement.objects.exclude(reason=Reason.OPENING).order_by("pk").values_list("reason", flat=True))
    assert reasons == [Reason.QUALITY_HOLD] * 2 + [Reason.QUALITY_PASSED] * 2


def test_moving_elsewhere_and_back(shelf: Warehouse) -> None:
    road = Warehouse.objects.create(code="ROAD", name="Road", kind=Kind.TRANSIT, is_sellable=False)
    with transaction.atomic():
        places.move(SKU, shelf, road, 6, **SAID)
    assert (free(), levels()) == (4, {"SZ": 4, "ROAD": 6})
    with transaction.atomic():
        places.move(SKU, road, factories.warehouse("HZ"), 5, **SAID)
    assert (free(), levels()) == (9, {"SZ": 4, "ROAD": 1, "HZ": 5})


def test_between_two_shelves_the_pool_stays(shelf: Warehouse) -> None:
    order = factories.order({SKU: 10})
    with transaction.atomic():
        places.move(SKU, shelf, factories.warehouse("HZ"), 10, **SAID)
    pool = Pool.objects.get(sku=SKU)
    assert (pool.on_hand, pool.reserved, pool.shortage) == (10, 10, 0)
    assert not Shortage.objects.exists(), order.number


@pytest.mark.parametrize("kind", [Kind.DAMAGED, Kind.QUALITY])
def test_goods_are_set_apart_by_their_own_actions_only(shelf: Warehouse, kind: Kind) -> None:
    with pytest.raises(ValueError, match="not where goods are moved to"):
        places.move(SKU, shelf, places.apart(shelf, kind), 1, **SAID)
    with pytest.raises(ValueError, match="not where goods are moved to"):
        places.move(SKU, shelf, shelf, 1, **SAID)


def refused_move(shelf: Warehouse, units: int) -> None:
    with transaction.atomic():
        places.hold(SKU, shelf, units, **SAID)


def test_more_than_there_is_moves_nothing(shelf: Warehouse) -> None:
    with pytest.raises(NotThere) as refusal:
        refused_move(shelf, 11)
    assert refusal.value.skus == (SKU,)
    assert levels() == {"SZ": 10}
    assert not Warehouse.objects.filter(kind=Kind.QUALITY).exists(), "nor is a place made for nothing"


def test_an_erps_figures_are_not_moved(shelf: Warehouse) -> None:
    road = Warehouse.objects.create(code="ROAD", name="Road", kind=Kind.TRANSIT, is_sellable=False)
    Warehouse.objects.filter(pk=shelf.pk).update(erp_account=factories.account("erp"))
    shelf.refresh_from_db()
    for call in (lambda: refused_move(shelf, 1), lambda: places.move(SKU, road, shelf, 1, **SAID)):
        with pytest.raises(NotOurs):
            call()
    assert not Warehouse.objects.filter(parent=shelf).exists()


@pytest.mark.parametrize(
    ("move", "cause"),
    [(lambda shelf: set_aside(shelf, 4), Cause.DAMAGE), (lambda shelf: hold(shelf, 4), Cause.MOVED)],
)
def test_what_was_promised_and_is_set_apart_is_short(
    shelf: Warehouse, move: Callable[[Warehouse], Warehouse], cause: Cause
) -> None:
    order = factories.order({SKU: 8})
    place = move(shelf)
    shortage = Shortage.objects.get()
    assert (shortage.quantity, shortage.cause, shortage.orders) == (2, cause, [order.number])
    with pytest.raises(holds.OutOfStock):
        factories.order({SKU: 1})
    with transaction.atomic():
        movements.by_staff(places.moves(SKU, place.pk, shelf.pk, 4, Reason.MOVED, **SAID))
    assert Shortage.objects.get().closed_at is not None


def test_no_order_is_sourced_where_goods_are_set_apart(shelf: Warehouse) -> None:
    set_aside(shelf, 5)
    hold(shelf, 3)
    factories.order({SKU: 2}, payment_method=PaymentMethod.ON_ACCOUNT)
    assert list(Sourcing.objects.values_list("warehouse__code", "quantity")) == [("SZ", 2)]
    with pytest.raises(holds.OutOfStock):
        factories.order({SKU: 1}, payment_method=PaymentMethod.ON_ACCOUNT)


# --- what the database itself refuses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"kind": Kind.TRANSIT, "is_sellable": True}, "only_shelves_sell"),
        ({"kind": Kind.DAMAGED}, "set_apart_somewhere"),
        ({"kind": Kind.SUPPLIER, "has_parent": True}, "set_apart_somewhere"),
        ({"kind": Kind.SHELF, "has_parent": True}, "set_apart_somewhere"),
    ],
)
def test_what_a_place_cannot_be(shelf: Warehouse, fields: dict[str, object], constraint: str) -> None:
    given_ = {"code": "X", "name": "X", "is_sellable": False, **fields}
    parent = shelf if given_.pop("has_parent", False) else None
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Warehouse.objects.create(parent=parent, **given_)


def test_one_place_of_each_kind(shelf: Warehouse) -> None:
    hold(shelf, 1)
    with pytest.raises(IntegrityError, match="one_place_of_a_kind"), transaction.atomic():
        Warehouse.objects.create(code="X", name="X", parent=shelf, kind=Kind.QUALITY, is_sellable=False)


# --- whatever happens, and at once -----------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.sampled_from(["aside", "hold", "release", "road", "back", "promise"]), st.integers(1, 9)), max_size=14
)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_nothing_is_lost_between_places(steps: list[tuple[str, int]]) -> None:
    """Any sequence of moves, refused ones included: the units stay, the pool is what lies on shelves."""
    sku = f"A{next(_numbers)}"
    factories.stock(sku, SZ=12, HZ=5)
    shelf, other = (Warehouse.objects.get(code=code) for code in ("SZ", "HZ"))
    road = factories.warehouse("ROAD", kind=Kind.TRANSIT, is_sellable=False)
    quality = places.apart(shelf, Kind.QUALITY)
    does: dict[str, Callable[[int], object]] = {
        "aside": lambda units: set_aside(shelf, units, sku),
        "hold": lambda units: places.hold(sku, shelf, units, **SAID),
        "release": lambda units: places.release(sku, quality, units, **SAID),
        "road": lambda units: places.move(sku, other, road, units, **SAID),
        "back": lambda units: places.move(sku, road, shelf, units, **SAID),
    }
    promised = 0
    for step, units in steps:
        try:
            if step == "promise":
                factories.order({sku: units})
                promised += units
            else:
                with transaction.atomic():
                    does[step](units)
        except (NotThere, holds.OutOfStock):
            continue
    there, pool = levels(sku), Pool.objects.get(sku=sku)
    assert sum(there.values()) == 17
    assert (pool.on_hand, pool.reserved) == (there["SZ"] + there["HZ"], promised)
    assert broken() == []


@pytest.mark.django_db(transaction=True)
def test_a_place_is_made_once_by_many_at_once() -> None:
    factories.stock(SKU, SZ=20)
    shelf = Warehouse.objects.get(code="SZ")
    results = at_once(lambda number: (set_aside if number % 2 else hold)(shelf, 1), 12)
    assert [result for result in results if not isinstance(result, Warehouse)] == []
    assert sorted(Warehouse.objects.values_list("code", flat=True)) == ["SZ", "SZ-D", "SZ-Q"]
    assert (free(), levels()) == (8, {"SZ": 8, "SZ-D": 6, "SZ-Q": 6})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stock_movement WHERE reason IN ('set_aside', 'quality_hold')")
        assert cursor.fetchone() == (24,)
