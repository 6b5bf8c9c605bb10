"""What must be true afterwards: nothing that was told is lost, nothing is doubled, nothing waits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Protocol

from erp.local.rpc import Row, Session
from erp.local.tryton_server import DATABASE, TrytonServer
from tests.faults.journal import Journals, Line
from tests.faults.site import Site
from tests.processes import wait_until

QUIET_WITHIN = 90.0
SOLD = {"confirmed", "processing", "done"}

OPEN = """
SELECT topic, key, wanted, delivered, failures, crashes, next_at, lease_until, parked_reason, last_error
FROM hub_outgoing WHERE delivered < wanted ORDER BY id
"""
ORDERS = """
SELECT o.number, o.basket_id AS basket, o.guest_email AS email, o.total_incl_tax AS total, o.status,
    (SELECT jsonb_object_agg(partner_sku, quantity) FROM order_line WHERE order_id = o.id) AS lines,
    (SELECT jsonb_object_agg(s.partner_sku, l.quantity) FROM basket_line l
     JOIN partner_stockrecord s ON s.id = l.stockrecord_id WHERE l.basket_id = o.basket_id) AS was_in_basket,
    (SELECT jsonb_object_agg(h.sku, h.quantity - h.released) FROM stock_hold h JOIN order_line l ON l.id = h.line_id
     WHERE l.order_id = o.id) AS held,
    (SELECT count(*) FROM hub_outgoing WHERE topic = 'mail' AND key = o.number || ':placed') AS letters,
    (SELECT count(*) FROM hub_outgoing WHERE topic = 'erp.order' AND key = o.number) AS rows_for_erp,
    (SELECT count(*) FROM order_orderstatuschange WHERE order_id = o.id AND new_status = 'paid') AS times_paid,
    ARRAY(SELECT DISTINCT w.code FROM fulfilment_sourcing f JOIN stock_warehouse w ON w.id = f.warehouse_id
          JOIN order_line l ON l.id = f.line_id WHERE l.order_id = o.id ORDER BY 1) AS warehouses
