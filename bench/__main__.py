"""`python -m bench [--only AREA]`: run every area, print the table, write var/bench.json; 1 where a target is missed.

DATABASE_URL names a server on which databases may be made. Each area runs in a process of its own, on a freshly
migrated database of its own, one after the other: two at once would measure each other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import databases

PROJECT = Path(__file__).resolve().parent.parent
OUT = PROJECT / "var" / "bench.json"
AREAS = ("page", "checkout", "stock", "channels", "outgoing", "hub", "payments", "delivery", "replay", "api")


def run_area(area: str) -> list[dict[str, Any]]:
    """The area's rows; a failure is an exception, never a missing row."""
    print(f"{area} ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder, databases.fresh(f"bench_{area}") as url:
        out = Path(folder) / "rows.json"
        env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "shop.settings"}
        subprocess.run([sys.executable, "-m", "bench.area", area, str(out)], cwd=PROJECT, env=env, check=True)
        rows: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
    return rows


def shown(value: Any) -> str:
    """A cell: numbers with three significant digits or more."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, (int, float)):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)


def print_table(rows: list[dict[str, Any]]) -> None:
    """Columns lined up, the note under its row."""
    heads = ("id", "measured", "baseline", "unit", "ratio", "target", "holds")
    cells = [heads, *(tuple(shown(row[head]) for head in heads) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    for line, row in zip(cells, [None, *rows], strict=True):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if row and row["note"]:
            print(f"    {row['note']}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=AREAS, help="one area")
    only = parser.parse_args().only
    databases.forget()
    try:
        rows = [row for area in ([only] if only else AREAS) for row in run_area(area)]
    finally:
        databases.forget()
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print_table(rows)
    missed = [row["id"] for row in rows if not row["holds"]]
    print(f"{OUT.relative_to(PROJECT)} written. " + (f"Missed: {', '.join(missed)}" if missed else "All targets hold."))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
