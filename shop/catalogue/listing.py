"""Products in lists: which, in what order, and with price, stock and picture for all of them in a few queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import F, Min, OuterRef, Prefetch, QuerySet, Subquery, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.utils.translation import get_language

from shop.catalogue.models import Product, ProductCategory
from shop.catalogue.tree import SECONDS, Node
from shop.partner.models import StockRecord
from shop.partner.strategy import Strategy, attach_records

FOREMOST = 5  # four beside a product that may be one of them
SHOWN = ("structure", "is_public", "title", "slug", "parent", "tax_class")
ORDERS: dict[str, tuple[Any, ...]] = {
    "featured": ("-is_featured", "-priority", "pk"),
    "new": ("-date_created", "-pk"),
    "price": (F("price").asc(nulls_last=True), "pk"),
    "-price": (F("price").desc(nulls_last=True), "pk"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """What a list shows of a product. `from_price`: variants differ, `price` is the lowest."""

    product: Product
    price: Any
    availability: Any
    from_price: bool = False


def browsable() -> QuerySet[Product]:
    """Public products that stand for themselves; variants are shown by their parents."""
    return Product.objects.browsable().select_related("tax_class").only(*SHOWN)


def within(products: QuerySet[Product], category: Node) -> QuerySet[Product]:
    """Those in the category or below it."""
    members = ProductCategory.objects.filter(category__path__startswith=category.path)
    return products.filter(pk__in=members.values("product"))


def foremost(category: Node) -> list[Product]:
    """The first few of a category with their pictures, known for a minute; `cards` looks up price, tax and stock."""

    def load() -> list[Product]:
        untaxed = browsable().select_related(None)
        products = list(ordered(within(untaxed, category), "featured")[:FOREMOST])
        load_pictures(products)
        return products

    return cache.get_or_set(f"weft:foremost:{category.pk}:{get_language()}", load, SECONDS)


def with_price(products: QuerySet[Product]) -> QuerySet[Product]:
    """Annotated with `price`, that of the cheapest variant where there are variants."""
    records = StockRecord.objects.order_by()
    own = records.filter(product=OuterRef("pk")).values("price")[:1]
    variants = records.filter(product__parent=OuterRef("pk"), product__is_public=True).values("product__parent")
    return products.annotate(price=Coalesce(Subquery(own), Subquery(variants.annotate(p=Min("price")).values("p"))))


def ordered(products: QuerySet[Product], order: str) -> QuerySet[Product]:
    """In one of ORDERS."""
    if order.lstrip("-") == "price":
        products = with_price(products)
    return products.order_by(*ORDERS[order])


def cards(products: Iterable[Product], strategy: Strategy) -> list[Card]:
    """Price, stock and picture of each: two queries for any number, one more where there are variants, one more for
    the tax classes of products that were remembered without."""
    products = list(products)
    prefetch_related_objects(products, "tax_class")
    load_offers(products)
    load_pictures(products)
    return [_card(product, strategy) for product in products]


def load_offers(products: Sequence[Product]) -> None:
    """Fetch variants, stock records and pools of all `products` at once, where the strategy will look for them."""
    parents = [product for product in products if product.is_parent]
    if parents:
        public = Product.objects.public().select_related("tax_class").defer("search").order_by("pk")
        prefetch_related_objects(parents, Prefetch("children", public, to_attr="_prefetched_public_children"))
    variants = [child for parent in parents for child in parent.get_public_children()]
    sold = [*variants, *(product for product in products if not product.is_parent)]
    attach_records(sold)


def load_pictures(products: Iterable[Product]) -> None:
    """Fetch the pictures of all `products`, and of their parents, which lend theirs, in one query."""
    shown = list(products)
    parents = [product.parent for product in shown if product.parent_id]
    prefetch_related_objects([*shown, *parents], "images")


def _card(product: Product, strategy: Strategy) -> Card:
    if not product.is_parent:
        info = strategy.fetch_for_product(product)
        return Card(product, info.price, info.availability)
    info = strategy.fetch_for_parent(product)
    prices = {strategy.fetch_for_product(child).price.incl_tax for child in product.get_public_children()}
    return Card(product, info.price, info.availability, from_price=len(prices - {None}) > 1)
