"""Many rows at once, written past the services: only good to be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from oscar.apps.partner.models import Partner

from shop.catalogue import search
from shop.catalogue.models import Category, Product, ProductCategory, ProductClass, ProductImage
from shop.order.models import Line, Order, ShippingAddress, Status
from shop.partner.models import StockRecord
from shop.stock.models import Level, Pool, Warehouse
from tests import factories


def products(count: int, *categories: Category, prefix: str = "MANY", **fields: Any) -> list[Product]:
    """Public products with price, stock and a picture's row, in all of `categories`."""
    kind = ProductClass.objects.get_or_create(slug="goods", defaults={"name_zh_hans": "Goods", "name_en": "Goods"})
    tax = factories.tax_class()
    made = Product.objects.bulk_create(
        Product(
            product_class=kind[0],
            tax_class=tax,
            title_zh_hans=f"商品 {number}",
            title_en=f"Thing {number}",
            slug=f"{prefix}-{number}".lower(),
            **fields,
        )
        for number in range(count)
    )
    ProductCategory.objects.bulk_create(
        ProductCategory(product=product, category=category) for product in made for category in categories
    )
    ProductImage.objects.bulk_create(ProductImage(product=product, original=f"{product.slug}.webp") for product in made)
    stocked(made, prefix)
    search.index(made)
    return made


def stocked(made: Sequence[Product], prefix: str, units: int = 1000) -> None:
    """A stock record and a pool for each."""
    partner = Partner.objects.get_or_create(code="weft", defaults={"name": "Weft"})[0]
    skus = [f"{prefix}-{number:04}" for number in range(len(made))]
    StockRecord.objects.bulk_create(
        StockRecord(product=product, partner=partner, partner_sku=sku, price=Decimal("10.00"), price_currency="CNY")
        for product, sku in zip(made, skus, strict=True)
    )
    Pool.objects.bulk_create(Pool(sku=sku, on_hand=units) for sku in skus)


def variants(parent: Product, count: int) -> list[Product]:
    """`parent` becomes the parent of variants without titles, classes, taxes and pictures of their own."""
    StockRecord.objects.filter(product=parent).delete()
    Product.objects.filter(pk=parent.pk).update(structure=Product.PARENT)
    made = Product.objects.bulk_create(
        Product(structure=Product.CHILD, parent=parent, slug=f"{parent.slug}-{number}") for number in range(count)
    )
    stocked(made, f"V{parent.pk}")
    return made


def levels(warehouses: Sequence[Warehouse]) -> None:
    """Every pool lies in each of these warehouses."""
    Level.objects.bulk_create(
        Level(pool=pool, warehouse=warehouse, on_hand=1) for pool in Pool.objects.all() for warehouse in warehouses
    )


def orders(count: int, sku: str, *, prefix: str = "W20261122", **fields: Any) -> list[Line]:
    """Orders of one line each; returns the lines."""
    country = factories.china()
    addresses = ShippingAddress.objects.bulk_create(
        ShippingAddress(first_name=f"Buyer {number}", line1="科技路 1 号", line4="深圳市", country=country)
        for number in range(count)
    )
    made = Order.objects.bulk_create(
        Order(
            number=f"{prefix}-{number:08}",
            external_number=f"{prefix}-{number:08}",
            currency="CNY",
            total_incl_tax=113,
            total_excl_tax=100,
            status=Status.PENDING_PAYMENT,
            payment_method="bank_transfer",
            payment_deadline=timezone.now() + timedelta(hours=1),
            language="en",
            guest_email=f"buyer{number}@example.test",
            shipping_address=address,
            date_placed=timezone.now() - timedelta(minutes=number),
            **fields,
        )
        for number, address in enumerate(addresses)
    )
    return Line.objects.bulk_create(
        Line(
            order=order,
            partner_sku=sku,
            title="Thing",
            quantity=1,
            line_price_incl_tax=113,
            line_price_excl_tax=100,
            line_price_before_discounts_incl_tax=113,
            line_price_before_discounts_excl_tax=100,
            tax_rate=Decimal("0.13"),
        )
        for order in made
    )
