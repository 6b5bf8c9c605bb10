"""Full text in PostgreSQL, for Chinese and English at once.

PostgreSQL does not cut Chinese into words, so jieba does it before: its words, all pairs of neighbouring characters
and all single characters go into a `simple` vector. English goes through PostgreSQL's own stemmer. SKUs are looked up
where they stand, on the stock record, so that they never lag behind.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import F, Q, QuerySet

from shop.partner.models import StockRecord

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
LONGEST = 100  # characters of a query that are looked at

_INDEX = """
UPDATE catalogue_product AS p
SET search = setweight(to_tsvector('simple', t.han_title), 'A') || setweight(to_tsvector('simple', t.han_text), 'B')
          || setweight(to_tsvector('english', t.title), 'A') || setweight(to_tsvector('english', t.text), 'B')
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]) AS t(id, han_title, han_text, title, text)
WHERE p.id = t.id
"""


@functools.cache
def _jieba() -> ModuleType:
    """jieba, with its prepared dictionary kept in our own folder: /tmp belongs to everybody."""
    import jieba

    jieba.setLogLevel(logging.WARNING)
    folder = settings.VAR / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    jieba.dt.tmp_dir = str(folder)
    return jieba


def index(products: Iterable[Any]) -> None:
    """Bring the search column of `products` up to date, in one statement for all."""
    rows = [_texts(product) for product in products]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_INDEX, [list(column) for column in zip(*rows, strict=True)])


def _texts(product: Any) -> tuple[int, str, str, str, str]:
    title, summary = product.title_zh_hans or "", product.summary_zh_hans or ""
    return (
        product.pk,
        " ".join(_han_terms(title)),
        " ".join(_han_terms(summary)),
        f"{product.title_en or ''} {HAN.sub(' ', title)}",
        f"{product.summary_en or ''} {HAN.sub(' ', summary)} {product.description_en or ''}",
    )


def _han_terms(text: str) -> Iterator[str]:
    for run in HAN.findall(text):
        yield from _jieba().cut_for_search(run)
        yield from _pairs(run)
        yield from run


def _pairs(run: str) -> Iterator[str]:
    return (run[i : i + 2] for i in range(len(run) - 1))


def matching(queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The products of `queryset` that `text` finds, best first. Any input is harmless."""
    text = " ".join(text.replace("\0", " ").split())[:LONGEST]
    query = _query(text)
    if query is None:
        return queryset.none()
    found = Q(search=query)
    if SKU.fullmatch(text):
        records = StockRecord.objects.filter(partner_sku__istartswith=text)
        found |= Q(pk__in=records.values("product")) | Q(pk__in=records.values("product__parent"))
    return queryset.filter(found).order_by(SearchRank(F("search"), query).desc(nulls_last=True), "-is_featured", "-pk")


def _query(text: str) -> SearchQuery | None:
    """Every word must occur. None when there is nothing to look for."""
    parts = [_han_word(word) for run in HAN.findall(text) for word in _jieba().cut(run)]
    latin = HAN.sub(" ", text).strip()
    if re.search(r"\w", latin):
        parts.append(SearchQuery(latin, config="english", search_type="websearch"))
    return functools.reduce(lambda a, b: a & b, parts) if parts else None


def _han_word(word: str) -> SearchQuery:
    """The word as it is, or, where the text was cut differently, all its pairs."""
    query = SearchQuery(word, config="simple", search_type="plain")
    if len(word) < 3:
        return query
    return query | SearchQuery(" ".join(_pairs(word)), config="simple", search_type="plain")
