"""Killed and started again, run twice, run twice at once: the same result as one whole run. Real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from shop import invariants
from shop.order.models import Intake, Order
from shop.replay.sample import Sample, write
from tests.databases import database_url, held_at

ROOT = Path(__file__).resolve().parent.parent.parent
SPEED = ("new_orders", "taken_before", "seconds", "orders_per_second", "ms_per_order", "ms_per_order_by_tenth")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A file with everything that bites in it."""
    file = tmp_path / "sample.csv"
    with file.open("w", encoding="utf-8") as stream:
        write(stream, Sample(70, seed=5, skus=40))
    return file


def start(file: Path, out: Path) -> subprocess.Popen[bytes]:
    """`manage.py replay` as a process, on this test's database."""
    out.mkdir(exist_ok=True)
    argv = [sys.executable, "manage.py", "replay", str(file), "--out", str(out)]
    with (out / "log").open("wb") as log:
        return subprocess.Popen(
            argv, cwd=ROOT, env={**os.environ, "DATABASE_URL": database_url()}, stdout=log, stderr=log
        )


def whole(file: Path, out: Path) -> dict[str, Any]:
    """Run to the end; the figures without those of speed."""
    process = start(file, out)
    assert process.wait(timeout=240) == 0, (out / "log").read_text()
    figures = json.loads((out / "report.json").read_text())
    return {name: value for name, value in figures.items() if name not in SPEED}


def stored() -> list[Any]:
    """What the documents say, whatever the ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT 'order', o.external_number, o.total_incl_tax::text, o.date_placed::text, count(l.id)
               FROM order_order o JOIN order_line l ON l.order_id = o.id GROUP BY 1, 2, 3, 4
               UNION ALL SELECT 'note', number, total_incl_tax::text, issued_at::text, 0 FROM returns_creditnote
               UNION ALL SELECT 'pool', sku, on_hand::text, reserved::text, shortage FROM stock_pool
               UNION ALL SELECT 'moved', sku, reason, note, sum(quantity) FROM stock_movement GROUP BY 1, 2, 3, 4
               ORDER BY 1, 2, 3, 4, 5"""
        )
        return cursor.fetchall()


def sound() -> None:
    assert [row for one in invariants.registered() for row in invariants.broken(one)] == []


def test_killed_half_way_and_run_again_and_again(sample: Path, tmp_path: Path) -> None:
    figures = whole(sample, tmp_path / "straight")
    straight = stored()
    assert figures["balanced"] and figures["rows"]["returned"] and figures["rows"]["refused"]
    call_command("flush", verbosity=0, interactive=False)

    for share in (0.2, 0.6):
        process = start(sample, tmp_path / "killed")
        deadline = time.monotonic() + 120
        while Intake.objects.count() < share * figures["invoices"] and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = Intake.objects.count()
        assert 0 < done < figures["invoices"], "the kill came too late to show anything"
    assert whole(sample, tmp_path / "again") == figures
    assert stored() == straight
    orders = set(Order.objects.values_list("pk", flat=True))
    assert whole(sample, tmp_path / "twice") == figures
    assert stored() == straight
    assert set(Order.objects.values_list("pk", flat=True)) == orders
    sound()


def test_twice_at_once(sample: Path, tmp_path: Path) -> None:
    """Both stand at the table of what was taken before one of them may take anything: each tries every document.

    How many each wins is chance: the one a step behind may lose them all.
    """
    with held_at("order_intake", until=2):
        both = [start(sample, tmp_path / name) for name in ("one", "two")]
    assert [process.wait(timeout=240) for process in both] == [0, 0], (tmp_path / "two" / "log").read_text()
    figures = [json.loads((tmp_path / name / "report.json").read_text()) for name in ("one", "two")]
    orders = Order.objects.count()
    assert sum(one["new_orders"] for one in figures) == orders
    for one in figures:
        assert one["new_orders"] + one["taken_before"] >= orders
    assert whole(sample, tmp_path / "after")["orders"] == orders
    sound()
