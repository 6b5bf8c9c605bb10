"""Cancelling an order in Tryton, whatever stage it has reached there.

A sale that Tryton is processing has no cancel button. What its users do, and what is done here: cancel the shipments,
tell the sale to ignore the cancelled moves, cancel the draft invoice, tell the sale to ignore that too. The sale then
is *done* with nothing shipped and nothing invoiced, and no button brings its goods back.

Goods that have left are never touched. Three things see to that: we look first; every press carries the stamps of
what we saw, so that Tryton refuses it when a clerk was faster; and our user is not in the group Stock Cancellation,
so that Tryton refuses to cancel a shipment that is done. All shipments of the order are cancelled in one transaction
of Tryton, so an order is never left half shipped and half cancelled by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from erp.base import OrderDone, OrderState
from erp.tryton.shop import Shop
from erp.tryton.wire import SOON, Row, Wire
from integrations.hub.errors import Rejected, TryAgain
from integrations.hub.values import Ref

GONE = ("shipped", "done")
ROUNDS = 16  # each looks anew; the longest way takes seven
OPERATION = "cancel order"
LOOK = (
    "number", "state", "web_id", "comment", "invoice_state", "_timestamp",
    "shipments.number", "shipments.state", "shipments._timestamp",
    "moves.state", "moves.shipment", "moves.sale_exception_state", "moves._timestamp",
    "invoices.number", "invoices.state", "invoices._timestamp",
)  # fmt: skip
MODELS = {"shipments": "stock.shipment.out", "moves": "stock.move", "invoices": "account.invoice"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the sales of one order stand now, each with its shipments, moves and invoices."""

    sales: list[Row]

    def all(self, kind: str) -> list[Row]:
        """All shipments, moves or invoices of the order. Sales may share one."""
        return list({row["id"]: row for sale in self.sales for row in sale[kind]}.values())

    @property
    def shipped(self) -> bool:
        """Whether goods have left the house (or were handed to the carrier)."""
        return any(row["state"] in GONE for kind in ("shipments", "moves") for row in self.all(kind))

    def stamps(self) -> dict[str, str]:
        """What Tryton compares before it writes: a record changed since is not written."""
        stamps = {f"sale.sale,{sale['id']}": sale["_timestamp"] for sale in self.sales}
        for kind, model in MODELS.items():
            stamps |= {f"{model},{row['id']}": row["_timestamp"] for row in self.all(kind)}
        return stamps


