"""Fixtures made from what a real remote says: once by hand, then looked through, then kept.

save(folder / "orders.json", record(Acme, real, shown, lambda acme: acme.orders("")))
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from integrations.hub.connector import Connector
from integrations.hub.http import Door, Reply
from integrations.hub.testing.fixtures import Conversation, Exchange, body_as_kept, plain, request_as_kept

KEPT_HEADERS = frozenset({"content-type", "retry-after", "location", "link", "etag"})


class RecordingDoor(Door):
    """The hub's own door, which writes down what passes."""

    def __init__(self) -> None:
        super().__init__(budget=300.0)
        self.passed: list[Exchange] = []

    def request(self, method: str, url: str, *, operation: str, **rest: Any) -> Reply:
        reply = super().request(method, url, operation=operation, **rest)
        json, body = rest.get("json"), rest.get("body")
        headers = dict(rest.get("headers") or {})
        if json is not None:
            body, headers = jsonlib.dumps(json).encode(), {"content-type": "application/json", **headers}
        asked = request_as_kept(method, url, rest.get("writes", True), headers, body or b"")
        said = {k: v for k, v in reply.headers.items() if k in KEPT_HEADERS}
        self.passed.append(Exchange(asked, {"status": reply.status, "headers": said, **body_as_kept(reply.body)}))
        return reply


def record(
    connector: type[Connector],
    real: Mapping[str, str],
    shown: Mapping[str, str],
    now: Callable[[], datetime],
    call: Callable[[Any], Any],
) -> Conversation:
    """Make the call against the remote that `real` names; each of its settings stands in the file as in `shown`."""
    door = RecordingDoor()
    returned = plain(call(connector(real, door, now)))
    kept = jsonlib.dumps(
        {"exchanges": [{"request": e.request, "reply": e.reply} for e in door.passed], "returns": returned}
    )
    for name in sorted(real, key=lambda name: -len(real[name])):
        if real[name] and real[name] != shown[name]:
            kept = kept.replace(jsonlib.dumps(real[name])[1:-1], jsonlib.dumps(shown[name])[1:-1])
    told = jsonlib.loads(kept)
    return Conversation(tuple(Exchange(**each) for each in told["exchanges"]), told["returns"])
