"""The Tryton connector against a real Tryton 8.0."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from erp.base import OrderState, SalesOrder
from erp.local import provision
from erp.local.clerk import NothingToShip
from erp.local.rpc import Refused
from erp.tryton.cancelling import Cancellation
from erp.tryton.customers import Customers
from erp.tryton.goods import Goods
from erp.tryton.sales import Sales
from integrations.hub.errors import Conflict, HubError, Misconfigured, Rejected, TryAgain
from tests.erp.conftest import ADDRESS, Live, cancelled, line, order, shipping

pytestmark = [pytest.mark.tryton, pytest.mark.xdist_group("tryton")]


def at_once(jobs: int, work: Callable[[], Any]) -> list[Any]:
    """Run the same work in many threads, all starting together; TryAgain is obeyed, other errors are returned."""
    barrier, results = threading.Barrier(jobs), list[Any]()

    def run() -> None:
        barrier.wait()
        for _ in range(20):
            try:
                results.append(work())
                return
            except TryAgain:
                continue
            except HubError as error:
                results.append(error)
                return

    threads = [threading.Thread(target=run) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# ---------------------------------------------------------------- customers


def test_a_customer_is_kept_in_step(live: Live) -> None:
    wanted = order(line("BOOK-1", 1, "25.00", "VAT0")).customer
    connector = live.connector()
    first = connector.ensure_customer(wanted)
    assert connector.ensure_customer(wanted).refs == first.refs
    elsewhere = replace(ADDRESS, lines=("滨海大道 9 号",))
    connector.ensure_customer(replace(wanted, name="张玮", email="new@example.com", address=elsewhere))
    party = Customers(connector.wire, connector.shop).find(wanted.key)
    assert party is not None
    assert party["name"] == "张玮"
    assert sorted(c["value"] for c in party["contact_mechanisms"]) == ["13800138000", "new@example.com"]
    assert len(party["addresses"]) == 2
    assert party["addresses"][0]["city"] == "广东省 深圳市 南山区"


def test_four_pushes_at_once_make_one_customer(live: Live) -> None:
    wanted = order(line("BOOK-1", 1, "25.00", "VAT0")).customer
    results = at_once(4, lambda: live.connector().ensure_customer(wanted))
    assert len({result.refs for result in results}) == 1
    parties = live.admin.find("party.party", [["code", "=", f"weft:{wanted.key}"]], ["contact_mechanisms", "addresses"])
    assert len(parties) == 1


# ---------------------------------------------------------------- orders


def test_an_order_becomes_one_confirmed_sale(live: Live) -> None:
    wanted = order(line("CHAIR-1", 2, "452.00"), shipping("12.00"))
    connector = live.push(wanted)
    sales = live.sales(wanted)
    assert [(s["web_id"], s["state"], s["total_amount"]) for s in sales] == [
        (f"{wanted.number}:SZ", "processing", Decimal("464.00"))
    ]
    assert sales[0]["shipments."][0]["state"] == "waiting"
    asked = len(connector.http.asked)
    again = connector.ensure_order(wanted)
    assert (again.state, len(live.sales(wanted))) == (OrderState.CONFIRMED, 1)
    assert again.refs[0].number == sales[0]["number"]
    assert len(connector.http.asked) - asked == 2  # two looks, no write


def test_four_pushes_at_once_make_one_sale(live: Live) -> None:
    wanted = order(line("BOOK-1", 2, "50.00", "VAT0"))
    live.connector().ensure_customer(wanted.customer)
    results = at_once(4, lambda: live.connector().ensure_order(wanted))
    assert [result.state for result in results] == [OrderState.CONFIRMED] * 4
    sales = live.sales(wanted)
    assert len(sales) == 1
    assert len(sales[0]["shipments."]) == len(sales[0]["invoices."]) == 1


def test_an_order_from_two_warehouses_becomes_two_sales(live: Live) -> None:
    wanted = order(
        line("CHAIR-1", 1, "226.00"), line("CHAIR-1", 2, "452.00", warehouse="HZ"), shipping("18.00", "VAT6")
    )
    live.push(wanted)
    sales = live.sales(wanted)
    assert [s["web_id"][-2:] for s in sales] == ["HZ", "SZ"]
    assert [s["total_amount"] for s in sales] == [Decimal("470.00"), Decimal("226.00")]


@pytest.mark.parametrize("seed", range(2))
def test_totals_are_ours_to_the_cent(live: Live, seed: int) -> None:
    """Each line's net is ours, and the sale's total is the sum of our gross amounts."""
    dice = random.Random(seed)
    skus = {"VAT13": "CHAIR-1", "VAT9": "TEA-1", "VAT6": "COURSE-1", "VAT0": "BOOK-1"}
    lines = []
    for _ in range(30):
        tax, quantity = dice.choice(list(skus)), dice.choice([1, 1, 2, 3, 7, dice.randint(1, 999)])
        lines.append(line(skus[tax], quantity, Decimal(dice.randint(1, 10 ** dice.randint(2, 8))) / 100, tax))
    wanted = order(*lines)
    live.push(wanted)
    sale = live.sales(wanted)[0]
    assert sale["total_amount"] == wanted.gross
    assert sorted(x["amount"] for x in sale["lines."]) == sorted(x.net for x in wanted.lines)


def test_a_total_that_differs_is_a_conflict_and_confirms_nothing(live: Live) -> None:
    wanted = order(line("CHAIR-1", 1, "226.00"))
    wanted = replace(wanted, gross=wanted.gross + Decimal("0.01"))
    with pytest.raises(Conflict, match=r"226\.00.*226\.01"):
        live.push(wanted)
    assert [sale["state"] for sale in live.sales(wanted)] == ["quotation"]


def test_other_lines_under_our_number_are_a_conflict(live: Live) -> None:
    wanted = order(line("CHAIR-1", 1, "226.00"))
    connector = live.push(wanted)
    other = order(line("CHAIR-1", 2, "452.00"), number=wanted.number)
    with pytest.raises(Conflict, match="1 x CHAIR-1"):
        connector.ensure_order(other)
    elsewhere = order(line("CHAIR-1", 1, "226.00", warehouse="HZ"), number=wanted.number)
    with pytest.raises(Conflict, match="other warehouses"):
        connector.ensure_order(elsewhere)
    assert len(live.sales(wanted)) == 1


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (line("NOPE-1", 1, "1.00"), "no product NOPE-1"),
        (replace(line("CHAIR-1", 1, "1.00"), tax_code="VAT99"), "no tax named 'VAT99'"),
        (replace(line("CHAIR-1", 1, "1.00"), tax_rate=Decimal("0.09")), "Tax VAT13 is 0.13 in Tryton and 0.09 here"),
    ],
)
def test_what_cannot_be_mapped_is_said(live: Live, bad: Any, words: str) -> None:
    wanted = order(bad)
    with pytest.raises(Rejected, match=words):
        live.push(wanted)
    assert live.sales(wanted) == []


def test_an_order_before_its_customer_is_refused(live: Live) -> None:
    with pytest.raises(Rejected, match="send it first"):
        live.connector().ensure_order(order(line("CHAIR-1", 1, "226.00")))


def test_a_push_cut_at_any_point_is_finished_by_the_next(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = order(line("BOOK-1", 1, "25.00", "VAT0"), line("BOOK-1", 1, "25.00", "VAT0", "HZ"))
    live.connector().ensure_customer(wanted.customer)
    press = Sales._press
    for steps in range(5):  # create, create | quote, quote | confirm, confirm
        left = [steps]

        def cut(self: Sales, sale: dict, button: str, left: list[int] = left) -> dict:
            if not left[0]:
                raise TryAgain("cut")
            left[0] -= 1
            return press(self, sale, button)

        monkeypatch.setattr(Sales, "_press", cut)
        try:
            live.connector().ensure_order(wanted)
        except TryAgain:
            continue
    monkeypatch.undo()
    assert live.connector().ensure_order(wanted).state is OrderState.CONFIRMED
    assert [sale["state"] for sale in live.sales(wanted)] == ["processing", "processing"]


# ---------------------------------------------------------------- cancelling


def never_ships(live: Live, wanted: SalesOrder) -> None:
    """No button of Tryton, pressed by its administrator, sends these goods."""
    with live.clerk() as clerk, pytest.raises(NothingToShip):
        clerk.ship(wanted.number)
    before = live.sales(wanted)
    for sale in before:
        for shipment in sale["shipments."]:
            with pytest.raises(Refused):
                live.admin.do("stock.shipment.out", "draft", [shipment["id"]])
        if sale["state"] != "cancelled":
            live.admin.do("sale.sale", "process", [sale["id"]])
    after = live.sales(wanted)
    assert [s["state"] for s in after] == [s["state"] for s in before]
    assert {move["state"] for sale in after for move in sale["moves."]} <= {"cancelled"}


def test_cancelling_what_was_never_sent_leaves_a_tombstone(live: Live) -> None:
    wanted = order(line("CHAIR-1", 1, "226.00"), line("CHAIR-1", 1, "226.00", warehouse="HZ"))
    connector = live.connector()
    assert connector.ensure_order(cancelled(wanted)).state is OrderState.CANCELLED
    assert connector.ensure_order(cancelled(wanted)).state is OrderState.CANCELLED
    assert [sale["state"] for sale in live.sales(wanted)] == ["cancelled", "cancelled"]
    with pytest.raises(Conflict, match="was cancelled in Tryton"):
        live.push(wanted)
    assert [sale["state"] for sale in live.sales(wanted)] == ["cancelled", "cancelled"]


def test_a_create_that_comes_late_finds_the_tombstone(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request was on its way when the order was cancelled."""
    wanted = order(line("CHAIR-1", 1, "226.00"))
    live.connector().ensure_customer(wanted.customer)
    create = Sales._create

    def late(self: Sales, *given: Any) -> dict:
        live.connector().ensure_order(cancelled(wanted))
        return create(self, *given)

    monkeypatch.setattr(Sales, "_create", late)
    with pytest.raises(Conflict, match="was cancelled in Tryton"):
        live.connector().ensure_order(wanted)
    assert [sale["state"] for sale in live.sales(wanted)] == ["cancelled"]


