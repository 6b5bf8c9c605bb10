"""What a warehouse clerk does in Tryton: take an order's goods from the shelf, pack them, send them off.

Logged in as a user of its own, not as the shop: to Tryton, and to the shop that reads it, this is somebody else's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from erp.local.provision import CLERK, WEB_SHOP
from erp.local.rpc import Row, Session
from erp.local.tryton_server import DATABASE, Home


class NothingToShip(Exception):
    """The order cannot be shipped; the text says why, in plain words."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shipment that has left: Tryton's number, our warehouse code, and what it holds (SKU -> quantity)."""

    number: str
    warehouse: str
    goods: dict[str, int]


class Clerk:
    """A clerk at work. Use as a context manager."""

    def __init__(self, url: str, database: str, password: str) -> None:
        self.session = Session(url, database, CLERK, password)

    def __enter__(self) -> Clerk:
        return self

    def __exit__(self, *error: object) -> None:
        self.session.call("common.db.logout")

    def ship(self, number: str, warehouse: str | None = None) -> list[Parcel]:
        """Ship all that is still to be shipped of the shop's order (from one warehouse, if it is named)."""
        return [self._send(shipment) for shipment in self.waiting(number, warehouse)]

    def waiting(self, number: str, warehouse: str | None = None) -> list[Row]:
        """The order's shipments that have not left yet."""
        domain = [["web_shop.name", "=", WEB_SHOP], ["web_id", "like", f"{number}:%"]]
        sales = self.session.find("sale.sale", domain, ["state", "shipments"])
        if not sales:
            raise NothingToShip(f"Tryton has no order {number}.")
        domain = [["id", "in", [i for sale in sales for i in sale["shipments"]]], ["state", "!=", "cancelled"]]
        shipments = self.session.find("stock.shipment.out", domain, ["number", "state", "warehouse.code"])
        mine = [row for row in shipments if warehouse in (None, row["warehouse."]["code"])]
        if not mine:
            states = ", ".join(sorted({sale["state"] for sale in sales}))
            raise NothingToShip(f"Order {number} has no shipment in Tryton (sales: {states}).")
        left = [row for row in mine if row["state"] != "done"]
        if not left:
            raise NothingToShip(f"Order {number} has been shipped already.")
        return left

    def _send(self, shipment: Row) -> Parcel:
        ids, steps = [shipment["id"]], ("wait", "assign_try", "pick", "pack", "do")
        reached = ("draft", "waiting", "assigned", "picked", "packed", "done")
        for step, before, after in zip(steps, reached, reached[1:], strict=False):
            if self._state(ids) == before:
                self.press(step, ids)
            if (state := self._state(ids)) == before:
                why = (
                    f"not enough stock in {shipment['warehouse.']['code']}" if step == "assign_try" else f"not {after}"
                )
                raise NothingToShip(f"Shipment {shipment['number']} stays {state}: {why}.")
        if state != "done":  # somebody else had it in hand
            raise NothingToShip(f"Shipment {shipment['number']} is {state} now.")
        domain = [["shipment", "=", f"stock.shipment.out,{ids[0]}"], ["to_location.type", "=", "customer"]]
        moves = self.session.find("stock.move", domain, ["product.code", "quantity"])
        goods = {move["product."]["code"]: int(move["quantity"]) for move in moves}
        return Parcel(shipment["number"], shipment["warehouse."]["code"], goods)

    def press(self, button: str, shipments: Sequence[int]) -> None:
        """Press a button on shipments. Tryton asks "really?" about late moves; a clerk at the shelf says yes."""
        self.session.do("stock.shipment.out", button, list(shipments), _skip_warnings=True)

    def _state(self, ids: Sequence[int]) -> str:
        return str(self.session.find("stock.shipment.out", [["id", "in", list(ids)]], ["state"])[0]["state"])


def ship(url: str, database: str, password: str, number: str) -> list[Parcel]:
    """Ship the shop's order `number`, from every warehouse that has a part of it."""
    with Clerk(url, database, password) as clerk:
        return clerk.ship(number)


def ship_here(number: str) -> list[Parcel]:
    """The same in the demo's own Tryton."""
    home = Home.default()
    return ship(home.url(), DATABASE, home.passwords().clerk, number)
