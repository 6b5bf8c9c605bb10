"""Customers: Tryton's parties. Our key is in the party's code, which is unique in Tryton's database."""

from __future__ import annotations

from erp.base import Customer
from erp.tryton.shop import Shop
from erp.tryton.wire import Row, Wire
from integrations.hub.errors import Rejected
from integrations.hub.values import Address

LANGUAGES = {"zh-hans": "zh_CN", "zh": "zh_CN", "en": "en"}
OURS = "Weft"  # the name of the contact mechanisms that we keep in step; others are left alone
PARTY = (
    "code", "name", "contact_mechanisms.name", "contact_mechanisms.type", "contact_mechanisms.value",
    "addresses.attn", "addresses.street_unstructured", "addresses.city", "addresses.postal_code",
    "addresses.country.code",
)  # fmt: skip


class Customers:
    """The parties under our keys."""

    def __init__(self, wire: Wire, shop: Shop) -> None:
        self._wire, self._shop = wire, shop

    def ensure(self, customer: Customer) -> Row:
        """The customer's party. Name, our e-mail and our phone are kept in step; addresses are only ever added."""
        party = self.find(customer.key) or self._create(customer)
        if party["name"] != customer.name:
            self._wire.write("party.party", party["id"], {"name": customer.name}, operation="update customer")
        self._keep_contacts(party, customer)
        if customer.address:
            self.address(party, customer.address)
        return party

    def find(self, key: str) -> Row | None:
        """The party under this key, with its contacts and addresses; deactivated ones too, since the code is taken."""
        domain = [["code", "=", self._code(key)], ["active", "in", [True, False]]]
        found = self._wire.find("party.party", domain, PARTY, operation="find customer")
        return found[0] if found else None

    def address(self, party: Row, address: Address) -> int:
        """The id of this very address of the party; added when it is not there yet."""
        # District, city and region in one field: Tryton's subdivisions would have to be loaded and match by name.
        places = dict.fromkeys(part for part in (address.region, address.city, address.district) if part)
        wanted = {
            "attn": " ".join(part for part in (address.name, address.phone) if part),
            "street_unstructured": "\n".join(line for line in address.lines if line),
            "city": " ".join(places),
            "postal_code": address.postcode,
        }
        for row in party["addresses"]:
            country = (row["country"] or {}).get("code", "")
            if country in ("", address.country) and all((row[k] or "") == v for k, v in wanted.items()):
                return int(row["id"])
        found = self._wire.find("country.country", [["code", "=", address.country]], ["id"], operation="find country")
        values = {**wanted, "party": party["id"], "country": found[0]["id"] if found else None}
        made = self._wire.create("party.address", values, ["id"], operation="create address")
        party["addresses"].append({**wanted, "id": made["id"], "country": {"code": address.country}})
        return int(made["id"])

    def _code(self, key: str) -> str:
        return f"{self._shop.name}:{key}"

    def _create(self, customer: Customer) -> Row:
        language = LANGUAGES.get(customer.language.lower())
        found = self._wire.find("ir.lang", [["code", "=", language]], ["id"], operation="find language")
        values: Row = {"code": self._code(customer.key), "name": customer.name, "addresses": []}
        values["lang"] = found[0]["id"] if found else None
        try:
            self._wire.create("party.party", values, ["id"], operation="create customer")
        except Rejected:
            if party := self.find(customer.key):
                return party  # another request was faster
            raise
        party = self.find(customer.key)
        if party is None:
            raise Rejected(f"Tryton does not show the customer {values['code']} it has just made.")
        return party

    def _keep_contacts(self, party: Row, customer: Customer) -> None:
        ours = {row["type"]: row for row in party["contact_mechanisms"] if row["name"] == OURS}
        for kind, value in (("email", customer.email), ("phone", customer.phone)):
            row = ours.get(kind)
            if not value or (row and row["value"] == value):
                continue
            if row:
                self._wire.write("party.contact_mechanism", row["id"], {"value": value}, operation="update contact")
            else:
                values = {"party": party["id"], "type": kind, "value": value, "name": OURS}
                self._wire.create("party.contact_mechanism", values, ["id"], operation="create contact")
