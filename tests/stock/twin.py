"""An ERP in memory, as a connector: a double of the remote's physics (what it has, ships, cancels and remembers).

It stands in for nothing of ours. How a call ends is set before it: answered, carried out with the answer lost, or
lost on the way, to arrive later or never.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from erp.base import Changes, Customer, Erp, OrderDone, OrderState, SalesOrder, StockLevel, Target
from integrations.hub.errors import OutcomeUnknown
from integrations.hub.values import Done, Health, Ref


class Line(Enum):
    """How calls end now."""

    ANSWERED = "answered"
    ANSWER_LOST = "answer lost"
    REQUEST_LOST = "request lost"


@dataclass
class World:
    """What is true at the ERP. `travelling` are requests to create an order that have not arrived."""

    sku: str
    warehouse: str
    physical: int
    orders: dict[str, str] = field(default_factory=dict)
    travelling: set[str] = field(default_factory=set)
    line: Line = Line.ANSWERED

    def copy(self) -> World:
        return World(self.sku, self.warehouse, self.physical, dict(self.orders), set(self.travelling), self.line)

    def arrive(self, number: str) -> None:
        self.travelling.discard(number)
        self.orders.setdefault(number, "open")

    def cancel(self, number: str) -> None:
        if self.orders.get(number) != "shipped":
            self.orders[number] = "cancelled"

    def ship(self, number: str) -> None:
        assert self.orders[number] == "open" and self.physical > 0
        self.orders[number] = "shipped"
        self.physical -= 1


class Twin(Erp):
    """The connector to `World`."""

    name = "twin"
    label = "ERP in memory"
    world: ClassVar[World]

    def health(self) -> Health:
        return Health()

    def ensure_customer(self, customer: Customer) -> Done:
        return Done(refs=(Ref(customer.key),))

    def ensure_order(self, order: SalesOrder) -> OrderDone:
        if self.world.line is Line.REQUEST_LOST:
            self.world.travelling.add(order.number)
            raise OutcomeUnknown("the connection broke")
        if order.target is Target.CANCELLED:
            self.world.cancel(order.number)
        else:
            self.world.arrive(order.number)
        if self.world.line is Line.ANSWER_LOST:
            raise OutcomeUnknown("the connection broke")
        states = {"cancelled": OrderState.CANCELLED, "shipped": OrderState.SHIPPED, "open": OrderState.CONFIRMED}
        return OrderDone(state=states[self.world.orders[order.number]])

    def stock(self, warehouses: Iterable[str]) -> Iterator[StockLevel]:
        yield StockLevel(self.world.sku, self.world.warehouse, self.world.physical)

    def changes(self, cursor: str | None) -> Changes:
        return Changes((), "")
