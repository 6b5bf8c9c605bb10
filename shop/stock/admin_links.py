"""Links between the pages of stock: each number to the rows it is made of, each document to its page."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from shop.stock.models import SET_APART, Kind, Level, Pool


def pool_link(sku: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:stock_pool_change", args=[quote(sku)]), sku)


def order_link(number: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("admin:order_order_by_number", args=[number]), number)


# What a movement's document is, by the word before its colon: its name, and the page it has.
DOCUMENTS: dict[str, tuple[Any, str]] = {
    "parcel": (gettext_lazy("parcel"), "fulfilment_parcel"),
    "return": (gettext_lazy("return"), "returns_return"),
    "reading": (gettext_lazy("reading"), "stock_reading"),
    "proposal": (gettext_lazy("approval"), "stock_proposal"),
    "sheet": (gettext_lazy("count sheet"), "stock_countsheet"),
    "supply": (gettext_lazy("incoming supply"), "stock_supply"),
}


def document_name(document: str) -> str:
    """A movement's document as people call it."""
    kind, _colon, key = document.partition(":")
    return f"{DOCUMENTS[kind][0]} #{key}" if kind in DOCUMENTS and key.isdecimal() else document


def document_link(document: str) -> str:
    """A movement's document, leading to its page where it has one."""
    kind, _colon, key = document.partition(":")
    if kind not in DOCUMENTS or not key.isdecimal():
        return document
    address = reverse(f"admin:{DOCUMENTS[kind][1]}_change", args=[key])
    return format_html('<a href="{}">{}</a>', address, document_name(document))


def rows_link(model: str, number: Any, **which: Any) -> str:
    """A number of the board, leading to the rows it is the sum of."""
    address = f"{reverse(f'admin:stock_{model}_changelist')}?{urlencode(which)}"
    return format_html('<a href="{}">{}</a>', address, number)


def on_hand_link(pool: Pool) -> str:
    return rows_link("movement", pool.on_hand, sku=pool.sku, warehouse__is_sellable__exact=1)


def reserved_link(pool: Pool) -> str:
    return rows_link("hold", pool.reserved, sku=pool.sku, state="open")


def escrow_link(pool: Pool) -> str:
    return rows_link("share", pool.escrow, sku=pool.sku)


def level_link(level: Level) -> str:
    return rows_link("movement", level.on_hand, sku=level.pool_id, warehouse__id__exact=level.warehouse_id)


LYING = {
    "damaged": gettext_lazy("damaged"),
    "quality": gettext_lazy("on quality hold"),
    "elsewhere": gettext_lazy("elsewhere"),
}


def lying(pool: Pool) -> dict[str, int]:
    """Units of the SKU that are not on hand for sale, by where they lie; its levels are read with their warehouses.

    `elsewhere`: on their way, at suppliers and marketplaces, and in warehouses closed for sale.
    """
    units = dict.fromkeys(LYING, 0)
    for level in pool.levels.all():
        if not level.warehouse.is_sellable:
            units[where(level.warehouse.kind)] += level.on_hand
    return units


def where(kind: str) -> str:
    """The column of a place of this kind that is not sold from."""
    return str(Kind(kind).value) if kind in SET_APART else "elsewhere"


def lying_link(pool: Pool, column: str) -> str:
    """Empty where nothing lies there."""
    units = lying(pool)[column]
    return rows_link("movement", units, sku=pool.sku, lies=column) if units else ""
