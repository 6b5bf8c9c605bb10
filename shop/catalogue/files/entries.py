"""Products as files say them: one entry for each, with a value for each column. Read from the database for many
products in five flat queries, both to be written out and to be compared with what comes in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Upper

from shop.catalogue import attributes
from shop.catalogue.models import Product, ProductAttributeValue, ProductCategory
from shop.catalogue.records import plain_price
from shop.partner.models import StockRecord

SINGLE, PARENT, VARIANT = Product.STANDALONE, Product.PARENT, Product.CHILD
TEXTS = (
    "title_zh_hans", "title_en", "summary_zh_hans", "summary_en", "description_zh_hans", "description_en",
)  # fmt: skip
ATTRIBUTE = "attribute:"
_COLUMNS = (
    "pk", "structure", "parent_id", "parent__code", "parent__product_class_id", "code", "product_class_id", *TEXTS,
    "tax_class_id", "is_public", "is_featured", "is_discountable", "upc", "weight_g", "slug",
)  # fmt: skip
_VALUES = {
    "text": "value_text",
    "integer": "value_integer",
    "float": "value_float",
    "boolean": "value_boolean",
    "date": "value_date",
    "datetime": "value_datetime",
    "option": "value_option_id",
}


@dataclass(slots=True)
class Entry:
    """`key` is the SKU, or the style code of a product with variants. `before` is what stands in the database, None
    for a new one; `values` what it is to be. `given`: columns in which the row says something."""

    key: str
    pk: int | None
    structure: str
    kind: int | None
    values: dict[str, Any]
    before: dict[str, Any] | None = None
    record: int | None = None
    row: int = 0
    given: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return self.key

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Column -> what it was and what it is to be."""
        before = self.before or {}
        return {name: (before.get(name), new) for name, new in self.values.items() if new != before.get(name)}


def style_code(code: str | None, pk: int) -> str:
    """What files call a product with variants: its own code, or its number."""
    return code or f"P-{pk}"


def read(keys: Collection[int]) -> Iterator[Entry]:
    """These products as they stand; without those no file could name, for they have no SKU yet."""
    wanted = list(keys)
    records = {record.product_id: record for record in StockRecord.objects.filter(product__in=wanted)}
    categories = _categories(wanted)
    values = _values(wanted)
    for row in Product.objects.filter(pk__in=wanted).values_list(*_COLUMNS, named=True):
        record = records.get(row.pk)
        if row.structure != PARENT and record is None:
            continue
        key = style_code(row.code, row.pk) if record is None else record.partner_sku
        said = {**_columns(row), "categories": categories[row.pk], **_sold(record), **values[row.pk]}
        kind = row.parent__product_class_id if row.parent_id else row.product_class_id
        yield Entry(key, row.pk, row.structure, kind, dict(said), said, record.pk if record else None)


def with_parents(keys: Collection[int]) -> set[int]:
    """These products, and those some of them are variants of."""
    variants = Product.objects.filter(pk__in=list(keys), parent__isnull=False)
    return {*keys, *variants.values_list("parent", flat=True)}


def _columns(row: Any) -> dict[str, Any]:
    return {
        "structure": row.structure,
        "parent": style_code(row.parent__code, row.parent_id) if row.parent_id else "",
        "type": row.product_class_id,
        **{name: tidy(getattr(row, name)) for name in TEXTS},
        "tax_class": row.tax_class_id,
        "public": row.is_public,
        "featured": row.is_featured,
        "discountable": row.is_discountable,
        "upc": row.upc or "",
        "weight_g": row.weight_g,
        "slug": row.slug,
    }


def tidy(text: str | None) -> str:
    """As a file brings it: ends of lines alike, nothing around it."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def _sold(record: StockRecord | None) -> dict[str, Any]:
    if record is None:
        return {"price": None, "currency": "", "supplier": None}
    return {"price": plain_price(record), "currency": record.price_currency, "supplier": record.partner_id}


def _categories(products: list[int]) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    links = ProductCategory.objects.filter(product__in=products).order_by("product", "category")
    for product, category in links.values_list("product", "category"):
        found[product] += (category,)
    return found


def _values(products: list[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    rows = ProductAttributeValue.objects.filter(product__in=products, attribute__type__in=attributes.KINDS)
    several = _several(products)
    columns = ("pk", "product_id", "attribute__code", "attribute__type", *_VALUES.values())
    for row in rows.values_list(*columns, named=True):
        column = _VALUES.get(row.attribute__type)
        value = getattr(row, column) if column else several[row.pk]
        found[row.product_id][ATTRIBUTE + row.attribute__code] = tidy(value) if column == "value_text" else value
    return found


def _several(products: list[int]) -> dict[int, tuple[int, ...]]:
    """Options of values that are several, by the value's key."""
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    link: Any = ProductAttributeValue.value_multi_option.through
    rows = link.objects.filter(productattributevalue__product__in=products).order_by("attributeoption")
    for value, option in rows.values_list("productattributevalue", "attributeoption"):
        found[value] += (option,)
    return found


def blank(structure: str, *, parent: str, usual_supplier: int | None) -> dict[str, Any]:
    """What a new product is where the file does not say."""
    sold = structure != PARENT
    return {
        "structure": structure,
        "parent": parent,
        "type": None,
        **dict.fromkeys(TEXTS, ""),
        "tax_class": None,
        "categories": (),
        "public": True,
        "featured": False,
        "discountable": True,
        "upc": "",
        "weight_g": None,
        "slug": "",
        "price": None,
        "currency": settings.OSCAR_DEFAULT_CURRENCY if sold else "",
        "supplier": usual_supplier if sold else None,
    }


def known(keys: Collection[str]) -> dict[str, int]:
    """Which of these there are, whatever their capitals: SKU or style code in capitals -> key of the product."""
    spelled, capitals = list(keys), [key.upper() for key in keys]
    records = StockRecord.objects.annotate(key=Upper("partner_sku")).filter(product__isnull=False)
    skus = records.filter(Q(key__in=capitals) | Q(partner_sku__in=spelled)).values_list("partner_sku", "product")
    numbers = [int(key[2:]) for key in capitals if key.startswith("P-") and key[2:].isdecimal() and len(key) < 20]
    parents = Product.objects.filter(structure=PARENT).annotate(key=Upper("code"))
    coded = parents.filter(Q(key__in=capitals) | Q(code__in=spelled) | Q(code=None, pk__in=numbers))
    found = {style_code(code, pk).upper(): pk for code, pk in coded.values_list("code", "pk")}
    return found | {sku.upper(): key for sku, key in skus}
