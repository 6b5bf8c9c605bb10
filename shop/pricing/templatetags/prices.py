"""Amounts as people read them."""

from __future__ import annotations

from decimal import Decimal

from babel.core import Locale
from babel.numbers import format_currency
from django import template
from django.utils.translation import get_language, to_locale

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """`{{ order.total_incl_tax|money:order.currency }}`: in the reader's language, '' for none.

    CLDR writes CN¥ in English; on a Chinese shop's own pages the short sign is what people expect.
    """
    if amount is None:
        return ""
    written = format_currency(amount, currency, locale=Locale.parse(to_locale(get_language() or "zh-hans")))
    return written.replace("CN¥", "¥")
