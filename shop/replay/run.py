"""Driving a file's invoices through intake, one after the other. Interrupted and started again, it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from integrations.hub.values import Address
from shop import intake
from shop.intake import Document, Entry
from shop.order.models import LineKind
from shop.replay import catalogue
from shop.replay.places import UNKNOWN, country_code
from shop.replay.transactions import Invoice, Row, Transactions

SOURCE = "replay"


@dataclass
class Progress:
    """What this run did. `costs`: seconds of each document that placed an order, in order."""

    documents: int = 0
    skipped: int = 0
    seconds: float = 0.0
    costs: list[float] = field(default_factory=list)


def documents(found: Transactions, currency: str) -> Iterator[Document]:
    """The file's invoices as documents, in the order of their first rows."""
    warehouse, places = catalogue.places()
    for invoice in found.invoices.values():
        yield Document(
            source_account=SOURCE,
            number=invoice.number,
            at=invoice.rows[0].at,
            currency=currency,
            buyer=invoice.buyer,
            ship_to=_address(invoice),
            is_cancellation=invoice.is_cancellation,
            entries=[_entry(row, places) for row in invoice.rows],
            warehouse_id=warehouse,
        )


def _entry(row: Row, places: dict[str, tuple[int, int]]) -> Entry:
    product, record = places.get(row.sku, (None, None)) if row.kind == LineKind.GOODS else (None, None)
    return Entry(row.position, row.sku, row.title, row.quantity, row.price, row.kind, product, record)


def _address(invoice: Invoice) -> Address:
    """Buyers are anonymous numbers. A country that ISO does not know stays readable as the region."""
    country = country_code(invoice.rows[0].country)
    region = invoice.rows[0].country[:255] if country == UNKNOWN else ""
    name = f"#{invoice.buyer}" if invoice.buyer else ""
    return Address(
        name=name, lines=(), district="", city="", region=region, postcode="", country=country, phone=""
    )  # fmt: skip


def drive(wanted: Iterable[Document], tick: Callable[[], object] = lambda: None) -> Progress:
    """Take every document that was not taken before; `tick` after each."""
    progress = Progress()
    known = intake.taken(SOURCE)
    begun = time.perf_counter()
    for document in wanted:
        if document.number in known:
            progress.skipped += 1
        else:
            _take(document, progress)
        tick()
    progress.seconds = time.perf_counter() - begun
    return progress


def _take(document: Document, progress: Progress) -> None:
    begun = time.perf_counter()
    outcome = intake.take(document)
    if outcome is None:  # somebody else replays the same file
        progress.skipped += 1
        return
    progress.documents += 1
    if outcome.rows[intake.Class.ORDERED]:
        progress.costs.append(time.perf_counter() - begun)
