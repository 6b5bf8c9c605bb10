"""Fill stock Oscar's database with the bench's catalogue: `python -m bench.oscar.load`, or with `index` only its
search index. Under `bench.oscar.settings`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from PIL import Image

from bench import catalogue


def picture() -> None:
    """The one picture, where the thumbnailer looks for it."""
    path = Path(settings.MEDIA_ROOT) / catalogue.PICTURE
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (800, 800), "#e2e8da").save(path, "WEBP")


@transaction.atomic
def fill() -> None:
    from oscar.core.loading import get_model

    country = get_model("address", "Country")
    country.objects.create(
        iso_3166_1_a2="GB",
        iso_3166_1_a3="GBR",
        iso_3166_1_numeric="826",
        name="United Kingdom",
        printable_name="United Kingdom",
        is_shipping_country=True,
    )
    _products(_categories())


def _categories() -> list[int]:
    """Keys of the small categories, in the order of `catalogue.leaves()`."""
    from oscar.apps.catalogue.models import Category

    tops = {name: Category.add_root(name=name, slug=catalogue.slug(name)) for name in catalogue.roots()}
    return [
        Category.objects.get(pk=tops[top].pk).add_child(name=name, slug=catalogue.slug(name)).pk
        for top, name in catalogue.leaves()
    ]


def _products(leaves: list[int]) -> None:
    """Every product with category, picture, attributes, price and stock."""
    from oscar.apps.catalogue import models
    from oscar.apps.partner.models import Partner, StockRecord

    goods = models.ProductClass.objects.create(name="Goods", slug="goods")
    attributes = {
        code: models.ProductAttribute.objects.create(
            product_class=goods, code=code, name=code.capitalize(), type="text"
        )
        for code in catalogue.ATTRIBUTES
    }
    partner = Partner.objects.create(code="stock", name="Stock")
    items = catalogue.items()
    products = models.Product.objects.bulk_create(
        models.Product(
            structure=models.Product.STANDALONE,
            product_class=goods,
            upc=item.sku,
            title=item.title,
            slug=item.slug,
            description=f"{item.summary} {item.description}",
        )
        for item in items
    )
    pairs = list(zip(products, items, strict=True))
    models.ProductCategory.objects.bulk_create(
        models.ProductCategory(product=p, category_id=leaves[item.leaf]) for p, item in pairs
    )
    models.ProductImage.objects.bulk_create(
        models.ProductImage(product=p, original=catalogue.PICTURE) for p in products
    )
    models.ProductAttributeValue.objects.bulk_create(
        models.ProductAttributeValue(product=p, attribute=attributes[code], value_text=text)
        for p, item in pairs
        for code, text in item.attributes.items()
    )
    StockRecord.objects.bulk_create(
        StockRecord(
            product=p,
            partner=partner,
            partner_sku=item.sku,
            price_currency=catalogue.CURRENCY,
            price=item.price,
            num_in_stock=catalogue.STOCK,
        )
        for p, item in pairs
    )


def main(what: str) -> None:
    django.setup()
    if what == "database":
        call_command("migrate", verbosity=0)
        fill()
    else:
        picture()
        call_command("rebuild_index", interactive=False, verbosity=0)


if __name__ == "__main__":
    main(sys.argv[1])
