"""The demo company from catalogue.json: what it sells, at what price, what lies where. Doing it again is harmless."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sites.models import Site
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from oscar.core.loading import get_model

from shop.catalogue import pictures
from shop.catalogue.models import Category, Product, ProductAttribute, ProductAttributeValue, ProductClass
from shop.catalogue.models import ProductImage as Picture
from shop.partner.models import Partner, StockRecord
from shop.pricing.models import TaxClass
from shop.pricing.money import exact
from shop.seed import groups
from shop.seed.drawn import draw_all
from shop.stock import presales, supply
from shop.stock.models import KitPart, Movement, Reason, Supply, Warehouse
from shop.stock.movements import Move, record
from shop.stock.offered import Kind

Country = get_model("address", "Country")
SOURCE = Path(__file__).with_name("catalogue.json")
DOCUMENT = "seed"
LANGUAGES = {"zh-hans": "zh_hans", "en": "en"}
FACTS = {
    "color": {"zh-hans": "颜色", "en": "Colour"},
    "material": {"zh-hans": "材质", "en": "Material"},
    "size": {"zh-hans": "尺寸", "en": "Size"},
}
COUNTRIES = (
    ("CN", "CHN", "156", "China", 9),
    ("HK", "HKG", "344", "Hong Kong", 8),
    ("MO", "MAC", "446", "Macao", 7),
    ("TW", "TWN", "158", "Taiwan", 6),
    ("SG", "SGP", "702", "Singapore", 5),
    ("JP", "JPN", "392", "Japan", 4),
    ("DE", "DEU", "276", "Germany", 3),
    ("US", "USA", "840", "United States", 2),
)
Say = Callable[[str], None]


def read() -> dict[str, Any]:
    return json.loads(SOURCE.read_text(encoding="utf-8"))


def goods(source: dict[str, Any]) -> list[dict[str, Any]]:
    """All that is sold: single goods, and kits of them, which the ERP need not know."""
    return [*source["products"], *source["kits"]]


def digest() -> str:
    """Of everything that decides what is seeded."""
    files = [SOURCE, *sorted(SOURCE.parent.rglob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def make_countries() -> None:
    """Where the shop ships to: staff can change it."""
    Country.objects.bulk_create(
        (
            Country(
                iso_3166_1_a2=two,
                iso_3166_1_a3=three,
                iso_3166_1_numeric=number,
                printable_name=name,
                name=name,
                display_order=order,
                is_shipping_country=True,
            )
            for two, three, number, name, order in COUNTRIES
        ),
        ignore_conflicts=True,
    )


def make_tax_classes(source: dict[str, Any]) -> dict[str, TaxClass]:
    for tax in source["tax_classes"]:
        fields = {"rate": Decimal(tax["rate"]), "name": tax["name"]["zh-hans"]}
        TaxClass.objects.get_or_create(code=tax["code"], defaults=fields)
    return {tax_class.code: tax_class for tax_class in TaxClass.objects.all()}


def load(say: Say) -> None:
    """Everything of the company. Pictures come last: they take longest and are drawn only where missing."""
    source = read()
    with transaction.atomic():
        Site.objects.update_or_create(
            pk=settings.SITE_ID,
            defaults={"domain": urlsplit(settings.WEFT_SHOP_URL).netloc, "name": settings.OSCAR_SHOP_NAME},
        )
        taxes = make_tax_classes(source)
        categories = _categories(source["categories"])
        products = _products(source, taxes, categories)
        say(f"{len(products)} products")
        _opening_stock(source)
        _kits(source, products)
        _supply(source)
    say("opening stock")
    say(f"{_pictures(source, products)} pictures")


def _translated(field: str, texts: dict[str, str]) -> dict[str, str]:
    return {f"{field}_{column}": texts[language] for language, column in LANGUAGES.items()}


def _categories(entries: list[dict[str, Any]], parent: Category | None = None) -> dict[str, Category]:
    """slug -> category, found by its code, made in the file's order."""
    found: dict[str, Category] = {}
    for entry in entries:
        fields = {
            "slug": entry["slug"],
            **_translated("name", entry["name"]),
            **_translated("description", entry["description"]),
        }
        category = Category.objects.filter(code=entry["slug"]).first()
        if category is None:
            add = parent.add_child if parent else Category.add_root
            category = add(code=entry["slug"], **fields)
        else:
            _set(category, fields)
        found[entry["slug"]] = category
        found |= _categories(entry.get("children", []), category)
    return found


