"""Tryton 8.0 and later. What is promised and where the limits are: docs/connectors/tryton.md.

The work is done in `erp/tryton/`, one module per document; this is the account's form, its health and the contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from erp.base import Changes, Customer, Erp, OrderDone, SalesOrder, StockLevel, Target
from erp.tryton.cancelling import Cancellation
from erp.tryton.customers import Customers
from erp.tryton.goods import Goods
from erp.tryton.sales import Sales, parts_of
from erp.tryton.shop import Shop, find_shop
from erp.tryton.wire import Wire, understood
from integrations.hub.connector import Field
from integrations.hub.errors import Misconfigured
from integrations.hub.values import Done, Health, Ref

OLDEST = (8, 0)
PRICE_DIGITS = 8
NEEDED_RIGHTS = {
    "sale.sale": "create", "party.party": "create", "stock.shipment.out": "write", "stock.move": "read",
    "account.invoice": "write", "product.product": "read",
}  # fmt: skip


class Tryton(Erp):
    """Reads and single records go by REST; cancelling needs wizards, which only a session may run."""

    name = "tryton"
    label = "Tryton"
    checks = "signs in, reads the version, finds the web shop, checks rights, taxes and rounding"
    fields = (
        Field("url", "Address", help="http(s)://host:port of the Tryton server, 8.0 or later"),
        Field("database", "Database"),
        Field("web_shop", "Web shop", default="weft", help="The name of the web shop in Tryton"),
        Field("key", "Application key", secret=True, help="A REST application key of the user below"),
        Field("user", "User name", default="weft", help="Groups Sales, Stock and Accounting; not Stock Cancellation"),
        Field("password", "Password", secret=True),
        Field("shipping_sku", "Shipping product", required=False, default="SHIPPING", help="Code of the service sold"),
    )
    identity = ("database", "web_shop")

    @cached_property
    def wire(self) -> Wire:
        """The line to this account's Tryton."""
        s = self.settings
        return Wire(self.http, s["url"], s["database"], s["key"], s["user"], s["password"])

    @cached_property
    def shop(self) -> Shop:
        """Our web shop there."""
        return find_shop(self.wire, self.settings.get("web_shop") or "weft")

    @cached_property
    def sales(self) -> Sales:
        """The orders there."""
        return Sales(self.wire, self.shop, self._shipping_sku)

    @property
    def _shipping_sku(self) -> str:
        return self.settings.get("shipping_sku") or "SHIPPING"

    # ------------------------------------------------------------ the contract

    def ensure_customer(self, customer: Customer) -> Done:
        """See `Erp`."""
        party = Customers(self.wire, self.shop).ensure(customer)
        return Done(refs=(Ref(f"party.party,{party['id']}", party["code"]),))

    def ensure_order(self, order: SalesOrder) -> OrderDone:
        """See `Erp`."""
        if order.target is Target.CANCELLED:
            wanted = [(part.web_id, part.warehouse) for part in parts_of(order)]
            return Cancellation(self.wire, self.shop, order.number, wanted).carry_out()
        return self.sales.confirm(order)

    def stock(self, warehouses: Iterable[str]) -> Iterator[StockLevel]:
        """See `Erp`."""
        with understood("stock"):
            goods = Goods(self.wire, self.shop)
            for warehouse in warehouses:
                yield from goods.levels(warehouse)

    def changes(self, cursor: str | None) -> Changes:
        """See `Erp`."""
        with understood("shipments"):
            return Goods(self.wire, self.shop).shipped(cursor)

    # ------------------------------------------------------------ health

    def health(self) -> Health:
        """See `Connector`. The notes name what would make orders fail later."""
        with understood("check"):
            return self._health()

    def _health(self) -> Health:
        version = self.wire.version()
        series = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if series < OLDEST:
            raise Misconfigured(f"Tryton {version or '(unknown)'} is too old; 8.0 or later is needed.")
        shop = self.shop
        self.wire.log_in()
        asked = {"models": list(NEEDED_RIGHTS)}
        rights = self.wire.ask("ir.model.access", "get_access", asked, operation="check rights")
        lacking = [model for model, right in NEEDED_RIGHTS.items() if not rights.get(model, {}).get(right)]
        if lacking:
            raise Misconfigured(f"The user may not do what is needed with: {', '.join(lacking)}.")
        summary = f"Currency {shop.currency}; warehouses {', '.join(sorted(shop.warehouses)) or 'none'}."
        return Health(version, (summary, *self._gaps()))

    def _gaps(self) -> Iterator[str]:
        if not self.shop.warehouses:
            yield "The web shop in Tryton has no warehouse with a code: no order can be sent."
        digits = self.sales.price_digits
        if digits < PRICE_DIGITS:
            yield f"Prices have {digits} decimals there; set [product] price_decimal = 8, or totals may differ."
        rounding = self.wire.find("account.configuration", [], ["tax_rounding"], operation="check tax rounding")
        if not rounding or rounding[0]["tax_rounding"] != "line":
            yield "Tax is not rounded per line in Tryton's accounting configuration: totals may differ."
        if not self.wire.find("account.tax", [], ["name"], operation="check taxes", size=1):
            yield "Tryton has no taxes; each of our tax codes must be the name of one."
        domain = [["code", "=", self._shipping_sku]]
        if not self.wire.find("product.product", domain, ["id"], operation="check shipping product"):
            yield f"Tryton has no product {self._shipping_sku!r} for shipping costs."
        domain = [["login", "=", self.settings["user"]]]
        users = self.wire.find("res.user", domain, ["groups.name"], operation="check groups")
        if any(group["name"] == "Stock Cancellation" for user in users for group in user["groups"]):
            yield "The user is in the group Stock Cancellation: take it out, so that Tryton protects shipped goods."
