"""Documents from outside (files, channels, partners) -> orders, returns and corrections. Each document once.

take(document) decides for each of its entries what it is, and writes all of it in one transaction together with the
`Intake` row that says what became of every entry. Taking the same document again changes nothing.

| class | entry |
|---|---|
| movement   | its price is 0: stock changes by the signed quantity |
| adjustment | its price is below 0, or its quantity is, outside a cancellation: money, no goods |
| returned   | of a cancellation: that buyer's purchase, the most recent first, wholly or in part |
| credited   | of a cancellation: no purchase of that buyer is known |
| ordered    | everything else: a line of an order |
| refused    | what makes no sense or cannot be kept; nothing of it is written |
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db import IntegrityError

from integrations.hub import outgoing
from integrations.hub.values import Address
from shop.order import kits
from shop.order.models import Intake, LineKind, PaymentMethod
from shop.order.place import Draft, DraftLine, place
from shop.pricing.money import TooFine, exact
from shop.returns.models import Adjustment
from shop.returns.receive import ReturnedParcel, Wanted, lock_purchases, receive
from shop.stock import movements, pools
from shop.stock.holds import OutOfStock
from shop.stock.models import Level, Reason
from shop.stock.movements import Move

MOST_UNITS = 2**31 - 1
MOST_MONEY = Decimal(10) ** 11  # of one entry: ten thousand of them still fit the money columns
DAMAGED = ("damage", "broken", "smash", "crush", "wet", "faulty", "mouldy", "rusty", "unsaleable", "thrown")


class Class(StrEnum):
    """What became of an entry."""

    ORDERED = "ordered"
    MOVEMENT = "movement"
    ADJUSTMENT = "adjustment"
    RETURNED = "returned"
    CREDITED = "credited"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a document. `position` is its place in the source, unique there; `unit_gross` is signed."""

    position: int
    sku: str
    title: str
    quantity: int
    unit_gross: Decimal
    kind: LineKind = LineKind.GOODS
    product_id: int | None = None
    stockrecord_id: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What one source says under one number. `buyer` is the source's own number of the buyer, or empty.

    It is history: paid, shipped from `warehouse_id` and settled elsewhere on the day `at`, in whole.
    """

    source_account: str
    number: str
    at: datetime
    currency: str
    buyer: str
    ship_to: Address
    is_cancellation: bool
    entries: Sequence[Entry]
    warehouse_id: int
    language: str = "en"


@dataclass
class Outcome:
    """What became of each entry, by position."""

    rows: dict[Class, list[int]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[int, str] = field(default_factory=dict)

    def put(self, entries: Iterable[Entry], what: Class) -> None:
        """These entries are of this class."""
        if positions := [entry.position for entry in entries]:
            self.rows[what] += positions

    def refuse(self, entry: Entry, reason: str) -> None:
        """This entry is refused."""
        self.refused[entry.position] = reason


def take(document: Document) -> Outcome | None:
    """Write everything the document says; None when it was taken before.

    Entries that cannot be kept are refused one by one, with a reason; the others stand.
    """
    refused: dict[int, str] = {}
    while True:
        try:
            return _Taking(document, refused).write()
        except OutOfStock as short:
            more = _out_of_stock(document, refused, short)
        except IntegrityError:
            if not Intake.objects.filter(
                source_account=document.source_account, external_number=document.number
            ).exists():
                raise
            return None
        if not more:
            raise RuntimeError(f"{document.number}: refused for stock, but no entry is to blame")
        refused |= more


def _out_of_stock(document: Document, refused: dict[int, str], short: OutOfStock) -> dict[int, str]:
    """The order lines of what cannot be promised; the rest of the document is tried again without them."""
    ordered = [
        entry
        for entry in document.entries
        if entry.position not in refused and not _fault(entry, document) and _class_of(entry, document) is Class.ORDERED
    ]
    exploded = kits.explode([_line(entry) for entry in ordered], document.currency)
    free = {one.sku: one.available for one in kits.short_of(exploded, short.short)}
    return {entry.position: f"out of stock: {free[entry.sku]} free" for entry in ordered if entry.sku in free}


def _class_of(entry: Entry, document: Document) -> Class:
    if entry.unit_gross == 0:
        return Class.MOVEMENT
    if entry.unit_gross < 0 or (entry.quantity < 0 and not document.is_cancellation):
        return Class.ADJUSTMENT
    return Class.CREDITED if document.is_cancellation else Class.ORDERED


def _fault(entry: Entry, document: Document) -> str:
    """Why this entry cannot be taken whatever else is there; empty when it can."""
    if entry.quantity == 0:
        return "the quantity is 0"
    if abs(entry.quantity) > MOST_UNITS:
        return "the quantity is too large"
    if abs(entry.unit_gross) >= MOST_MONEY or abs(entry.unit_gross * entry.quantity) >= MOST_MONEY:
        return "the amount is too large"
    try:
        exact(entry.unit_gross, document.currency)
    except TooFine:
        return f"the price is finer than {document.currency} can be paid in"
    if document.is_cancellation and entry.quantity > 0 and entry.unit_gross > 0:
        return "a cancellation that takes nothing back (its quantity is above 0)"
    return ""


class _Taking:
    """One try at one document."""

    def __init__(self, document: Document, refused: dict[int, str]) -> None:
        self.document = document
        self.outcome = Outcome(refused=dict(refused))
        self.by_class: dict[Class, list[Entry]] = defaultdict(list)
        for entry in document.entries:
            if entry.position in refused:
                continue
            if fault := _fault(entry, document):
                self.outcome.refuse(entry, fault)
            else:
                self.by_class[_class_of(entry, document)].append(entry)
        self._refuse_kits()

    def _refuse_kits(self) -> None:
        """A kit's stock is that of its parts: it cannot be moved by itself."""
        moved = self.by_class[Class.MOVEMENT]
        found = kits.parts_of(entry.sku for entry in moved) if moved else {}
        for entry in [entry for entry in moved if entry.sku in found]:
            self.outcome.refuse(entry, "a kit has no stock of its own")
            moved.remove(entry)

    def write(self) -> Outcome:
        """All of it, in one transaction."""
        if self.by_class[Class.ORDERED]:
            place(self._draft(), also=lambda order: self._write_rest())
        else:
            with outgoing.recording():
                self._write_rest()
        return self.outcome

    def _draft(self) -> Draft:
        document = self.document
        return Draft(
            currency=document.currency,
            lines=tuple(map(_line, self.by_class[Class.ORDERED])),
            ship_to=document.ship_to,
            payment_method=PaymentMethod.ELSEWHERE,
            language=document.language,
            source_account=document.source_account,
            external_number=document.number,
            buyer_reference=document.buyer,
            shipped_from=document.warehouse_id,
            placed_at=document.at,
        )

    def _write_rest(self) -> None:
        """Everything but the order itself.

        Orders first, then all pools, sorted: movements, returns and the promise after this share them.
        """
        if self.by_class[Class.CREDITED]:
            lock_purchases(self._returned())
        if any(self.by_class[what] for what in (Class.MOVEMENT, Class.CREDITED)):
            pools.lock({entry.sku for entries in self.by_class.values() for entry in entries})
        self._move()
        self._take_back()
        self._adjust()
        self.outcome.put(self.by_class[Class.ORDERED], Class.ORDERED)
        Intake.objects.create(
            source_account=self.document.source_account,
            external_number=self.document.number,
            rows={str(what): positions for what, positions in self.outcome.rows.items()},
            refused={str(position): reason for position, reason in self.outcome.refused.items()},
        )

    def _move(self) -> None:
        """Movements in the document's order; one that would take more than is there is refused."""
        entries = self.by_class[Class.MOVEMENT]
        if not entries:
            return
        levels = Level.objects.filter(pool__in={e.sku for e in entries}, warehouse=self.document.warehouse_id)
        there = defaultdict(int, levels.select_for_update().order_by("pool").values_list("pool", "on_hand"))
        moves = []
        for entry in entries:
            if there[entry.sku] + entry.quantity < 0:
                self.outcome.refuse(entry, f"fewer than 0 would be on hand: {there[entry.sku]} there")
                continue
            there[entry.sku] += entry.quantity
            moves.append(self._as_move(entry))
            self.outcome.put([entry], Class.MOVEMENT)
        movements.record(moves)

    def _as_move(self, entry: Entry) -> Move:
        document = self.document
        damaged = entry.quantity < 0 and any(word in entry.title.lower() for word in DAMAGED)
        return Move(
            entry.sku, document.warehouse_id, entry.quantity, Reason.DAMAGE if damaged else Reason.ADJUSTMENT,
            f"{document.source_account}:{document.number}", document.source_account, entry.title[:255], document.at,
        )  # fmt: skip

    def _returned(self) -> ReturnedParcel:
        document = self.document
        return ReturnedParcel(
            source_account=document.source_account,
            number=document.number,
            buyer_reference=document.buyer,
            currency=document.currency,
            at=document.at,
            warehouse_id=document.warehouse_id,
            actor=document.source_account,
            wanted=[Wanted(e.sku, e.title, -e.quantity, e.unit_gross) for e in self.by_class[Class.CREDITED]],
            is_historical=True,
        )

    def _take_back(self) -> None:
        entries = self.by_class[Class.CREDITED]
        if not entries:
            return
        returned = self._returned()
        linked = {id(part.wanted) for part in receive(returned) if part.line_id is not None}
        for entry, wanted in zip(entries, returned.wanted, strict=True):
            self.outcome.put([entry], Class.RETURNED if id(wanted) in linked else Class.CREDITED)

    def _adjust(self) -> None:
        entries = self.by_class[Class.ADJUSTMENT]
        document = self.document
        Adjustment.objects.bulk_create(
            Adjustment(
                source_account=document.source_account,
                number=document.number,
                position=entry.position,
                buyer_reference=document.buyer,
                sku=entry.sku,
                reason=entry.title[:255],
                currency=document.currency,
                amount=entry.unit_gross * entry.quantity,
                at=document.at,
                is_historical=True,
            )
            for entry in entries
        )
        self.outcome.put(entries, Class.ADJUSTMENT)


def _line(entry: Entry) -> DraftLine:
    return DraftLine(
        sku=entry.sku,
        title=entry.title,
        quantity=entry.quantity,
        unit_gross=entry.unit_gross,
        discount=Decimal(0),
        tax_code="",
        tax_rate=Decimal(0),
        product_id=entry.product_id,
        stockrecord_id=entry.stockrecord_id,
        kind=entry.kind,
    )


def taken(source_account: str) -> set[str]:
    """Numbers of the documents of a source that were taken already."""
    return set(Intake.objects.filter(source_account=source_account).values_list("external_number", flat=True))
