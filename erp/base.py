"""The ERP contract: whole documents in, facts out. SKU, warehouse code, tax code and our own keys are the only
identifiers that cross this line; the ERP's own ids come back as opaque `Ref`s shown to people.

A connector is one file in `erp/providers/`, a subclass of `Erp`. Every `ensure_*` is idempotent on its document's
key: it looks first, creates when there is nothing, and then makes only the transitions that are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from integrations.hub.connector import Connector
from integrations.hub.values import Address, Done


class Target(StrEnum):
    """What we want an ERP order to be."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Customer:
    """`key` is ours, stable, <= 64 characters of [A-Za-z0-9:_-], e.g. `user:12` or `guest:W20261122-K7Q2M9`.
    `email` and `phone` may be empty. `name` is never empty."""

    key: str
    name: str
    email: str
    phone: str
    language: str
    address: Address | None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line for one warehouse. Money is in the order's currency, quantised; gross = net + tax; discounts are
    already spread into it. `tax_rate` is a fraction (0.13). `kind` shipping has no warehouse and no SKU of a good."""

    key: str
    kind: Literal["goods", "shipping"]
    sku: str
    name: str
    quantity: int
    net: Decimal
    tax: Decimal
    gross: Decimal
    tax_code: str
    tax_rate: Decimal
    warehouse: str


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """A whole order as it should stand in the ERP. `number` is our immutable, unique order number and the key."""

    number: str
    target: Target
    placed_at: datetime
    customer: Customer
    ship_to: Address
    bill_to: Address
    currency: str
    lines: tuple[OrderLine, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal
    payment_method: str
    note: str = ""


class OrderState(StrEnum):
    """What the ERP did with an order we sent."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"  # asked to cancel, but goods have left: the order needs a return


@dataclass(frozen=True, slots=True)
class OrderDone(Done):
    """`state` is the ERP's state after the call; `refs` its documents (one sale per warehouse in Tryton)."""

    state: OrderState = OrderState.CONFIRMED


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Gross physical stock of one SKU in one warehouse, less ERP demand that is not ours (stock rules, ERP feedback 4).
    Whole units; may be negative."""

    sku: str
    warehouse: str
    on_hand: int


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """`key` identifies the ERP's movement for ever (dedupe on it); `quantity` units of `sku` left `warehouse`."""

    key: str
    sku: str
    warehouse: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment of one of our orders that has left the house. `order_number` is ours."""

    key: str
    number: str
    order_number: str
    done_at: datetime
    lines: tuple[ShippedLine, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """One page of changes. `cursor` is opaque, to be stored and handed back; `more` says there is another page now.
    At least once: a shipment may be reported again, in this page or a later one."""

    shipments: tuple[Shipment, ...]
    cursor: str
    more: bool = False


class Erp(Connector):
    """An ERP. Errors are the hub's: TryAgain, OutcomeUnknown, Conflict, Rejected, Misconfigured.

    `visibility_delay` (seconds): after a write whose outcome is unknown, a look-up may miss it for this long.
    """

    kind = "erp"
    visibility_delay: int = 0

    def ensure_customer(self, customer: Customer) -> Done:
        """Create or update the ERP's customer under `customer.key`. Returns its Ref."""
        raise NotImplementedError

    def ensure_order(self, order: SalesOrder) -> OrderDone:
        """Drive the ERP's sales order(s) for `order.number` to `order.target`, once and only once.

        CONFIRMED: looked up by our number, created when missing, confirmed; totals compared with ours to the minor
        unit, else Conflict (naming both totals). CANCELLED: an order that is there is cancelled; one that is not is
        created as a cancelled tombstone, so that an earlier request still on its way cannot land afterwards; where
        goods have left, nothing is changed and the state is SHIPPED. The customer must exist (ensure_customer first).
        """
        raise NotImplementedError

    def stock(self, warehouses: Iterable[str]) -> Iterator[StockLevel]:
        """Every SKU's level in these warehouses (codes), as in `StockLevel`. SKUs never stocked may be left out."""
        raise NotImplementedError

    def changes(self, cursor: str | None) -> Changes:
        """Shipments of our orders done since `cursor` (None = from the beginning), oldest first, with overlap."""
        raise NotImplementedError
