"""Links between the pages of stock: each number to the rows it is made of, each document to its page."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from shop.stock.models import Level, Pool


def pool_link(sku: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:stock_pool_change", args=[quote(sku)]), sku)


def order_link(number: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:order_order_by_number", args=[number]), number)


# What a movement's document is, by the word before its colon: its name, and the page it has.
DOCUMENTS: dict[str, tuple[Any, str]] = {
    "parcel": (gettext_lazy("parcel"), "fulfilment_parcel"),
    "return": (gettext_lazy("return"), "returns_return"),
    "reading": (gettext_lazy("reading"), "stock_reading"),
    "supply": (gettext_lazy("incoming supply"), "stock_supply"),
}


def document_link(document: str) -> str:
    """A movement's document, leading to its page where it has one."""
    kind, _colon, key = document.partition(":")
    if kind not in DOCUMENTS or not key.isdecimal():
        return document
    words, page_name = DOCUMENTS[kind]
    return format_html('<a href="{}">{} #{}</a>', reverse(f"admin:{page_name}_change", args=[key]), words, key)


def rows_link(model: str, number: Any, **which: Any) -> str:
    """A number of the board, leading to the rows it is the sum of."""
    address = f"{reverse(f'admin:stock_{model}_changelist')}?{urlencode(which)}"
    return format_html('<a href="{}">{}</a>', address, number)


def on_hand_link(pool: Pool) -> str:
    return rows_link("movement", pool.on_hand, sku=pool.sku, warehouse__is_sellable__exact=1)


def reserved_link(pool: Pool) -> str:
    return rows_link("hold", pool.reserved, sku=pool.sku, state="open")


def level_link(level: Level) -> str:
    return rows_link("movement", level.on_hand, sku=level.pool_id, warehouse__id__exact=level.warehouse_id)
