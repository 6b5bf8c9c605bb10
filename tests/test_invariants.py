"""Each invariant is broken on purpose, behind the back of the constraints and triggers, and must be seen."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import InternalError, connection, transaction
from django.utils import timezone

import erp.invariants
from integrations.hub.models import Incoming, IncomingHint, Outgoing
from shop import invariants, news_invariants
from shop.customer.models import User
from shop.fulfilment import shipping
from shop.order import lifecycle
from shop.order.models import Order, PaymentMethod, Status
from shop.payments import invariants as payment_invariants
from shop.stock import approvals, count_decisions, counting, movements, places
from shop.stock.approvals import Person, Wish
from shop.stock.counting import Chosen, Count
from shop.stock.models import Kind, Pool, Warehouse
from shop.stock.proposal_models import Change
from tests import factories

IDS = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I16", "I17", "I18", "I19"]


@pytest.fixture(autouse=True)
def _registered() -> None:
    erp.invariants.register()
    news_invariants.register()
    payment_invariants.register()


def a_busy_shop() -> dict[str, Order]:
    """Orders in every state, stock in two warehouses, an ERP that hears of them."""
    factories.account("erp", active_since=timezone.now() - timedelta(minutes=1))
    factories.stock("CHAIR-1", SZ=20, HZ=5)
    factories.stock("DESK-1", SZ=3)
    made = {name: factories.order({"CHAIR-1": 2, "DESK-1": 1}, shipping_gross=Decimal("12.00"), order_discount=discount)
            for name, discount in (("paid", Decimal("0.07")), ("cancelled", Decimal(0)))}  # fmt: skip
    made["account"] = factories.order(
        {"CHAIR-1": 3}, payment_method=PaymentMethod.ON_ACCOUNT, currency="JPY", unit="1130"
    )
    made["shipped"] = factories.order({"CHAIR-1": 1}, currency="BHD", unit="11.305")
    made["expired"] = factories.order({"CHAIR-1": 1})
    made["pending"] = factories.order({"CHAIR-1": 1})
    lifecycle.confirm_payment(made["paid"].number, actor="test")
    lifecycle.cancel(made["cancelled"].number, actor="test")
    lifecycle.confirm_payment(made["shipped"].number, actor="test")
    shipping.ship(made["shipped"].number, warehouse=Warehouse.objects.get(code="SZ"), actor="test")
    Order.objects.filter(pk=made["expired"].pk).update(payment_deadline=timezone.now())
    lifecycle.expire_overdue()
    two_people()
    told()
    return {name: Order.objects.get(pk=order.pk) for name, order in made.items()}


def two_people() -> None:
    """Boards in a warehouse of their own: some set aside as damaged, some counted, decided and not."""
    factories.stock("BOARD-1", WH=500)
    factories.stock("BOARD-2", WH=50)
    place = Warehouse.objects.get(code="WH")
    people = [User.objects.create_user(f"{name}@weft.test", is_staff=True) for name in ("li", "boss")]
    li, boss = (Person(user.pk, f"staff:{user.email}") for user in people)
    with transaction.atomic():
        damaged = places.apart(place, Kind.DAMAGED).pk
        aside, waits, refused = (
            approvals.adjust(Wish("BOARD-1", place.pk, -120, Change.SET_ASIDE, "wet", destination_id=damaged), li)
            for _number in range(3)
        )
    assert aside and waits and refused
    approvals.approve(aside.pk, boss)
    approvals.refuse(refused.pk, boss, "no")
    sheet = counting.make(Chosen(place.pk), li)
    found = {"BOARD-1": 380, "BOARD-2": 48}
    counting.enter(sheet.pk, {row.pk: Count(found[row.pool_id], 0) for row in sheet.rows.all()}, li)
    counting.finish(sheet.pk, li)
    count_decisions.approve(sheet.pk, boss, may_approve=True)


def told() -> None:
    """A message heeded, one to heed, one closed by hand, and another body under a known id."""
    account, now = factories.account(name="Bank"), timezone.now()
    for event, fields in {
        "heeded": {"parsed_at": now, "done_at": now},
        "open": {"parsed_at": now},
        "closed": {"done_at": now, "note": "a test"},
        "heeded again": {"event": "heeded", "is_anomaly": True, "parked_at": now},
    }.items():
        row = Incoming.objects.create(
            **{"account": account, "dedupe": event, "event": event, "digest": event, "lane": 0, **fields}
        )
        if event in ("heeded", "open"):
            settled = {"settled_at": now, "applied": 1} if event == "heeded" else {}
            IncomingHint.objects.create(incoming=row, kind="payment", key="P1", **settled)


def problems(invariant_id: str) -> list[tuple[str, str]]:
    one = next(i for i in invariants.registered() if i.id == invariant_id)
    return [(row.subject, row.problem) for row in invariants.broken(one)]


def all_problems() -> dict[str, list[tuple[str, str]]]:
    return {one.id: found for one in invariants.registered() if (found := problems(one.id))}


def without_guards(*statements: str) -> None:
    """Run SQL with I1, the order's uniqueness and all triggers gone, as nothing in Weft could."""
    guards = [
        "SET CONSTRAINTS ALL IMMEDIATE",
        'ALTER TABLE stock_pool DROP CONSTRAINT IF EXISTS "I1"',
        "ALTER TABLE stock_movement DISABLE TRIGGER USER",
        "ALTER TABLE stock_level DISABLE TRIGGER USER",
        "ALTER TABLE stock_proposal DISABLE TRIGGER USER",
        "ALTER TABLE stock_warehouse DROP CONSTRAINT IF EXISTS only_shelves_sell",
        "ALTER TABLE stock_warehouse DROP CONSTRAINT IF EXISTS set_apart_somewhere",
        "ALTER TABLE stock_proposal DROP CONSTRAINT IF EXISTS decided_by_somebody_else",
        "ALTER TABLE order_order DROP CONSTRAINT IF EXISTS order_external_number_unique",
        "ALTER TABLE order_order DROP CONSTRAINT IF EXISTS order_order_number_key",
        "ALTER TABLE hub_outgoing DROP CONSTRAINT IF EXISTS outgoing_unique",
        "ALTER TABLE hub_incoming DROP CONSTRAINT IF EXISTS incoming_unique",
        "ALTER TABLE hub_incominghint DROP CONSTRAINT IF EXISTS hint_unique",
    ]
    with connection.cursor() as cursor:
        for statement in (*guards, *statements):
            cursor.execute(statement)