def test_a_quotation_is_cancelled(live: Live) -> None:
    wanted = order(line("CHAIR-1", 1, "226.00"))
    with pytest.raises(Conflict):
        live.push(replace(wanted, gross=Decimal("1.00")))
    assert live.connector().ensure_order(cancelled(wanted)).state is OrderState.CANCELLED
    assert [sale["state"] for sale in live.sales(wanted)] == ["cancelled"]


@pytest.mark.parametrize("steps", [(), ("assign_try", "pick", "pack")])
def test_cancelling_what_is_confirmed_ends_it_for_good(live: Live, steps: tuple[str, ...]) -> None:
    """Also when the clerk has begun: goods go back to the shelf."""
    before = live.level("CHAIR-1"), live.level("CHAIR-1", "HZ")
    wanted = order(line("CHAIR-1", 2, "452.00"), line("CHAIR-1", 1, "226.00", warehouse="HZ"), shipping("12.00"))
    connector = live.push(wanted)
    with live.clerk() as clerk:
        for shipment in clerk.waiting(wanted.number, "SZ"):
            for step in steps:
                clerk.press(step, [shipment["id"]])
    assert connector.ensure_order(cancelled(wanted)).state is OrderState.CANCELLED
    asked = len(connector.http.asked)
    assert connector.ensure_order(cancelled(wanted)).state is OrderState.CANCELLED
    assert len(connector.http.asked) - asked == 1  # one look
    for sale in live.sales(wanted):
        assert (sale["state"], sale["shipment_state"], sale["invoice_state"]) == ("done", "none", "none")
        assert [invoice["state"] for invoice in sale["invoices."]] == ["cancelled"]
        assert sale["reference"].endswith("(cancelled)")
    never_ships(live, wanted)
    assert (live.level("CHAIR-1"), live.level("CHAIR-1", "HZ")) == before
    with pytest.raises(Conflict, match="was cancelled in Tryton"):
        connector.ensure_order(wanted)


