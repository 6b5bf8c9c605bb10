"""Weft with the bench's catalogue in it: what the demo's seed makes, for 2,000 products. Needs Weft's settings."""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from bench import catalogue
from integrations.hub import accounts
from integrations.hub.sending import drains
from integrations.hub.values import Lane
from shop.catalogue import search
from shop.catalogue.models import (
    Category,
    Product,
    ProductAttribute,
    ProductAttributeValue,
    ProductCategory,
    ProductClass,
    ProductImage,
)
from shop.management.commands.seed import connect_mail
from shop.partner.models import Partner, StockRecord
from shop.pricing.models import TaxClass
from shop.seed import load
from shop.stock.models import Reason, Warehouse
from shop.stock.movements import Move, record

FEATURED = 8
_TEXTS = ("title", "summary", "description")
_LANGUAGES = ("zh_hans", "en")


def fill(mail: Path) -> None:
    """Countries, tax classes, the catalogue and its stock; letters go into the folder `mail`, as in the demo."""
    load.make_countries()
    taxes = load.make_tax_classes(load.read())
    with transaction.atomic():
        products = _products(taxes["VAT13"], _categories())
        _prices(products)
        _stock()
    search.index(products)
    connect_mail(mail)
    accounts.check_due()


def _categories() -> list[Category]:
    """The small ones, in the order of `catalogue.leaves()`."""
    tops = {name: Category.add_root(**_named(name)) for name in catalogue.roots()}
    return [Category.objects.get(pk=tops[top].pk).add_child(**_named(name)) for top, name in catalogue.leaves()]


def _named(name: str) -> dict[str, str]:
    code = catalogue.slug(name)
    return {"code": code, "slug": code, "name_zh_hans": name, "name_en": name}


def _products(tax_class: TaxClass, leaves: list[Category]) -> list[Product]:
    goods = ProductClass.objects.create(name="Goods", slug="goods")
    attributes = {
        code: ProductAttribute.objects.create(product_class=goods, code=code, name=code.capitalize(), type="text")
        for code in catalogue.ATTRIBUTES
    }
    items = catalogue.items()
    products = Product.objects.bulk_create(
        Product(
            structure=Product.STANDALONE,
            product_class=goods,
            tax_class=tax_class,
            slug=item.slug,
            is_featured=number < FEATURED,
            **{f"{name}_{code}": getattr(item, name) for name in _TEXTS for code in _LANGUAGES},
        )
        for number, item in enumerate(items)
    )
    pairs = list(zip(products, items, strict=True))
    ProductCategory.objects.bulk_create(ProductCategory(product=p, category=leaves[item.leaf]) for p, item in pairs)
    ProductImage.objects.bulk_create(ProductImage(product=p, original=catalogue.PICTURE) for p in products)
    ProductAttributeValue.objects.bulk_create(
        ProductAttributeValue(product=p, attribute=attributes[code], value_text=text)
        for p, item in pairs
        for code, text in item.attributes.items()
    )
    return products


def _prices(products: list[Product]) -> None:
    partner = Partner.objects.create(code="weft", name="Weft")
    StockRecord.objects.bulk_create(
        StockRecord(
            product=product,
            partner=partner,
            partner_sku=item.sku,
            price=item.price,
            price_currency=catalogue.CURRENCY,
        )
        for product, item in zip(products, catalogue.items(), strict=True)
    )


def _stock() -> None:
    warehouse = Warehouse.objects.create(code="SZ", name="Shenzhen")
    record([Move(item.sku, warehouse.pk, catalogue.STOCK, Reason.OPENING, "bench") for item in catalogue.items()])


def set_stock(sku: str, units: int) -> None:
    """Write off stock until `units` are left."""
    move = Move(sku, Warehouse.objects.get(code="SZ").pk, units - catalogue.STOCK, Reason.COUNT, "bench")
    with transaction.atomic():
        record([move])


def send_letters() -> int:
    """Send what orders wrote, in this process, as a worker would; returns how many letters."""
    sent = 0
    while settled := drains.drain(Lane.ORDERS):
        sent += settled
    return sent
