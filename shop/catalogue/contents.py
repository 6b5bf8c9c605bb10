"""What is in the kits a product page shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from shop.catalogue import facts
from shop.catalogue.models import Product
from shop.partner.strategy import offer_of, tax_class_of
from shop.stock.models import KitPart


@dataclass(frozen=True, slots=True)
class Part:
    """`link` leads to the part's own page, where it has one; `tax_rate` is a fraction."""

    quantity: int
    title: str
    link: str
    tax_rate: Decimal | None


def of(products: Sequence[Product]) -> list[tuple[str, list[Part]]]:
    """The parts of those products that are kits; under the variant's name where there are several. One query where
    there is a kit, none where there is none."""
    records = [product.record for product in products if getattr(product, "record", None)]
    kits = {record.product_id for record in records if offer_of(record).is_kit}
    if not kits:
        return []
    rows = KitPart.objects.filter(kit__in=kits).order_by("pk")
    found = list(rows.select_related("part__product__parent__tax_class", "part__product__tax_class"))
    facts.name_variants(row.part.product for row in found)
    parts: dict[int, list[Part]] = defaultdict(list)
    for row in found:
        parts[row.kit_id].append(_part(row))
    titles = {product.pk: product.get_title() if product.parent_id else "" for product in products}
    return [(titles[key], parts[key]) for key in titles if key in parts]


def _part(row: KitPart) -> Part:
    product = row.part.product
    is_shown = product.is_public and (product.parent is None or product.parent.is_public)
    tax = tax_class_of(product)
    link = product.get_absolute_url() if is_shown else ""
    return Part(row.quantity, product.get_title(), link, tax.rate if tax else None)


def is_mixed(kits: Sequence[tuple[str, list[Part]]]) -> bool:
    """Are parts of one kit taxed differently?"""
    return any(len({part.tax_rate for part in parts}) > 1 for _title, parts in kits)