def test_what_has_left_is_not_cancelled(live: Live) -> None:
    wanted = order(line("CHAIR-1", 1, "226.00"), line("CHAIR-1", 1, "226.00", warehouse="HZ"))
    connector = live.push(wanted)
    live.ship(wanted, "SZ")
    done = connector.ensure_order(cancelled(wanted))
    assert done.state is OrderState.SHIPPED
    states = [[s["state"] for s in sale["shipments."]] for sale in live.sales(wanted)]
    assert states == [["waiting"], ["done"]]  # HZ untouched, SZ gone


def test_what_was_handed_to_the_carrier_is_not_cancelled(live: Live) -> None:
    wanted = order(line("CHAIR-1", 1, "226.00"))
    connector = live.push(wanted)
    with live.clerk() as clerk:
        for shipment in clerk.waiting(wanted.number):
            for step in ("assign_try", "pick", "pack", "ship"):
                clerk.press(step, [shipment["id"]])
    assert connector.ensure_order(cancelled(wanted)).state is OrderState.SHIPPED
    assert live.sales(wanted)[0]["shipments."][0]["state"] == "shipped"


@pytest.mark.parametrize("with_stamps", [True, False])
def test_a_clerk_who_is_faster_wins(live: Live, monkeypatch: pytest.MonkeyPatch, with_stamps: bool) -> None:
    """He ships between our look and our press. Both guards hold alone: the stamps, and the missing group."""
    wanted = order(line("CHAIR-1", 1, "226.00"), line("CHAIR-1", 1, "226.00", warehouse="HZ"))
    connector = live.push(wanted)
    press, once = Cancellation._press, [True]

    def slow(self: Cancellation, model: str, button: str, ids: Any, standing: Any) -> bool:
        if once.pop() if once else False:
            live.ship(wanted, "HZ")
        return press(self, model, button, ids, standing)

    monkeypatch.setattr(Cancellation, "_press", slow)
    if not with_stamps:
        monkeypatch.setattr("erp.tryton.cancelling.Standing.stamps", lambda standing: {})
    try:
        done = connector.ensure_order(cancelled(wanted))
    except TryAgain:
        done = connector.ensure_order(cancelled(wanted))
    assert done.state is OrderState.SHIPPED
    states = [[s["state"] for s in sale["shipments."]] for sale in live.sales(wanted)]
    assert states == [["done"], ["waiting"]]