@pytest.mark.django_db
def test_a_busy_shop_breaks_none() -> None:
    a_busy_shop()
    assert [one.id for one in invariants.registered()] == IDS
    assert all_problems() == {}


CREDIT_NOTE = """INSERT INTO returns_creditnote (number, source_account, buyer_reference, currency, total_incl_tax,
    total_excl_tax, issued_at, actor, is_historical) VALUES ('CN1', 't', '', 'CNY', 5, 5, now(), '', false)"""
RETURNED = """WITH r AS (INSERT INTO returns_return (number, source_account, buyer_reference, received_at, actor,
    is_historical) VALUES ('R1', 't', '', now(), '', false) RETURNING id)
    INSERT INTO returns_returnline (returned_id, line_id, quantity)
    SELECT r.id, l.id, 2 FROM r, order_line l WHERE l.order_id = {shipped}"""
TWICE = """INSERT INTO hub_incominghint (incoming_id, kind, key, subject, facts, applied, settled_at)
    SELECT incoming_id, kind, key, subject, facts, applied, settled_at FROM hub_incominghint WHERE applied = 1"""
ANOMALOUS = """INSERT INTO hub_incominghint (incoming_id, kind, key, subject, facts, applied, settled_at)
    SELECT id, 'payment', 'P2', '', '{{}}', 1, now() FROM hub_incoming WHERE is_anomaly"""
