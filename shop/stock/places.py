"""Places beside the shelf: where a warehouse's damaged goods lie, those on quality hold, and what is elsewhere.

Goods go from place to place as two movements in one `movements.record`: nothing is lost between them.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import translation

from shop.stock import movements
from shop.stock.models import SET_APART, Kind, Reason, Warehouse
from shop.stock.movements import Move

_ENDINGS = {Kind.DAMAGED: "-D", Kind.QUALITY: "-Q"}


def home(place: Warehouse) -> Warehouse:
    """The warehouse a place belongs to: itself, unless it holds goods set apart."""
    return place.parent or place


def apart(place: Warehouse, kind: Kind) -> Warehouse:
    """Where the goods of `kind` of this place's warehouse lie; made on first use, by whoever comes first.

    In the caller's transaction, before any lock. Raises NotOurs where an ERP owns the figures.
    """
    movements.refuse_owned([place.pk])
    warehouse = home(place)
    with translation.override(settings.LANGUAGE_CODE):  # a name is data, in the company's language
        name = f"{warehouse.name} · {kind.label}"
    made, _new = Warehouse.objects.get_or_create(
        parent=warehouse,
        kind=kind,
        defaults={
            "code": _free_code(f"{warehouse.code[:26]}{_ENDINGS[kind]}"),
            "name": name[:128],
            "priority": warehouse.priority,
            "is_sellable": False,
        },
    )
    return made


def _free_code(code: str) -> str:
    taken = set(Warehouse.objects.filter(code__startswith=code).values_list("code", flat=True))
    number = 1
    wanted = code
    while wanted in taken:
        number += 1
        wanted = f"{code}{number}"
    return wanted


def moves(
    sku: str, source: int, destination: int, units: int, reason: Reason, *, actor: str, note: str, document: str = ""
) -> list[Move]:
    """The two movements by which `units` go from one warehouse to the other."""
    return [
        Move(sku, source, -units, reason, document, actor, note),
        Move(sku, destination, units, reason, document, actor, note),
    ]


def hold(sku: str, place: Warehouse, units: int, *, actor: str, note: str) -> Warehouse:
    """Put goods on quality hold; returns where they lie now."""
    destination = apart(place, Kind.QUALITY)
    _move(sku, place, destination, units, Reason.QUALITY_HOLD, actor, note)
    return destination


def release(sku: str, place: Warehouse, units: int, *, actor: str, note: str) -> Warehouse:
    """Goods on quality hold are good: back on their warehouse's shelf, which is returned."""
    destination = home(place)
    _move(sku, place, destination, units, Reason.QUALITY_PASSED, actor, note)
    return destination


def move(sku: str, place: Warehouse, destination: Warehouse, units: int, *, actor: str, note: str) -> None:
    """Goods go to another place: on their way, to a supplier, to another warehouse of ours, or back."""
    if destination.kind in SET_APART or destination.pk == place.pk:
        raise ValueError(f"{destination} is not where goods are moved to.")
    _move(sku, place, destination, units, Reason.MOVED, actor, note)


def _move(
    sku: str, place: Warehouse, destination: Warehouse, units: int, reason: Reason, actor: str, note: str
) -> None:
    movements.by_staff(moves(sku, place.pk, destination.pk, units, reason, actor=actor, note=note))
