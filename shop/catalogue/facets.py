"""Lists narrowed by what their products are: attributes, price, stock; and how many products each value would show.

One statement counts everything. What is sold is a *unit*: a product that stands for itself, or a variant; a product is
shown when one of its units fits everything that is chosen, so that a red shirt in S and a blue one in L do not make a
red one in L. A value's count is of the products that the list would show with the value, given the other facets.

Attributes with options are facets by themselves. Free texts are, where they repeat (`Facet.is_worthwhile`): one text
attribute for each language, `color_en` and `color_zh_hans`, is the facet `color`, unless a `color` with options is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import get_language

from shop.catalogue.choice import STEPS, Choice
from shop.catalogue.models import Product
from shop.stock import offered

TOTAL = "=total"
REPEATS = 2  # a free text is worth a filter where there are so many times as many products as texts

# The values are looked up by product before their attributes are known: PostgreSQL would rather read all values of
# each attribute, which grows with the shop and not with the list.
_UNITS = """
WITH shown (id) AS MATERIALIZED ({products}),
unit AS MATERIALIZED (
    SELECT shown.id AS product, coalesce(variant.id, shown.id) AS id, record.price,
        offered.free > 0 AS in_stock
    FROM shown
    LEFT JOIN catalogue_product variant ON variant.parent_id = shown.id AND variant.is_public
    LEFT JOIN partner_stockrecord record ON record.product_id = coalesce(variant.id, shown.id)
    {offered}
    WHERE {priced}
),
bearer AS (  -- a variant has its own attributes and those of its parent
    SELECT product, id AS unit, id FROM unit UNION ALL SELECT product, id, product FROM unit WHERE id <> product
),
given AS MATERIALIZED (
    SELECT bearer.product, bearer.unit, value.id, value.attribute_id, value.value_text, value.value_option_id
    FROM bearer JOIN catalogue_productattributevalue value ON value.product_id = bearer.id
),
attribute AS MATERIALIZED (
    SELECT *, bool_or(has_options) OVER (PARTITION BY facet) AS is_listed,
        first_value(own_name) OVER (PARTITION BY facet ORDER BY has_options DESC, is_read DESC, id) AS name
    FROM (
        SELECT id, {name} AS own_name, type <> 'text' AS has_options, regexp_replace(code, %s, '') AS facet,
            code !~ %s OR code ~ %s AS is_read
        FROM catalogue_productattribute WHERE type IN ('text', 'option', 'multi_option')
    ) named
),
fact AS MATERIALIZED (
    SELECT given.product, given.unit, attribute.facet, attribute.is_read, option.id AS option,
        coalesce(option.code, option.id::text, given.value_text) AS value
    FROM given
    JOIN attribute ON attribute.id = given.attribute_id AND attribute.has_options = attribute.is_listed
    LEFT JOIN catalogue_productattributevalue_value_multi_option several
        ON several.productattributevalue_id = given.id AND attribute.has_options
    LEFT JOIN catalogue_attributeoption option
        ON option.id = coalesce(several.attributeoption_id, given.value_option_id)
    UNION ALL SELECT product, id, '=stock', true, NULL, '1' FROM unit WHERE in_stock
    UNION ALL SELECT product, id, '=price', true, NULL, width_bucket(price, %s::numeric[])::text FROM unit
),
hit AS (
    SELECT unit, array_agg(DISTINCT facet) AS facets
    FROM fact JOIN unnest(%s::text[], %s::text[]) AS chosen(facet, value) USING (facet, value) GROUP BY unit
)
"""

_COUNTS = """,
counted AS (
    SELECT facet, value, bool_or(is_read) AS is_read, min(option) AS option, count(*) AS there,
        count(*) FILTER (WHERE fits) AS fitting
    FROM (
        SELECT fact.facet COLLATE "C" AS facet, fact.value COLLATE "C" AS value, fact.product, fact.option,
            bool_or(fact.is_read) AS is_read,
            bool_or(cardinality(array_remove(coalesce(hit.facets, '{}'), fact.facet))
                = cardinality(array_remove(%s::text[], fact.facet))) AS fits
        FROM fact LEFT JOIN hit USING (unit) WHERE fact.value <> '' GROUP BY 1, 2, 3, 4
    ) once GROUP BY facet, value
)
SELECT counted.facet, counted.value, attribute.name, {option}, coalesce(attribute.has_options, true), counted.is_read,
    counted.there, counted.fitting
FROM counted
LEFT JOIN (SELECT DISTINCT facet, name, has_options FROM attribute WHERE has_options = is_listed) attribute
    ON attribute.facet = counted.facet
