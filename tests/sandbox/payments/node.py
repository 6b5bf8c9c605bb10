"""Alipay's own client (npm): installed once, by `make test`, into var/alipay-sdk.

    python -m tests.sandbox.payments.node

Where Node is missing and cannot be installed, the tests that need it fail and say what to install; with
WEFT_WITHOUT_NODE=1 they are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audit import node

HERE = Path(__file__).resolve().parent / "client"
FOLDER = HERE.parents[3] / "var" / "alipay-sdk"


def ensure() -> None:
    """Raises node.Missing."""
    node.ensure()
    node.installed(HERE, FOLDER, FOLDER / "node_modules" / "alipay-sdk" / "package.json")


def run(config: dict[str, Any], *calls: list[Any]) -> list[dict[str, Any]]:
    """What Alipay's client makes of these calls, each `[name of the method, arguments…]`, in Beijing's time."""
    try:
        ensure()
    except node.Missing as missing:
        if os.environ.get("WEFT_WITHOUT_NODE") == "1":
            pytest.skip(str(missing))
        pytest.fail(str(missing))
    command = ["node", str(HERE / "client.mjs"), str(FOLDER)]
    job = json.dumps({"config": config, "calls": calls})
    env = {**os.environ, "TZ": "Asia/Shanghai"}
    done = subprocess.run(command, input=job, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


if __name__ == "__main__":
    if os.environ.get("WEFT_WITHOUT_NODE") != "1":
        try:
            ensure()
        except node.Missing as missing:
            print(missing, file=sys.stderr)