FROM order_order o ORDER BY o.number
"""
BASKETS = """
SELECT l.basket_id, s.partner_sku, sum(l.quantity)::int FROM basket_line l
JOIN partner_stockrecord s ON s.id = l.stockrecord_id GROUP BY 1, 2
"""


class Data(Protocol):
    """The data of a run."""

    def ask(self, query: str) -> list[tuple[Any, ...]]: ...

    def rows(self, query: str) -> list[dict[str, Any]]: ...


def quiet(site: Site) -> None:
    """Wait until nothing is left to be sent. What is parked waits for a person: that is not quiet."""
    try:
        wait_until(lambda: not site.ask(OPEN), QUIET_WITHIN, "nothing was left to be sent")
    except AssertionError as error:
        raise AssertionError("\n".join([f"{error}. Open:", *map(str, site.ask(OPEN))])) from None


def tries(site: Site) -> str:
    """How often things were sent, in words."""
    ((tries, rows),) = site.ask("SELECT count(*), count(DISTINCT outgoing_id) FROM hub_attempt")
    return f"{rows} rows in {tries} attempts"


def invariants(site: Site) -> None:
    """`manage.py check_invariants`, as anybody would run it."""
    done = site.manage("check_invariants")
    assert done.returncode == 0, f"invariants are broken:\n{done.stdout}{done.stderr}"
    held = {line.split()[0] for line in done.stdout.splitlines() if line.split()[1:2] == ["ok"]}
    assert held >= {"I1", "I2", "I4", "I5", "I7", "I10"}, done.stdout


# --- I14: what clients were told -------------------------------------------------------------------------------------


def told_is_so(data: Data, journals: Journals) -> int:
    """Each line in which a client was told of an effect, beside the database; returns how many were compared.

    True at any moment at which the database answers: what was told before we look was committed before.
    """
    placed, shown, paid = (journals.of_all_runs(what) for what in ("placed", "shown", "paid"))
    added, seen = journals.of_all_runs("added"), journals.of_all_runs("seen in basket")
    orders = {row["number"]: row for row in data.rows(ORDERS)}
    baskets = {(basket, sku): quantity for basket, sku, quantity in data.ask(BASKETS)}
    wrong = [
        *(f"{line}: {why}" for line in placed for why in _not_placed(line, orders.get(line["number"]))),
        *(f"{line}: {why}" for line in shown for why in _not_shown(line, orders.get(line["number"]))),
        *(f"{line}: {why}" for line in paid for why in _not_paid(orders.get(line["number"]))),
        *_not_in_baskets(added, baskets),
        *(f"{line}: not in the basket" for line in seen if not baskets.get((line["basket"], line["sku"]))),
    ]
    assert not wrong, "\n".join(["I14: clients were told what is not so.", *wrong])
    return len(placed) + len(shown) + len(paid) + len(added) + len(seen)


def _not_placed(line: Line, order: Row | None) -> Iterator[str]:
    if order is None:
        yield "there is no such order"
        return
    if (order["basket"], order["email"]) != (line["basket"], line["email"]):
        yield f"the order is of basket {order['basket']}, {order['email']}"
    if not order["lines"] or order["lines"] != order["was_in_basket"]:
        yield f"its lines are {order['lines']}, in the basket were {order['was_in_basket']}"
    if order["held"] != order["lines"]:
        yield f"its lines are {order['lines']}, held is {order['held']}"
    if order["letters"] != 1:
        yield f"{order['letters']} letters were wished for"


def _not_shown(line: Line, order: Row | None) -> Iterator[str]:
    if order is None or order["total"] != Decimal(line["total"]):
        yield f"the order's total is {order and order['total']}"


def _not_paid(order: Row | None) -> Iterator[str]:
    if order is None or (order["status"], order["times_paid"]) != ("paid", 1):
        yield f"the order is {order and order['status']}, was paid {order and order['times_paid']} times"
    elif order["rows_for_erp"] != 1 or not order["warehouses"]:
        yield f"{order['rows_for_erp']} rows for the ERP, to be sent from {order['warehouses']}"


def _sums(lines: Sequence[Line]) -> Counter[tuple[int, str]]:
    sums: Counter[tuple[int, str]] = Counter()
    for line in lines:
        sums[line["basket"], line["sku"]] += line["quantity"]
    return sums


def _not_in_baskets(added: Sequence[Line], baskets: dict[tuple[int, str], int]) -> Iterator[str]:
    for (basket, sku), told in _sums(added).items():
        if baskets.get((basket, sku), 0) < told:
            lines = "; ".join(str(line) for line in added if (line["basket"], line["sku"]) == (basket, sku))
            yield f"basket {basket} has {baskets.get((basket, sku), 0)} x {sku}, told were {told} ({lines})"


def nothing_else(data: Data, journals: Journals) -> None:
    """At the end, when everybody has been told something: no order that nobody was told of, none twice, and in no
    basket more than was asked for."""
    told = Counter(line["number"] for line in journals.of_all_runs("placed"))
    there = Counter(row["number"] for row in data.rows(ORDERS))
    assert told == there, f"orders nobody was told of, or told twice: {there - told} / {told - there}"
    of_basket = Counter(row["basket"] for row in data.rows(ORDERS))
    assert max(of_basket.values(), default=1) == 1, f"baskets ordered twice: {of_basket.most_common(3)}"
    most = _sums(journals.of_all_runs("added", "perhaps added"))
    more = [row for row in data.ask(BASKETS) if (row[0], row[1]) in most and row[2] > most[row[0], row[1]]]
    assert not more, f"more in a basket than was asked for (basket, SKU, quantity): {more}"


# --- the ERP ---------------------------------------------------------------------------------------------------------


def erp_has_each_once(data: Data, tryton: TrytonServer) -> int:
    """Tryton has each paid order once: a sale per warehouse, with our total, one shipment, one invoice, one customer.
    Of the others it has never heard. Returns how many it has."""
    orders = {row["number"]: row for row in data.rows(ORDERS)}
    sales: dict[str, list[Row]] = defaultdict(list)
    with Session(tryton.url, DATABASE, "admin", tryton.home.passwords().admin) as session:
        fields = ["reference", "web_id", "state", "total_amount", "shipments", "invoices"]
        for sale in session.find("sale.sale", [["reference", "in", list(orders)]], fields):
            sales[sale["reference"]].append(sale)
        codes = [f"weft:guest:{number}" for number in orders]
        parties = Counter(row["code"] for row in session.find("party.party", [["code", "in", codes]], ["code"]))
    wrong = [
        f"order {number}: {why}"
        for number, order in orders.items()
        for why in _not_once(order, sales[number], parties[f"weft:guest:{number}"])
    ]
    assert not wrong, "\n".join(["In Tryton is not what should be there.", *wrong])
    return sum(bool(there) for there in sales.values())


def _not_once(order: Row, sales: Sequence[Row], customers: int) -> Iterator[str]:
    if order["status"] != "paid":
        if sales or customers:
            yield f"not paid, yet there: {sales or 'a customer'}"
        return
    wanted = [f"{order['number']}:{code}" for code in order["warehouses"]]
    if sorted(sale["web_id"] for sale in sales) != wanted:
        yield f"wanted the sales {wanted}, there are {[sale['web_id'] for sale in sales]}"
    if (there := sum((sale["total_amount"] for sale in sales), Decimal(0))) != order["total"]:
        yield f"the total is {order['total']}, there {there}"
    if customers != 1:
        yield f"its customer is there {customers} times"
    for sale in sales:
        if sale["state"] not in SOLD or (len(sale["shipments"]), len(sale["invoices"])) != (1, 1):
            papers = f"shipments {sale['shipments']}, invoices {sale['invoices']}"
            yield f"sale {sale['web_id']} is {sale['state']}, with {papers}"
