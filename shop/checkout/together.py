"""Whether the lines of a basket can be had together: kits share their parts with each other and with single goods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _

from shop.basket.models import Line
from shop.order.drafts import DraftLine
from shop.stock.offered import Offered


def problems(lines: Sequence[Line], written: Sequence[Sequence[DraftLine]]) -> list[str]:
    """For each line why it cannot be had with the others, '' if it can; decided as `stock_promise` decides it."""
    found = [_alone(line) for line in lines]
    wanted = Counter(part.sku for parts in written for part in parts)
    shared = {sku for sku, times in wanted.items() if times > 1}
    if shared:
        short = _short([part for parts in written for part in parts if part.sku in shared])
        for place, parts in enumerate(written):
            if not found[place] and any(id(part) in short for part in parts):
                found[place] = _("it needs the same goods as another line, and there are not enough for both")
    return found


def _alone(line: Line) -> str:
    permitted, reason = line.purchase_info.availability.is_purchase_permitted(line.quantity)
    return "" if permitted else str(reason)


def _short(lines: Sequence[DraftLine]) -> set[int]:
    """Those of the lines (by identity) that would not be promised any more after the ones before them."""
    records = {line.stockrecord_id for line in lines}
    there = {offer.sku: offer for offer in Offered.objects.filter(record__in=records)}
    short: set[int] = set()
    for sku in {line.sku for line in lines}:
        mine = [line for line in lines if line.sku == sku]
        free, room = (there[sku].free, there[sku].room) if sku in there else (0, 0)
        if sum(line.quantity for line in mine) <= free:
            continue
        for line in mine:
            if line.quantity <= free:
                free -= line.quantity
            elif line.quantity <= room:
                room -= line.quantity
            else:
                short.add(id(line))
    return short
