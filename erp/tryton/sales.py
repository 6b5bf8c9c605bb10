"""Orders: one Tryton sale per warehouse, under the web id `<number>:<warehouse code>`.

Web shop and web id together are unique in Tryton's database; that, and looking first, makes an order exist once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property

from erp.base import OrderDone, OrderLine, OrderState, SalesOrder
from erp.tryton.customers import Customers
from erp.tryton.shop import Shop
from erp.tryton.wire import Row, Wire
from integrations.hub.errors import Conflict, Rejected
from integrations.hub.values import Ref

SALE = (
    "number", "state", "web_id", "total_amount", "shipment_state", "currency.code",
    "lines.type", "lines.quantity", "lines.product.code",
)  # fmt: skip
PAUSES = (0.0, 0.3, 0.7, 1.5)


@dataclass(frozen=True, slots=True)
class Part:
    """The share of an order that one warehouse sends: one sale."""

    web_id: str
    warehouse: str
    lines: tuple[OrderLine, ...]

    @property
    def gross(self) -> Decimal:
        """What the buyer pays for this part."""
        return sum((line.gross for line in self.lines), Decimal(0))


def parts_of(order: SalesOrder) -> list[Part]:
    """One part per warehouse, in a fixed order; shipping costs go with the first."""
    goods: dict[str, list[OrderLine]] = {}
    for line in order.lines:
        if line.kind == "goods":
            goods.setdefault(line.warehouse, []).append(line)
    if not goods:
        raise Rejected("An order without goods cannot be sent to Tryton.")
    codes = sorted(goods)
    goods[codes[0]] += [line for line in order.lines if line.kind == "shipping"]
    return [Part(f"{order.number}:{code}", code, tuple(goods[code])) for code in codes]


class Sales:
    """Pushes an order forward: look, create what is missing, quote, compare totals, confirm."""

    def __init__(self, wire: Wire, shop: Shop, shipping_sku: str) -> None:
        self._wire, self._shop, self._shipping_sku = wire, shop, shipping_sku

    def confirm(self, order: SalesOrder) -> OrderDone:
        """Every sale of this order confirmed, once, with our totals."""
        parts = parts_of(order)
        found = self._find(order.number)
        if strangers := found.keys() - {part.web_id for part in parts}:
            raise Conflict(f"Tryton has sales of this order for other warehouses: {', '.join(sorted(strangers))}.")
        sales = [self._same(found[part.web_id], part) for part in parts if part.web_id in found]
        sales += self._create_all([part for part in parts if part.web_id not in found], order)
        sales.sort(key=lambda sale: str(sale["web_id"]))
        sales = [self._press(sale, "quote") if sale["state"] == "draft" else sale for sale in sales]
        _compare_totals(order, parts, sales)
        for sale in sales:
            if sale["state"] == "quotation":
                self._press(sale, "confirm")
        return self._standing(order, len(parts))

    @cached_property
    def price_digits(self) -> int:
        """How many decimals this Tryton keeps of a unit price."""
        rows = self._wire.find("ir.configuration", [], ["product_price_decimal"], operation="read price decimals")
        return int(rows[0]["product_price_decimal"] or 4) if rows else 4

    def _find(self, number: str) -> dict[str, Row]:
        domain = [["web_shop", "=", self._shop.id], ["web_id", "like", f"{number}:%"]]
        found = self._wire.find("sale.sale", domain, SALE, operation="find order")
        return {row["web_id"]: row for row in found if row["web_id"].startswith(f"{number}:")}

    def _press(self, sale: Row, button: str) -> Row:
        try:
            return self._wire.press("sale.sale", sale["id"], button, SALE, operation=f"{button} order")
        except Rejected:
            # Tryton refuses a button that its sale has behind it: another request was faster.
            now = self._find(sale["web_id"].rpartition(":")[0]).get(sale["web_id"])
            if now is None or now["state"] in (sale["state"], "draft", "cancelled"):
                raise
            return now

    def _same(self, sale: Row, part: Part) -> Row:
        """This sale, if it is the one we mean: same goods, not cancelled there."""
        if sale["state"] == "cancelled" or (sale["state"] == "done" and sale["shipment_state"] == "none"):
            raise Conflict(f"Sale {name(sale)} was cancelled in Tryton.", existing={"state": sale["state"]})
        has = sorted((line["product"]["code"], line["quantity"]) for line in sale["lines"] if line["product"])
        if has != sorted((self._sku(line), float(line.quantity)) for line in part.lines):
            goods = ", ".join(f"{quantity:g} x {sku}" for sku, quantity in has) or "none"
            raise Conflict(f"Sale {name(sale)} in Tryton has other lines: {goods}.", existing={"lines": goods})
        return sale

    # ------------------------------------------------------------ creating

    def _create_all(self, parts: Sequence[Part], order: SalesOrder) -> list[Row]:
        if not parts:
            return []
        header = self._header(order)
        lines = [line for part in parts for line in part.lines]
        products, taxes = self._products(lines), self._taxes(lines)
        sales = []
        for part in parts:
            rows = [self._line(line, products, taxes) for line in part.lines]
            own = {"web_id": part.web_id, "warehouse": self._shop.warehouse(part.warehouse)}
            sales.append(self._create({**header, **own, "lines": [["create", rows]]}, part, order))
        return sales

    def _create(self, values: Row, part: Part, order: SalesOrder) -> Row:
        try:
            return self._wire.create("sale.sale", values, SALE, operation="create order")
        except Rejected:
            sale = self._find(order.number).get(part.web_id)  # another request was faster
            if sale is None:
                raise
            return self._same(sale, part)

    def _header(self, order: SalesOrder) -> Row:
        """What the sales of an order share. A plain create runs no on_change: everything is said here."""
        customers = Customers(self._wire, self._shop)
        party = customers.find(order.customer.key)
        if party is None:
            raise Rejected(f"The customer {order.customer.key} is not in Tryton yet; send it first.")
        return {
            "web_shop": self._shop.id,
            "reference": order.number,
            "description": order.payment_method,
            "comment": order.note,
            "company": self._shop.company,
            "party": party["id"],
            "invoice_address": customers.address(party, order.bill_to),
            "shipment_address": customers.address(party, order.ship_to),
            "currency": self._currency(order.currency),
            "invoice_method": "order",
            "shipment_method": "order",
        }

    def _line(self, line: OrderLine, products: Mapping[str, Row], taxes: Mapping[str, int]) -> Row:
        product = products[self._sku(line)]
        # Tryton multiplies, then rounds net and tax on its own; from this price both come out as ours.
        price = line.gross / (1 + line.tax_rate) / line.quantity
        return {
            "product": product["id"],
            "unit": product["default_uom"],
            "quantity": float(line.quantity),
            "unit_price": price.quantize(Decimal(1).scaleb(-self.price_digits), ROUND_HALF_EVEN),
            "description": line.name,
            "taxes": [["add", [taxes[line.tax_code]]]],
        }

    def _sku(self, line: OrderLine) -> str:
        return self._shipping_sku if line.kind == "shipping" else line.sku

    def _products(self, lines: Sequence[OrderLine]) -> dict[str, Row]:
        skus = {self._sku(line) for line in lines}
        domain = [["code", "in", sorted(skus)]]
        rows = self._wire.find("product.product", domain, ["code", "default_uom"], operation="find products")
        found = {row["code"]: row for row in rows}
        if missing := sorted(skus - found.keys()):
            fields = dict.fromkeys(missing, "not in Tryton")
            raise Rejected(f"Tryton has no product {', '.join(missing)}.", fields=fields)
        return found

    def _taxes(self, lines: Sequence[OrderLine]) -> dict[str, int]:
        rates = {line.tax_code: line.tax_rate for line in lines}
        domain = [["name", "in", sorted(rates)], ["company", "=", self._shop.company]]
        rows = self._wire.find("account.tax", domain, ["name", "rate"], operation="find taxes")
        found = {row["name"]: row for row in rows}
        for code, rate in rates.items():
            if code not in found:
                raise Rejected(f"Tryton has no tax named {code!r}.", fields={code: "not in Tryton"})
            if found[code]["rate"] != rate:
                raise Rejected(f"Tax {code} is {found[code]['rate']} in Tryton and {rate} here.")
        return {code: row["id"] for code, row in found.items()}

    def _currency(self, code: str) -> int:
        found = self._wire.find("currency.currency", [["code", "=", code]], ["id"], operation="find currency")
        if not found:
            raise Rejected(f"Tryton has no currency {code}.")
        return int(found[0]["id"])

    # ------------------------------------------------------------ the end

    def _standing(self, order: SalesOrder, expected: int) -> OrderDone:
        """What stands in Tryton now. A server with a task queue makes shipments a moment later: wait for it briefly."""
        for pause in PAUSES:
            time.sleep(pause)
            sales = sorted(self._find(order.number).values(), key=lambda sale: str(sale["web_id"]))
            waiting = [sale for sale in sales if sale["state"] == "confirmed"]
            if not waiting:
                break
        if len(sales) != expected or any(sale["state"] in ("draft", "quotation", "cancelled") for sale in sales):
            states = ", ".join(f"{name(sale)} {sale['state']}" for sale in sales)
            raise Conflict(f"Somebody changed this order in Tryton meanwhile: {states or 'gone'}.")
        return OrderDone(
            refs=tuple(Ref(f"sale.sale,{sale['id']}", str(sale["number"] or "")) for sale in sales),
            facts={"sales": {sale["web_id"]: f"{sale['number']} {sale['state']}" for sale in sales}},
            warnings=tuple(f"Tryton has not processed sale {name(sale)} yet: no shipment so far." for sale in waiting),
            state=OrderState.CONFIRMED,
        )


def name(sale: Row) -> str:
    """A sale as people find it in Tryton."""
    return f"{sale['number'] or '(no number)'} [{sale['web_id']}]"


def _compare_totals(order: SalesOrder, parts: Sequence[Part], sales: Sequence[Row]) -> None:
    """Nothing is confirmed unless Tryton makes of each part, to the minor unit, what our buyer was told."""
    there = sum((sale["total_amount"] for sale in sales), Decimal(0))
    foreign = {sale["currency"]["code"] for sale in sales} - {order.currency}
    each = all(sale["total_amount"] == part.gross for part, sale in zip(parts, sales, strict=True))
    if foreign or there != order.gross or not each:
        names = ", ".join(f"{name(sale)}: {sale['total_amount']}" for sale in sales)
        raise Conflict(
            f"Tryton makes {there} {'/'.join(sorted(foreign)) or order.currency} of this order, "
            f"we have {order.gross} {order.currency} ({names}). Nothing more was confirmed.",
            existing={"total": str(there), "ours": str(order.gross)},
        )