class Cancellation:
    """One order to be cancelled: looks, does the next missing thing, looks again, until nothing is left to do."""

    def __init__(self, wire: Wire, shop: Shop, number: str, wanted: Sequence[tuple[str, str]]) -> None:
        """`wanted`: the web ids the order was, or may still be, sent under, each with its warehouse's code."""
        self._wire, self._shop, self._number, self._wanted = wire, shop, number, wanted

    def carry_out(self) -> OrderDone:
        """Cancelled, or untouched because goods have left."""
        refused: Rejected | None = None
        for _ in range(ROUNDS):
            standing = self._look()
            if standing.shipped:
                return self._done(standing, OrderState.SHIPPED)
            try:
                if not self._next(standing):
                    self._label(standing)
                    return self._done(standing, OrderState.CANCELLED)
            except Rejected as error:
                # Most likely somebody was faster, and the next look will show it. The same twice is a real no.
                if refused and refused.message == error.message:
                    raise
                refused = error
        raise TryAgain("The order in Tryton keeps changing while it is being cancelled.", after=SOON)

    def _look(self) -> Standing:
        domain = [["web_shop", "=", self._shop.id], ["web_id", "like", f"{self._number}:%"]]
        found = self._wire.find("sale.sale", domain, LOOK, operation=OPERATION, order=[["web_id", "ASC"]])
        return Standing([row for row in found if row["web_id"].startswith(f"{self._number}:")])

    # ------------------------------------------------------------ doing

    def _next(self, standing: Standing) -> bool:
        """Do the next missing thing; False when there is none. What a clerk could still ship comes first."""
        if live := [row["id"] for row in standing.all("shipments") if row["state"] != "cancelled"]:
            return self._press("stock.shipment.out", "cancel", live, standing)
        if loose := [m["id"] for m in standing.all("moves") if m["state"] != "cancelled" and not m["shipment"]]:
            return self._press("stock.move", "cancel", loose, standing)
        there = {sale["web_id"] for sale in standing.sales}
        missing = [wanted for wanted in self._wanted if wanted[0] not in there]
        for web_id, warehouse in missing:
            self._make_tombstone(web_id, warehouse)
        return any([*missing, *(self._advance(sale, standing) for sale in standing.sales)])

    def _advance(self, sale: Row, standing: Standing) -> bool:
        """The next step of one sale."""
        if sale["state"] == "cancelled":
            return False
        if sale["state"] in ("draft", "quotation"):
            return self._press("sale.sale", "cancel", [sale["id"]], standing)
        if sale["state"] == "confirmed":  # a server with a task queue, not there yet
            return self._press("sale.sale", "draft", [sale["id"]], standing)
        if open_moves := [
            move["id"] for move in sale["moves"] if move["state"] == "cancelled" and not move["sale_exception_state"]
        ]:
            return self._ignore(sale, "shipment", "moves", open_moves)
        if drafts := [row["id"] for row in sale["invoices"] if row["state"] in ("draft", "validated")]:
            return self._press("account.invoice", "cancel", drafts, standing)
        if sale["invoice_state"] == "exception":
            cancelled = [row["id"] for row in sale["invoices"] if row["state"] == "cancelled"]
            return self._ignore(sale, "invoice", "invoices", cancelled)
        return False

    def _press(self, model: str, button: str, ids: Sequence[int], standing: Standing) -> bool:
        stamps = standing.stamps()
        self._wire.call(f"model.{model}.{button}", list(ids), operation=OPERATION, _timestamp=stamps)
        return True

    def _ignore(self, sale: Row, kind: str, what: str, ids: Sequence[int]) -> bool:
        values = {f"ignore_{what}": list(ids), f"recreate_{what}": [], f"domain_{what}": list(ids)}
        wizard = f"sale.handle.{kind}.exception"
        self._wire.run(wizard, "ask", values, "handle", operation=OPERATION, record=("sale.sale", sale["id"]))
        return True

    def _make_tombstone(self, web_id: str, warehouse: str) -> None:
        """A sale in our place, so that a request still on its way finds the web id taken. It has no lines, and the
        guest as its party: Tryton lets no such sale be quoted."""
        values = {
            "web_shop": self._shop.id,
            "web_id": web_id,
            "reference": self._number,
            "description": "Cancelled before it was sent",
            "company": self._shop.company,
            "party": self._shop.guest,
            "warehouse": self._shop.warehouses.get(warehouse),
        }
        self._wire.create("sale.sale", values, ["id"], operation=OPERATION)

    def _label(self, standing: Standing) -> None:
        """Say it to Tryton's users: a sale whose goods were cancelled shows as *done* in their lists."""
        words = "Cancelled in the web shop"
        for sale in standing.sales:
            if words not in (sale["comment"] or ""):
                comment = "\n".join(part for part in (sale["comment"], words) if part)
                values = {"reference": f"{self._number} (cancelled)", "comment": comment}
                self._wire.write("sale.sale", sale["id"], values, operation=OPERATION)

    @staticmethod
    def _done(standing: Standing, state: OrderState) -> OrderDone:
        kept = [row for row in standing.all("invoices") if row["state"] not in ("cancelled", "draft", "validated")]
        warnings = [f"Invoice {row['number']} is {row['state']} in Tryton: it needs a credit note." for row in kept]
        return OrderDone(
            refs=tuple(Ref(f"sale.sale,{sale['id']}", str(sale["number"] or "")) for sale in standing.sales),
            facts={"sales": {sale["web_id"]: f"{sale['number'] or '-'} {sale['state']}" for sale in standing.sales}},
            warnings=tuple(warnings) if state is OrderState.CANCELLED else (),
            state=state,
        )
