"""Kits in orders: bought as one thing, written as lines of their parts, shown as one thing again.

Whoever prices an order and whoever writes it explode its kits here, so that what a customer was shown is what is
written, to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import JSONObject, Upper

from shop.catalogue import facts
from shop.order.drafts import DraftLine, SoldKit
from shop.order.models import Line, LineKind
from shop.partner.strategy import tax_class_of
from shop.pricing.money import ZERO, quantise, spread
from shop.stock.models import KitPart, Waiting

# Asked with every order: whether there is a kit among these SKUs at all.
_KITS = """
SELECT record.partner_sku FROM partner_stockrecord record
WHERE upper(record.partner_sku) = ANY(%s) AND EXISTS (
    SELECT 1 FROM stock_kitpart part WHERE part.kit_id = record.product_id)
"""


def explode(lines: Sequence[DraftLine], currency: str) -> tuple[DraftLine, ...]:
    """The lines with each kit's parts in its place; texts are in the current language."""
    return tuple(line for group in explode_each(lines, currency) for line in group)


def explode_each(lines: Sequence[DraftLine], currency: str) -> list[tuple[DraftLine, ...]]:
    """For each line its parts, itself where it is no kit."""
    parts = parts_of([line.sku for line in lines if line.kind == LineKind.GOODS and line.kit is None])
    exploded, number = [], 0
    for line in lines:
        if line.kit is None and line.sku in parts:
            number += 1
            exploded.append(_explode(line, number, parts[line.sku], currency))
        else:
            exploded.append((line,))
    return exploded


def parts_of(skus: Iterable[str]) -> dict[str, list[KitPart]]:
    """The parts of those SKUs that are kits, with product and tax, in the order in which staff gave them."""
    with connection.cursor() as cursor:
        cursor.execute(_KITS, [sorted({sku.upper() for sku in skus})])
        kits = {sku.upper(): sku for (sku,) in cursor.fetchall()}
    if not kits:
        return {}
    found = (
        KitPart.objects.annotate(kit_sku=Upper("kit__stockrecords__partner_sku"))
        .filter(kit_sku__in=kits)
        .select_related("part__product__tax_class", "part__product__parent__tax_class")
        .order_by("pk")
    )
    parts: dict[str, list[KitPart]] = defaultdict(list)
    for part in found:
        parts[kits[part.kit_sku]].append(part)
    facts.name_variants(part.part.product for part in found)
    return dict(parts)


def _explode(line: DraftLine, number: int, parts: Sequence[KitPart], currency: str) -> tuple[DraftLine, ...]:
    """A kit's price shared out over its parts by what they would cost by themselves, its discount by those shares."""
    kit = SoldKit(number, line.sku, line.title, line.quantity, line.product_id)
    units = [part.quantity * line.quantity for part in parts]
    grosses = shares(line.gross, parts, currency)
    discounts = spread(line.discount, grosses, currency)
    return tuple(
        DraftLine(
            sku=part.part.partner_sku,
            title=part.part.product.get_title(),
            quantity=count,
            unit_gross=quantise(gross / count, currency),
            discount=discount,
            product_id=part.part.product_id,
            stockrecord_id=part.part_id,
            whole=gross,
            kit=kit,
            **_tax(part, line),
        )
        for part, count, gross, discount in zip(parts, units, grosses, discounts, strict=True)
    )


def shares(gross: Decimal, parts: Sequence[KitPart], currency: str) -> list[Decimal]:
    """A kit's price over its parts, to the cent; by their numbers where none of them has a price."""
    weights = [(part.part.price or ZERO) * part.quantity for part in parts]
    return spread(gross, weights if any(weights) else [Decimal(part.quantity) for part in parts], currency)


def _tax(part: KitPart, kit: DraftLine) -> dict[str, Any]:
    """Each part is taxed as it is by itself; as the kit is, where nobody said how."""
    own = tax_class_of(part.part.product)
    return {"tax_code": own.code if own else kit.tax_code, "tax_rate": own.rate if own else kit.tax_rate}


# --- what was ordered and cannot be had -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Short:
    """`sku` and `title` as they were ordered, `wanted` of them, `available`: how many there would be by themselves."""

    sku: str
    title: str
    wanted: int
    available: int


def short_of(lines: Sequence[DraftLine], free: Mapping[str, int]) -> list[Short]:
    """What of an order (exploded) is short, given the SKUs that are (`OutOfStock.short`)."""
    found: dict[tuple[int, str], Short] = {}
    for line in lines:
        if line.sku not in free:
            continue
        kit = line.kit or SoldKit(0, line.sku, line.title, line.quantity)
        there = free[line.sku] * kit.quantity // line.quantity
        known = found.get((kit.number, kit.sku))
        found[kit.number, kit.sku] = Short(
            kit.sku, kit.title, kit.quantity, min(there, known.available) if known else there
        )
    return list(found.values())


# --- what was bought, as one thing ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Bought:
    """One thing of an order as its buyer sees it: a line, or a kit with its lines beneath."""

    sku: str
    title: str
    quantity: int
    lines: list[Line] = field(default_factory=list)
    is_kit: bool = False

    @property
    def product(self) -> Any:
        return self.lines[0].kit_product if self.is_kit else self.lines[0].product

    @property
    def gross(self) -> Decimal:
        return sum((line.line_price_incl_tax for line in self.lines), ZERO)

    @property
    def net(self) -> Decimal:
        return sum((line.line_price_excl_tax for line in self.lines), ZERO)

    @property
    def before_discounts(self) -> Decimal:
        return sum((line.line_price_before_discounts_incl_tax for line in self.lines), ZERO)

    @property
    def ships_on(self) -> date | None:
        """The last of its days, where goods are still awaited."""
        return max((day for line in self.lines if (day := ships_on(line))), default=None)

    @property
    def promised_on(self) -> date | None:
        """The day the buyer was told, of those goods."""
        return max((day for line in self.lines if (day := _day(line, "told"))), default=None)


def awaiting(lines: QuerySet[Line]) -> QuerySet[Line]:
    """The lines with what of each is not here yet, read along: for `ships_on`, `units_awaited` and `bought`."""
    mine = Waiting.objects.filter(line=OuterRef("pk"), open__gt=0).order_by().values("line")
    summed = mine.annotate(units=Sum("open"), on=Max("presale__ships_on"), first=Max("promised_on"))
    return lines.annotate(
        awaited=Subquery(summed.annotate(all=JSONObject(units="units", ships_on="on", told="first")).values("all"))
    )


def units_awaited(line: Any) -> int:
    return int(line.awaited["units"]) if line.awaited else 0


def ships_on(line: Line) -> date | None:
    """By when the units of a line leave that are not here yet; None where all are, or have left."""
    return _day(line, "ships_on")


def _day(line: Any, name: str) -> date | None:
    return date.fromisoformat(line.awaited[name]) if line.awaited else None


def bought(lines: Iterable[Line]) -> list[Bought]:
    """The lines of an order (`awaiting`) put together again, in their order."""
    kits: dict[int, Bought] = {}
    found: list[Bought] = []
    for line in lines:
        thing = kits.get(line.kit_number) if line.kit_number else None
        if thing is None:
            thing = _bought(line)
            found.append(thing)
            if line.kit_number:
                kits[line.kit_number] = thing
        thing.lines.append(line)
    return found


def _bought(line: Line) -> Bought:
    if not line.kit_number:
        return Bought(line.partner_sku, line.title, line.quantity)
    return Bought(line.kit_sku, line.kit_title, line.kit_quantity or 0, is_kit=True)