LEFT JOIN catalogue_attributeoption option ON option.id = counted.option
UNION ALL
SELECT '=total', '', '', '', false, false, count(DISTINCT product),
    count(DISTINCT product) FILTER (WHERE cardinality(coalesce(hit.facets, '{}')) = %s)
FROM unit LEFT JOIN hit ON hit.unit = unit.id
"""

_FITTING = "SELECT unit.product FROM unit LEFT JOIN hit ON hit.unit = unit.id WHERE cardinality(hit.facets) = %s"
_PRICED = "SELECT unit.product FROM unit"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet: how the address calls it, how people do, and how many products it would show."""

    value: str
    label: str
    there: int  # in the list before anything was chosen
    fitting: int  # with what is chosen of other facets
    is_read: bool  # in the page's language, or in none


@dataclass(slots=True)
class Facet:
    name: str = ""
    has_options: bool = False
    values: list[Value] = field(default_factory=list)

    @property
    def is_worthwhile(self) -> bool:
        """Whether it tells products apart and yet puts some together."""
        read = [value for value in self.values if value.is_read]
        repeats = 1 if self.has_options else REPEATS
        return len(read) > 1 and sum(value.there for value in read) >= repeats * len(read)


@dataclass(frozen=True, slots=True)
class Counts:
    """`fitting` products of the list's `there` fit the choice; facets by code, in no order."""

    there: int = 0
    fitting: int = 0
    facets: dict[str, Facet] = field(default_factory=dict)


def count(products: QuerySet[Product], choice: Choice) -> Counts:
    """How many of `products` fit the choice, and how many each value of each facet would show."""
    if products.query.is_empty():
        return Counts()
    units, params = _units(products, choice)
    with connection.cursor() as cursor:
        counts = _COUNTS.replace("{option}", _translated("option.option"))
        cursor.execute(units + counts, [*params, choice.facets, len(choice.facets)])
        rows = cursor.fetchall()
    facets: dict[str, Facet] = defaultdict(Facet)
    there = fitting = 0
    for code, value, name, label, has_options, is_read, all_of_it, some_of_it in rows:
        if code == TOTAL:
            there, fitting = all_of_it, some_of_it
            continue
        facet = facets[code]
        facet.name, facet.has_options = name or "", has_options
        facet.values.append(Value(value, label or value, all_of_it, some_of_it, is_read))
    return Counts(there, fitting, dict(facets))


def narrowed(products: QuerySet[Product], choice: Choice) -> QuerySet[Product]:
    """Those of `products` that fit the choice."""
    if not choice or products.query.is_empty():
        return products
    units, params = _units(products, choice)
    if choice.facets:
        return products.filter(pk__in=RawSQL(units + _FITTING, [*params, len(choice.facets)]))
    return products.filter(pk__in=RawSQL(units + _PRICED, params))


def _units(products: QuerySet[Product], choice: Choice) -> tuple[str, list[Any]]:
    """The statement's first part and its parameters. Every text that is put into it stands in this file or was
    written by Django."""
    shown, params = products.order_by().values("pk").query.sql_with_params()
    bounds = [("record.price >= %s", choice.lowest), ("record.price <= %s", choice.highest)]
    given = [(condition, bound) for condition, bound in bounds if bound is not None]
    statement = _UNITS.format(
        products=shown,
        offered=offered.JOIN,
        priced=" AND ".join(["true", *(condition for condition, _ in given)]),
        name=_translated("name"),
    )
    any_language, ours = _endings()
    facets, values = zip(*choice.pairs, strict=True) if choice.pairs else ((), ())
    own = [any_language, any_language, ours, list(STEPS), list(facets), list(values)]
    return statement, [*params, *(bound for _, bound in given), *own]


def _translated(column: str) -> str:
    """The column in the page's language, else in the first that has it."""
    codes = dict.fromkeys([_language(), *(code.replace("-", "_") for code, _ in settings.LANGUAGES)])
    given = ", ".join(f"nullif({column}_{code}, '')" for code in codes)
    return f"coalesce({given}, {column})"


def _endings() -> tuple[str, str]:
    """Patterns of codes that end in a language, and in the page's."""
    codes = (re.escape(code.replace("-", "_")) for code, _ in settings.LANGUAGES)
    return f"_({'|'.join(codes)})$", f"_{_language()}$"


def _language() -> str:
    language = get_language() or settings.LANGUAGE_CODE
    return (language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE).replace("-", "_")
