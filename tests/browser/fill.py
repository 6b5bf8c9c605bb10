"""Fill the browser tests' database: `python -m tests.browser.fill`. The demo's goods with plain pictures, and one
product in variants of two kinds: some to be had, one of which few are left, one sold out."""

from __future__ import annotations

import django

django.setup()

# Django's models can be imported only now.
from django.contrib.auth.hashers import make_password  # noqa: E402
from PIL import Image  # noqa: E402

from shop.catalogue import pictures, search  # noqa: E402
from shop.catalogue.models import (  # noqa: E402
    AttributeOption,
    Category,
    Product,
    ProductAttribute,
    ProductAttributeValue,
)
from shop.customer.models import User  # noqa: E402
from shop.partner.models import StockRecord  # noqa: E402
from shop.seed import load  # noqa: E402
from shop.stock import movements  # noqa: E402
from shop.stock.models import Reason, Warehouse  # noqa: E402
from shop.stock.movements import Move  # noqa: E402
from tests.browser.people import STAFF, VARIANTS  # noqa: E402


def shirt() -> None:
    """A parent with three pictures, its variants by colour and size."""
    pattern = Product.objects.select_related("product_class", "tax_class").get(stockrecords__partner_sku="AP-SHIRT-01")
    parent = Product.objects.create(
        structure=Product.PARENT, product_class=pattern.product_class, tax_class=pattern.tax_class,
        title_zh_hans="府绸衬衫", title_en="Poplin shirt", slug="poplin-shirt",
        summary_zh_hans="每天都能穿的府绸衬衫。", summary_en="A poplin shirt for every day.",
        is_featured=True, priority=32_001,
    )  # fmt: skip
    parent.categories.set([Category.objects.get(code="clothing")])
    for number, colour in enumerate(("#7d9273", "#c8452f", "#1f2a44")):
        pictures.add(parent, Image.new("RGB", (800, 800), colour), caption=f"Poplin {number}", order=number)
    size = ProductAttribute.objects.create(
        product_class=pattern.product_class, code="fit", name_zh_hans="尺码", name_en="Fit"
    )
    for sku, colour, fit, price, units in VARIANTS:
        variant(parent, sku, AttributeOption.objects.get(code=colour), size, fit, price, units)
    search.index([parent])


def variant(
    parent: Product, sku: str, colour: AttributeOption, size: ProductAttribute, fit: str, price: str, units: int
) -> None:
    made = Product.objects.create(structure=Product.CHILD, parent=parent, slug=sku.lower())
    ProductAttributeValue.objects.create(product=made, attribute=size, value_text=fit)
    value = ProductAttributeValue.objects.create(product=made, attribute=ProductAttribute.objects.get(code="color"))
    value.value_multi_option.set([colour])
    partner = StockRecord.objects.all()[0].partner
    StockRecord.objects.create(product=made, partner=partner, partner_sku=sku, price=price, price_currency="CNY")
    movements.record([Move(sku, Warehouse.objects.get(code="SZ").pk, units, Reason.OPENING, "test")])


def main() -> None:
    plain = pictures.prepare(Image.new("RGB", (8, 8), "#e4dac8"))
    load.draw_all = lambda specs: ((key, plain) for key in specs)  # drawing them takes 20 s and shows nothing new
    load.make_countries()
    load.load(lambda text: None)
    shirt()
    User.objects.create(
        email=STAFF.email, password=make_password(STAFF.password), is_staff=True, is_superuser=True, language="en"
    )


if __name__ == "__main__":
    main()
