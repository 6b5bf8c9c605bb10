"""What the storefront's templates need beyond Django's own tags."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.numbers import format_percent
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, to_locale
from phonenumber_field.phonenumber import PhoneNumber

from shop.catalogue import pictures
from shop.pricing.tax import split
from shop.pricing.templatetags import prices

register = template.Library()


def _locale() -> Locale:
    return Locale.parse(to_locale(get_language() or "en"))


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """The amount as people of the page's language write it. CLDR writes CN¥ in English; on a Chinese shop's own pages
    the short sign is what people expect."""
    return "" if amount is None else _written(amount, currency, get_language())


@lru_cache(maxsize=4096)
def _written(amount: Decimal, currency: str, language: str | None) -> str:
    return prices.money(amount, currency).replace("CN¥", "¥")


@register.filter
def percent(rate: Decimal) -> str:
    """A fraction as a percentage: 0.13 -> 13%."""
    return format_percent(rate, format="#,##0.##%", locale=_locale())


@register.filter
def phone(number: Any) -> str:
    """A phone number with its groups apart: +86 138 0013 8000."""
    parsed = PhoneNumber.from_string(str(number)) if number else None
    return parsed.as_international if parsed and parsed.is_valid() else str(number or "")


@register.simple_tag
def net(price: Any) -> Decimal:
    """A price without its tax."""
    return split(price.incl_tax, price.tax_rate, price.currency).net


@register.simple_tag
def picture(product: Any, size: int, eager: bool = False, alt: str | None = None) -> SafeString:
    """An <img> of the product's first picture in one of the prepared sizes, or a quiet placeholder."""
    images = list(product.images.all())
    if not images and product.parent_id:
        images = list(product.parent.images.all())
    text = product.get_title() if alt is None else alt
    if not images:
        return format_html('<span class="picture picture-none" role="img" aria-label="{}"></span>', text)
    return image(images[0], size, text, eager)


@register.simple_tag
def image(shown: Any, size: int, alt: str = "", eager: bool = False) -> SafeString:
    """One picture; phones take the smaller size by themselves."""
    name = shown.original.name
    return format_html(
        '<img class="picture" src="{}" width="{}" height="{}" alt="{}" loading="{}" decoding="async">',
        pictures.address(name, size),
        size,
        size,
        alt,
        "eager" if eager else "lazy",
    )


@register.filter
def status_name(status: str) -> str:
    """An order's status in words."""
    from shop.order.models import Status

    return str(Status(status).label) if status in Status.values else gettext("placed")
