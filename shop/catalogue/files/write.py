"""A plan becomes rows: all of them in one transaction, in statements for many. Nothing is deleted but links to
categories and values of attributes that the file empties or replaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import override

from shop.catalogue import history, search, touch
from shop.catalogue.files.entries import ATTRIBUTE, PARENT, TEXTS, VARIANT, Entry, known
from shop.catalogue.files.plan import Plan
from shop.catalogue.files.rows import put_column, put_rows
from shop.catalogue.models import Product, ProductAttribute, ProductAttributeValue, ProductCategory
from shop.catalogue.records import price_change
from shop.partner.models import StockRecord

BATCH = 500
FIELDS = {
    **{name: name for name in TEXTS},
    "type": "product_class", "tax_class": "tax_class", "public": "is_public", "featured": "is_featured",
    "discountable": "is_discountable", "upc": "upc", "weight_g": "weight_g", "slug": "slug",
}  # fmt: skip
UNTRANSLATED = {"title_zh_hans": "title", "summary_zh_hans": "summary", "description_zh_hans": "description"}
SOLD = {"price": "price", "currency": "price_currency", "supplier": "partner"}
COLUMNS = {"text": "value_text", "integer": "value_integer", "float": "value_float", "boolean": "value_boolean",
           "date": "value_date", "datetime": "value_datetime", "option": "value_option"}  # fmt: skip
REFERENCES = {"product_class", "tax_class", "partner"}


def write(plan: Plan, user: int, source: str) -> None:
    """Inside a transaction. Raises IntegrityError where somebody took a SKU or a bar code meanwhile."""
    with override("zh-hans"):  # the columns without a language say what the first language says
        own = [entry for entry in plan.created if entry.structure != VARIANT]
        _insert(own, {})
        made = {entry.key.upper(): entry.pk for entry in own if entry.pk}  # variants need their product's key
        _insert([entry for entry in plan.created if entry.structure == VARIANT], made)
    _change(plan.changed)
    _records(plan)
    _categories(plan.accepted)
    _attributes(plan)
    _index(plan.accepted)
    touch.touched([entry.pk for entry in plan.accepted if entry.pk])
    _note(plan, user, source)


def _insert(new: Sequence[Entry], made: dict[str, int]) -> None:
    above = _parents(new, made)
    rows = [_product(entry, above.get(str(entry.values["parent"]).upper())) for entry in new]
    for entry, product in zip(new, Product.objects.bulk_create(rows, batch_size=BATCH), strict=True):
        entry.pk = product.pk


def _parents(new: Sequence[Entry], made: dict[str, int]) -> dict[str, tuple[int, str]]:
    """Style code in capitals -> key and slug of the product."""
    codes = {str(entry.values["parent"]).upper() for entry in new if entry.structure == VARIANT}
    keys = {**known(codes), **{code: made[code] for code in codes & set(made)}} if codes else {}
    slugs = dict(Product.objects.filter(pk__in=keys.values()).values_list("pk", "slug"))
    return {code: (key, slugs[key]) for code, key in keys.items()}


def _product(entry: Entry, parent: tuple[int, str] | None) -> Product:
    fields = {_attribute(FIELDS[name]): value for name, value in entry.values.items() if name in FIELDS}
    return Product(
        structure=entry.structure,
        parent_id=parent[0] if parent else None,
        code=entry.key if entry.structure == PARENT else None,
        **{**fields, "upc": fields["upc"] or None, "slug": fields["slug"] or _slug(entry, parent)},
    )


def _attribute(name: str) -> str:
    return f"{name}_id" if name in REFERENCES else name


def _slug(entry: Entry, parent: tuple[int, str] | None) -> str:
    if parent:
        return f"{parent[1]}-{slugify(entry.key)}"[:255].strip("-")
    return slugify(entry.values["title_en"])[:255] or slugify(entry.key)[:255] or "product"


def _change(changed: Sequence[Entry]) -> None:
    """Columns of products there are."""
    values: dict[str, dict[int, Any]] = defaultdict(dict)
    for entry in changed:
        for name in set(FIELDS) & set(entry.changes):
            if entry.pk:
                values[name][entry.pk] = (entry.values[name] or None) if name == "upc" else entry.values[name]
    for name, rows in values.items():
        put_column(Product, FIELDS[name], rows)
        if name in UNTRANSLATED:
            put_column(Product, UNTRANSLATED[name], rows)


def _records(plan: Plan) -> None:
    new = [
        StockRecord(
            product_id=entry.pk,
            partner_sku=entry.key,
            **{_attribute(column): entry.values[name] for name, column in SOLD.items()},
        )
        for entry in plan.created
        if entry.structure != PARENT
    ]
    StockRecord.objects.bulk_create(new, batch_size=BATCH)
    for name, column in SOLD.items():
        changed = {e.record: e.values[name] for e in plan.changed if e.record and name in e.changes}
        put_column(StockRecord, column, changed)


def _categories(accepted: Iterable[Entry]) -> None:
    new, gone = [], []
    for entry in accepted:
        before, after = (set(keys or ()) for keys in entry.changes.get("categories", ((), ())))
        new += [(entry.pk, key) for key in sorted(after - before)]
        gone += [(entry.pk, key) for key in before - after]
    for category in {key for _product, key in gone}:
        products = [product for product, key in gone if key == category]
        ProductCategory.objects.filter(category=category, product__in=products).delete()
    put_rows(ProductCategory, ("product", "category"), None, new)


def _attributes(plan: Plan) -> None:
    """One row for each value; those without a value any more are removed."""
    rows: dict[str, list[tuple[int, int, Any]]] = defaultdict(list)
    gone: dict[int, list[int]] = defaultdict(list)
    several: dict[tuple[int, int], tuple[int, ...]] = {}
    for product, attribute, value in _values(plan):
        if value in (None, "", ()):
            gone[attribute.pk].append(product)
        elif attribute.type == "multi_option":
            several[product, attribute.pk] = value
        else:
            rows[COLUMNS[attribute.type]].append((product, attribute.pk, value))
    for key, products in gone.items():
        ProductAttributeValue.objects.filter(attribute=key, product__in=products).delete()
    for column, values in rows.items():
        put_rows(ProductAttributeValue, ("product", "attribute"), column, values)
    _options(several)


def _values(plan: Plan) -> Iterable[tuple[int, ProductAttribute, Any]]:
    for entry in plan.accepted:
        for name, (_old, new) in entry.changes.items():
            if name.startswith(ATTRIBUTE) and entry.kind and entry.pk:
                yield entry.pk, plan.lookups.attributes[entry.kind, name.removeprefix(ATTRIBUTE)], new


def _options(several: dict[tuple[int, int], tuple[int, ...]]) -> None:
    """Values that are several options, each a row of its own."""
    put_rows(ProductAttributeValue, ("product", "attribute"), None, several)
    found = ProductAttributeValue.objects.filter(product__in={product for product, _attribute in several})
    keys = {(product, attribute): pk for product, attribute, pk in found.values_list("product", "attribute", "pk")}
    link: Any = ProductAttributeValue.value_multi_option.through
    link.objects.filter(productattributevalue__in=[keys[pair] for pair in several]).delete()
    chosen = [(keys[pair], option) for pair, options in several.items() for option in options]
    put_rows(link, ("productattributevalue", "attributeoption"), None, chosen)


def _index(accepted: Iterable[Entry]) -> None:
    """Search finds what the texts say now."""
    said = (entry for entry in accepted if entry.before is None or set(TEXTS) & set(entry.changes))
    search.index(SimpleNamespace(pk=entry.pk, **{name: entry.values[name] for name in TEXTS}) for entry in said)


def _note(plan: Plan, user: int, source: str) -> None:
    """A line in each product's history, with what its price was and is."""
    history.notes(
        user,
        (
            (entry.pk, _name(entry), _words(entry, source), entry.before is None)
            for entry in plan.accepted
            if entry.pk is not None
        ),
    )


def _name(entry: Entry) -> str:
    return str(entry.values["title_zh_hans"] or entry.key)


def _words(entry: Entry, source: str) -> str:
    words = _("imported from %(source)s") % {"source": source}
    if entry.before is None:
        return words
    before = entry.before
    old = StockRecord(price=before["price"], price_currency=before["currency"], partner_sku=entry.key)
    price = price_change(old, entry.values["price"], entry.values["currency"]) if "price" in entry.changes else ""
    columns = [name for name in entry.changes if name not in SOLD]
    return "; ".join(filter(None, [words, price, ", ".join(columns)]))