def _set(row: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def _goods() -> ProductClass:
    names = _translated("name", {"zh-hans": "商品", "en": "Goods"})
    goods, _ = ProductClass.objects.get_or_create(slug="goods", defaults=names)
    for code, names in FACTS.items():
        for column in LANGUAGES.values():
            ProductAttribute.objects.get_or_create(
                product_class=goods,
                code=f"{code}_{column}",
                defaults={**_translated("name", names), "type": "text"},
            )
    return goods


def _products(
    source: dict[str, Any], taxes: dict[str, TaxClass], categories: dict[str, Category]
) -> dict[str, Product]:
    """sku -> product."""
    kind = _goods()
    name = source["company"]["name"]["zh-hans"]
    partner, _ = Partner.objects.get_or_create(code="weft", defaults={"name": name})
    known = {r.partner_sku: r.product for r in StockRecord.objects.select_related("product").exclude(product=None)}
    products = {}
    count = len(goods(source))
    for place, entry in enumerate(goods(source)):
        product = known.get(entry["sku"]) or Product(structure=Product.STANDALONE, product_class=kind)
        _set(product, _fields(entry, taxes) | {"priority": min(count - place, 32000)})
        product.categories.set([categories[entry["category"]]])
        price = exact(Decimal(entry["price"]), source["currency"])
        StockRecord.objects.update_or_create(
            partner_sku=entry["sku"],
            defaults={"product": product, "partner": partner, "price": price, "price_currency": source["currency"]},
        )
        products[entry["sku"]] = product
    _attributes(goods(source), products, kind)
    groups.put_together(source["products"], products, kind)
    return products


def _fields(entry: dict[str, Any], taxes: dict[str, TaxClass]) -> dict[str, Any]:
    return {
        **_translated("title", entry["title"]),
        **_translated("summary", entry["summary"]),
        **_translated("description", entry["description"]),
        "slug": slugify(entry["title"]["en"]),
        "tax_class": taxes[entry["tax"]],
        "weight_g": entry["weight_g"],
        "is_featured": entry["featured"],
    }


def _attributes(entries: list[dict[str, Any]], products: dict[str, Product], goods: ProductClass) -> None:
    attributes = {attribute.code: attribute for attribute in ProductAttribute.objects.filter(product_class=goods)}
    ProductAttributeValue.objects.bulk_create(
        [
            ProductAttributeValue(
                product=products[entry["sku"]],
                attribute=attributes[f"{code}_{LANGUAGES[language]}"],
                value_text=text,
            )
            for entry in entries
            for code, texts in entry["attributes"].items()
            for language, text in texts.items()
        ],
        update_conflicts=True,
        unique_fields=["attribute", "product"],
        update_fields=["value_text"],
    )


def _opening_stock(source: dict[str, Any]) -> None:
    """Once per SKU and warehouse, ever. A SKU without any stock gets its pool too, so that readings know it."""
    for entry in source["warehouses"]:
        fields = {"name": entry["name"]["zh-hans"], "priority": entry["priority"]}
        Warehouse.objects.get_or_create(code=entry["code"], defaults=fields)
    warehouses = dict(Warehouse.objects.values_list("code", "id"))
    done = set(Movement.objects.filter(document=DOCUMENT).values_list("pool_id", "warehouse_id"))
    record([move for move in _moves(source, warehouses) if (move.sku, move.warehouse_id) not in done])


def _kits(source: dict[str, Any], products: dict[str, Product]) -> None:
    """Once: what staff make of them stays."""
    records = {record.partner_sku: record for record in StockRecord.objects.all()}
    for entry in source["kits"]:
        kit = products[entry["sku"]]
        if not KitPart.objects.filter(kit=kit).exists():
            for sku, quantity in entry["parts"].items():
                KitPart.objects.create(kit=kit, part=records[sku], quantity=quantity)


def _supply(source: dict[str, Any]) -> None:
    """What is on its way, counted from today; once for each document, ever. Some of it is sold already."""
    warehouses = dict(Warehouse.objects.values_list("code", "id"))
    known = set(Supply.objects.values_list("document", flat=True))
    for entry in source["supply"]:
        if entry["document"] in known:
            continue
        row = supply.add(
            sku=entry["sku"], warehouse_id=warehouses[entry["warehouse"]], quantity=entry["quantity"],
            expected_on=timezone.localdate() + timedelta(days=entry["in_days"]), document=entry["document"],
            actor=DOCUMENT,
        )  # fmt: skip
        if entry["presale"]:
            presales.open_(row.pk, cap=entry["presale"], kind=Kind.BACKORDER, actor=DOCUMENT)


def _moves(source: dict[str, Any], warehouses: dict[str, int]) -> Iterator[Move]:
    for entry in source["products"]:
        for code, quantity in entry["stock"].items():
            if quantity or not any(entry["stock"].values()):
                yield Move(entry["sku"], warehouses[code], quantity, Reason.OPENING, DOCUMENT, "seed")


def _pictures(source: dict[str, Any], products: dict[str, Product]) -> int:
    """Draw what is missing, in the database or on the disk; returns how many."""
    there = {
        image.product_id
        for image in Picture.objects.filter(product__in=products.values())
        if default_storage.exists(pictures.sized(image.original.name, pictures.SIZES[0]))
    }
    missing = {e["sku"]: e["picture"] for e in goods(source) if products[e["sku"]].pk not in there}
    Picture.objects.filter(product__in=[products[sku] for sku in missing]).delete()
    for sku, picture in draw_all(missing):
        pictures.keep(products[sku], picture)
    return len(missing)