def test_a_posted_invoice_is_left_to_people(live: Live) -> None:
    wanted = order(line("CHAIR-1", 1, "226.00"))
    connector = live.push(wanted)
    invoice = live.sales(wanted)[0]["invoices."][0]["id"]
    live.admin.do("account.invoice", "post", [invoice], _skip_warnings=True)
    done = connector.ensure_order(cancelled(wanted))
    assert done.state is OrderState.CANCELLED
    assert "needs a credit note" in done.warnings[0]
    assert {move["state"] for move in live.sales(wanted)[0]["moves."]} == {"cancelled"}


# ---------------------------------------------------------------- stock


def test_stock_is_gross_of_our_sales_and_net_of_foreign_demand(live: Live) -> None:
    before, other_house = live.level("LAMP-1"), live.level("LAMP-1", "HZ")
    wanted = order(line("LAMP-1", 3, "299.70"))
    live.push(wanted)
    assert live.level("LAMP-1") == before  # promised to our buyer, not gone
    sell_at_the_counter(live, "LAMP-1", 5)
    assert live.level("LAMP-1") == before - 5
    move_house(live, "LAMP-1", 2)
    assert live.level("LAMP-1") == before - 7
    assert live.level("LAMP-1", "HZ") == other_house
    live.ship(wanted)
    assert live.level("LAMP-1") == before - 10


def sell_at_the_counter(live: Live, sku: str, quantity: int) -> None:
    """A sale that is not the web shop's, confirmed."""
    admin = live.admin
    product = admin.find("product.product", [["code", "=", sku]], ["default_uom"])[0]
    party = admin.find("party.party", [["code", "=", "1"]], ["addresses"])[0]
    row = {"product": product["id"], "unit": product["default_uom"], "quantity": float(quantity)}
    values = {
        "party": party["id"],
        "invoice_address": party["addresses"][0],
        "shipment_address": party["addresses"][0],
        "warehouse": admin.first("stock.location", [["type", "=", "warehouse"], ["code", "=", "SZ"]]),
        "currency": admin.first("currency.currency", [["code", "=", "CNY"]]),
        "invoice_method": "order",
        "shipment_method": "order",
        "lines": [["create", [row | {"unit_price": Decimal("1.00")}]]],
    }
    made = admin.create("sale.sale", [values])
    admin.do("sale.sale", "quote", made, _skip_warnings=True)
    admin.do("sale.sale", "confirm", made, _skip_warnings=True)


