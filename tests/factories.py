"""Small real things for tests: a warehouse, a SKU with stock, an order. Everything else has its default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction
from django.utils import timezone
from oscar.apps.address.models import Country
from oscar.apps.partner.models import Partner

from integrations.hub.models import Account, AccountState
from integrations.hub.values import Address
from shop.catalogue.models import Product, ProductClass
from shop.order.models import Order, PaymentMethod
from shop.order.place import Draft, DraftLine, place
from shop.partner.models import StockRecord
from shop.pricing.models import TaxClass
from shop.stock import movements, presales
from shop.stock.models import KitPart, Pool, Presale, Reason, Supply, Warehouse
from shop.stock.movements import Move
from shop.stock.offered import Kind

_numbers = count(1)

ADDRESS = Address(
    name="张伟", lines=("科技路 1 号",), district="南山区", city="深圳市", region="广东省", postcode="518057",
    country="CN", phone="+8613800138000",
)  # fmt: skip


def china() -> Country:
    return Country.objects.get_or_create(
        iso_3166_1_a2="CN",
        defaults={"printable_name": "China", "name": "China", "iso_3166_1_a3": "CHN", "is_shipping_country": True},
    )[0]


def warehouse(code: str = "SZ", **fields: Any) -> Warehouse:
    return Warehouse.objects.get_or_create(code=code, defaults={"name": code, **fields})[0]


def stock(sku: str = "CHAIR-1", **levels: int) -> Pool:
    """A pool with these levels, e.g. stock("A", SZ=5, HZ=2). Without levels: 10 in SZ."""
    moves = [
        Move(sku, warehouse(code).pk, units, Reason.OPENING, "test") for code, units in (levels or {"SZ": 10}).items()
    ]
    with transaction.atomic():
        movements.record(moves)
    return Pool.objects.get(sku=sku)


def tax_class(code: str = "VAT13", rate: str = "0.13") -> TaxClass:
    return TaxClass.objects.get_or_create(code=code, defaults={"name": code, "rate": Decimal(rate)})[0]


def product(sku: str = "CHAIR-1", *, price: str = "113.00", title: str = "橡木椅", title_en: str = "Oak chair",
            **fields: Any) -> Product:  # fmt: skip
    """A public stand-alone product with its stock record."""
    kind = ProductClass.objects.get_or_create(slug="goods", defaults={"name_zh_hans": "Goods", "name_en": "Goods"})
    made = Product.objects.create(
        product_class=kind[0],
        title=title,
        title_zh_hans=title,
        title_en=title_en,
        slug=sku.lower(),
        tax_class=fields.pop("tax_class", None) or tax_class(),
        **fields,
    )
    partner = Partner.objects.get_or_create(code="weft", defaults={"name": "Weft"})[0]
    StockRecord.objects.create(
        product=made, partner=partner, partner_sku=sku, price=Decimal(price), price_currency="CNY"
    )
    return made


def kit(sku: str = "SET-1", parts: Mapping[str, int] | None = None, **fields: Any) -> Product:
    """A product that is made of these SKUs, which must be products."""
    made = product(sku, **{"title": "套装", "title_en": "Set", **fields})
    for part, units in (parts or {"CHAIR-1": 2}).items():
        KitPart.objects.create(kit=made, part=StockRecord.objects.get(partner_sku=part), quantity=units)
    return made


def supply(sku: str = "CHAIR-1", units: int = 10, days: int = 10, **fields: Any) -> Supply:
    """So many units, expected in so many days."""
    stock(sku, SZ=0)
    given = {"warehouse": warehouse(), "document": f"PO-{next(_numbers)}", **fields}
    return Supply.objects.create(
        pool_id=sku, quantity=units, expected_on=timezone.localdate() + timedelta(days=days), **given
    )


def presale(sku: str = "CHAIR-1", cap: int = 10, kind: Kind = Kind.PRESALE, **of_supply: Any) -> Presale:
    """Open, on a supply of its own."""
    return presales.open_(supply(sku, **{"units": cap, **of_supply}).pk, cap=cap, kind=kind, actor="test")


def draft(wanted: Mapping[str, int] | None = None, *, unit: str = "113.00", **fields: Any) -> Draft:
    """An order of these SKUs (default: one CHAIR-1), one price for all."""
    lines = tuple(
        DraftLine(sku, sku.title(), units, Decimal(unit), Decimal(0), "VAT13", Decimal("0.13"))
        for sku, units in (wanted or {"CHAIR-1": 1}).items()
    )
    values: dict[str, Any] = {
        "currency": "CNY",
        "lines": lines,
        "ship_to": ADDRESS,
        "payment_method": PaymentMethod.BANK_TRANSFER,
        "language": "zh-hans",
        "email": "buyer@example.test",
        **fields,
    }
    return Draft(**values)


def order(wanted: Mapping[str, int] | None = None, **fields: Any) -> Order:
    """A placed order. The SKUs must have stock."""
    china()
    return place(draft(wanted, **fields))


def account(kind: str = "test", provider: str = "test", **fields: Any) -> Account:
    """An active account."""
    fields.setdefault("name", f"{provider}-{next(_numbers)}")
    return Account.objects.create(kind=kind, provider=provider, **{"state": AccountState.ACTIVE, **fields})
