"""What the file sold, as a catalogue: one product per SKU of goods, its price the last one paid, opening stock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from babel import Locale
from django.db import transaction
from django.utils.text import slugify
from oscar.core.loading import get_model

from shop.catalogue import search
from shop.catalogue.models import Category, Product, ProductClass
from shop.order.models import LineKind, Order
from shop.partner.models import Partner, StockRecord
from shop.pricing.models import TaxClass
from shop.pricing.money import TooFine, exact
from shop.replay.places import UNKNOWN, country_code
from shop.replay.transactions import Invoice, Row
from shop.stock.models import Reason, Warehouse
from shop.stock.movements import Move, record

Country = get_model("address", "Country")
CODE = "replay"
BATCH = 1000


@dataclass
class _Sku:
    titles: Counter[str] = field(default_factory=Counter)
    price: Decimal | None = None
    free: int = 0
    lowest: int = 0
    is_goods: bool = False

    @property
    def title(self) -> str:
        return self.titles.most_common(1)[0][0]


class NotItsOwn(Exception):
    """The database holds something else; a replay needs one of its own."""


def build(invoices: Iterable[Invoice], *, mark: str, currency: str, stock: int | None) -> None:
    """All of it, once, in one transaction; a second call on the same database changes nothing.

    `stock`: opening units of each SKU; None: as many as the file takes out at its lowest point. `mark` tells this
    replay from others. Raises NotItsOwn.
    """
    with transaction.atomic():
        warehouse, made = Warehouse.objects.get_or_create(code=CODE.upper(), defaults={"name": f"Replay {mark}"})
        if warehouse.name != f"Replay {mark}" or (made and Order.objects.exists()):
            raise NotItsOwn("This database holds other data, or a replay of another file or with other settings.")
        if not made:
            return
        ordered = list(invoices)
        skus = _skus(ordered, currency)
        _countries({row.country for invoice in ordered for row in invoice.rows})
        _products({sku: found for sku, found in skus.items() if found.is_goods}, currency)
        _open(skus, warehouse, stock, min((i.rows[0].at for i in ordered), default=datetime.now().astimezone()))


def _skus(invoices: list[Invoice], currency: str) -> dict[str, _Sku]:
    skus: dict[str, _Sku] = defaultdict(_Sku)
    for invoice in invoices:
        for row in sorted(invoice.rows, key=lambda row: row.price != 0):  # as intake does: movements, then sales
            _note(skus[row.sku], row, currency)
    return skus


def _note(sku: _Sku, row: Row, currency: str) -> None:
    sku.titles[row.title] += 1 if row.price else 0  # rows without a price are remarks: "damaged", "?"
    if row.price == 0:
        sku.free += row.quantity
    elif row.price > 0 and row.quantity > 0 and row.kind == LineKind.GOODS:
        sku.free -= row.quantity
        sku.is_goods = True
        sku.price = _price(row.price, currency) or sku.price
    sku.lowest = min(sku.lowest, sku.free)


def _price(price: Decimal, currency: str) -> Decimal | None:
    try:
        return exact(price, currency) if price < Decimal(10) ** 11 else None
    except TooFine:
        return None


def _countries(names: set[str]) -> None:
    english = Locale("en").territories
    codes = {country_code(name) for name in names} | {UNKNOWN}
    Country.objects.bulk_create(
        (
            Country(iso_3166_1_a2=code, printable_name=english.get(code, code), name=english.get(code, code))
            for code in sorted(codes)
        ),
        ignore_conflicts=True,
    )


def _products(skus: dict[str, _Sku], currency: str) -> None:
    kind = ProductClass.objects.create(name="Replay", slug=CODE)
    tax, _ = TaxClass.objects.get_or_create(code="NONE", defaults={"name": "0 %", "rate": Decimal(0)})
    partner = Partner.objects.create(code=CODE, name="Replay")
    category = Category.add_root(name_en="Replayed transactions", name_zh_hans="回放的交易", code=CODE)
    products = Product.objects.bulk_create(
        [
            Product(
                structure=Product.STANDALONE, product_class=kind, tax_class=tax, is_public=found.price is not None,
                title=found.title, title_zh_hans=found.title, title_en=found.title,
                slug=slugify(found.title)[:255] or "product",
            )
            for found in skus.values()
        ],
        batch_size=BATCH,
    )  # fmt: skip
    StockRecord.objects.bulk_create(
        [
            StockRecord(product=product, partner=partner, partner_sku=sku, price=found.price, price_currency=currency)
            for product, (sku, found) in zip(products, skus.items(), strict=True)
        ],
        batch_size=BATCH,
    )
    through = Product.categories.through
    through.objects.bulk_create([through(product=product, category=category) for product in products], BATCH)
    search.index(products)


def _open(skus: dict[str, _Sku], warehouse: Warehouse, stock: int | None, first: datetime) -> None:
    """Opening stock the day before the first invoice. A SKU that opens with none gets its pool all the same."""
    at = first - timedelta(days=1)
    record(
        [
            Move(
                sku, warehouse.pk, -found.lowest if stock is None else stock, Reason.OPENING, CODE, CODE, at=at
            )
            for sku, found in sorted(skus.items())
            if found.is_goods or found.lowest or found.free
        ]
    )  # fmt: skip


def places() -> tuple[int, dict[str, tuple[int, int]]]:
    """The warehouse's id, and sku -> (product id, stock record id)."""
    records = StockRecord.objects.values_list("partner_sku", "product_id", "id")
    return Warehouse.objects.get(code=CODE.upper()).pk, {sku: (product, pk) for sku, product, pk in records}
