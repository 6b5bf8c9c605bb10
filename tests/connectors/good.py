"""The contract of the planted connectors, and its fixtures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from integrations.hub.testing.contract import NOON, HttpContract
from integrations.hub.testing.hearing import HearingContract
from tests.connectors.planted import SECRET, TOLERANCE, Planted


class Good(HttpContract, HearingContract):
    """Not collected by itself: its name does not begin with Test."""

    connector: Any = Planted
    settings = {"url": "https://planted.example", "key": SECRET}
    calls = {"health": lambda planted: planted.health(), "sell": lambda planted: planted.sell("CHAIR-1")}
    signed_with = "key"
    signed_headers = ("x-signature", "x-time")
    too_old = TOLERANCE


def fixtures(folder: Path) -> None:
    """Write the fixtures of `Good`."""
    key = {"authorization": f"Bearer {SECRET}"}

    def write(name: str, request: dict[str, Any], reply: Any, returns: Any) -> None:
        exchange = {"request": request, "reply": {"status": 200, "json": reply}}
        (folder / f"{name}.json").write_text(json.dumps({"exchanges": [exchange], "returns": returns}))

    asked = {"method": "GET", "url": "https://planted.example/v1/status", "writes": False, "headers": key}
    write("health", asked, {"version": "1.0"}, {"version": "1.0", "notes": [], "kept": {}})
    sold = {"method": "POST", "url": "https://planted.example/v1/sales", "writes": True, "json": {"sku": "CHAIR-1"}}
    headers = {**key, "content-type": "application/json"}
    done = {"refs": [{"id": "7", "number": "", "url": ""}], "facts": {"left": 2}, "warnings": []}
    write("sell", {**sold, "headers": headers}, {"id": "7", "left": 2}, done)
    (folder / "inbound").mkdir()
    body = json.dumps({"id": "evt_1", "order": "W1", "amount": "113.00"})
    sent = str(NOON.timestamp())
    signature = Planted({"key": SECRET}, None, lambda: NOON).signature(sent, body.encode())  # type: ignore[arg-type]
    message = {
        "now": NOON.isoformat(), "headers": {"x-time": sent, "x-signature": signature}, "body": body,
        "event": "evt_1", "hints": [{"kind": "payment", "key": "W1", "facts": {"amount": "113.00"}}],
    }  # fmt: skip
    (folder / "inbound" / "paid.json").write_text(json.dumps(message))
