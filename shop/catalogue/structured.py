"""What a product page tells machines that read it: schema.org's Product and BreadcrumbList."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from shop.catalogue import pictures
from shop.catalogue.listing import Card
from shop.catalogue.models import Product
from shop.catalogue.tree import Node

SCHEMA = "https://schema.org"


def absolute(path: str) -> str:
    """An address with the shop's host before it."""
    return path if path.startswith(("http:", "https:")) else f"{settings.WEFT_SHOP_URL}{path}"


def picture_addresses(product: Product) -> list[str]:
    return [absolute(pictures.address(image.original.name, max(pictures.SIZES))) for image in product.images.all()]


def about(product: Product, card: Card, category: Node | None) -> list[dict[str, Any]]:
    """JSON-LD. Stock and price are those of the page, honestly."""
    return [_product(product, card), _breadcrumbs(product, category)]


def _product(product: Product, card: Card) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "Product",
        "name": product.title,
        "url": absolute(product.get_absolute_url()),
        "description": product.description or product.summary,
        "image": picture_addresses(product),
    }
    record = getattr(product, "record", None)
    if record:
        found["sku"] = record.partner_sku
    if product.weight_g:
        found["weight"] = {"@type": "QuantitativeValue", "value": product.weight_g, "unitCode": "GRM"}
    if card.price.exists:
        found["offers"] = _offer(found["url"], card)
    return {name: value for name, value in found.items() if value}


def _offer(url: str, card: Card) -> dict[str, Any]:
    """Prices include tax, whatever the pages show."""
    offer = {
        "@type": "AggregateOffer" if card.from_price else "Offer",
        "url": url,
        "priceCurrency": card.price.currency,
        "lowPrice" if card.from_price else "price": str(card.price.incl_tax),
        "availability": f"{SCHEMA}/{getattr(card.availability, 'schema', 'OutOfStock')}",
    }
    if getattr(card.availability, "later", "") and card.availability.num_available <= 0:
        offer["availabilityStarts"] = card.availability.ships_on.isoformat()
    return offer


def _breadcrumbs(product: Product, category: Node | None) -> dict[str, Any]:
    nodes = [*category.trail, category] if category else []
    steps = [(_("Home"), "/"), *((node.name, node.url) for node in nodes), (product.title, product.get_absolute_url())]
    return {
        "@context": SCHEMA,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": absolute(path)}
            for place, (name, path) in enumerate(steps, 1)
        ],
    }