BREAKS = [
    ("I6", "UPDATE hub_incoming SET event = 'heeded' WHERE event = 'open'", "Bank heeded", "one event has several"),
    ("I6", "UPDATE hub_incoming SET event = '', digest = 'd' WHERE NOT is_anomaly", "Bank d", "one event has several"),
    ("I6", "UPDATE hub_incoming SET digest = 'd' WHERE event = 'heeded'", "Bank heeded", "differs from nothing"),
    ("I6", "UPDATE hub_incoming SET is_anomaly = true WHERE event = 'open'", "Bank open", "differs from nothing"),
    ("I6", ANOMALOUS, "Bank heeded", "an anomaly had an effect"),
    ("I6", TWICE, "Bank heeded", "hints at the same thing twice"),
    ("I6", "UPDATE hub_incominghint SET applied = 2 WHERE applied = 1", "Bank heeded payment P1", "not one effect"),
    ("I6", "UPDATE hub_incominghint SET applied = 1 WHERE applied = 0", "Bank open payment P1", "not one effect"),
    ("I6", "UPDATE hub_incominghint SET settled_at = now()", "Bank open payment P1", "not one effect"),
    ("I6", "UPDATE hub_incoming SET done_at = now() WHERE event = 'open'", "Bank open", "not all of it is settled"),
    ("I6", "UPDATE hub_incoming SET note = '' WHERE event = 'closed'", "Bank closed", "never understood"),
    ("I1", "UPDATE stock_pool SET reserved = -1 WHERE sku = 'DESK-1'", "DESK-1", "a balance is below 0"),
    ("I1", "UPDATE stock_pool SET reserved = 99 WHERE sku = 'DESK-1'", "DESK-1", "more is promised than is there"),
    ("I1", "UPDATE stock_pool SET shortage = 5 WHERE sku = 'DESK-1'", "DESK-1", "shortage is not what is missing"),
    ("I1", "UPDATE stock_pool SET on_hand = 0, shortage = reserved WHERE sku = 'DESK-1'", "DESK-1", "open shortage"),
    ("I1", "UPDATE stock_level SET on_hand = -1 WHERE sku = 'DESK-1'", "DESK-1 @ SZ", "below 0 in a warehouse of our"),
    ("I2", "UPDATE stock_pool SET reserved = reserved + 1 WHERE sku = 'DESK-1'", "DESK-1", "reserved is not the sum"),
    ("I2", "UPDATE stock_hold SET released = quantity - consumed", "CHAIR-1", "reserved is not the sum"),
    ("I2", "UPDATE stock_pool SET on_hand = on_hand + 1 WHERE sku = 'DESK-1'", "DESK-1", "on hand is not the sum"),
    ("I2", "UPDATE stock_warehouse SET is_sellable = false WHERE code = 'HZ'", "CHAIR-1", "on hand is not the sum"),
    ("I2", "UPDATE stock_level SET on_hand = 7 WHERE sku = 'DESK-1'", "DESK-1 @ SZ", "not the sum of its movements"),
    ("I2", "DELETE FROM stock_movement WHERE sku = 'DESK-1'", "DESK-1 @ SZ", "not the sum of its movements"),
    ("I2", "DELETE FROM stock_level WHERE sku = 'DESK-1'", "DESK-1 @ SZ", "not the sum of its movements"),
    ("I2", "UPDATE stock_warehouse SET is_sellable = true WHERE code = 'WH-D'", "WH-D", "no shelf may be sold"),
    ("I2", "UPDATE stock_warehouse SET kind = 'transit' WHERE code = 'WH'", "WH", "no shelf may be sold"),
    ("I2", "UPDATE stock_warehouse SET kind = 'transit' WHERE code = 'WH'", "BOARD-1", "not the sum of sellable shelv"),
    ("I2", "UPDATE stock_warehouse SET parent_id = NULL WHERE code = 'WH-D'", "WH-D", "belong to no warehouse"),
    ("I2", "UPDATE stock_warehouse SET parent_id = id WHERE code = 'WH-D'", "WH-D", "belong to no warehouse"),
    ("I2", "UPDATE stock_warehouse SET parent_id = 1 + id WHERE code = 'WH'", "WH", "belong to no warehouse"),
    (
        "I16",
        "DELETE FROM stock_movement WHERE document LIKE 'proposal:%%' AND quantity > 0",
        "BOARD-1 @ WH-D",
        "its move",
    ),
    (
        "I16",
        "UPDATE stock_movement SET quantity = 1 - quantity WHERE document LIKE 'proposal:%%'",
        "BOARD-1 @",
        "its move",
    ),
    (
        "I16",
        "INSERT INTO stock_movement (sku, warehouse_id, quantity, reason, document, actor, note, at) SELECT sku, "
        "warehouse_id, 0, reason, document, actor, note, at FROM stock_movement WHERE document LIKE 'sheet:%%'",
        "BOARD-2 @ WH",
        "its movements",
    ),
    ("I16", "UPDATE stock_proposal SET state = 'approved' WHERE state = 'refused'", "BOARD-1 @ WH", "its movements"),
    ("I16", "UPDATE stock_proposal SET state = 'refused' WHERE state = 'approved'", "BOARD-1 @ WH", "its movements"),
    (
        "I16",
        "UPDATE stock_proposal SET decider_id = proposer_id WHERE state = 'refused'",
        "proposal:",
        "by who proposed",
    ),
    ("I16", "UPDATE stock_countsheet SET state = 'discarded'", "BOARD-2 @ WH", "its movements"),
    ("I16", "UPDATE stock_countrow SET found = 47 WHERE sku = 'BOARD-2'", "BOARD-2 @ WH", "its movements"),
    ("I16", "UPDATE stock_countrow SET found = 1, figure = 1 WHERE sku = 'BOARD-1'", "sheet:", "rows do not say"),
    ("I4", "UPDATE order_line SET line_price_incl_tax = 1.005 WHERE order_id = {paid}", "CHAIR-1", "finer than"),
    ("I4", "UPDATE order_line SET line_price_incl_tax = 1.5 WHERE order_id = {account}", "CHAIR-1", "finer than"),
    ("I4", "UPDATE order_line SET line_price_excl_tax = 99.99 WHERE order_id = {paid}", "DESK-1", "gross less tax"),
    ("I4", "UPDATE order_order SET shipping_excl_tax = 12.01 WHERE id = {paid}", "shipping", "between 0 and gross"),
    ("I4", "UPDATE order_order SET total_incl_tax = total_incl_tax + 0.01 WHERE id = {paid}", "", "gross total"),
    ("I4", "UPDATE order_order SET total_excl_tax = total_excl_tax - 0.01 WHERE id = {paid}", "", "net total"),
    ("I4", CREDIT_NOTE, "credit note CN1", "not the sum of its lines"),
    ("I9", "UPDATE fulfilment_parcelline SET quantity = 9", "{shipped_number} CHAIR-1", "more shipped than ordered"),
    ("I9", RETURNED, "{shipped_number} CHAIR-1", "more returned than shipped"),
    ("I5", "UPDATE order_order SET external_number = 'X', source_account = 'amazon'", "amazon X", "more than once"),
    ("I5", "UPDATE order_order SET number = 'W1'", "W1", "number used more than once"),
    ("I5", "UPDATE order_order SET source_account = '' WHERE id = {paid}", "", "where it came from"),
    ("I5", "UPDATE order_order SET external_number = 'X' WHERE id = {paid}", "", "of our own under another"),
    ("I7", "DELETE FROM hub_outgoing WHERE key = '{paid_number}'", "{paid_number}", "not one row"),
    ("I7", "UPDATE hub_outgoing SET key = '{paid_number}' WHERE topic = 'erp.order'", "{paid_number}", "not one row"),
    ("I7", "UPDATE hub_outgoing SET key = '{pending_number}' WHERE key = '{paid_number}'", "", "never released"),
    ("I7", "UPDATE hub_outgoing SET key = 'GHOST' WHERE key = '{paid_number}'", "GHOST", "never released"),
    ("I10", "DELETE FROM order_orderstatuschange WHERE order_id = {paid}", "{paid_number}", "has no audit row"),
    ("I10", "{change} new_status = 'expired' WHERE {paid_at_first}", "{paid_number}", "moved as no order may"),
    ("I10", "{change} new_status = 'paid' WHERE {paid_at_first}", "{paid_number}", "moved as no order may"),
    ("I10", "{change} new_status = '' WHERE {paid_at_first}", "{paid_number}", "moved as no order may"),
    ("I10", "{change} old_status = 'expired' WHERE {paid_at_first}", "{paid_number}", "without an audit row"),
    ("I10", "{forget} order_id = {shipped} AND new_status = 'paid'", "{shipped_number}", "without an audit row"),
    ("I10", "{change} old_status = 'expired' WHERE {paid_at_last}", "{paid_number}", "without an audit row"),
    ("I10", "{change} new_status = 'on_account' WHERE {paid_at_last}", "{paid_number}", "moved as no order may"),
    ("I10", "{forget} {paid_at_last}", "{paid_number}", "stands elsewhere"),
    ("I10", "UPDATE order_order SET status = 'shipped' WHERE id = {pending}", "{pending_number}", "stands elsewhere"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("invariant_id", "statement", "subject", "problem"), BREAKS)
def test_what_breaks_it_is_seen(invariant_id: str, statement: str, subject: str, problem: str) -> None:
    orders = a_busy_shop()
    names: dict[str, object] = {name: order.pk for name, order in orders.items()}
    names |= {f"{name}_number": order.number for name, order in orders.items()}
    names |= {
        "change": "UPDATE order_orderstatuschange SET",
        "forget": "DELETE FROM order_orderstatuschange WHERE",
        "paid_at_first": f"order_id = {orders['paid'].pk} AND old_status = ''",
        "paid_at_last": f"order_id = {orders['paid'].pk} AND new_status = 'paid'",
    }
    without_guards(statement.format(**names))
    found = problems(invariant_id)
    assert [row for row in found if subject.format(**names) in row[0] and problem in row[1]], found


@pytest.mark.django_db
def test_orders_from_before_the_account_and_marked_ones_owe_the_erp_nothing() -> None:
    factories.stock("CHAIR-1", SZ=20)
    before, historical, test = (factories.order() for _ in range(3))
    Order.objects.filter(pk=historical.pk).update(is_historical=True)
    Order.objects.filter(pk=test.pk).update(is_test=True)
    for order in (before, historical, test):
        lifecycle.confirm_payment(order.number, actor="test")
    factories.account("erp", active_since=timezone.now())
    Order.objects.exclude(pk=before.pk).update(date_placed=timezone.now() + timedelta(seconds=1))
    assert problems("I7") == []


@pytest.mark.django_db
def test_notes_move_nothing_and_history_begins_paid() -> None:
    orders = a_busy_shop()
    lifecycle.note_account_payment(orders["account"].number, actor="test")
    history = orders["shipped"]
    history.status_changes.filter(old_status="").delete()
    history.status_changes.filter(new_status=Status.PAID).update(old_status="")
    assert {subject for subject, _ in problems("I10")} == {history.number}
    Order.objects.filter(pk=history.pk).update(is_historical=True)
    assert problems("I10") == []


@pytest.mark.django_db
def test_a_shortage_is_no_break() -> None:
    factories.stock("CHAIR-1", SZ=2)
    factories.order({"CHAIR-1": 2})
    sold = Warehouse.objects.get(code="SZ").pk
    with transaction.atomic():
        movements.count("CHAIR-1", sold, 1, actor="test", note="one is broken")
    assert Pool.objects.get(sku="CHAIR-1").shortage == 1
    assert all_problems() == {}


@pytest.mark.django_db(transaction=True)
def test_the_command_says_all_is_well() -> None:
    a_busy_shop()
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert [line.split()[:2] for line in out.getvalue().splitlines()] == [[i, "ok"] for i in IDS]


@pytest.mark.django_db(transaction=True)
def test_the_command_shows_a_table_and_ends_with_1() -> None:
    order = a_busy_shop()["paid"]
    Outgoing.objects.filter(topic="erp.order", key=order.number).delete()
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_invariants", stdout=out)
    assert end.value.code == 1
    text = out.getvalue()
    assert "I7  BROKEN" in text and "I1  ok" in text
    assert f"{order.number} -> test-" in text and "released, but not one row for the ERP" in text
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_invariants", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert found["I1"] == [] and found["I7"][0]["expected"] == "1" and found["I7"][0]["found"] == "0"


@pytest.mark.django_db(transaction=True)
def test_the_snapshot_reads_one_moment_and_writes_nothing() -> None:
    factories.stock("CHAIR-1", SZ=2)
    with invariants.snapshot():
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("repeatable read",)
        with pytest.raises(InternalError, match="read-only"), transaction.atomic():
            Pool.objects.update(escrow=1)
