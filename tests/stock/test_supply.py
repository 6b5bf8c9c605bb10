"""Incoming supply: received once, whatever is clicked; dated anew; cancelled. And what may be promised by which day."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from integrations.hub.models import AccountState
from shop import invariants
from shop.stock import supply
from shop.stock.models import KitPart, Movement, Offered, Pool, Supply
from shop.stock.supply import Arrival, CannotChange, Stale, available
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def test_a_position_gives_its_sku_a_pool() -> None:
    factories.warehouse()
    row = supply.add(
        sku="NEW-1", warehouse_id=factories.warehouse().pk, quantity=5, expected_on=in_days(3), document="PO-1"
    )
    assert (row.open, Pool.objects.get(sku="NEW-1").on_hand) == (5, 0)


def test_a_kit_has_no_supply() -> None:
    factories.product("CUP")
    kit = factories.kit("SET", {"CUP": 2})
    assert KitPart.objects.get().kit == kit
    with pytest.raises(IntegrityError, match="is a kit"):
        supply.add(sku="SET", warehouse_id=factories.warehouse().pk, quantity=5, expected_on=in_days(3), document="PO")


def test_received_in_parts_each_with_its_movement() -> None:
    row = factories.supply(units=10)
    supply.receive(row.pk, 4, seen=0, actor="staff:li", note="two boxes wet")
    row = supply.receive(row.pk, 6, seen=4, actor="staff:li")
    assert (row.open, row.received, Pool.objects.get().on_hand) == (0, 10, 10)
    moves = Movement.objects.filter(document=f"supply:{row.pk}").order_by("pk")
    assert [(move.quantity, move.reason, move.actor) for move in moves] == [
        (4, "receipt", "staff:li"),
        (6, "receipt", "staff:li"),
    ]
    assert moves[0].note == f"{row.document} · two boxes wet"
    assert invariants.broken(invariants.I17) == invariants.broken(invariants.I2) == []


def test_a_second_click_receives_nothing() -> None:
    row = factories.supply(units=10)
    supply.receive(row.pk, 4, seen=0, actor="test")
    with pytest.raises(Stale):
        supply.receive(row.pk, 4, seen=0, actor="test")
    with pytest.raises(CannotChange) as refusal:
        supply.receive(row.pk, 7, seen=4, actor="test")
    assert (refusal.value.open, Pool.objects.get().on_hand) == (6, 4)


@pytest.mark.django_db(transaction=True)
def test_clicked_by_eight_at_once_it_is_received_once() -> None:
    row = factories.supply(units=10)
    results = at_once(lambda _: supply.receive(row.pk, 4, seen=0, actor="test"), 8)
    assert sum(isinstance(result, Supply) for result in results) == 1, results
    assert sum(isinstance(result, Stale) for result in results) == 7
    assert (Pool.objects.get().on_hand, Movement.objects.filter(quantity__gt=0).count()) == (4, 1)


def test_in_an_erps_warehouse_it_is_only_noted() -> None:
    erps = factories.warehouse("HZ", erp_account=factories.account("erp", state=AccountState.ACTIVE))
    row = supply.receive(factories.supply(units=10, warehouse=erps).pk, 10, seen=0, actor="test")
    assert (row.open, Pool.objects.get().on_hand) == (0, 0)
    assert not Movement.objects.filter(document=f"supply:{row.pk}").exists()
    assert invariants.broken(invariants.I17) == []


def test_what_is_cancelled_does_not_come() -> None:
    row = supply.cancel(factories.supply(units=10).pk, 4)
    assert (row.open, row.cancelled) == (6, 4)
    supply.receive(row.pk, 6, seen=0, actor="test")
    for change in (
        lambda: supply.cancel(row.pk, 1),
        lambda: supply.set_date(row.pk, in_days(1)),
        lambda: supply.receive(row.pk, 1, seen=6, actor="test"),
    ):
        with pytest.raises(CannotChange):
            change()


def test_what_is_sold_out_says_when_more_comes() -> None:
    factories.product("CHAIR-1")
    factories.supply(days=20)
    row = factories.supply(days=10)

    def expected() -> date | None:
        return Offered.objects.get().expected_on

    assert expected() == in_days(10)
    supply.set_date(row.pk, in_days(30))
    assert expected() == in_days(20)
    Supply.objects.exclude(pk=row.pk).update(expected_on=in_days(-1))
    assert expected() == in_days(30), "a day that is over is promised to nobody"
    assert [late.pk for late in supply.overdue()] == [Supply.objects.exclude(pk=row.pk).get().pk]
    factories.stock("CHAIR-1", SZ=1)
    assert expected() is None


def test_a_day_is_that_of_the_company() -> None:
    """Eight hours of it are another day in UTC, in which connections are."""
    with connection.cursor() as cursor:
        for zone in ("Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
            cursor.execute("SELECT set_config('weft.time_zone', %s, true)", [zone])
            cursor.execute("SELECT stock_today()")
            assert cursor.fetchone()[0] == timezone.localdate(timezone=ZoneInfo(zone))
        cursor.execute("SELECT set_config('weft.time_zone', '', true)")
        cursor.execute("SELECT stock_today()")
        assert cursor.fetchone()[0] == timezone.localdate()


def test_only_what_may_be_sold_is_expected() -> None:
    factories.product("CHAIR-1")
    factories.supply(warehouse=factories.warehouse("QC", is_sellable=False))
    assert Offered.objects.get().expected_on is None


# --- available to promise --------------------------------------------------------------------------------------------


def test_by_day() -> None:
    """3 free; 10 come, of which 4 are promised; then 5, of which 7 are promised."""
    arrivals = [Arrival(in_days(1), 10, 4), Arrival(in_days(9), 5, 7)]
    assert available(3, arrivals) == [3, 7, 7]
    assert available(0, []) == [0]


@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6),
    st.data(),
)
@examples(max_examples=300, deadline=None, derandomize=True)
def test_whoever_is_promised_what_is_available_takes_it_from_nobody(
    free: int, pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Promise everything that is available on one of the days: no later day that was covered falls below 0, and one
    unit more would make one fall."""
    arrivals = [Arrival(in_days(number), units, promised) for number, (units, promised) in enumerate(pairs)]
    found = available(free, arrivals)
    left = [free]
    for arrival in arrivals:
        left.append(left[-1] + arrival.units - arrival.promised)
    place = data.draw(st.integers(0, len(arrivals)))
    units = found[place]
    assert units >= 0 and found == sorted(found)
    assert units == 0 or all(rest - units >= 0 for rest in left[place:])
    assert any(rest - units - 1 < 0 for rest in left[place:])
