"""An open basket with all that prices, stock and pages want of it: one statement for any number of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from shop.basket.models import Basket, Line
from shop.catalogue.models import Product, ProductClass
from shop.offer.models import ConditionalOffer
from shop.partner.models import StockRecord
from shop.pricing.models import TaxClass
from shop.rows import Rows
from shop.stock import offered
from shop.stock.offered import Offered

# Each further join costs PostgreSQL more to plan than to make: the tax class and the kind that count, no others.
_BASKETS = """
SELECT {columns},
    EXISTS (SELECT 1 FROM basket_basket_vouchers v WHERE v.basket_id = basket.id),
    EXISTS (SELECT 1 FROM offer_conditionaloffer o WHERE o.offer_type = %s AND o.status = %s)
FROM basket_basket basket
LEFT JOIN basket_line line ON line.basket_id = basket.id
LEFT JOIN catalogue_product product ON product.id = line.product_id
LEFT JOIN catalogue_product parent ON parent.id = product.parent_id
LEFT JOIN pricing_taxclass tax ON tax.id = coalesce(product.tax_class_id, parent.tax_class_id)
LEFT JOIN catalogue_productclass kind ON kind.id = coalesce(parent.product_class_id, product.product_class_id)
LEFT JOIN partner_stockrecord record ON record.id = line.stockrecord_id
{offered}
WHERE {where}
ORDER BY basket.id, line.id
"""


_UNITS = """
SELECT coalesce(sum(line.quantity), 0) FROM basket_basket basket JOIN basket_line line ON line.basket_id = basket.id
WHERE {where}
"""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose open basket is meant."""

    where: str
    key: int


def guests(pk: int) -> Whose:
    """The open basket of this key, if nobody owns it."""
    return Whose(f"basket.status = '{Basket.OPEN}' AND basket.owner_id IS NULL AND basket.id = %s", pk)


def owners(user_id: int) -> Whose:
    """The open baskets of this user."""
    return Whose(f"basket.status = '{Basket.OPEN}' AND basket.owner_id = %s", user_id)


def baskets(whose: Whose) -> list[Basket]:
    """With their lines."""
    return _load(whose.where, whose.key)


def units(whose: Whose) -> int:
    """How many units are in it."""
    with connection.cursor() as cursor:
        cursor.execute(_UNITS.format(where=whose.where), [whose.key])
        return cursor.fetchone()[0]


def lines_of(basket: Basket) -> list[Line]:
    """The basket's lines as they stand now."""
    lines = [line for fresh in _load("basket.id = %s", basket.pk) for line in fresh.all_lines()]
    for line in lines:
        line.basket = basket
    return lines


def _load(where: str, key: int) -> list[Basket]:
    with connection.cursor() as cursor:
        statement = _BASKETS.format(columns=_rows().columns, offered=offered.JOIN, where=where)
        cursor.execute(statement, [ConditionalOffer.SITE, ConditionalOffer.OPEN, key])
        found = cursor.fetchall()
    return [_basket(list(own)) for _, own in groupby(found, key=itemgetter(0))]


@cache
def _rows() -> Rows:
    return Rows(
        basket=Basket,
        line=Line,
        product=Product,
        parent=Product,
        tax=TaxClass,
        kind=ProductClass,
        record=StockRecord,
        offered=Offered,
    )


def _basket(rows: Sequence[tuple[Any, ...]]) -> Basket:
    models = [_rows().read(row) for row in rows]
    basket = models[0]["basket"]
    basket.has_vouchers, basket.has_site_offers = rows[0][-2:]
    basket.keep([_line(basket, found) for found in models if found["line"]])
    return basket


def _line(basket: Basket, found: dict[str, Any]) -> Line:
    line, product, parent, record = (found[name] for name in ("line", "product", "parent", "record"))
    line.basket, line.product, line.stockrecord = basket, product, record
    record.offer = found["offered"]
    product.parent = parent
    (product if product.tax_class_id or not parent else parent).tax_class = found["tax"]  # a variant may have its own
    (parent or product).product_class = found["kind"]  # a variant never has
    return line
