"""Make in an empty Tryton the company that the shop's seed describes, over Tryton's own API, as its administrator.

Every step looks before it creates, so it may run again, over a database in use. Records are created many at a time:
a call costs more than a record. Tax codes, warehouse codes and SKUs become Tryton's tax names, location codes and
product codes, which is how the connector finds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

from erp.local.passwords import Passwords
from erp.local.rpc import Row, Session

WEB_SHOP = "weft"
API_USER = "weft"
CLERK = "clerk"
SHIPPING_SKU = "SHIPPING"
TIMEZONE = "Asia/Shanghai"
# The least that works: sales (orders, parties), stock (shipments to cancel), accounting (draft invoices to cancel).
# Not "Stock Cancellation": so Tryton itself refuses to cancel a shipment that has left the house.
API_GROUPS = (("sale", "group_sale"), ("stock", "group_stock"), ("account", "group_account"))
CLERK_GROUPS = (("stock", "group_stock"), ("sale", "group_sale"))
COUNTRIES = (("China", "CN", "CHN", "156"), ("Hong Kong", "HK", "HKG", "344"), ("Macao", "MO", "MAC", "446"))


def provision(url: str, database: str, passwords: Passwords, catalogue: Mapping[str, Any]) -> int:
    """Everything, in order. Returns the number of calls it took."""
    with Session(url, database, "admin", passwords.admin) as session:
        company = Company(session, catalogue)
        company.make_books()
        company.make_places()
        company.make_goods()
        company.make_supply()
        company.open_stock()
        company.make_users(passwords)
        return session.calls


def title(names: str | Mapping[str, str]) -> str:
    """The name people in this company read: Chinese where there is one."""
    return names if isinstance(names, str) else names.get("zh-hans") or names["en"]


class Company:
    """The company of the catalogue, found or made piece by piece."""

    def __init__(self, session: Session, catalogue: Mapping[str, Any]) -> None:
        self.session, self.catalogue = session, catalogue
        self.countries = self._codes("country.country", "code", [self._country(*row) for row in COUNTRIES])
        self.currency = self._currency()
        self.id = self._company()

    def _codes(self, model: str, field: str, rows: Sequence[Row], **context: Any) -> dict[str, int]:
        """Find the records with these rows' codes, create the missing ones in one call: code -> id."""
        wanted = {row[field]: row for row in rows}
        found = self.session.find(model, [[field, "in", list(wanted)]], [field], **context)
        ids = {row[field]: row["id"] for row in found}
        missing = [code for code in wanted if code not in ids]
        made = self.session.create(model, [wanted[code] for code in missing], **context)
        return ids | dict(zip(missing, made, strict=True))

    # ------------------------------------------------------------ company and books

    @staticmethod
    def _country(name: str, code: str, code3: str, number: str) -> Row:
        return {"name": name, "code": code, "code3": code3, "code_numeric": number}

    def _currency(self) -> int:
        code = self.catalogue["currency"]
        row = {"name": code, "code": code, "symbol": {"CNY": "¥"}.get(code, code), "digits": 2}
        row |= {"rounding": Decimal("0.01"), "rates": [["create", [{"date": date(2000, 1, 1), "rate": Decimal(1)}]]]}
        return self._codes("currency.currency", "code", [row])[code]

    def _company(self) -> int:
        session = self.session
        name = title(self.catalogue["company"]["name"])
        company = session.first("company.company", [["party.name", "=", name]])
        if company is None:
            party = self._parties([name])[name]
            row = {"party": party, "currency": self.currency, "timezone": TIMEZONE}
            company = session.create("company.company", [row])[0]
        session.do("res.user", "write", [session.user_id], {"companies": [["add", [company]]], "company": company})
        session.refresh()
        return company

    def _parties(self, names: Sequence[str]) -> dict[str, int]:
        address = {"country": self.countries["CN"]}
        return self._codes("party.party", "name", [{"name": n, "addresses": [["create", [address]]]} for n in names])

    def make_books(self) -> None:
        """Chart of accounts, this fiscal year and the next, taxes, payment term, rounding per line."""
        if self.session.first("account.account", [["company", "=", self.id]]) is None:
            self._chart()
        for year in (date.today().year, date.today().year + 1):
            self._fiscal_year(year)
        terms = self._codes("account.invoice.payment_term", "name", [self._at_once()])
        self._configure({"tax_rounding": "line", "default_customer_payment_term": next(iter(terms.values()))})

    def _configure(self, values: Row) -> None:
        self.session.do("account.configuration", "write", [1], values)

    def _chart(self) -> None:
        session, wizard = self.session, "account.create_chart"
        template = session.first("account.account.template", [["parent", "=", None]])
        form = {"company": self.id, "account_template": template}
        session.run(wizard, [("account", {}), ("create_account", {"account": form})])
        usual = {"account_receivable": self.accounts["receivable"], "account_payable": self.accounts["payable"]}
        usual |= {f"category_account_{kind}": self.accounts[kind] for kind in ("expense", "revenue")}
        session.run(
            wizard,
            [("properties", {"account": form}), ("create_properties", {"properties": {"company": self.id, **usual}})],
        )

    @cached_property
    def accounts(self) -> dict[str, int]:
        """The accounts that invoices need, by kind."""
        kinds = ("receivable", "payable", "revenue", "expense")
        domain = [["company", "=", self.id], ["closed", "!=", True]]
        fields = ["code", *(f"type.{kind}" for kind in kinds)]
        rows = self.session.find("account.account", domain, fields)
        found = {kind: next(r["id"] for r in rows if r.get("type.") and r["type."][kind]) for kind in kinds}
        tax = next((r["id"] for r in rows if r["code"] == "6.3.6"), found["payable"])
        return found | {"tax": tax}

    @staticmethod
    def _at_once() -> Row:
        return {"name": "At once", "lines": [["create", [{"type": "remainder"}]]]}

    def _sequence(self, kind: str, year: int) -> int:
        sequence_type = self.session.first("ir.sequence.type", [["name", "=", kind]])
        row = {"name": f"{kind} {year}", "company": self.id, "sequence_type": sequence_type, "prefix": f"{year}-"}
        return self._codes("ir.sequence.strict", "name", [row])[f"{kind} {year}"]

    def _fiscal_year(self, year: int) -> None:
        domain = [["company", "=", self.id], ["start_date", "=", date(year, 1, 1)]]
        if self.session.first("account.fiscalyear", domain) is not None:
            return
        invoices = self._sequence("Invoice", year)
        kinds = ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note")
        row = {
            "name": str(year),
            "company": self.id,
            "start_date": date(year, 1, 1),
            "end_date": date(year, 12, 31),
            "move_sequence": self._sequence("Account Move", year),
            "invoice_sequences": [
                ["create", [{"company": self.id, **{f"{kind}_sequence": invoices for kind in kinds}}]]
            ],
        }
        made = self.session.create("account.fiscalyear", [row])
        self.session.do("account.fiscalyear", "create_period", made)

    @cached_property
    def taxes(self) -> dict[str, int]:
        """Our tax codes are the names of Tryton's taxes."""
        account = self.accounts["tax"]
        rows = [
            {
                "name": tax["code"],
                "description": title(tax["name"]),
                "company": self.id,
                "type": "percentage",
                "rate": Decimal(tax["rate"]),
                "invoice_account": account,
                "credit_note_account": account,
            }
            for tax in self.catalogue["tax_classes"]
        ]
        return self._codes("account.tax", "name", rows)

    # ------------------------------------------------------------ places

    @cached_property
    def warehouses(self) -> dict[str, int]:
        """Our warehouse codes -> ids, made by `make_places`."""
        codes = [place["code"] for place in self.catalogue["warehouses"]]
        domain = [["type", "=", "warehouse"], ["code", "in", codes]]
        return {row["code"]: row["id"] for row in self.session.find("stock.location", domain, ["code"])}

    def make_places(self) -> None:
        """Our warehouses with all their zones; Tryton's own first one becomes our first."""
        session = self.session
        places = sorted(self.catalogue["warehouses"], key=lambda place: place["priority"])
        codes = [place["code"] for place in places]
        domain = [["type", "=", "warehouse"]]
        known = {row["code"]: row["id"] for row in session.find("stock.location", domain, ["code"])}
        if "WH" in known and codes[0] not in known:
            values = {"code": codes[0], "name": title(places[0]["name"])}
            session.do("stock.location", "write", [known["WH"]], values)
            known[codes[0]] = known["WH"]
        missing = [place for place in places if place["code"] not in known]
        zones = [zone for place in missing for zone in self._zones(place)]
        made = iter(session.create("stock.location", zones))
        rows = []
        for place in missing:
            names = ("input", "output", "storage", "production", "lost_found")
            row = {f"{name}_location": next(made) for name in names}
            rows.append(row | {"name": title(place["name"]), "code": place["code"], "type": "warehouse"})
        session.create("stock.location", rows)

    @staticmethod
    def _zones(place: Row) -> list[Row]:
        # Without a lost-and-found of its own the first inventory of a warehouse fails.
        kinds = {
            "IN": "storage", "OUT": "storage", "STO": "storage", "PRO": "production", "LOST": "lost_found",
        }  # fmt: skip
        name, code = title(place["name"]), place["code"]
        return [{"name": f"{name} {end}", "code": f"{code}-{end}", "type": kind} for end, kind in kinds.items()]

    # ------------------------------------------------------------ goods

    @cached_property
    def unit(self) -> int:
        return int(self.session.do("ir.model.data", "get_id", "product", "uom_unit"))

    @cached_property
    def products(self) -> dict[str, int]:
        """SKU -> id of the variant, of everything that was made."""
        rows = self.session.find("product.product", [["code", "!=", None]], ["code"])
        return {row["code"]: row["id"] for row in rows}

    def make_goods(self) -> None:
        """Products, components and the shipping service; each tax class has its accounting category."""
        taxed = self._tax_categories()
        shelves = sorted({product["category"] for product in self.catalogue["products"]})
        self.shelves = self._codes("product.category", "name", [{"name": shelf} for shelf in shelves])
        wanted = [self._product(product, taxed) for product in self.catalogue["products"]]
        wanted += [self._component(component, taxed) for component in self.catalogue.get("components", ())]
        wanted.append(self._shipping(taxed))
        self._codes("product.template", "code", wanted)

    def _tax_categories(self) -> dict[str, int]:
        names = {code: f"Tax {code}" for code in self.taxes}
        rows = [
            {
                "name": name,
                "accounting": True,
                "account_expense": self.accounts["expense"],
                "account_revenue": self.accounts["revenue"],
                "customer_taxes": [["add", [self.taxes[code]]]],
            }
            for code, name in names.items()
        ]
        made = self._codes("product.category", "name", rows)
        return {code: made[name] for code, name in names.items()}

    def _template(self, sku: str, names: Any, tax_category: int, cost: str, **more: Any) -> Row:
        row = {"code": sku, "name": title(names), "type": "goods", "default_uom": self.unit}
        row |= {"account_category": tax_category, "list_price": Decimal(0)}
        row["products"] = [["create", [{"cost_price": Decimal(cost)}]]]
        return row | more

    def _product(self, product: Row, taxed: Mapping[str, int]) -> Row:
        rate = next(Decimal(t["rate"]) for t in self.catalogue["tax_classes"] if t["code"] == product["tax"])
        net = (Decimal(product["price"]) / (1 + rate)).quantize(Decimal("1e-8"), ROUND_HALF_UP)
        bought = {row["sku"] for supplier in self.catalogue.get("suppliers", ()) for row in supplier["prices"]}
        made = {bom["product"] for bom in self.catalogue.get("boms", ())}
        more = {"list_price": net, "salable": True, "sale_uom": self.unit, "producible": product["sku"] in made}
        if product["sku"] in bought:
            more |= {"purchasable": True, "purchase_uom": self.unit}
        more["categories"] = [["add", [self.shelves[product["category"]]]]]
        return self._template(product["sku"], product["title"], taxed[product["tax"]], product["cost"], **more)

    def _component(self, component: Row, taxed: Mapping[str, int]) -> Row:
        category = next(iter(taxed.values()))
        more = {"purchasable": True, "purchase_uom": self.unit}
        return self._template(component["sku"], component["title"], category, component["cost"], **more)

    def _shipping(self, taxed: Mapping[str, int]) -> Row:
        names = {"zh-hans": "运费", "en": "Shipping"}
        category = next(iter(taxed.values()))
        return self._template(SHIPPING_SKU, names, category, "0", type="service", salable=True, sale_uom=self.unit)

    # ------------------------------------------------------------ supply

    def make_supply(self) -> None:
        """Bills of materials and suppliers with their prices."""
        for bom in self.catalogue.get("boms", ()):
            self._bom(bom)
        suppliers = self.catalogue.get("suppliers", ())
        parties = self._parties([title(supplier["name"]) for supplier in suppliers])
        rows = [row for supplier in suppliers for row in self._supplies(supplier, parties[title(supplier["name"])])]
        self.session.create("purchase.product_supplier", rows)

    def _bom(self, bom: Row) -> None:
        sku = bom["product"]
        if self.session.first("production.bom", [["name", "=", sku]]) is not None:
            return
        inputs = [self._input(line["component"], line["quantity"]) for line in bom["lines"]]
        row = {"name": sku, "inputs": [["create", inputs]]}
        row["outputs"] = [["create", [self._input(sku, bom["quantity"])]]]
        made = self.session.create("production.bom", [row])[0]
        values = {
            "boms": [["create", [{"bom": made}]]],
            "production_lead_times": [["create", [{"lead_time": timedelta(days=2)}]]],
        }
        self.session.do("product.product", "write", [self.products[sku]], values)

    def _input(self, sku: str, quantity: int) -> Row:
        return {"product": self.products[sku], "quantity": float(quantity), "unit": self.unit}

    def _supplies(self, supplier: Row, party: int) -> list[Row]:
        known = self.session.find("purchase.product_supplier", [["party", "=", party]], ["product.code"])
        codes = {row["product."]["code"] for row in known if row.get("product.")}
        skus = [row["sku"] for row in supplier["prices"]]
        variants = self.session.find("product.product", [["code", "in", skus]], ["code", "template"])
        templates = {row["code"]: row["template"] for row in variants}
        return [
            {
                "template": templates[row["sku"]],
                "product": self.products[row["sku"]],
                "party": party,
                "company": self.id,
                "currency": self.currency,
                "lead_time": timedelta(days=row["lead_days"]),
                "prices": [["create", [_price(row)]]],
            }
            for row in supplier["prices"]
            if row["sku"] not in codes
        ]

    # ------------------------------------------------------------ stock

    def open_stock(self) -> None:
        """Opening stock by inventory, for products that never moved."""
        goods = [*self.catalogue["products"], *self.catalogue.get("components", ())]
        moved = {row["product"] for row in self.session.find("stock.move", [], ["product"])}
        counts: dict[str, dict[int, float]] = defaultdict(dict)
        for row in goods:
            stock = row.get("stock", {})
            if not isinstance(stock, Mapping):
                stock = {self.catalogue["warehouses"][0]["code"]: stock}
            for code, quantity in stock.items():
                if self.products[row["sku"]] not in moved and quantity:
                    counts[code][self.products[row["sku"]]] = float(quantity)
        for code, count in counts.items():
            self._count(code, count)

    def _count(self, warehouse: str, count: Mapping[int, float]) -> None:
        domain = [["id", "=", self.warehouses[warehouse]]]
        storage = self.session.find("stock.location", domain, ["storage_location"])[0]["storage_location"]
        lines = [{"product": product, "quantity": quantity} for product, quantity in count.items()]
        row = {"location": storage, "company": self.id, "empty_quantity": "keep", "lines": [["create", lines]]}
        made = self.session.create("stock.inventory", [row])
        self.session.do("stock.inventory", "confirm", made)

    # ------------------------------------------------------------ people

    def make_users(self, passwords: Passwords) -> None:
        """The web shop, the shop's user with its REST key, and a warehouse clerk."""
        guest = self._parties(["Web guest"])["Web guest"]
        shop = {"name": WEB_SHOP, "company": self.id, "currency": self.currency, "guest_party": guest}
        shop["warehouses"] = [["add", list(self.warehouses.values())]]
        self._codes("web.shop", "name", [shop])
        users = self._codes(
            "res.user",
            "login",
            [
                self._user("Weft", API_USER, passwords.weft, API_GROUPS),
                self._user("Warehouse clerk", CLERK, passwords.clerk, CLERK_GROUPS),
            ],
        )
        key = {"key": passwords.weft_key, "user": users[API_USER], "application": "rest"}
        self._codes("res.user.application", "key", [key])

    def _user(self, name: str, login: str, password: str, groups: Sequence[tuple[str, str]]) -> Row:
        ids = [self.session.do("ir.model.data", "get_id", module, group) for module, group in groups]
        row = {"name": name, "login": login, "password": password, "groups": [["add", ids]]}
        return row | {"companies": [["add", [self.id]]], "company": self.id}


def _price(row: Row) -> Row:
    """A supplier's price from its smallest quantity on."""
    return {"quantity": float(row.get("min_quantity", 0)), "unit_price": Decimal(row["price"])}
