"""Finding SKUs by what people know of them, each way by an index."""

from __future__ import annotations

from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import get_language
from modeltranslation.utils import build_localized_fieldname

from shop.catalogue import search
from shop.catalogue.models import Product
from shop.partner.models import StockRecord
from shop.stock.models import Pool


def spelled(text: str) -> QuerySet[Pool]:
    """The SKU that is written so, in any case."""
    return Pool.objects.filter(sku__iexact=text)


def pools(text: str) -> QuerySet[Pool]:
    """SKUs that begin so, and those of products whose texts say it, their variants included."""
    products = search.matching(Product.objects.all(), text).order_by().values("pk")
    records = StockRecord.objects.annotate(family=Coalesce(F("product__parent"), F("product")))
    said = Pool.objects.filter(sku__in=records.filter(family__in=products).values("partner_sku"))
    begins = Pool.objects.filter(sku__istartswith=text)
    return Pool.objects.filter(pk__in=begins.order_by().values("pk").union(said.order_by().values("pk")))


def titles(sku: str = "sku") -> Coalesce:
    """The product's title in the reader's language, beside each row with a SKU in the field `sku`; a variant without
    one has its parent's."""
    column = build_localized_fieldname("title", get_language() or "zh-hans")
    names = [f"product__{column}", "product__title", f"product__parent__{column}", "product__parent__title"]
    records = StockRecord.objects.filter(partner_sku=OuterRef(sku))
    found = Coalesce(*(NullIf(F(name), Value("")) for name in names))
    return Coalesce(Subquery(records.annotate(found=found).values("found")[:1]), Value(""))
