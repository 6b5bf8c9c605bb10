"""How the walkthrough waits, looks and tells: each step one line with its time, or a plain reason why not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from django.db import connection

from integrations.hub.models import Outgoing
from shop.order.models import Order, Status

T = TypeVar("T")


class Failed(Exception):
    """A step did not end as it should; the message is the plain reason."""


class Out(Protocol):
    """Where lines go: a command's output."""

    def write(self, text: str) -> object: ...
    def flush(self) -> None: ...


class Walk:
    """One walk, from now on. `patience`: seconds to wait for each thing."""

    def __init__(self, out: Out, patience: float) -> None:
        self.out, self.patience = out, patience
        self.began = self.last = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    def step(self, text: str) -> None:
        """One line with the time this step took."""
        now = time.monotonic()
        self.out.write(f"[{now - self.began:6.1f} s, +{now - self.last:5.1f}] {text}")
        self.out.flush()
        self.last = now

    def until(self, what: str, look: Callable[[], T | None]) -> T:
        """Wait until `look` sees something."""
        deadline = time.monotonic() + self.patience
        while not (seen := look()):
            if time.monotonic() > deadline:
                raise Failed(f"waited {self.patience:.0f} s in vain until {what}; var/log says what the workers did")
            connection.close()
            time.sleep(0.3)
        return seen

    def expect(self, held: bool, otherwise: str) -> None:
        """Raise Failed unless it holds."""
        if not held:
            raise Failed(otherwise)

    # --- what orders came to -----------------------------------------------------------------------------------------

    def delivered(self, order: Order) -> Outgoing | None:
        """The ERP's row of an order, once the ERP has it."""
        row = Outgoing.objects.filter(topic="erp.order", key=order.number).first()
        if row and row.parked_at:
            raise Failed(f"order {order.number} is parked: {row.parked_reason}")
        return row if row and not row.is_open else None

    def has_status(self, order: Order, status: Status) -> bool:
        """Looked up anew."""
        order.refresh_from_db()
        return order.status == status

    @staticmethod
    def numbers(row: Outgoing | None) -> str:
        """What the ERP calls it."""
        return ", ".join(ref["number"] or ref["id"] for ref in row.refs) if row else "?"
