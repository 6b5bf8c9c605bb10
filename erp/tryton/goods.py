"""What lies in Tryton's warehouses, and what has left them for our orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from erp.base import Changes, Shipment, ShippedLine, StockLevel
from erp.tryton.shop import Shop
from erp.tryton.wire import Row, Wire
from integrations.hub.answers import text

PAGE = 200
# Tryton stamps a change with the start of its transaction: one that ends late appears behind the cursor.
OVERLAP = timedelta(seconds=120)


class Goods:
    """Stock and shipments, seen from our web shop."""

    def __init__(self, wire: Wire, shop: Shop, page: int = PAGE) -> None:
        self._wire, self._shop, self._page = wire, shop, page

    # ------------------------------------------------------------ stock

    def levels(self, warehouse: str) -> Iterator[StockLevel]:
        """Physical stock less foreign demand. Tryton's `quantity` ignores reservations and, without a date, is
        today's by its own clock. Demand is read first: what ships in between is missing twice, never sold twice."""
        place = self._shop.warehouse(warehouse)
        taken = self._foreign_demand(place)
        domain = [["code", "!=", None], ["type", "in", ["goods", "assets"]], ["active", "in", [True, False]]]
        fields = ("code", "quantity")
        for row in self._wire.all("product.product", domain, fields, operation="read stock", locations=[place]):
            yield StockLevel(text(row, "code"), warehouse, _whole(row["quantity"] - taken.get(row["id"], 0.0)))

    def _foreign_demand(self, place: int) -> dict[int, float]:
        """Open moves out of this warehouse that no sale of our web shop asked for: product -> quantity."""
        domain = [
            ["state", "in", ["draft", "assigned"]],
            ["from_location", "child_of", [place], "parent"],
            ["to_location", "not child_of", [place], "parent"],
            [
                "OR",
                ["origin", "=", None],
                ["origin", "not like", "sale.line,%"],
                ["origin.sale.web_shop", "=", None, "sale.line"],
                ["origin.sale.web_shop", "!=", self._shop.id, "sale.line"],
            ],
        ]
        taken: dict[int, float] = {}
        fields = ("product", "internal_quantity")
        for row in self._wire.all("stock.move", domain, fields, operation="read foreign demand"):
            taken[row["product"]] = taken.get(row["product"], 0.0) + row["internal_quantity"]
        return taken

    # ------------------------------------------------------------ shipments

    def shipped(self, cursor: str | None) -> Changes:
        """The cursor is `<time>` after a last page (read on with overlap), `<time>|<id>` between pages."""
        rows = self._wire.find(
            "stock.shipment.out",
            [["state", "=", "done"], ["moves.origin.sale.web_shop", "=", self._shop.id, "sale.line"], _since(cursor)],
            ("number", "write_date", "warehouse.code"),
            operation="read shipments",
            order=[["write_date", "ASC"], ["id", "ASC"]],
            size=self._page,
        )
        if not rows:
            return Changes((), (cursor or "").partition("|")[0])
        more = len(rows) == self._page
        last = rows[-1]
        place = last["write_date"].isoformat() + (f"|{last['id']}" if more else "")
        return Changes(tuple(self._shipments(rows)), place, more)

    def _shipments(self, rows: Sequence[Row]) -> Iterator[Shipment]:
        """One Shipment per Tryton shipment and order: a clerk may have put several orders into one."""
        moves = self._moves(rows)
        for row in rows:
            name = f"stock.shipment.out,{row['id']}"
            orders: dict[str, list[Row]] = {}
            for move in moves:
                if move["shipment"] == name:
                    orders.setdefault(move["order"], []).append(move)
            done_at = row["write_date"].replace(tzinfo=UTC)
            for order, mine in orders.items():
                lines = tuple(_line(move, text(row["warehouse"], "code")) for move in mine)
                yield Shipment(f"{name}:{order}", text(row, "number"), order, done_at, lines)

    def _moves(self, shipments: Sequence[Row]) -> list[Row]:
        """What left with these shipments for our orders, each with its `order`."""
        domain = [
            ["shipment", "in", [f"stock.shipment.out,{row['id']}" for row in shipments]],
            ["state", "=", "done"],
            ["to_location.type", "=", "customer"],
            ["origin.sale.web_shop", "=", self._shop.id, "sale.line"],
        ]
        fields = ("product.code", "internal_quantity", "shipment", "origin")
        moves = self._wire.all("stock.move", domain, fields, operation="read shipped goods")
        ids = sorted({_number(move["origin"]) for move in moves})
        lines = self._wire.all("sale.line", [["id", "in", ids]], ["sale.web_id"], operation="read shipped orders")
        orders = {line["id"]: line["sale"]["web_id"].rpartition(":")[0] for line in lines}
        return [{**move, "order": orders[_number(move["origin"])]} for move in moves]


def _line(move: Row, warehouse: str) -> ShippedLine:
    quantity = _whole(move["internal_quantity"])
    return ShippedLine(f"stock.move,{move['id']}", text(move["product"], "code"), warehouse, quantity)


def _number(reference: str) -> int:
    return int(reference.partition(",")[2])


def _whole(quantity: float) -> int:
    return int(round(quantity))


def _since(cursor: str | None) -> list[Any]:
    """The domain of what is new after a cursor."""
    moment, _, number = (cursor or "").partition("|")
    if not moment:
        return []
    at = datetime.fromisoformat(moment)
    if not number:
        return [["write_date", ">", at - OVERLAP]]
    return ["OR", ["write_date", ">", at], [["write_date", "=", at], ["id", ">", int(number)]]]
