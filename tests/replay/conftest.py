"""Small files of transactions, and a run over one of them in the database under test."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shop.replay import catalogue, control, report, run, transactions
from shop.replay.sample import COLUMNS

LONDON = ZoneInfo("Europe/London")


@dataclass
class Run:
    """What one replay came to."""

    figures: dict[str, Any]
    wrong: list[str]
    reasons: dict[int, str]
    progress: run.Progress
    refused: list[list[str]]


def write(path: Path, rows: Iterable[Iterable[object]], columns: Iterable[str] = COLUMNS) -> Path:
    """A CSV of these rows."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([list(columns), *map(list, rows)])
    return path


def replay(file: Path, *, currency: str = "GBP", stock: int | None = None, limit: int | None = None) -> Run:
    """As the command does it, without the bar."""
    found = transactions.read(file, LONDON, limit)
    catalogue.build(found.invoices.values(), mark="test", currency=currency, stock=stock)
    progress = run.drive(run.documents(found, currency))
    reasons = report.refusals(found)
    refused = file.with_name("refused.csv")
    report.write_refused(refused, file, reasons, limit)
    made = report.make(found, control.total(file, limit), control.total(refused), reasons)
    with refused.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    return Run(made.figures, made.wrong, reasons, progress, rows)


@pytest.fixture
def of_rows(tmp_path: Path, transactional_db: None) -> Callable[..., Run]:
    """of_rows([row, ...], **options): write them, replay them, and have them balance."""

    def act(rows: Iterable[Iterable[object]], **options: Any) -> Run:
        made = replay(write(tmp_path / "rows.csv", rows), **options)
        assert made.wrong == []
        return made

    return act
