"""Our web shop as Tryton knows it: the company, the currency and the warehouses of all we do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from erp.tryton.wire import Wire
from integrations.hub.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Shop:
    """`guest` is the party of sales without a customer; `warehouses` maps our codes to Tryton's ids."""

    id: int
    name: str
    company: int
    currency: str
    guest: int
    warehouses: Mapping[str, int]

    def warehouse(self, code: str) -> int:
        """Tryton's id of a warehouse of ours."""
        try:
            return self.warehouses[code]
        except KeyError:
            raise Misconfigured(f"The web shop {self.name!r} in Tryton has no warehouse with code {code!r}.") from None


def find_shop(wire: Wire, name: str) -> Shop:
    """The web shop of this name; from here on all calls of this wire are made in its company."""
    fields = ("company", "currency.code", "guest_party", "warehouses.code", "company.party")
    found = wire.find("web.shop", [["name", "=", name]], fields, operation="find web shop")
    if not found:
        raise Misconfigured(f"Tryton has no web shop {name!r}, or this user may not see its company.")
    row = found[0]
    company = row["company"]["id"]
    wire.context["company"] = company
    warehouses = {place["code"]: place["id"] for place in row["warehouses"] if place["code"]}
    guest = row["guest_party"] or row["company"]["party"]
    return Shop(row["id"], name, company, row["currency"]["code"], guest, warehouses)