def move_house(live: Live, sku: str, quantity: int) -> None:
    """Goods planned to go from SZ to HZ."""
    admin = live.admin
    product = admin.find("product.product", [["code", "=", sku]], ["default_uom"])[0]
    houses = admin.find("stock.location", [["type", "=", "warehouse"]], ["code", "storage_location"])
    store = {row["code"]: row["storage_location"] for row in houses}
    move = {"product": product["id"], "unit": product["default_uom"], "quantity": float(quantity)}
    move |= {"from_location": store["SZ"], "to_location": store["HZ"]}
    values = {"from_location": store["SZ"], "to_location": store["HZ"], "moves": [["create", [move]]]}
    made = admin.create("stock.shipment.internal", [values])
    admin.do("stock.shipment.internal", "wait", made, _skip_warnings=True)


def test_an_unknown_warehouse_is_a_setting_to_mend(live: Live) -> None:
    with pytest.raises(Misconfigured, match="no warehouse with code 'XX'"):
        list(live.connector().stock(["XX"]))


# ---------------------------------------------------------------- shipments


def test_shipments_come_by_cursor(live: Live) -> None:
    start = live.connector().changes(None).cursor
    first = order(line("BOOK-1", 2, "50.00", "VAT0"), line("CHAIR-1", 1, "226.00"), shipping("5.00"))
    second = order(line("BOOK-1", 1, "25.00", "VAT0"), line("BOOK-1", 4, "100.00", "VAT0", "HZ"))
    for wanted in (first, second):
        live.push(wanted)
        live.ship(wanted)
    seen = live.connector().changes(start)
    found = {(s.order_number, x.sku, x.warehouse): x.quantity for s in seen.shipments for x in s.lines}
    expected = {(first.number, "BOOK-1", "SZ"): 2, (first.number, "CHAIR-1", "SZ"): 1}
    expected |= {(second.number, "BOOK-1", "SZ"): 1, (second.number, "BOOK-1", "HZ"): 4}
    assert expected.items() <= found.items()
    assert [s.done_at for s in seen.shipments] == sorted(s.done_at for s in seen.shipments)
    again = live.connector().changes(seen.cursor)  # overlap: reported again, under the same keys
    keys = {x.key for s in seen.shipments for x in s.lines if s.order_number == second.number}
    assert keys <= {x.key for s in again.shipments for x in s.lines}


def test_pages_of_shipments_leave_nothing_out(live: Live) -> None:
    connector = live.connector()
    whole = {s.key for s in connector.changes(None).shipments}
    goods, cursor, seen, more = Goods(connector.wire, connector.shop, page=2), None, set[str](), True
    while more:
        page = goods.shipped(cursor)
        cursor, more = page.cursor, page.more
        seen |= {s.key for s in page.shipments}
    assert seen == whole
    assert "|" not in str(cursor)


# ---------------------------------------------------------------- health, provisioning


def test_health(live: Live) -> None:
    health = live.connector().health()
    assert (health.version, health.notes) == ("8.0", ("Currency CNY; warehouses HZ, SZ.",))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"key": "wrong"}, "application key"),
        ({"password": "wrong"}, "user name or the password"),
        ({"web_shop": "other"}, "no web shop 'other'"),
        ({"database": "other"}, "refuses the request"),
    ],
)
def test_wrong_settings_are_named(live: Live, setting: dict[str, str], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        live.connector(**setting).health()


def test_an_ended_session_is_renewed(live: Live) -> None:
    wanted = order(line("BOOK-1", 1, "25.00", "VAT0"))
    connector = live.push(wanted)
    connector.wire.log_in()
    connector.wire._session = connector.wire._session[:-6] + "AAAA=="
    assert connector.ensure_order(cancelled(wanted)).state is OrderState.CANCELLED


def test_provisioning_again_changes_nothing(live: Live) -> None:
    import json
    from pathlib import Path

    catalogue = json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8"))
    models = ("product.product", "stock.location", "account.tax", "res.user", "stock.inventory", "production.bom")
    models += ("purchase.product_supplier", "account.fiscalyear", "web.shop", "res.user.application")
    before = [len(live.admin.find(model, [])) for model in models]
    provision.provision(live.server.url, "tryton", live.server.home.passwords(), catalogue)
    assert [len(live.admin.find(model, [])) for model in models] == before
    assert before[models.index("account.fiscalyear")] == 2
