"""One area, in a process and on a database of its own: `python -m bench.area stock rows.json` (run by `bench`)."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import django


def say(text: str) -> None:
    print(f"    {text}", file=sys.stderr, flush=True)


def main(name: str, out: str) -> None:
    django.setup()
    rows = importlib.import_module(f"bench.{name}").measure(say)
    Path(out).write_text(json.dumps([row.as_json() for row in rows]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
