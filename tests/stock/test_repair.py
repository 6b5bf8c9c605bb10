"""What `check_invariants` finds wrong with stock is explained to the row, and set right by the facts."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from shop import invariants
from shop.fulfilment import shipping
from shop.invariants import Broken
from shop.order import lifecycle
from shop.stock import repair
from shop.stock.holds import OutOfStock
from shop.stock.models import Hold, Level, Movement, Pool, Presale, Repair, Shortage, Warehouse
from tests import factories
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _busy() -> None:
    """Two warehouses; one order that holds 2, one that left with 3, one that was given up, one that waits for 4."""
    factories.china()
    factories.product("CHAIR-1")
    factories.product("DESK-1")
    factories.stock("CHAIR-1", SZ=20, HZ=5)
    factories.stock("DESK-1", SZ=1)
    factories.presale("DESK-1", 6)
    factories.order({"CHAIR-1": 2})
    shipped = factories.order({"CHAIR-1": 3})
    lifecycle.confirm_payment(shipped.number, actor="test")
    shipping.ship(shipped.number, warehouse=Warehouse.objects.get(code="HZ"), actor="test")
    lifecycle.cancel(factories.order({"CHAIR-1": 1}).number, actor="test")
    factories.order({"DESK-1": 4})


def behind_its_back(statement: str) -> None:
    """What nothing in Weft could do."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute('ALTER TABLE stock_pool DROP CONSTRAINT IF EXISTS "I1"')
        for table in ("movement", "level"):
            cursor.execute(f"ALTER TABLE stock_{table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        for table in ("movement", "level"):
            cursor.execute(f"ALTER TABLE stock_{table} ENABLE TRIGGER USER")


def broken() -> list[Broken]:
    return [row for one in invariants.registered() for row in invariants.broken(one)]


def explained(problem: str) -> str:
    return "\n".join(line for row in broken() if problem in row.problem for line in row.why)


BROKEN = {
    "reserved too much": "UPDATE stock_pool SET reserved = reserved + 3 WHERE sku = 'CHAIR-1'",
    "reserved too little": "UPDATE stock_pool SET reserved = 0",
    "on hand": "UPDATE stock_pool SET on_hand = on_hand + 5 WHERE sku = 'CHAIR-1'",
    "escrow": "UPDATE stock_pool SET escrow = 4 WHERE sku = 'CHAIR-1'",
    "shortage": "UPDATE stock_pool SET shortage = 2",
    "all of them": "UPDATE stock_pool SET on_hand = -3, reserved = -1, escrow = 9, shortage = 100",
    "a hold made up": "UPDATE stock_hold SET released = 0 WHERE released > 0",
    "a hold forgotten": "UPDATE stock_hold SET released = quantity WHERE consumed + released = 0",
    "a movement lost": "DELETE FROM stock_movement WHERE reason = 'shipped'",
    "movements lost": "DELETE FROM stock_movement",
    "a movement twice": """INSERT INTO stock_movement (sku, warehouse_id, quantity, reason, document, actor, note, at)
        SELECT sku, warehouse_id, quantity, reason, document, actor, note, at FROM stock_movement""",
    "a level": "UPDATE stock_level SET on_hand = 9 WHERE sku = 'CHAIR-1'",
    "a level lost": "DELETE FROM stock_level WHERE sku = 'CHAIR-1'",
    "a warehouse closed by hand": "UPDATE stock_warehouse SET is_sellable = false WHERE code = 'SZ'",
    "promised": "UPDATE stock_presale SET promised = 1",
    "done": "UPDATE stock_presale SET done = 2",
    "an order over": "UPDATE order_order SET status = 'expired' WHERE status = 'pending_payment'",
}


@pytest.mark.parametrize("statement", BROKEN.values(), ids=BROKEN)
def test_it_is_found_shown_and_set_right(statement: str) -> None:
    behind_its_back(statement)
    assert [row for row in broken() if row.invariant in ("I1", "I2", "I17")], "nothing to set right"
    said = list(Pool.objects.order_by("sku").values_list())
    found = repair.find()
    assert found
    assert said == list(Pool.objects.order_by("sku").values_list()), "looking changes nothing"
    facts = [list(model.objects.order_by("pk").values_list()) for model in (Movement, Level)]
    done = [one for sku in dict.fromkeys(one.sku for one in found) for one in repair.apply(sku, actor="test")]
    assert [row for row in broken() if row.invariant in ("I1", "I2", "I17")] == []
    assert repair.find() == []
    assert Repair.objects.count() == len(done) >= len(found)
    for model, before in zip((Movement, Level), facts, strict=True):
        assert list(model.objects.order_by("pk").values_list())[: len(before)] == before, "facts are added to only"
    assert [one for sku in ("CHAIR-1", "DESK-1") for one in repair.apply(sku, actor="test")] == []


def test_a_hold_that_was_never_reserved_is_named() -> None:
    hold = Hold.objects.get(pool="CHAIR-1", open=2)
    behind_its_back("UPDATE stock_pool SET reserved = reserved - 2 WHERE sku = 'CHAIR-1'")
    words = explained("reserved is not")
    assert f"hold {hold.pk} (2 open, order {hold.line.order.number}" in words
    assert "was not reserved" in words


def test_a_hold_that_was_closed_and_is_still_reserved_is_named() -> None:
    gone = Hold.objects.get(pool="CHAIR-1", consumed=3)
    behind_its_back("UPDATE stock_pool SET reserved = reserved + 3 WHERE sku = 'CHAIR-1'")
    assert f"hold {gone.pk} (3 shipped or released, order {gone.line.order.number}" in explained("reserved is not")


def test_a_movement_that_did_not_move_its_level_is_named() -> None:
    left = Movement.objects.get(reason="shipped")
    behind_its_back("UPDATE stock_level SET on_hand = on_hand + 3 WHERE sku = 'CHAIR-1' AND on_hand = 2")
    assert f"movement {left.pk} (-3, shipped, " in explained("level is not")


def test_a_level_that_does_not_count_is_named() -> None:
    behind_its_back("UPDATE stock_pool SET on_hand = on_hand - 2 WHERE sku = 'CHAIR-1'")
    assert "the 2 units in HZ alone account for it" in explained("on hand is not")


def test_what_is_promised_and_what_took_it_is_named_for_a_shortage() -> None:
    behind_its_back("UPDATE stock_pool SET shortage = 1 WHERE sku = 'CHAIR-1'")
    order = Hold.objects.get(pool="CHAIR-1", open=2).line.order
    assert f"order {order.number} holds 2" in explained("shortage is not")


def test_a_shortage_that_comes_to_light_is_noted() -> None:
    behind_its_back("UPDATE stock_level SET on_hand = 0 WHERE sku = 'CHAIR-1'")
    repair.apply("CHAIR-1", actor="test")
    shortage = Shortage.objects.get()
    assert (shortage.quantity, shortage.cause) == (2, "repair")
    with pytest.raises(OutOfStock):
        factories.order({"CHAIR-1": 1})


def test_a_presale_promises_what_is_waited_for() -> None:
    behind_its_back("UPDATE stock_presale SET promised = 1, done = 3")
    repair.apply("DESK-1", actor="test")
    sale = Presale.objects.get()
    assert (sale.promised, sale.done, sale.cap) == (4, 0, 6)


@pytest.mark.django_db(transaction=True)
def test_the_command_shows_first_and_then_does() -> None:
    Pool.objects.filter(sku="CHAIR-1").update(reserved=3)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_invariants", stdout=out, stderr=StringIO())
    assert "alone accounts for it" in out.getvalue()
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("stock_repair", stdout=out)
    assert out.getvalue().splitlines() == [
        "CHAIR-1  reserved: becomes 2, as its facts say; it says 3",
        "1 figures would be set right. Nothing was changed: say --apply to do it.",
    ]
    assert Pool.objects.get(sku="CHAIR-1").reserved == 3
    out = StringIO()
    call_command("stock_repair", "--sku", "CHAIR-1", "--apply", "--by", "li", stdout=out)
    assert out.getvalue().endswith("The admin's list of repairs says what they were.\n")
    assert Repair.objects.values_list("pool", "figure", "before", "after", "actor").get() == (
        "CHAIR-1", "reserved", 3, 2, "li",
    )  # fmt: skip
    out = StringIO()
    call_command("stock_repair", stdout=out)
    assert out.getvalue() == "Every balance is the sum of its facts: nothing to repair.\n"


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_while_people_buy() -> None:
    """Repairs and orders at once: what was wrong is right, and what was bought is reserved."""
    Pool.objects.filter(sku="CHAIR-1").update(reserved=7)

    def one(number: int) -> object:
        if number % 3:
            return factories.order({"CHAIR-1": 1})
        return repair.apply("CHAIR-1", actor="test")

    results = at_once(one, 12)
    assert not [result for result in results if isinstance(result, Exception)], results
    assert Pool.objects.get(sku="CHAIR-1").reserved == 2 + 8
    assert Repair.objects.count() == 1
    assert broken() == []
