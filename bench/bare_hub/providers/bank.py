"""A remote whose messages are signed as many are: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from integrations.hub.connector import Connector, Field
from integrations.hub.errors import Forged
from integrations.hub.values import Answer, Hint, Inbound, Verified

TOLERANCE = timedelta(minutes=5)


class Bank(Connector):
    kind = "bench"
    name = "bank"
    label = "Bank"
    fields = (Field("signing", "Signing secret", secret=True),)
    keeps = ("content-type",)

    def verify(self, inbound: Inbound) -> Verified:
        event, sent = inbound.headers.get("bench-id", ""), inbound.headers.get("bench-time", "")
        wanted = signature(self.settings["signing"], event, sent, inbound.body)
        if not hmac.compare_digest(inbound.headers.get("bench-signature", ""), wanted):
            raise Forged("The signature does not hold.")
        if abs(self.now() - datetime.fromisoformat(sent)) > TOLERANCE:
            raise Forged("It is too old.")
        return Verified(event)

    def parse(self, inbound: Inbound) -> Sequence[Hint]:
        return [Hint("payment", json.loads(inbound.body)["id"])]

    def answer(self, accepted: bool) -> Answer:
        return Answer(200, b"success") if accepted else Answer(503, b"fail")


def signature(secret: str, event: str, sent: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{event}.{sent}.".encode() + body, hashlib.sha256).hexdigest()
