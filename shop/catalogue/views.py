from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from shop.catalogue import choice as choices
from shop.catalogue import contents, facets, facts, filters, listing, search, structured, tree, variants
from shop.catalogue.forms import ListForm
from shop.catalogue.models import Product, ProductCategory
from shop.catalogue.tree import Node

HOME_CARDS = 8
RELATED_CARDS = listing.FOREMOST - 1


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    products = listing.browsable()
    featured = list(products.filter(is_featured=True).order_by("-priority", "pk")[:HOME_CARDS])
    new = list(products.exclude(pk__in=[p.pk for p in featured]).order_by("-date_created", "-pk")[:HOME_CARDS])
    cards = listing.cards([*featured, *new], request.strategy)
    return render(
        request,
        "catalogue/home.html",
        {"featured": cards[: len(featured)], "new": cards[len(featured) :]},
    )


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    return _list(request, listing.browsable(), "catalogue/list.html")


@require_safe
def category(request: HttpRequest, category_slug: str, pk: str) -> HttpResponse:
    node = tree.find(int(pk))
    if node is None:
        raise Http404
    if node.full_slug != category_slug:
        return redirect(node.url, permanent=True)
    return _list(request, listing.within(listing.browsable(), node), "catalogue/list.html", category=node)


@require_safe
def found(request: HttpRequest) -> HttpResponse:
    products = search.matching(listing.browsable(), request.GET.get("q", ""))
    return _list(request, products, "catalogue/search.html", sort="")


def _list(
    request: HttpRequest,
    products: QuerySet[Product],
    template: str,
    *,
    category: Node | None = None,
    sort: str = "featured",
) -> HttpResponse:
    form = ListForm(request.GET, best_match=not sort)
    form.is_valid()  # fields in error are told to the customer and do not narrow
    wanted = form.cleaned_data
    choice = choices.read(request.GET, wanted)
    counts = facets.count(products, choice)
    products = facets.narrowed(products, choice)
    if order := wanted.get("sort") or sort:
        products = listing.ordered(products, order)
    paginator = Paginator(products, settings.WEFT_PAGE_SIZE)
    paginator.count = counts.fitting  # counted already, with the facets
    page: Page[Any] = paginator.get_page(request.GET.get("page"))
    cards = listing.cards(page.object_list, request.strategy)
    context = {
        "form": form,
        "filters": filters.build(request.GET, choice, counts),
        "page": page,
        "numbers": paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "cards": cards,
        "category": category,
        "query": wanted.get("q", ""),
    }
    return render(request, template, context)


@require_safe
def detail(request: HttpRequest, product_slug: str, pk: str) -> HttpResponse:
    product = _described(int(pk))
    if product.is_child:
        return redirect(f"{product.parent.get_absolute_url()}?{variants.CHOSEN}={product.pk}")
    if product.slug != product_slug:
        return redirect(product.get_absolute_url(), permanent=True)
    category = _category(product)
    cards = listing.cards([product, *_related(product, category)], request.strategy)
    children = _variants(product) if product.is_parent else []
    kits = contents.of([product, *children])
    context = {
        "product": product,
        "card": cards[0],
        "choice": _choice(request, children),
        "kits": kits,
        "has_mixed_tax": contents.is_mixed(kits),
        "related": cards[1:],
        "category": category,
        "facts": [*facts.facts(product), *(facts.in_common(children) if len(children) > 1 else [])],
        "about": structured.about(product, cards[0], category),
        "pictures": structured.picture_addresses(product),
    }
    return render(request, "catalogue/detail.html", context)


def _choice(request: HttpRequest, children: Sequence[Product]) -> variants.Choice | None:
    if not children:
        return None
    chosen = request.GET.get(variants.CHOSEN, "")
    return variants.choice(children, facts.facts, request.strategy.fetch_for_product, chosen)


def _described(pk: int) -> Product:
    """A public product with attributes and pictures, without its tax class. Known for a minute, or until it is saved:
    saving stamps it."""
    changed = Product.objects.public().filter(pk=pk).values_list("date_updated", flat=True).first()
    if changed is None:
        raise Http404

    def load() -> Product:
        product = get_object_or_404(_products(), pk=pk)
        listing.load_pictures([product])
        return product

    return cache.get_or_set(f"weft:product:{pk}:{changed.timestamp()}:{get_language()}", load, tree.SECONDS)


def _products() -> QuerySet[Product]:
    categories = ProductCategory.objects.filter(product=OuterRef("pk")).order_by("pk").values("category")
    return (
        Product.objects.public()
        .defer("search")
        .annotate(category_keys=ArraySubquery(categories))
        .prefetch_related(facts.values())
    )


def _variants(parent: Product) -> list[Product]:
    """The variants on sale; those without a title of their own are named by their attributes."""
    children = list(parent.get_public_children())
    prefetch_related_objects([child for child in children if not child.title], facts.values())
    return children


def _category(product: Product) -> Node | None:
    """The most specific public category of the product."""
    nodes = filter(None, map(tree.find, product.category_keys))
    return max(nodes, key=lambda node: len(node.path), default=None)


def _related(product: Product, category: Node | None) -> list[Product]:
    if category is None:
        return []
    return [other for other in listing.foremost(category) if other.pk != product.pk][:RELATED_CARDS]
