"""What a replay came to: read back from the database, and held against the first pass."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from shop.intake import Class
from shop.order.models import Intake
from shop.replay import control, transactions
from shop.replay.run import SOURCE
from shop.replay.transactions import Transactions

# Sums of what is stored, each from its own tables.
STORED = """
SELECT
    (SELECT count(*) FROM order_order WHERE source_account = %(source)s),
    (SELECT coalesce(sum(total_incl_tax), 0) FROM order_order WHERE source_account = %(source)s),
    (SELECT count(*) FROM order_line l JOIN order_order o ON o.id = l.order_id WHERE o.source_account = %(source)s),
    (SELECT count(*) FROM returns_return WHERE source_account = %(source)s),
    (SELECT count(*) FROM returns_creditnote WHERE source_account = %(source)s AND returned_id IS NOT NULL),
    (SELECT coalesce(sum(total_incl_tax), 0) FROM returns_creditnote
        WHERE source_account = %(source)s AND returned_id IS NOT NULL),
    (SELECT count(*) FROM returns_creditnote WHERE source_account = %(source)s AND returned_id IS NULL),
    (SELECT coalesce(sum(total_incl_tax), 0) FROM returns_creditnote
        WHERE source_account = %(source)s AND returned_id IS NULL),
    (SELECT count(*) FROM returns_adjustment WHERE source_account = %(source)s),
    (SELECT coalesce(sum(amount), 0) FROM returns_adjustment WHERE source_account = %(source)s),
    (SELECT count(*) FROM stock_movement WHERE document LIKE %(source)s || ':%%')
"""
NAMES = (
    "orders", "orders_total", "order_lines", "returns", "linked_credit_notes", "linked_credit_total",
    "unlinked_credit_notes", "unlinked_credit_total", "adjustments", "adjustments_total", "movements",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """The figures, and what is wrong with them (empty: nothing)."""

    figures: dict[str, Any]
    wrong: list[str]


def refusals(found: Transactions) -> dict[int, str]:
    """Position -> reason of every refused row: what could not be read, and what intake refused."""
    reasons = dict(found.refused)
    for refused in Intake.objects.filter(source_account=SOURCE).exclude(refused={}).values_list("refused", flat=True):
        reasons |= {int(position): reason for position, reason in refused.items()}
    return reasons


def write_refused(path: Path, source: Path, reasons: dict[int, str], limit: int | None) -> None:
    """Each refused row as it stood, after its number and its reason."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["Row", "Reason", *transactions.header(source)])
        for position, cells in transactions.cells(source, limit):
            if position in reasons:
                out.writerow([position, reasons[position], *cells])


def make(found: Transactions, first: control.Total, refused: control.Total, reasons: dict[int, str]) -> Report:
    """Hold what is stored against the first pass (`first`) and the file of refused rows (`refused`)."""
    with connection.cursor() as cursor:
        cursor.execute(STORED, {"source": SOURCE})
        stored = dict(zip(NAMES, cursor.fetchone(), strict=True))
    classes, doubled = _classes(reasons)
    out_total = (
        stored["orders_total"]
        - stored["linked_credit_total"]
        - stored["unlinked_credit_total"]
        + stored["adjustments_total"]
    )
    figures = {
        "rows_read": first.rows,
        "invoices": len(found.invoices),
        "rows": {str(what): len(classes[what]) for what in Class},
        **stored,
        "refused": dict(Counter(reason.partition(":")[0] for reason in reasons.values()).most_common()),
        "in_total": first.amount,
        "refused_total": refused.amount,
        "out_total": out_total,
        "notes": found.notes,
    }
    return Report(figures, [*doubled, *_wrong(figures, classes, first, refused)])


def _classes(reasons: dict[int, str]) -> tuple[dict[Class, set[int]], list[str]]:
    """The positions of each class, and a complaint for each that is in two."""
    classes: dict[Class, set[int]] = {what: set() for what in Class}
    classes[Class.REFUSED] = set(reasons)
    seen = Counter[int](reasons.keys())
    for rows in Intake.objects.filter(source_account=SOURCE).values_list("rows", flat=True):
        for what, positions in rows.items():
            classes[Class(what)].update(positions)
            seen.update(positions)
    twice = sorted(position for position, times in seen.items() if times > 1)
    return classes, [f"rows in two classes: {_few(twice)}"] if twice else []


def _wrong(
    figures: dict[str, Any], classes: dict[Class, set[int]], first: control.Total, refused: control.Total
) -> list[str]:
    wrong = []
    everywhere = set().union(*classes.values())
    if lost := sorted(set(range(1, first.rows + 1)) ^ everywhere):
        wrong.append(f"rows in no class: {_few(lost)}")
    if first.amount != figures["out_total"] + refused.amount:
        wrong.append(f"in {first.amount} is not out {figures['out_total']} + refused {refused.amount}")
    if refused.rows != len(classes[Class.REFUSED]):
        wrong.append(f"{len(classes[Class.REFUSED])} rows refused, {refused.rows} in the file of refused rows")
    for what, name in (
        (Class.ORDERED, "order_lines"), (Class.MOVEMENT, "movements"), (Class.ADJUSTMENT, "adjustments"),
    ):  # fmt: skip
        if len(classes[what]) != figures[name]:
            wrong.append(f"{len(classes[what])} rows became {what}, but {figures[name]} {name} are stored")
    return wrong


def _few(positions: list[int]) -> str:
    more = f" and {len(positions) - 10} more" if len(positions) > 10 else ""
    return ", ".join(map(str, positions[:10])) + more


def table(figures: dict[str, Any], currency: str) -> list[str]:
    """The figures for a person, one line each."""

    def line(name: str, value: Any, note: str = "") -> str:
        shown = f"{value:,.2f} {currency}" if isinstance(value, Decimal) else f"{value:,}"
        return f"{name:<50}{shown:>20}  {note}".rstrip()

    rows = figures["rows"]
    return [
        line("rows read", figures["rows_read"], f"in {figures['invoices']:,} invoices"),
        line("  ordered", rows["ordered"], f"{figures['orders']:,} orders"),
        line("  returned", rows["returned"], f"{figures['returns']:,} returns with credit notes"),
        line("  credited, no purchase known", rows["credited"],
             f"{figures['unlinked_credit_notes']:,} unlinked credit notes, those of returns in part counted"),
        line("  stock movements", rows["movement"], "price 0"),
        line("  money adjustments", rows["adjustment"]),
        line("  refused", rows["refused"]),
        *(line(f"    {reason}"[:49], count) for reason, count in figures["refused"].items()),
        line("orders", figures["orders_total"]),
        line("- credit notes of returns", figures["linked_credit_total"]),
        line("- unlinked credit notes", figures["unlinked_credit_total"]),
        line("+ money adjustments", figures["adjustments_total"]),
        line("= out", figures["out_total"]),
        line("refused", figures["refused_total"]),
        line("in (first pass)", figures["in_total"]),
    ]  # fmt: skip
