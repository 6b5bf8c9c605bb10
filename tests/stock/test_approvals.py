"""Large changes need two people: what is proposed moves nothing, is decided once, by somebody else, and stays."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test.utils import override_settings
from hypothesis import given
from hypothesis import strategies as st

from shop import invariants
from shop.customer.groups import ensure_groups
from shop.customer.models import User
from shop.order.models import Order
from shop.stock import approvals, movements, pending, places
from shop.stock.approvals import Decided, OwnWork, Person, Wish
from shop.stock.holds import OutOfStock
from shop.stock.models import Kind, Level, Movement, Pool, Proposal, Reason, Shortage, Warehouse
from shop.stock.movements import NotOurs, NotThere
from shop.stock.pending import CountWaits
from shop.stock.proposal_models import Change, Decision
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db
SKU = "CHAIR-1"


@pytest.fixture(autouse=True)
def _balanced() -> object:
    yield
    assert [row for one in (invariants.I1, invariants.I2, invariants.I16) for row in invariants.broken(one)] == []


def somebody(name: str, **fields: Any) -> Person:
    user = User.objects.create_user(f"{name}@weft.test", is_staff=True, **fields)
    return Person(user.pk, f"staff:{user.email}")


@pytest.fixture
def li(db: None) -> Person:
    return somebody("li", is_superuser=True)


@pytest.fixture
def boss(db: None) -> Person:
    return somebody("boss")


@pytest.fixture
def shelf() -> Warehouse:
    factories.stock(SKU, SZ=500)
    return Warehouse.objects.get(code="SZ")


def adjust(person: Person, units: int, change: Change = Change.DAMAGE, **fields: Any) -> Proposal | None:
    wish = Wish(SKU, Warehouse.objects.get(code="SZ").pk, units, change, "flood", **fields)
    with transaction.atomic():
        return approvals.adjust(wish, person)


def proposed(person: Person, units: int, change: Change = Change.DAMAGE, **fields: Any) -> Proposal:
    made = adjust(person, units, change, **fields)
    assert made
    return made


def count(person: Person, found: int) -> approvals.Counted:
    with transaction.atomic():
        return approvals.count(SKU, Warehouse.objects.get(code="SZ").pk, found, person, "yearly")


def on_hand(code: str = "SZ") -> int:
    return Level.objects.get(pool=SKU, warehouse__code=code).on_hand


# --- when ------------------------------------------------------------------------------------------------------------


@given(units=st.integers(-10_000, 10_000), price=st.decimals("0.01", "500", places=2),
       most=st.integers(0, 5_000), worth=st.integers(0, 100_000))  # fmt: skip
def test_a_limit_is_exceeded_by_units_or_by_value_and_0_is_no_limit(
    units: int, price: Decimal, most: int, worth: int
) -> None:
    with override_settings(WEFT_APPROVE_UNITS=most, WEFT_APPROVE_VALUE=Decimal(worth)):
        large = approvals.too_large(units, {"CNY": units * price})
    assert large == ((most > 0 and abs(units) > most) or (worth > 0 and abs(units) * price > worth))


def test_small_changes_are_written_at_once(shelf: Warehouse, li: Person) -> None:
    assert adjust(li, -100) is None
    assert on_hand() == 400
    assert count(li, 405).difference == 5
    assert on_hand() == 405
    assert not Proposal.objects.exists()


def test_the_price_counts_where_there_is_one(shelf: Warehouse, li: Person) -> None:
    assert adjust(li, -51, Change.ADJUSTMENT) is None
    factories.product(SKU, price="100.00")
    assert adjust(li, -50, Change.ADJUSTMENT) is None
    made = proposed(li, -51, Change.ADJUSTMENT)
    assert (made.value, made.currency) == (Decimal("-5100.0000"), "CNY")


@override_settings(WEFT_APPROVE_UNITS=0, WEFT_APPROVE_VALUE=Decimal(0))
def test_without_limits_nothing_is_proposed(shelf: Warehouse, li: Person) -> None:
    assert adjust(li, -500) is None
    assert on_hand() == 0


def test_what_cannot_be_is_not_proposed(shelf: Warehouse, li: Person) -> None:
    with pytest.raises(NotThere):
        adjust(li, -501)
    Warehouse.objects.update(erp_account=factories.account("erp"))
    with pytest.raises(NotOurs):
        adjust(li, -200)
    with pytest.raises(NotOurs):
        count(li, 10)
    assert not Proposal.objects.exists()


# --- deciding --------------------------------------------------------------------------------------------------------


def test_nothing_moves_before_somebody_else_approves(shelf: Warehouse, li: Person, boss: Person) -> None:
    made = proposed(li, -150)
    assert (on_hand(), list(approvals.waiting())) == (500, [made])
    approvals.approve(made.pk, boss, "seen it")
    assert (on_hand(), Pool.objects.get().on_hand, list(approvals.waiting())) == (350, 350, [])
    move = Movement.objects.get(document=made.document)
    assert (move.quantity, move.reason, move.actor, move.note) == (
        -150, Reason.DAMAGE, "staff:boss@weft.test", "li@weft.test: flood",
    )  # fmt: skip
    made.refresh_from_db()
    assert (made.state, made.decided_by, made.answer) == (Decision.APPROVED, "staff:boss@weft.test", "seen it")
    assert made.decided_at is not None


def test_a_long_note_keeps_the_names(shelf: Warehouse, li: Person, boss: Person) -> None:
    wish = Wish(SKU, shelf.pk, -150, Change.DAMAGE, "x" * 255)
    with transaction.atomic():
        made = approvals.adjust(wish, li)
    assert made
    approvals.approve(made.pk, boss)
    assert Movement.objects.get(document=made.document).note.startswith("li@weft.test: xxx")
    assert made.note == "x" * 255


def test_refused_moves_nothing_and_stays(shelf: Warehouse, li: Person, boss: Person) -> None:
    made = proposed(li, -150)
    approvals.refuse(made.pk, boss, "look again")
    made.refresh_from_db()
    assert (on_hand(), made.state, made.answer) == (500, Decision.REFUSED, "look again")
    with pytest.raises(DatabaseError, match="stays"), transaction.atomic():
        made.delete()


@pytest.mark.parametrize("decide", [approvals.approve, approvals.refuse])
def test_nobody_decides_about_their_own(
    shelf: Warehouse, li: Person, boss: Person, decide: Callable[[int, Person, str], Proposal]
) -> None:
    """Not even a superuser; nor could the database keep it."""
    made = proposed(li, -150)
    with pytest.raises(OwnWork):
        decide(made.pk, li, "")
    assert (on_hand(), Proposal.objects.get().state) == (500, Decision.WAITING)
    with pytest.raises(IntegrityError, match="decided_by_somebody_else"), transaction.atomic():
        Proposal.objects.update(state=Decision.APPROVED, decider=li.pk)
    decide(made.pk, boss, "")
    for again in (approvals.approve, approvals.refuse):
        with pytest.raises(Decided):
            again(made.pk, boss, "")


def test_a_name_that_changed_is_still_the_same_person(shelf: Warehouse, li: Person) -> None:
    made = proposed(li, -150)
    User.objects.filter(pk=li.pk).update(email="other@weft.test")
    with pytest.raises(OwnWork):
        approvals.approve(made.pk, Person(li.pk, "staff:other@weft.test"))


def test_setting_aside_goes_to_its_place_when_it_is_approved(shelf: Warehouse, li: Person, boss: Person) -> None:
    with transaction.atomic():
        damaged = places.apart(shelf, Kind.DAMAGED)
    made = proposed(li, -150, Change.SET_ASIDE, destination_id=damaged.pk)
    assert not Level.objects.filter(warehouse=damaged).exists()
    approvals.approve(made.pk, boss)
    assert (on_hand(), on_hand("SZ-D"), Pool.objects.get().on_hand) == (350, 150, 350)
    assert Movement.objects.filter(document=made.document, reason=Reason.SET_ASIDE).count() == 2


def test_below_zero_by_now_it_still_waits(shelf: Warehouse, li: Person, boss: Person) -> None:
    made = proposed(li, -450)
    factories.stock(SKU, SZ=-100)
    with pytest.raises(NotThere):
        approvals.approve(made.pk, boss)
    made.refresh_from_db()
    assert (on_hand(), made.state, made.decider_id) == (400, Decision.WAITING, None)
    factories.stock(SKU, SZ=100)
    approvals.approve(made.pk, boss)
    assert on_hand() == 50


def test_an_erps_by_now_it_still_waits(shelf: Warehouse, li: Person, boss: Person) -> None:
    made = proposed(li, -150)
    Warehouse.objects.update(erp_account=factories.account("erp"))
    with pytest.raises(NotOurs):
        approvals.approve(made.pk, boss)
    made.refresh_from_db()
    assert made.state == Decision.WAITING
    Warehouse.objects.update(erp_account=None)


def test_what_was_promised_meanwhile_is_short(shelf: Warehouse, li: Person, boss: Person) -> None:
    made = proposed(li, -450)
    order = factories.order({SKU: 100})
    approvals.approve(made.pk, boss)
    assert (Shortage.objects.get().quantity, Shortage.objects.get().orders) == (50, [order.number])


# --- counts ----------------------------------------------------------------------------------------------------------


def test_a_count_writes_its_own_difference_whatever_moved_meanwhile(shelf: Warehouse, li: Person, boss: Person) -> None:
    counted = count(li, 380)
    assert counted.proposal
    assert (counted.difference, counted.proposal.found, counted.proposal.figure) == (-120, 380, 500)
    factories.stock(SKU, SZ=-30)
    factories.stock(SKU, SZ=7)
    approvals.approve(counted.proposal.pk, boss)
    assert on_hand() == 380 - 30 + 7


def test_a_second_count_waits_for_the_first(shelf: Warehouse, li: Person, boss: Person) -> None:
    first = count(li, 380).proposal
    assert first
    for found in (380, 499):
        with pytest.raises(CountWaits) as waits:
            count(boss, found)
        assert waits.value.document == first.document
    assert adjust(boss, -3, Change.ADJUSTMENT) is None, "other changes go on"
    approvals.refuse(first.pk, boss, "again")
    assert count(boss, 490).difference == -7
    assert pending.proposed([SKU], shelf.pk) == {}


def test_a_count_is_noted_whatever_comes_of_it(shelf: Warehouse, li: Person) -> None:
    level = Level.objects.get(pool=SKU)
    assert level.counted_at is None
    count(li, 500)
    level.refresh_from_db()
    assert level.counted_at is not None


# --- who -------------------------------------------------------------------------------------------------------------


def test_who_may_approve() -> None:
    groups = ensure_groups()
    for group in groups.values():
        User.objects.create_user(f"{group.name}@weft.test", is_staff=True).groups.add(group)
    User.objects.create_user("gone@weft.test", is_staff=True, is_active=False).groups.add(groups["finance"])
    User.objects.create_superuser("root@weft.test", None)
    assert [user.email for user in approvals.may_approve()] == ["finance@weft.test", "root@weft.test"]
    single = User.objects.get(email="warehouse@weft.test")
    right = groups["finance"].permissions.get(codename="approve_stock")
    single.user_permissions.add(right)
    single.groups.add(groups["finance"])
    assert list(approvals.may_approve()).count(single) == 1


# --- at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_approved_and_refused_at_once_one_thing_happens(li: Person) -> None:
    factories.stock(SKU, SZ=5000)
    deciders = [somebody(f"boss{number}") for number in range(6)]
    for _round in range(5):
        made, before = proposed(li, -150), on_hand()
        decide = [approvals.approve, approvals.refuse]

        def work(number: int, pk: int = made.pk, decide: Any = decide) -> Any:
            return decide[number % 2](pk, deciders[number], "")

        results = at_once(work, 6)
        done = [result for result in results if isinstance(result, Proposal)]
        assert len(done) == 1, results
        assert [type(result) for result in results if not isinstance(result, Proposal)] == [Decided] * 5
        moved = -150 if done[0].state == Decision.APPROVED else 0
        assert on_hand() - before == moved


@pytest.mark.django_db(transaction=True)
def test_approved_while_the_goods_are_sold(li: Person, boss: Person) -> None:
    """Each sale and the write-off take their turn: what was promised before it is short, nothing after it."""
    factories.china()
    factories.stock(SKU, SZ=200)
    made = proposed(li, -195)

    def work(number: int) -> object:
        return approvals.approve(made.pk, boss) if number == 3 else factories.order({SKU: 3})

    results = at_once(work, 12)
    assert {type(result) for result in results} <= {Proposal, Order, OutOfStock}
    sold = [result for result in results if isinstance(result, Order)]
    pool = Pool.objects.get()
    assert (pool.on_hand, pool.reserved) == (5, 3 * len(sold))
    assert pool.shortage == max(0, pool.reserved - 5)


@pytest.mark.django_db(transaction=True)
def test_two_counts_at_once_write_or_propose_one(li: Person, boss: Person) -> None:
    factories.stock(SKU, SZ=500)
    results = at_once(lambda number: count((li, boss)[number % 2], 300), 6)
    assert sorted(type(result).__name__ for result in results) == ["CountWaits"] * 5 + ["Counted"]
    assert Proposal.objects.count() == 1
    assert movements.on_hand([SKU], Warehouse.objects.get().pk) == {SKU: 500}
