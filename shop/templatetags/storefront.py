"""What the storefront's templates need beyond Django's own tags."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.numbers import format_percent
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, to_locale
from phonenumber_field.phonenumber import PhoneNumber

from shop.catalogue import pictures
from shop.days import spoken
from shop.pricing.tax import split
from shop.pricing.templatetags import prices

register = template.Library()
_NOT_IN_SCRIPT = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


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
def day(value: date | None) -> str:
    """A day as people say it: 12 December, 12月12日."""
    return spoken(value) if value else ""


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


SHOWN = {  # how wide pages show a picture; browsers then choose among the sizes there are
    "card": "(min-width: 60rem) 17rem, (min-width: 40rem) 30vw, 46vw",
    "large": "(min-width: 60rem) 38rem, 100vw",
    "small": "6rem",
}


@register.simple_tag
def picture(product: Any, shown: str, eager: bool = False, alt: str | None = None) -> SafeString:
    """An <img> of the product's first picture, `shown` as one of SHOWN, or a quiet placeholder."""
    images = list(product.images.all())
    if not images and product.parent_id:
        images = list(product.parent.images.all())
    text = product.get_title() if alt is None else alt
    if images:
        return image(images[0], shown, text, eager)
    if not text:
        return mark_safe('<span class="picture picture-none"></span>')
    return format_html('<span class="picture picture-none" role="img" aria-label="{}"></span>', text)


@register.simple_tag
def image(found: Any, shown: str, alt: str = "", eager: bool = False) -> SafeString:
    """One picture. What is seen first is `eager`: fetched before the rest, which waits until it is scrolled to."""
    name = found.original.name
    size = pictures.SIZES[-1] if shown == "large" else pictures.SIZES[0]
    sizes = mark_safe("") if shown == "small" else _sizes(name, shown)
    return format_html(
        '<img class="picture" src="{}"{} width="{}" height="{}" alt="{}" {}>',
        pictures.address(name, size),
        sizes,
        size,
        size,
        alt,
        mark_safe(_fetched(shown, eager)),
    )


def _fetched(shown: str, eager: bool) -> str:
    """Small pictures stand at the top of baskets and orders: they do not wait, and they are not put first."""
    if eager:
        return 'fetchpriority="high"'
    return 'decoding="async"' if shown == "small" else 'loading="lazy" decoding="async"'


def _sizes(name: str, shown: str) -> SafeString:
    sources = ", ".join(f"{pictures.address(name, size)} {size}w" for size in pictures.SIZES)
    return format_html(' srcset="{}" sizes="{}"', sources, SHOWN[shown])


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a form: `field` is the id of its control, "" where it concerns the whole."""

    field: str
    text: str


@register.simple_tag
def problems(*forms: Any) -> list[Problem]:
    """What is wrong in these forms, in the order of their fields; those that are missing ('') count as right."""
    found: list[Problem] = []
    for form in forms:
        if form and form.errors:
            found += [Problem("", text) for text in form.non_field_errors()]
            found += [Problem(_control(field), text) for field in form for text in field.errors]
    return found


def _control(field: Any) -> str:
    """Of several controls, the first."""
    return field.id_for_label or f"{field.auto_id}_0"


@register.simple_tag
def json_ld(data: Any) -> SafeString:
    """Structured data for machines; nothing in it can end the script element."""
    text = json.dumps(data, ensure_ascii=False).translate(_NOT_IN_SCRIPT)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')
